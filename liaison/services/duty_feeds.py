"""Secret addresses under which calendar programs read the duty.

Whoever knows the address reads names and hours, no phone number. It counts until it is revoked,
and only while the person who made it can sign in and keeps the rota there: whoever leaves, or
does other work, takes nothing along.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.reading import check_texts
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import DutyFeed, Person
from liaison.queries import duty as queries
from liaison.queries.duty import Book, Owner
from liaison.services import duty_scope as scope
from liaison.services.factors import token_hash
from liaison.services.organisations import AlreadyDone

LONGEST_NAME, MOST_FEEDS = 100, 20
BEFORE, AFTER = timedelta(days=14), timedelta(days=90)
"""The span a feed tells of."""

NOTED_EVERY = timedelta(minutes=10)
"""How often it is noted that a feed was read."""


@dataclass(frozen=True)
class Feed:
    """What a feed tells."""

    id: UUID
    owner: Owner
    organisation: str
    book: Book
    start: datetime
    end: datetime


def make_feed(session: Session, actor: Actor, name: str, now: datetime) -> tuple[DutyFeed, str]:
    """A feed, and its token: shown once, for only its SHA-256 is stored."""
    scope.to_write(session, actor, now)
    check_texts(("/name", name, LONGEST_NAME))
    if not name.strip():
        raise Invalid([FieldError("/name", "Name the program or the person that will read it.")])
    if len([feed for feed in feeds(session, actor) if feed.revoked_at is None]) >= MOST_FEEDS:
        raise Invalid([FieldError("/name", f"There are {MOST_FEEDS} already. Revoke one first.")])
    if actor.person_id is None:
        raise Forbidden("Only a person makes such an address.")
    token = secrets.token_urlsafe(32)
    row = DutyFeed(
        **scope.whose(actor),
        name=name.strip(),
        token_hash=token_hash(token),
        made_by_id=actor.person_id,
        made_at=now,
    )
    session.add(row)
    session.flush()
    scope.note(session, now, "duty_feed_made", actor, row.name, {"feed": str(row.id)})
    return row, token


def revoke_feed(session: Session, actor: Actor, feed_id: UUID, now: datetime) -> DutyFeed:
    """Closes the address at once. It only takes away, so no fresh factor is asked for."""
    demand(actor, Verb.MANAGE_DUTY)
    scope.find(session, actor, DutyFeed, feed_id)
    scope.held(session, actor)
    row = scope.find(session, actor, DutyFeed, feed_id, lock=True)
    if row.revoked_at is not None:
        raise AlreadyDone("This address was revoked already. Nothing was done.")
    row.revoked_at = now
    session.flush()
    scope.note(session, now, "duty_feed_revoked", actor, row.name, {"feed": str(row.id)})
    return row


def feeds(session: Session, actor: Actor) -> list[DutyFeed]:
    """The organisation's addresses, those that count first."""
    owner = scope.owner_of(actor)
    mine = (
        DutyFeed.authority_id == owner.authority_id
        if owner.authority_id is not None
        else DutyFeed.provider_id == owner.provider_id
    )
    query = select(DutyFeed).where(mine)
    order = (DutyFeed.revoked_at.is_not(None), DutyFeed.made_at.desc(), DutyFeed.id)
    return list(session.scalars(query.order_by(*order)))


def read(session: Session, token: str, now: datetime) -> Feed:
    """What the address tells; ``NotFound`` alike for one that never was and one that is closed."""
    row = session.scalars(
        select(DutyFeed)
        .join(Person, Person.id == DutyFeed.made_by_id)
        .where(
            DutyFeed.token_hash == token_hash(token),
            DutyFeed.revoked_at.is_(None),
            Person.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None or not _still_keeps(session, row):
        raise NotFound
    owner = Owner(row.authority_id, row.provider_id)
    start, end = now - BEFORE, now + AFTER
    book = queries.book(session, owner, start, end)
    name = queries.organisation(session, owner).name
    return Feed(row.id, owner, name, book, start, end)


def _still_keeps(session: Session, row: DutyFeed) -> bool:
    """Whether who made it belongs to the organisation still, and keeps its rota."""
    maker = session.get_one(Person, row.made_by_id)
    same = (maker.authority_id, maker.provider_id) == (row.authority_id, row.provider_id)
    return same and may(maker.role_set, Verb.MANAGE_DUTY)


def is_note_due(session: Session, feed_id: UUID, now: datetime) -> bool:
    """Whether it is to be noted again that the feed was read."""
    row = session.get_one(DutyFeed, feed_id)
    return row.last_read_at is None or not (
        row.last_read_at <= now < row.last_read_at + NOTED_EVERY
    )


def note_read(session: Session, feed_id: UUID, now: datetime) -> None:
    """Notes that the feed was read; of two at one moment one is enough."""
    session.execute(
        update(DutyFeed)
        .where(
            DutyFeed.id == feed_id,
            or_(
                DutyFeed.last_read_at.is_(None),
                DutyFeed.last_read_at <= now - NOTED_EVERY,
                DutyFeed.last_read_at > now,
            ),
        )
        .values(last_read_at=now)
    )
