"""The page that invites the first administrator of an organisation that has none."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import StringField

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.errors import Invalid
from liaison.models import Authority, Provider
from liaison.portal import kept
from liaison.portal.invitation_links import maker
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.services import first_administrators as verbs
from liaison.services import organisations


class FirstForm(PortalForm):
    """Whom; the role is given."""

    email = StringField(
        "E-mail address",
        render_kw={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"},
    )
    name = StringField("Name", render_kw={"autocomplete": "off"})


def page(kind: verbs.Kind, organisation_id: UUID, back: str) -> ResponseReturnValue:
    """The form, or who is invited already; ``back`` is the organisation's page."""
    demand(web.actor(), Verb.MANAGE_REGISTER)
    row = verbs.organisation(web.db(), kind, organisation_id)
    form = FirstForm()
    if request.method == "GET":
        return _shown(row, form, back)
    try:
        _act(kind, organisation_id, form)
    except Invalid as error:
        web.db().rollback()
        return _shown(row, form, back, pointers.show(form, error.errors)), 422
    web.commit()
    return redirect(back, 303)


def _act(kind: verbs.Kind, organisation_id: UUID, form: FirstForm) -> None:
    now = web.now()
    if request.form.get("act") == "revoke":
        verbs.revoke_first_administrator(web.db(), web.actor(), kind, organisation_id, now)
        return
    verbs.invite_first_administrator(
        web.db(),
        web.vault(),
        web.actor(),
        kind,
        organisation_id,
        form.email.data or "",
        form.name.data or "",
        now,
        link=maker(web.settings(), now),
    )


def _shown(
    row: Provider | Authority,
    form: FirstForm,
    back: str,
    faults: list[pointers.Fault] | None = None,
) -> str:
    return render_template(
        "register/first_administrator.html",
        row=row,
        form=form,
        back=back,
        faults=faults or [],
        has_one=organisations.has_keeper(web.db(), row),
        waiting=verbs.waiting(web.db(), row, web.now()),
        kept_words=kept.words,
    )
