"""Duty in the demo: Meridian takes turns week by week, Harbour has nobody at night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.demo.register import ZONE
from liaison.demo.stage import Stage, acting
from liaison.domain.vocabulary import Function, Holidays, Turn
from liaison.models import Contact, Provider
from liaison.services import contacts, duty, duty_overrides, verifications
from liaison.services.vault import Vault


def new_number(stage: Stage, now: datetime) -> None:
    """Norvik tells the contact point a new number: it waits, and is to be verified by a call."""
    vault = Vault(stage.work.settings.encryption_key)
    stage.act(now - timedelta(minutes=110), lambda s, at: _new_number(s, vault, at))


def play(stage: Stage, now: datetime) -> None:
    """Rotas, and somebody who stands in next week."""
    # After the emergency's first calls, which went to the registered SPOC.
    stage.act(now - timedelta(minutes=12), _meridian)
    stage.act(now - timedelta(minutes=11), _harbour)
    stage.act(now - timedelta(minutes=10), _stands_in)


def _meridian(session: Session, now: datetime) -> None:
    spoc, deputy = _people(session, "Meridian Telecom")
    monday = _monday(now) - timedelta(days=7)
    data = _rota("SPOC, week by week", [deputy, spoc], monday, turn=Turn.WEEKLY.value)
    duty.make_rota(session, acting(session, "admin@meridian.example", now), data, now)


def _harbour(session: Session, now: datetime) -> None:
    spoc, deputy = _people(session, "Harbour Cable")
    hours = "Monday to Friday, 08:00 to 20:00"
    data = _rota("Office hours", [spoc, deputy], _monday(now), windows=[hours])
    duty.make_rota(session, acting(session, "spoc@harbour.example", now), data, now)


def _stands_in(session: Session, now: datetime) -> None:
    _, deputy = _people(session, "Meridian Telecom")
    day = (_monday(now) + timedelta(days=9)).date().isoformat()
    data = {
        "contact": str(deputy.id),
        "rota": "",
        "starts_at": f"{day} 09:00",
        "ends_at": f"{day} 21:00",
        "note": "Medical appointment",
    }
    duty_overrides.override(session, acting(session, "admin@meridian.example", now), data, now)


def _new_number(session: Session, vault: Vault, now: datetime) -> None:
    _, deputy = _people(session, "Norvik Mobile")
    keeper = acting(session, "administrator@police.example", now)
    given = {
        "name": deputy.name,
        "function": deputy.function.value,
        "email": deputy.email,
        "phone": "+37410000277",
        "channels": deputy.channels,
        "languages": ", ".join(deputy.languages),
        "review_on": (now + timedelta(days=180)).date().isoformat(),
    }
    contacts.change(session, keeper, deputy.id, given, now)
    verifications.ask(session, vault, keeper, deputy.id, "phone", now)


def _rota(name: str, members: list[Contact], starts: datetime, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "time_zone": ZONE,
        "turn": Turn.DAILY.value,
        "handover": "09:00",
        "weekday": 0,
        "starts_on": starts.date().isoformat(),
        "members": [str(member.id) for member in members],
        "windows": [],
        "holidays": Holidays.AS_USUAL.value,
        **more,
    }


def _people(session: Session, provider: str) -> list[Contact]:
    """The SPOC and the deputy."""
    found = session.scalars(
        select(Contact)
        .join(Provider, Provider.id == Contact.provider_id)
        .where(Provider.name == provider, Contact.function.in_((Function.PRIMARY, Function.DEPUTY)))
        .order_by(Contact.position)
    )
    return list(found)


def _monday(now: datetime) -> datetime:
    there = now.astimezone(ZoneInfo(ZONE))
    return there - timedelta(days=there.weekday())
