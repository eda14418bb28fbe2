"""The people of one's own organisation: who they are, inviting, roles, taking access back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import Role
from liaison.errors import Invalid
from liaison.portal import kept
from liaison.portal.invitation_links import maker
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.queries import people as queries
from liaison.services import invitations, organisations
from liaison.services import people as verbs

bp = Blueprint("people", __name__, url_prefix="/people")


class InviteForm(PortalForm):
    """Whom, and to what."""

    email = StringField(
        "E-mail address",
        render_kw={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"},
    )
    name = StringField("Name", render_kw={"autocomplete": "off"})
    roles = SelectMultipleField("Roles", validate_choice=False)


class ReasonForm(PortalForm):
    """Why; it stands in the portal log."""

    reason = TextAreaField("Reason", render_kw={"rows": 3})


class RolesForm(ReasonForm):
    """What a person may do from now on."""

    roles = SelectMultipleField("Roles", validate_choice=False)


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees people without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of people ask for."""
    return {"may": lambda verb: may(web.actor().roles, Verb(verb)), "kept_words": kept.words}


@bp.get("")
def index() -> ResponseReturnValue:
    """Everybody of one's own organisation, and who is invited."""
    return render_template(
        "people/index.html",
        rows=queries.everybody(web.db(), web.actor()),
        invited=queries.invited(web.db(), web.actor(), web.now()),
        role_label=lambda role: Role(role).label,
    )


@bp.route("/invite", methods=["GET", "POST"])
def invite() -> ResponseReturnValue:
    """Invites a person by a letter to their institutional address."""
    demand(web.actor(), Verb.INVITE)
    form = InviteForm()
    domains = _offer(form)

    def write() -> None:
        link = maker(web.settings(), web.now())
        email, name = form.email.data or "", form.name.data or ""
        given = form.roles.data or []
        invitations.invite(
            web.db(), web.vault(), web.actor(), email, name, given, web.now(), link=link
        )

    return _send("invite", form, write, url_for("people.index"), domains=domains)


@bp.post("/invitations/<uuid:invitation_id>/revoke")
def revoke(invitation_id: UUID) -> ResponseReturnValue:
    """Takes an invitation back."""
    invitations.revoke(web.db(), web.actor(), invitation_id, web.now())
    web.commit()
    return redirect(url_for("people.index"), 303)


@bp.get("/<uuid:person_id>")
def show(person_id: UUID) -> ResponseReturnValue:
    """One person: roles, last use, and what can be done."""
    return render_template("people/show.html", row=_seen(person_id))


@bp.route("/<uuid:person_id>/disable", methods=["GET", "POST"])
def disable(person_id: UUID) -> ResponseReturnValue:
    """Takes access away: sessions and keys end at once."""
    return _act("disable", person_id, ReasonForm(), verbs.disable)


@bp.route("/<uuid:person_id>/enable", methods=["GET", "POST"])
def enable(person_id: UUID) -> ResponseReturnValue:
    """Lets a person in again."""
    return _act("enable", person_id, ReasonForm(), verbs.enable)


@bp.route("/<uuid:person_id>/roles", methods=["GET", "POST"])
def roles(person_id: UUID) -> ResponseReturnValue:
    """Changes what a person may do."""
    demand(web.actor(), Verb.MANAGE_PEOPLE)
    row = _seen(person_id)
    form = RolesForm()
    _offer(form)
    if request.method == "GET" and form.roles.data is None:
        form.roles.data = [role.value for role in row.roles]

    def write() -> None:
        given, reason = form.roles.data or [], form.reason.data or ""
        verbs.set_roles(web.db(), web.actor(), person_id, given, reason, web.now())

    return _send("roles", form, write, url_for("people.show", person_id=person_id), row=row)


def _act(
    template: str, person_id: UUID, form: ReasonForm, verb: Callable[..., object]
) -> ResponseReturnValue:
    demand(web.actor(), Verb.MANAGE_PEOPLE)
    row = _seen(person_id)

    def write() -> None:
        verb(web.db(), web.actor(), person_id, form.reason.data or "", web.now())

    return _send(template, form, write, url_for("people.show", person_id=person_id), row=row)


def _seen(person_id: UUID) -> queries.Row:
    return queries.one(web.db(), web.actor(), person_id)


def _offer(form: InviteForm | RolesForm) -> list[str]:
    """Offers the roles that are possible at the reader's organisation; its mail domains."""
    organisation = organisations.own(web.db(), web.actor())
    possible = invitations.roles_at(organisation)
    offered = [SelectChoice(role.value, role.label) for role in Role if role in possible]
    form.roles.choices = offered
    form.explain = {role.value: role.explanation for role in possible}
    return list(organisation.domains)


def _send(
    template: str, form: PortalForm, verb: Callable[[], None], then: str, **more: object
) -> ResponseReturnValue:
    """The form's page; once sent, the act, or the page again with all that was typed, and why."""
    if request.method == "GET":
        return render_template(f"people/{template}.html", form=form, faults=[], **more)
    try:
        verb()
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, error.errors)
        page = render_template(f"people/{template}.html", form=form, faults=faults, **more)
        return page, 422
    web.commit()
    return redirect(then, 303)
