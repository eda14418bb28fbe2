"""What the pages of a doubted order need to know: the open doubt, and whom to call about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Whom
from liaison.domain.vocabulary import Function, Role
from liaison.models import Doubt, Order, Person, PersonRole, Vouch
from liaison.queries import registry


@dataclass(frozen=True)
class Number:
    """A telephone number as the register has it; ``verified``: a code was read out over it."""

    who: str
    phone: str
    verified: bool


def open_doubt(order: Order) -> Doubt | None:
    """The doubt that waits for people to vouch, or for the order's end."""
    if order.doubt_open_since is None:
        return None
    waiting = [d for d in order.doubts if d.vouched_at is None and d.ended_at is None]
    return waiting[-1] if waiting else None


def doubt_of(session: Session, order: Order) -> Doubt | None:
    """The open doubt as it stands in the database now, with its vouches."""
    return session.scalars(
        select(Doubt)
        .where(Doubt.order_id == order.id, Doubt.vouched_at.is_(None), Doubt.ended_at.is_(None))
        .order_by(Doubt.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()


def numbers(session: Session, order: Order, at: datetime) -> list[Number]:
    """The contact point's numbers to call about an order, none taken from the order itself.

    Whoever forged an order wrote its telephone numbers too. Who is on duty comes first.
    """
    on_duty = registry.addressees(session, order, Whom.DUTY_OFFICER, at)
    others = registry.contacts(session, order, at, Function.DUTY_OFFICER, Function.SUPERVISOR)
    found = [
        Number(contact.function.label, contact.phone, contact.phone_verified_at is not None)
        for contact in (*on_duty, *others)
        if contact.phone and contact.authority_id == order.authority_id
    ]
    if order.authority.phone:
        found.append(Number("Switchboard", order.authority.phone, verified=False))
    seen: dict[str, Number] = {}
    for number in found:
        seen.setdefault(number.phone, number)
    return list(seen.values())


_MAY_VOUCH = frozenset({Role.OFFICER, Role.SUPERVISOR})


def void(session: Session, vouches: Sequence[Vouch]) -> list[Vouch]:
    """Those of the vouches that count no more: whoever gave them was let go, or put elsewhere."""
    ids = [vouch.person_id for vouch in vouches]
    standing = select(Person.id).join(PersonRole, PersonRole.person_id == Person.id)
    good = set(
        session.scalars(
            standing.where(
                Person.id.in_(ids), Person.disabled_at.is_(None), PersonRole.role.in_(_MAY_VOUCH)
            )
        )
    )
    return [vouch for vouch in vouches if vouch.person_id not in good]
