"""Rotas: written, changed and ended."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from wtforms import FieldList, SelectField, StringField, TextAreaField

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.domain.rota_entry import MOST_MEMBERS
from liaison.domain.terms import Window
from liaison.domain.vocabulary import Holidays, Turn
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Contact, Rota
from liaison.portal import limits, register_words
from liaison.portal.duty.blueprint import act, bp, link_base, send
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.portal.orders.draft_form import choices, option
from liaison.queries import duty as queries
from liaison.services import duty as verbs
from liaison.services import duty_scope, organisations

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOO_MANY = f"A rota has at most {MOST_MEMBERS} turns."
_ROWS = 3


class RotaForm(PortalForm):
    """A rota. The order of the turns is the order of its rows."""

    name = StringField("Name", render_kw={"autocomplete": "off"})
    turn = SelectField("Each turn lasts", choices=choices(Turn), validate_choice=False)
    handover = StringField("Hand-over at", render_kw={"autocomplete": "off"})
    weekday = SelectField(
        "Hand-over on",
        choices=[option(str(n), name) for n, name in enumerate(_DAYS)],
        validate_choice=False,
    )
    time_zone = StringField("Time zone", render_kw={"autocomplete": "off", "spellcheck": "false"})
    starts_on = StringField("The first turn begins on", render_kw={"autocomplete": "off"})
    members = FieldList(
        SelectField("Turn", choices=[], validate_choice=False), "Turns", min_entries=1
    )
    windows = TextAreaField("Hours", render_kw={"rows": 3, "spellcheck": "false"})
    holidays = SelectField("Public holidays", choices=choices(Holidays), validate_choice=False)


@bp.route("/rotas/new", methods=["GET", "POST"])
def new_rota() -> ResponseReturnValue:
    """A new rota."""
    demand(web.actor(), Verb.MANAGE_DUTY)
    organisation = organisations.own(web.db(), web.actor())
    usual = {
        "turn": Turn.WEEKLY.value,
        "handover": "08:00",
        "weekday": "0",
        "time_zone": organisation.time_zone,
        "starts_on": web.now().date().isoformat(),
        "members": [""] * _ROWS,
        "holidays": Holidays.AS_USUAL.value,
    }
    return _send(None, usual)


@bp.route("/rotas/<uuid:rota_id>/edit", methods=["GET", "POST"])
def edit_rota(rota_id: UUID) -> ResponseReturnValue:
    """A rota written anew: it ends now, and another begins in its place."""
    demand(web.actor(), Verb.MANAGE_DUTY)
    rota = duty_scope.find(web.db(), web.actor(), Rota, rota_id)
    if rota.ended_at is not None and request.method == "GET":
        raise NotFound("This rota has ended. Open the page of duty and look what stands now.")
    usual = {
        "name": rota.name,
        "turn": rota.turn.value,
        "handover": rota.handover,
        "weekday": str(rota.weekday),
        "time_zone": rota.time_zone,
        "starts_on": rota.starts_on.isoformat(),
        "members": list(rota.members),
        "windows": "\n".join(_window(given) for given in rota.windows),
        "holidays": rota.holidays.value,
    }
    return _send(rota, usual)


@bp.post("/rotas/<uuid:rota_id>/end")
def end_rota(rota_id: UUID) -> ResponseReturnValue:
    """Ends a rota now."""
    return act(verbs.end_rota, rota_id)


def _send(rota: Rota | None, usual: dict[str, Any]) -> ResponseReturnValue:
    try:
        limits.rows("/members", MOST_MEMBERS, _TOO_MANY)
    except Invalid as error:
        form = _offer(RotaForm(formdata=None, data=usual))
        faults = pointers.show(form, error.errors)
        return render_template("duty/rota.html", form=form, faults=faults, rota=rota), 422
    form = RotaForm(data=usual if request.method == "GET" else None)
    if request.method == "POST" and (rebuilt := _rows_changed(form)):
        return render_template("duty/rota.html", form=_offer(rebuilt), faults=[], rota=rota)
    _offer(form)
    typed = form.members.data or []
    filled = [place for place, value in enumerate(typed) if value]

    def place(fault: FieldError) -> FieldError:
        """Empty rows are no members: a fault is shown at the row that was meant."""
        found = re.fullmatch(r"/members/(\d+)", fault.pointer)
        if found is None or int(found[1]) >= len(filled):
            return fault
        return FieldError(f"/members/{filled[int(found[1])]}", fault.detail)

    def write() -> None:
        session, actor, now = web.db(), web.actor(), web.now()
        if rota is None:
            verbs.make_rota(session, actor, _data(form), now, link_base())
        else:
            verbs.change_rota(session, actor, rota.id, _data(form), now, link_base())

    return send("rota", form, write, place=place, rota=rota)


def _data(form: RotaForm) -> dict[str, Any]:
    weekday = form.weekday.data or ""
    lines = (form.windows.data or "").splitlines()
    return {
        "name": form.name.data,
        "turn": form.turn.data,
        "handover": (form.handover.data or "").strip(),
        "weekday": int(weekday) if weekday in {str(n) for n in range(7)} else None,
        "time_zone": (form.time_zone.data or "").strip(),
        "starts_on": (form.starts_on.data or "").strip(),
        "members": [value for value in form.members.data or [] if value],
        "windows": [line.strip() for line in lines if line.strip()],
        "holidays": form.holidays.data,
    }


def _rows_changed(form: RotaForm) -> RotaForm | None:
    """The form with one row more or less, nothing typed lost; None for any other button."""
    found = re.fullmatch(r"(add|remove)-member(?:-(\d{1,3}))?", request.form.get("act", ""))
    if found is None:
        return None
    data = {name: value for name, value in form.data.items() if name not in ("csrf_token", "act")}
    rows = list(data["members"] or [])
    if found[1] == "add" and len(rows) < MOST_MEMBERS:
        rows.append("")
    elif found[2] and int(found[2]) < len(rows) > 1:
        del rows[int(found[2])]
    return RotaForm(formdata=None, data={**data, "members": rows})


def _offer(form: RotaForm) -> RotaForm:
    """Each row offers every contact that can be called; one that no longer can stays named."""
    owner = duty_scope.owner_of(web.actor())
    offered = {str(c.id): _named(c) for c in queries.contacts(web.db(), owner, web.now())}
    known = duty_scope.contacts(web.db(), web.actor())
    gone = {str(i): f"{c.name} (cannot be called)" for i, c in known.items()}
    for number, entry in enumerate(form.members.entries, start=1):
        entry.label.text = f"Turn {number}"
        entry.choices = [option("", "Nobody"), *(option(i, name) for i, name in offered.items())]
        if entry.data and entry.data not in offered and entry.data in gone:
            entry.choices.append(option(entry.data, gone[entry.data]))
    return form


def _named(contact: Contact) -> str:
    return f"{contact.name} ({contact.function.label})"


def _window(given: dict[str, Any]) -> str:
    return register_words.window(Window(tuple(given["days"]), given["opens"], given["closes"]))
