"""An organisation's API keys: seen by its people, kept by its administrator."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types
from wtforms.validators import InputRequired

from liaison import web
from liaison.domain.permissions import Verb, may
from liaison.errors import FieldError, Invalid
from liaison.models import ApiKey
from liaison.portal.kept import PortalForm, words
from liaison.portal.problems import PROBLEMS
from liaison.queries import key_list, key_log
from liaison.queries.key_list import KeyState
from liaison.services import keyring

bp = Blueprint("keys", __name__, url_prefix="/api-keys")

SCOPES = (
    SelectChoice("read", "Read"),
    SelectChoice("respond", "Respond"),
    SelectChoice("webhooks", "Webhooks"),
)
AUTHORITY_SCOPES = (SelectChoice("read", "Read"), SelectChoice("draft", "Draft"))
"""What a contact point's case system may do."""
MEANING = {
    "read": "Poll the stream of events, fetch orders and their papers.",
    "respond": "Acknowledge, confirm preservation, decline, ask.",
    "webhooks": "Make, change, try and remove webhooks. Administrators are told by letter.",
}
AUTHORITY_MEANING = {
    "read": "Follow the contact point’s stream and its orders.",
    "draft": "Draft, change, submit and discard orders. People authorise them; a key never does.",
}
TAGS = {
    KeyState.IN_FORCE: ("green", "check-lg", "In force"),
    KeyState.ENDING: ("amber", "hourglass-split", "Ends soon"),
    KeyState.REPLACED: ("blue", "arrow-repeat", "Rolled over"),
    KeyState.EXPIRED: ("", "slash-circle", "Expired"),
    KeyState.REVOKED: ("", "slash-circle", "Revoked"),
}
_WHOLE_DAYS = {"inputmode": "numeric"}


class KeyForm(PortalForm):
    """A new key."""

    name = StringField("Name", [InputRequired("Name the program that will use it.")])
    scopes = SelectMultipleField("What it may do", choices=list(SCOPES), validate_choice=False)
    networks = TextAreaField("From which addresses", render_kw={"rows": 3, "spellcheck": "false"})
    days = StringField(
        "Expires after", [InputRequired("Enter a number of days.")], render_kw=_WHOLE_DAYS
    )
    expected = StringField("Calls at least every", render_kw=_WHOLE_DAYS)


class ExpectForm(PortalForm):
    """How often a key's program calls."""

    expected = StringField("Calls at least every", render_kw=_WHOLE_DAYS)


class RollForm(PortalForm):
    """How long the older key counts on."""

    overlap = StringField(
        "The older key counts on for",
        [InputRequired("Enter a number of days; 0 ends it at once.")],
        render_kw=_WHOLE_DAYS,
    )


class RevokeForm(PortalForm):
    """Why a key is taken back."""

    reason = StringField("Reason", [InputRequired("Say why, for the log.")])


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees keys without signing in."""


@bp.get("")
def index() -> ResponseReturnValue:
    """Every key of the organisation, without the keys themselves."""
    actor = web.actor()
    return render_template(
        "keys/list.html",
        listed=key_list.of_own(web.db(), actor, web.now()),
        keeps=may(actor.roles, Verb.MANAGE_KEYS),
        tags=TAGS,
        organisation=actor.organisation,
        ours=actor.is_contact_point,
    )


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Asks what the key is for."""
    _ready()
    form = _key_form()
    if words() is None:
        usual = ["read", "draft"] if web.actor().is_contact_point else ["read", "respond"]
        form.scopes.data, form.days.data = usual, str(keyring.DAYS)
    return _new_page(form)


@bp.post("/new")
def make() -> ResponseReturnValue:
    """Makes it, and shows it on the answer's page: there and nowhere else."""
    form = _key_form()
    _ready()
    if not form.validate():
        return _new_page(form, 422)
    lines = (form.networks.data or "").replace(",", "\n").split("\n")
    wanted = keyring.Wanted(
        name=form.name.data or "",
        scopes=form.scopes.data or [],
        networks=[line.strip() for line in lines if line.strip()],
        days=_whole(form.days.data),
        expected=_expected(form.expected.data),
    )
    try:
        row, shown = keyring.make(web.db(), web.actor(), wanted, web.now())
    except Invalid as error:
        _place(form, error.errors)
        return _new_page(form, 422)
    web.commit()
    return _shown(row, shown)


@bp.get("/<uuid:key_id>")
def show(key_id: UUID) -> ResponseReturnValue:
    """One key, and what its program asked for within the last seven days."""
    actor = web.actor()
    listed = key_list.seen(web.db(), actor, key_id, web.now())
    problems = "problems" in request.args
    return render_template(
        "keys/show.html",
        listed=listed,
        found=key_log.of_key(web.db(), listed.key, _before(), problems=problems),
        first="before" not in request.args,
        only_problems=problems,
        problems=PROBLEMS,
        keeps=may(actor.roles, Verb.MANAGE_KEYS),
        tags=TAGS,
    )


@bp.get("/<uuid:key_id>/roll")
def ask_roll(key_id: UUID) -> ResponseReturnValue:
    """Says what rolling over does, and asks for the overlap."""
    listed = _one(key_id)
    _ready()
    form = RollForm()
    if words() is None:
        form.overlap.data = str(keyring.OVERLAP)
    return _act_page("roll", form, listed)


@bp.post("/<uuid:key_id>/roll")
def roll(key_id: UUID) -> ResponseReturnValue:
    """A successor; both count until the older one ends."""
    form, listed = RollForm(), _one(key_id)
    _ready()
    if not form.validate():
        return _act_page("roll", form, listed, 422)
    overlap = _whole(form.overlap.data)
    try:
        row, shown = keyring.roll(web.db(), web.actor(), key_id, overlap, web.now())
    except Invalid as error:
        _place(form, error.errors)
        return _act_page("roll", form, listed, 422)
    web.commit()
    return _shown(row, shown, older=listed.key)


@bp.get("/<uuid:key_id>/expect")
def ask_expect(key_id: UUID) -> ResponseReturnValue:
    """Asks how often the program calls, and says who is told when it does not."""
    listed = _one(key_id)
    _ready()
    form = ExpectForm()
    if words() is None:
        form.expected.data = str(listed.key.expected_every or "")
    return _act_page("expect", form, listed)


@bp.post("/<uuid:key_id>/expect")
def expect(key_id: UUID) -> ResponseReturnValue:
    """From now on the program is waited for, or no longer."""
    form, listed = ExpectForm(), _one(key_id)
    _ready()
    try:
        minutes = _expected(form.expected.data)
        keyring.expect(web.db(), web.actor(), key_id, minutes, web.now())
    except Invalid as error:
        web.db().rollback()
        _place(form, error.errors)
        return _act_page("expect", form, listed, 422)
    web.commit()
    return redirect(url_for("keys.index"), 303)


@bp.get("/<uuid:key_id>/revoke")
def ask_revoke(key_id: UUID) -> ResponseReturnValue:
    """Says what revoking does, and asks why."""
    listed = _one(key_id)
    _ready()
    return _act_page("revoke", RevokeForm(), listed)


@bp.post("/<uuid:key_id>/revoke")
def revoke(key_id: UUID) -> ResponseReturnValue:
    """Takes the key back at once."""
    form, listed = RevokeForm(), _one(key_id)
    _ready()
    if not form.validate():
        return _act_page("revoke", form, listed, 422)
    try:
        keyring.revoke(web.db(), web.actor(), key_id, form.reason.data or "", web.now())
    except Invalid as error:
        _place(form, error.errors)
        return _act_page("revoke", form, listed, 422)
    web.commit()
    return redirect(url_for("keys.index"), 303)


def _key_form() -> KeyForm:
    form = KeyForm()
    if web.actor().is_contact_point:
        form.scopes.choices = list(AUTHORITY_SCOPES)
    return form


def _before() -> UUID | None:
    """Where a page begins; what is no place begins at the newest."""
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None


def _ready() -> None:
    """Asks for the role and a fresh factor before anything is typed or checked."""
    keyring.demand_keeper(web.actor(), web.now())


def _one(key_id: UUID) -> key_list.Listed:
    return key_list.one(web.db(), web.actor(), key_id, web.now())


def _whole(text: str | None) -> int:
    """The number that was typed; one that the verb refuses where it is none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


def _expected(text: str | None) -> int | None:
    """Minutes; None where nothing was typed."""
    return _whole(text) if (text or "").strip() else None


def _place(form: PortalForm, faults: list[FieldError]) -> None:
    """Puts each fault at its field."""
    for fault in faults:
        field = form[fault.pointer.split("/")[1]]
        field.errors = [*field.errors, fault.detail]


def _new_page(form: KeyForm, status: int = 200) -> ResponseReturnValue:
    html = render_template(
        "keys/new.html",
        form=form,
        meaning=AUTHORITY_MEANING if web.actor().is_contact_point else MEANING,
        ours=web.actor().is_contact_point,
        longest=keyring.LONGEST_DAYS,
        here=web.address(),
    )
    return make_response(html, status)


def _act_page(
    act: str, form: PortalForm, listed: key_list.Listed, status: int = 200
) -> ResponseReturnValue:
    html = render_template(
        f"keys/{act}.html",
        form=form,
        listed=listed,
        tags=TAGS,
        longest=keyring.LONGEST_OVERLAP,
    )
    return make_response(html, status)


def _shown(row: ApiKey, shown: str, older: ApiKey | None = None) -> ResponseReturnValue:
    response = make_response(
        render_template(
            "keys/shown.html",
            key=row,
            shown=shown,
            older=older,
            base_url=web.settings().base_url,
            whoami="/authority/whoami" if row.authority_id else "/whoami",
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response
