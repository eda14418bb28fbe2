"""Who stands in, and who exchanges with whom."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.portal import kept
from liaison.portal.duty.blueprint import act, bp, link_base, send
from liaison.portal.kept import PortalForm
from liaison.portal.orders.draft_form import option
from liaison.queries import duty as queries
from liaison.services import duty_overrides as verbs
from liaison.services import duty_scope, organisations

_TYPED = {"autocomplete": "off", "spellcheck": "false"}


class OverrideForm(PortalForm):
    """Somebody else, from a time to a time."""

    contact = SelectField("Who is on duty", choices=[], validate_choice=False)
    rota = SelectField("In place of", choices=[], validate_choice=False)
    starts_at = StringField("From", render_kw=_TYPED)
    ends_at = StringField("Until", render_kw=_TYPED)
    note = StringField("Note", render_kw={"autocomplete": "off"})


class SwapForm(PortalForm):
    """Two coming shifts."""

    first = SelectField("This shift", choices=[], validate_choice=False)
    second = SelectField("is exchanged with", choices=[], validate_choice=False)


@bp.route("/overrides/new", methods=["GET", "POST"])
def new_override() -> ResponseReturnValue:
    """Somebody stands in; ``?start=…&end=…`` fills the span in."""
    demand(web.actor(), Verb.MANAGE_DUTY)
    owner, zone = duty_scope.owner_of(web.actor()), _zone()
    form = OverrideForm()
    form.contact.choices = [
        option("", "Choose"),
        *(
            option(str(c.id), f"{c.name} ({c.function.label})")
            for c in queries.contacts(web.db(), owner, web.now())
        ),
    ]
    form.rota.choices = [
        option("", "Everybody on duty"),
        *(option(str(r.id), f"The rota “{r.name}”") for r in queries.rotas(web.db(), owner)),
    ]
    if request.method == "GET" and kept.words() is None:
        form.starts_at.data = _asked("start", zone) or _local(web.now(), zone)
        form.ends_at.data = _asked("end", zone)

    def write() -> None:
        data = {name: form[name].data for name in ("contact", "rota", "note")}
        data |= {name: (form[name].data or "").strip() for name in ("starts_at", "ends_at")}
        verbs.override(web.db(), web.actor(), data, web.now(), link_base())

    return send("override", form, write, zone=zone)


@bp.post("/overrides/<uuid:override_id>/cancel")
def cancel_override(override_id: UUID) -> ResponseReturnValue:
    """Takes an override back; of an exchange both halves."""
    return act(verbs.cancel_override, override_id)


@bp.route("/swap", methods=["GET", "POST"])
def swap() -> ResponseReturnValue:
    """Two people exchange two shifts to come."""
    demand(web.actor(), Verb.MANAGE_DUTY)
    zone = _zone()
    form = SwapForm()
    coming = verbs.coming_shifts(web.db(), web.actor(), web.now())
    offered = [option("", "Choose"), *(option(c.key, _words(c, zone)) for c in coming)]
    form.first.choices = form.second.choices = offered

    def write() -> None:
        first, second = form.first.data or "", form.second.data or ""
        verbs.swap(web.db(), web.actor(), first, second, web.now(), link_base())

    return send("swap", form, write, coming=coming, zone=zone)


def _words(coming: verbs.Coming, zone: str) -> str:
    there = ZoneInfo(zone)
    start, end = coming.shift.start.astimezone(there), coming.shift.end.astimezone(there)
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %d %b, %H:%M}"
    return f"{start:%a %d %b, %H:%M} to {last}: {coming.member.name} ({coming.rota.name})"


def _zone() -> str:
    return organisations.own(web.db(), web.actor()).time_zone


def _asked(name: str, zone: str) -> str:
    """A moment from the page's address, as it is typed; empty where it is none."""
    try:
        moment = datetime.fromisoformat(request.args.get(name, ""))
        return _local(moment, zone) if moment.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _local(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
