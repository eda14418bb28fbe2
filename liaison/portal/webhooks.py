"""A provider's webhooks: seen by its people, kept by its administrator, tried and sent again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
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
from liaison.portal.webhook_words import delivery_tag, sent_again, state_tag
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
        keeps=may(actor.roles, Verb.MANAGE_WEBHOOKS),
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


@bp.get("/<uuid:endpoint_id>/disable")
@bp.get("/<uuid:endpoint_id>/enable", endpoint="ask_enable")
def ask_disable(endpoint_id: UUID) -> ResponseReturnValue:
    """Where a fresh code leads back to, before anything was done."""
    act = request.path.rpartition("/")[2]
    return _act_page(act, PlainForm(), _kept(endpoint_id))


@bp.post("/<uuid:endpoint_id>/disable")
def disable(endpoint_id: UUID) -> ResponseReturnValue:
    """Nothing is sent until it is enabled again."""

    def act() -> str:
        webhook_keeping.disable(web.db(), web.actor(), endpoint_id, web.now())
        return "The webhook is disabled: nothing is sent there."

    return _do(endpoint_id, act)


@bp.post("/<uuid:endpoint_id>/enable")
def enable(endpoint_id: UUID) -> ResponseReturnValue:
    """It is told of what comes from now on."""

    def act() -> str:
        webhook_keeping.enable(web.db(), web.actor(), endpoint_id, web.now())
        return "The webhook is enabled. Send a test event and see whether it works."

    return _do(endpoint_id, act)


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
    """Sends a test event on its way, or the one that waits for its next try."""

    def act() -> str:
        is_new = webhook_replays.ping(web.db(), web.actor(), endpoint_id, web.now())
        tried = "A test event waited for its next try: it is tried again now."
        return "A test event is on its way." if is_new else tried

    return _do(endpoint_id, act, "deliveries-h")


@bp.post("/<uuid:endpoint_id>/deliveries/<uuid:message_id>/replay")
def replay(endpoint_id: UUID, message_id: UUID) -> ResponseReturnValue:
    """Sends one event again."""

    def act() -> str:
        db, actor = web.db(), web.actor()
        again = webhook_replays.replay(db, actor, endpoint_id, message_id, web.now())
        return sent_again(again) if again else "It waits already: it was not queued once more."

    return _do(endpoint_id, act, "deliveries-h")


@bp.post("/<uuid:endpoint_id>/replay")
def replay_since(endpoint_id: UUID) -> ResponseReturnValue:
    """Says how many events there are since a moment; then sends them again."""
    form = SinceForm()
    demand(web.actor(), Verb.MANAGE_WEBHOOKS)
    row = looked.one(web.db(), web.actor(), endpoint_id)
    if not form.validate():
        return _page(row, form, 422)
    given = web.db(), web.actor(), endpoint_id
    try:
        since = moment(form.since.data or "")
        count = webhook_replays.count_since(*given, since, web.now())
        if form.sure.data != str(count) or not count:
            web.db().rollback()
            form.sure.data = str(count)
            return _act_page("replay", form, row, count=count, since=since)
        return _do(
            endpoint_id,
            lambda: sent_again(webhook_replays.replay_since(*given, since, web.now())),
            "deliveries-h",
        )
    except Invalid as error:
        place(form, error.errors)
        return _page(row, form, 422)
    except webhook_keeping.NotAsItIs as error:
        return _refused(endpoint_id, error)


def _do(
    endpoint_id: UUID, act: Callable[[], str], anchor: str | None = None
) -> ResponseReturnValue:
    """Does it, and says on the webhook's page what was done, or why it was not."""
    try:
        said = act()
    except webhook_keeping.NotAsItIs as error:
        return _refused(endpoint_id, error)
    web.commit()
    flash(said)
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id, _anchor=anchor), 303)


def _refused(endpoint_id: UUID, error: webhook_keeping.NotAsItIs) -> ResponseReturnValue:
    web.db().rollback()
    row = looked.one(web.db(), web.actor(), endpoint_id)
    return _page(row, SinceForm(formdata=None), 409, refused=error.detail)


def _ready() -> None:
    """Asks for the role and a fresh factor before anything is typed or checked."""
    demand(web.actor(), Verb.MANAGE_WEBHOOKS)
    keyring.demand_keeper(web.actor(), web.now())


def _kept(endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, for whoever may keep it."""
    demand(web.actor(), Verb.MANAGE_WEBHOOKS)
    row = looked.one(web.db(), web.actor(), endpoint_id)
    _ready()
    return row


def _done(endpoint_id: UUID) -> ResponseReturnValue:
    web.commit()
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id), 303)


def _loopback() -> bool:
    return web.settings().env is not Env.PRODUCTION


def _edit_page(
    form: EndpointForm, row: WebhookEndpoint | None, status: int = 200
) -> ResponseReturnValue:
    html = render_template(
        "webhooks/edit.html", form=form, row=row, meaning=STREAM_EVENTS, loopback=_loopback()
    )
    return make_response(html, status)


def _act_page(
    act: str, form: PortalForm, row: WebhookEndpoint, status: int = 200, **more: object
) -> ResponseReturnValue:
    longest = webhook_keeping.LONGEST_OVERLAP
    html = render_template(f"webhooks/{act}.html", form=form, row=row, longest=longest, **more)
    return make_response(html, status)


def _page(
    row: WebhookEndpoint, form: SinceForm, status: int = 200, refused: str = ""
) -> ResponseReturnValue:
    html = render_template(
        "webhooks/show.html",
        row=row,
        refused=refused,
        form=form,
        found=looked.deliveries(web.db(), row, _before()),
        keeps=may(web.actor().roles, Verb.MANAGE_WEBHOOKS),
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
