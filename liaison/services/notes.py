"""Internal notes: what the contact point writes about an order for itself alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, check_texts
from liaison.errors import FieldError, Invalid
from liaison.models import OrderNote
from liaison.services import ledger
from liaison.services.guards import order_for

TWICE = timedelta(minutes=1)
"""The very same note again within this time is a second press of the button."""


def write(session: Session, actor: Actor, name: str, text: str, now: datetime) -> OrderNote:
    """Adds a note, on a draft too. The order's version stays: the provider learns of nothing."""
    order, _ = order_for(session, actor, name, Action.NOTE)
    if not text.strip():
        raise Invalid([FieldError("/text", "Write something first.")])
    check_texts(("/text", text, LONGEST_NOTE))
    last = session.scalars(
        select(OrderNote)
        .where(OrderNote.order_id == order.id)
        .order_by(OrderNote.at.desc(), OrderNote.id.desc())
        .limit(1)
    ).first()
    mine = last is not None and last.author_id == actor.person_id and last.text == text
    if last is not None and mine and now - last.at <= TWICE:
        return last
    note = OrderNote(
        order_id=order.id, at=now, author_id=actor.person_id, author=actor.name, text=text
    )
    session.add(note)
    session.flush()
    ledger.record(session, now, ledger.own(order, "order.noted", actor, {"text": text}))
    return note
