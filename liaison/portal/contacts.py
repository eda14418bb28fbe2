"""Whom to reach, on both sides: entering, changing, removing, reviewing, stopping."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain import contact_entry
from liaison.domain.contact_entry import REVIEW_AFTER
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import PERSONAL, Channel
from liaison.errors import Invalid, NotFound
from liaison.models import Contact
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.portal.register_words import language
from liaison.queries import call_warnings, contact_pages
from liaison.services import contact_changes, contact_scope, verifications
from liaison.services import contacts as verbs
from liaison.services.contact_scope import Organisation

bp = Blueprint("contacts", __name__, url_prefix="/contacts")

WAY_WORDS = {"email": "E-mail address", "phone": "Phone number"}


class ContactForm(PortalForm):
    """A contact; which functions there are is its organisation's matter."""

    name = StringField("Name", render_kw={"autocomplete": "off"})
    function = RadioField("Function", validate_choice=False)
    email = StringField(
        "E-mail address",
        render_kw={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"},
    )
    phone = StringField("Phone number", render_kw={"inputmode": "tel", "autocomplete": "off"})
    channels = SelectMultipleField(
        "How to reach them",
        choices=[SelectChoice(c.value, c.label) for c in PERSONAL],
        validate_choice=False,
    )
    languages = StringField("Languages", render_kw={"autocomplete": "off", "spellcheck": "false"})
    review_on = StringField("To be reviewed on", render_kw={"type": "date"})


class Nothing(PortalForm):
    """Only the token: the button says it all."""


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of contacts ask for."""
    return {
        "may": lambda verb: may(web.actor().roles, Verb(verb)),
        "kept_words": kept.words,
        "today": web.now().astimezone(UTC).date(),
        "language": language,
        "in_words": contact_entry.in_words,
        "way_words": WAY_WORDS,
        "has_gateway": bool(web.settings().gateway_url),
    }


@bp.app_context_processor
def contacts_of() -> dict[str, object]:
    """For a provider's page: those that stand, and whether the reader keeps them."""
    return {
        "standing_contacts": lambda provider: contact_pages.of_provider(web.db(), provider.id),
        "keeps_contacts": lambda: may(web.actor().roles, Verb.MANAGE_CONTACTS),
    }


@bp.get("")
def index() -> ResponseReturnValue:
    """One's own registered contacts, and those on the other side; what is to be reviewed first."""
    actor, db = web.actor(), web.db()
    calls = may(actor.roles, Verb.CALL_TO_VERIFY)
    wrong = contact_pages.wrong_numbers(db, actor, web.now())
    return render_template(
        "contacts/index.html",
        groups=contact_pages.groups(db, actor, web.now()),
        stale=contact_pages.stale(db, actor, web.now()),
        wrong=wrong,
        told_by=call_warnings.told_by(db, actor, wrong),
        to_call=verifications.count_to_call(db, actor, web.now()) if calls else 0,
    )


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """A new contact; ``?provider=`` says whose, where it is not one's own."""
    demand(web.actor(), Verb.MANAGE_CONTACTS)
    provider_id = _provider()
    organisation = contact_scope.own_or_provider(web.db(), web.actor(), provider_id)
    form = _offered(ContactForm(), organisation)
    if request.method == "GET" and kept.words() is None:
        form.channels.data = [Channel.EMAIL.value, Channel.CALL.value]
        form.review_on.data = _in_half_a_year()

    def write() -> str:
        given = _given(form)
        contact = verbs.enter(web.db(), web.actor(), provider_id, given, web.now())
        return _page_of(contact.id)

    return _send("new", form, write, organisation=organisation, provider_id=provider_id)


@bp.get("/<uuid:contact_id>")
def show(contact_id: UUID) -> ResponseReturnValue:
    """Everything of one contact: what is verified, what waits, and what can be done."""
    actor, db, now = web.actor(), web.db(), web.now()
    contact = contact_scope.find(db, actor, contact_id)
    change = contact_scope.waiting(db, contact)
    stops = contact_scope.may_stop(db, actor, contact, now)
    return render_template(
        "contacts/show.html",
        contact=contact,
        organisation=contact_scope.of(db, contact),
        change=change,
        lacks=contact_changes.lacks(db, change) if change else [],
        needs=verifications.needs(db, contact, now),
        keeps=may(actor.roles, Verb.MANAGE_CONTACTS) and contact.removed_at is None,
        stops=stops and contact.removed_at is None,
        own=actor.is_provider or contact.authority_id is not None,
        cooling=contact.usable_from is not None and contact.usable_from > now,
        past=[c for c in reversed(contact.changes) if not c.is_open],
    )


@bp.route("/<uuid:contact_id>/edit", methods=["GET", "POST"])
def edit(contact_id: UUID) -> ResponseReturnValue:
    """Changes a contact: what decides whom a ladder reaches waits for its cooling-off."""
    demand(web.actor(), Verb.MANAGE_CONTACTS)
    contact = contact_scope.find(web.db(), web.actor(), contact_id)
    organisation = contact_scope.of(web.db(), contact)
    form = _offered(ContactForm(), organisation)
    if request.method == "GET" and kept.words() is None:
        _fill(form, contact)

    def write() -> str:
        verbs.change(web.db(), web.actor(), contact_id, _given(form), web.now())
        return _page_of(contact_id)

    return _send("edit", form, write, contact=contact, organisation=organisation)


@bp.route("/<uuid:contact_id>/remove", methods=["GET", "POST"])
def remove(contact_id: UUID) -> ResponseReturnValue:
    """Removes a contact, after its cooling-off."""
    demand(web.actor(), Verb.MANAGE_CONTACTS)
    contact = contact_scope.find(web.db(), web.actor(), contact_id)

    def write() -> str:
        verbs.remove(web.db(), web.actor(), contact_id, web.now())
        return _page_of(contact_id)

    return _send("remove", Nothing(), write, contact=contact)


@bp.post("/<uuid:contact_id>/review")
def review(contact_id: UUID) -> ResponseReturnValue:
    """The entry is still right."""
    verbs.review(web.db(), web.actor(), contact_id, web.now())
    web.commit()
    return redirect(_page_of(contact_id), 303)


@bp.post("/<uuid:contact_id>/stop")
def stop(contact_id: UUID) -> ResponseReturnValue:
    """Takes a new entry away again while it cools off."""
    verbs.stop_entry(web.db(), web.actor(), contact_id, web.now())
    web.commit()
    return redirect(_page_of(contact_id), 303)


@bp.post("/changes/<uuid:change_id>/cancel")
def cancel(change_id: UUID) -> ResponseReturnValue:
    """Stops a change that waits."""
    change = verbs.cancel_change(web.db(), web.actor(), change_id, web.now())
    web.commit()
    return redirect(_page_of(change.contact_id), 303)


def _page_of(contact_id: UUID) -> str:
    return url_for("contacts.show", contact_id=contact_id)


def _provider() -> UUID | None:
    named = request.args.get("provider")
    if not named:
        return None
    try:
        return UUID(named)
    except ValueError:
        raise NotFound from None


def _offered(form: ContactForm, organisation: Organisation) -> ContactForm:
    possible = contact_scope.functions_of(organisation)
    form.function.choices = [SelectChoice(f.value, f.label) for f in possible]
    form.explain = {f.value: f.explanation for f in possible}
    return form


def _fill(form: ContactForm, contact: Contact) -> None:
    form.name.data, form.languages.data = contact.name, ", ".join(contact.languages)
    form.function.data = contact.function.value
    form.email.data, form.phone.data = contact.email, contact.phone
    form.channels.data = list(contact.channels)
    stale = contact.review_on <= web.now().astimezone(UTC).date()
    form.review_on.data = _in_half_a_year() if stale else contact.review_on.isoformat()


def _in_half_a_year() -> str:
    return (web.now().astimezone(UTC).date() + REVIEW_AFTER).isoformat()


def _given(form: ContactForm) -> dict[str, Any]:
    names = ("name", "function", "email", "phone", "channels", "languages", "review_on")
    return {name: form[name].data for name in names}


def _send(
    template: str, form: PortalForm, verb: Callable[[], str], **more: object
) -> ResponseReturnValue:
    """The form's page; once sent, the act, or the page again with all that was typed, and why."""
    page = f"contacts/{template}.html"
    if request.method == "GET":
        return render_template(page, form=form, faults=[], **more)
    try:
        then = verb()
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, error.errors)
        return render_template(page, form=form, faults=faults, **more), 422
    web.commit()
    return redirect(then, 303)
