"""What would happen if an order were issued: who is called, when and how, by name and minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from wtforms import Form, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain.vocabulary import MemorandumState, Urgency
from liaison.models import Memorandum
from liaison.portal.filters import day, hm, in_zone
from liaison.portal.memoranda.blueprint import bp
from liaison.portal.orders import moments
from liaison.portal.register_words import whom
from liaison.queries import memoranda as queries
from liaison.queries.what_if import what_if as ask

FURTHEST = timedelta(days=5 * 365)
"""How far from today a moment can be: beyond that no register says anything."""


class WhatIfForm(Form):
    """Which order, and when; read from the address, for nothing is changed."""

    urgency = RadioField(
        "Urgency", choices=[SelectChoice(u.value, u.label) for u in reversed(Urgency)]
    )
    at = StringField("Issued at", description="Like 2026-11-25 02:14. Empty: now.")
    zone = SelectField("Time zone", description="Unless the text has its own.")


@bp.get("/memoranda/<uuid:memorandum_id>/what-if")
def what_if(memorandum_id: UUID) -> ResponseReturnValue:
    """``?urgency=``, ``?at=`` and ``?zone=`` choose; without them an emergency, now."""
    shown = queries.find(web.db(), web.actor(), memorandum_id)
    zones = _zones(shown)
    form = _form(zones)
    is_whole = form.validate()
    at = _moment(form, zones)
    told = None
    if is_whole and at:
        hidden = queries.hides(web.db(), web.actor(), shown)
        told = ask(web.db(), shown, Urgency(form.urgency.data), at, hidden=hidden)
    page = render_template(
        "memoranda/what_if.html",
        shown=shown,
        form=form,
        told=told,
        when=_clock(at, zones) if at else "",
        is_now=not (form.at.data or "").strip(),
        is_draft=shown.state is MemorandumState.DRAFT,
        whom=whom,
        zones=zones[1:],
    )
    return page, 200 if told else 422


def _form(zones: list[str]) -> WhatIfForm:
    form = WhatIfForm(request.args)
    form.zone.choices = [SelectChoice(zone, zone) for zone in zones]
    form.urgency.data = form.urgency.data or Urgency.EMERGENCY.value
    if not request.args.get("zone"):
        form.zone.data = "UTC"
    return form


def _zones(shown: Memorandum) -> list[str]:
    """UTC, and the zones of both sides, the reader's first."""
    both = [shown.provider.time_zone, shown.authority.time_zone]
    return list(dict.fromkeys(["UTC", *(both if web.actor().is_provider else reversed(both))]))


def _moment(form: WhatIfForm, zones: list[str]) -> datetime | None:
    """The moment that is asked about, in UTC; None where what was typed is none."""
    now = web.now().astimezone(UTC).replace(microsecond=0)
    typed = (form.at.data or "").strip()
    if not typed:
        return now
    try:
        written = moments.to_rfc3339(typed, form.zone.data if form.zone.data in zones else "UTC")
    except ValueError as fault:
        form.at.errors = [str(fault)]
        return None
    try:
        at = datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        form.at.errors = [moments.HOW]
        return None
    if abs(at - now) > FURTHEST:
        form.at.errors = ["Choose a moment within five years from today."]
        return None
    return at


def _clock(at: datetime, zones: list[str]) -> str:
    """``Wed 25 Nov 2026 02:14 UTC, 06:14 Yerevan``."""
    beside = [in_zone(at, zone, near=at) for zone in zones[1:]]
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return ", ".join([f"{names[at.weekday()]} {day(at)} {hm(at)} UTC", *beside])
