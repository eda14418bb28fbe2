"""A provider's webhooks: seen by its people, kept by its administrator, tried and sent again."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.stream_events import STREAM_EVENTS
from liaison.errors import Invalid
from liaison.models import WebhookEndpoint
from liaison.portal.kept import PortalForm, words
from liaison.portal.webhook_forms import (
    EndpointForm,
    PlainForm,
    RollForm,
    SinceForm,
    moment,
    place,
    wanted,
    whole,
)
from liaison.portal.webhook_words import delivery_tag, state_tag
from liaison.queries import webhooks as looked
from liaison.services import keyring, webhook_keeping, webhook_replays
from liaison.services.webhook_health import host_of
from liaison.settings import Env

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees webhooks without signing in."""


@bp.get("")
def index() -> ResponseReturnValue:
    """A provider's own; for the contact point those of all, and how they do."""
    actor = web.actor()
    ours = actor.is_contact_point
    look = looked.of_all if ours else looked.of_provider
    return render_template(
        "webhooks/all.html" if ours else "webhooks/list.html",
        rows=look(web.db(), actor),
        keeps=may(actor.roles, Verb.MANAGE_KEYS),
        most=webhook_keeping.MOST,
        tag=state_tag,
        host=host_of,
    )


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Asks where events are to go."""
    _ready()
    return _edit_page(EndpointForm(), None)


@bp.post("/new")
def make() -> ResponseReturnValue:
    """Makes it, and shows its secret on the answer's page: there and nowhere else."""
    form = EndpointForm()
    _ready()
    if not form.validate():
        return _edit_page(form, None, 422)
    try:
        row, secret = webhook_keeping.make(
            web.db(), web.vault(), web.actor(), wanted(form), web.now(), loopback=_loopback()
        )
    except Invalid as error:
        place(form, error.errors)
        return _edit_page(form, None, 422)
    web.commit()
    return _shown(row, secret)


@bp.get("/<uuid:endpoint_id>")
def show(endpoint_id: UUID) -> ResponseReturnValue:
    """The endpoint, and what was sent there."""
    row = looked.one(web.db(), web.actor(), endpoint_id)
    return _page(row, SinceForm())


@bp.get("/<uuid:endpoint_id>/edit")
def edit(endpoint_id: UUID) -> ResponseReturnValue:
    """Its fields as they are."""
    row = _kept(endpoint_id)
    form = EndpointForm()
    if words() is None:
        form.url.data, form.description.data = row.url, row.description
        form.events.data, form.version.data = row.events, str(row.version)
    return _edit_page(form, row)


@bp.post("/<uuid:endpoint_id>/edit")
def change(endpoint_id: UUID) -> ResponseReturnValue:
    """Changes them."""
    form, row = EndpointForm(), _kept(endpoint_id)
    if not form.validate():
        return _edit_page(form, row, 422)
    version = whole(form.version.data)
    try:
        webhook_keeping.change(
            web.db(),
            web.actor(),
            endpoint_id,
            wanted(form),
            version,
            web.now(),
            loopback=_loopback(),
        )
    except Invalid as error:
        place(form, error.errors)
        return _edit_page(form, row, 422)
    return _done(endpoint_id)


@bp.get("/<uuid:endpoint_id>/roll")
def ask_roll(endpoint_id: UUID) -> ResponseReturnValue:
    """Says what rolling over does, and asks for the overlap."""
    row = _kept(endpoint_id)
    form = RollForm()
    if words() is None:
        form.overlap.data = str(webhook_keeping.OVERLAP)
    return _act_page("roll", form, row)


@bp.post("/<uuid:endpoint_id>/roll")
def roll(endpoint_id: UUID) -> ResponseReturnValue:
    """A new secret, shown on the answer's page."""
    form, row = RollForm(), _kept(endpoint_id)
    if not form.validate():
        return _act_page("roll", form, row, 422)
    hours = whole(form.overlap.data)
    try:
        row, secret = webhook_keeping.roll(
            web.db(), web.vault(), web.actor(), endpoint_id, hours, web.now()
        )
    except Invalid as error:
        place(form, error.errors)
        return _act_page("roll", form, row, 422)
    web.commit()
    return _shown(row, secret, rolled=True)


@bp.post("/<uuid:endpoint_id>/disable")
def disable(endpoint_id: UUID) -> ResponseReturnValue:
    """Nothing is sent until it is enabled again."""
    webhook_keeping.disable(web.db(), web.actor(), endpoint_id, web.now())
    return _done(endpoint_id)


@bp.post("/<uuid:endpoint_id>/enable")
def enable(endpoint_id: UUID) -> ResponseReturnValue:
    """It is told of what comes from now on."""
    webhook_keeping.enable(web.db(), web.actor(), endpoint_id, web.now())
    return _done(endpoint_id)


@bp.get("/<uuid:endpoint_id>/remove")
def ask_remove(endpoint_id: UUID) -> ResponseReturnValue:
    """Says what removing does."""
    return _act_page("remove", PlainForm(), _kept(endpoint_id))


@bp.post("/<uuid:endpoint_id>/remove")
def remove(endpoint_id: UUID) -> ResponseReturnValue:
    """Removes it for good."""
    webhook_keeping.remove(web.db(), web.actor(), endpoint_id, web.now())
    web.commit()
    return redirect(url_for("webhooks.index"), 303)


@bp.post("/<uuid:endpoint_id>/test")
def ping(endpoint_id: UUID) -> ResponseReturnValue:
    """Sends a test event on its way."""
    webhook_replays.ping(web.db(), web.actor(), endpoint_id, web.now())
    return _done(endpoint_id, "deliveries-h")


@bp.post("/<uuid:endpoint_id>/deliveries/<uuid:message_id>/replay")
def replay(endpoint_id: UUID, message_id: UUID) -> ResponseReturnValue:
    """Sends one event again."""
    webhook_replays.replay(web.db(), web.actor(), endpoint_id, message_id, web.now())
    return _done(endpoint_id, "deliveries-h")


@bp.post("/<uuid:endpoint_id>/replay")
def replay_since(endpoint_id: UUID) -> ResponseReturnValue:
    """Sends all events since a moment again."""
    form = SinceForm()
    demand(web.actor(), Verb.MANAGE_KEYS)
    row = looked.one(web.db(), web.actor(), endpoint_id)
    if not form.validate():
        return _page(row, form, 422)
    try:
        since = moment(form.since.data or "")
        webhook_replays.replay_since(web.db(), web.actor(), endpoint_id, since, web.now())
    except Invalid as error:
        place(form, error.errors)
        return _page(row, form, 422)
    return _done(endpoint_id, "deliveries-h")


def _ready() -> None:
    """Asks for the role and a fresh factor before anything is typed or checked."""
    keyring.demand_keeper(web.actor(), web.now())


def _kept(endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, for whoever may keep it."""
    demand(web.actor(), Verb.MANAGE_KEYS)
    row = looked.one(web.db(), web.actor(), endpoint_id)
    _ready()
    return row


def _done(endpoint_id: UUID, anchor: str | None = None) -> ResponseReturnValue:
    web.commit()
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id, _anchor=anchor), 303)


def _loopback() -> bool:
    return web.settings().env is not Env.PRODUCTION


def _edit_page(
    form: EndpointForm, row: WebhookEndpoint | None, status: int = 200
) -> ResponseReturnValue:
    html = render_template("webhooks/edit.html", form=form, row=row, meaning=STREAM_EVENTS)
    return make_response(html, status)


def _act_page(
    act: str, form: PortalForm, row: WebhookEndpoint, status: int = 200
) -> ResponseReturnValue:
    longest = webhook_keeping.LONGEST_OVERLAP
    html = render_template(f"webhooks/{act}.html", form=form, row=row, longest=longest)
    return make_response(html, status)


def _page(row: WebhookEndpoint, form: SinceForm, status: int = 200) -> ResponseReturnValue:
    html = render_template(
        "webhooks/show.html",
        row=row,
        form=form,
        found=looked.deliveries(web.db(), row, _before()),
        keeps=may(web.actor().roles, Verb.MANAGE_KEYS),
        most=webhook_replays.MOST,
        tag=state_tag,
        delivery_tag=delivery_tag,
    )
    return make_response(html, status)


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None


def _shown(row: WebhookEndpoint, secret: str, *, rolled: bool = False) -> ResponseReturnValue:
    html = render_template("webhooks/shown.html", row=row, secret=secret, rolled=rolled)
    response = make_response(html)
    response.headers["Cache-Control"] = "no-store"
    return response
