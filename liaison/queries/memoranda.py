"""Memoranda as their two parties see them: which there are, and where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session, joinedload, selectinload

from liaison.documents.memorandum_json import Signed, content_sha256
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import MemorandumState, Side, Status, Term
from liaison.errors import FieldError, NotFound
from liaison.models import Authority, Memorandum, MemorandumDocument, Provider
from liaison.queries import ladder_check

PAGE = 100


class Standing(Term):
    """Where a memorandum stands on a day: derived from its state, its dates and later ones."""

    DRAFT = "draft", "Draft", "Binds nobody; both sides must sign it."
    TO_COME = "to_come", "Agreed, not yet in force", "Binds from its first day."
    IN_FORCE = "in_force", "In force", "Orders are issued under it."
    SUPERSEDED = "superseded", "Superseded", "A later one took its place for good."
    ENDED = "ended", "Ended", "Its last day has passed."
    CALLED_OFF = "called_off", "Ended before it began", "It was never in force."
    DISCARDED = "discarded", "Discarded", "A draft that was given up."


@dataclass(frozen=True)
class Row:
    """One memorandum with where it stands. ``by`` took its place, or will."""

    memorandum: Memorandum
    standing: Standing
    by: Memorandum | None
    signed: frozenset[Side]

    @property
    def waits_for(self) -> list[Side]:
        """The sides that have not signed a draft."""
        if self.standing is not Standing.DRAFT:
            return []
        return [side for side in Side if side not in self.signed]


@dataclass(frozen=True)
class Listing:
    """One page of the list."""

    rows: list[Row]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def visible(actor: Actor) -> ColumnElement[bool]:
    """The memoranda that an actor's organisation is party to."""
    if not may(actor.roles, Verb.READ_REGISTER):
        return false()
    if actor.provider_id is not None:
        return Memorandum.provider_id == actor.provider_id
    if actor.authority_id is not None:
        return Memorandum.authority_id == actor.authority_id
    return false()


def find(session: Session, actor: Actor, memorandum_id: UUID, *, lock: bool = False) -> Memorandum:
    """One that the actor may see; another's and an absent one are both ``NotFound``."""
    query = select(Memorandum).where(visible(actor), Memorandum.id == memorandum_id)
    if lock:
        # Orders refer to it meanwhile: they need not wait.
        query = query.with_for_update(of=Memorandum, key_share=True)
        query = query.execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def listed(session: Session, actor: Actor, day: date, page: int = 1) -> Listing:
    """What the actor may see: drafts first, then by the other side's name, newest first."""
    demand(actor, Verb.READ_REGISTER)
    ids = _sorted(session, actor)
    page = min(max(page, 1), max(1, -(-len(ids) // PAGE)))
    here = ids[(page - 1) * PAGE : page * PAGE]
    found = session.scalars(
        select(Memorandum)
        .where(Memorandum.id.in_(here))
        .options(joinedload(Memorandum.authority), joinedload(Memorandum.provider))
    )
    by_id = {row.memorandum.id: row for row in rows(session, found.all(), day)}
    return Listing([by_id[one] for one in here], len(ids), page)


def _sorted(session: Session, actor: Actor) -> list[UUID]:
    """In the order of the list. The letters are compared here: no database knows the case of all
    of them."""
    other = Authority.name if actor.is_provider else Provider.name
    found = session.execute(
        select(
            Memorandum.id,
            Memorandum.state,
            Memorandum.in_force_from,
            Memorandum.version,
            other.label("other"),
        )
        .join(Memorandum.authority)
        .join(Memorandum.provider)
        .where(visible(actor), Memorandum.state != MemorandumState.DISCARDED)
    ).all()
    newest = sorted(found, key=lambda one: (one.in_force_from, one.version, one.id), reverse=True)
    by_name = sorted(newest, key=lambda one: one.other.casefold())
    return [one.id for one in sorted(by_name, key=lambda one: one.state != MemorandumState.DRAFT)]


def rows(session: Session, some: Sequence[Memorandum], day: date) -> list[Row]:
    """Where each of these stands: each is compared with those between the same two only."""
    agreed: dict[tuple[UUID, UUID], list[Memorandum]] = {}
    for other in session.scalars(
        select(Memorandum).where(
            Memorandum.authority_id.in_({one.authority_id for one in some}),
            Memorandum.provider_id.in_({one.provider_id for one in some}),
            Memorandum.state == MemorandumState.AGREED,
        )
    ):
        agreed.setdefault((other.authority_id, other.provider_id), []).append(other)
    signatures = select(Memorandum).where(Memorandum.id.in_([one.id for one in some]))
    session.scalars(signatures.options(selectinload(Memorandum.signatures))).all()
    return [_row(one, agreed.get((one.authority_id, one.provider_id), []), day) for one in some]


def row(session: Session, memorandum: Memorandum, day: date) -> Row:
    """Where one memorandum stands."""
    return _row(memorandum, of_pair(session, memorandum), day)


def of_pair(session: Session, memorandum: Memorandum) -> list[Memorandum]:
    """All agreed ones between the same two, the newest first."""
    query = select(Memorandum).where(
        Memorandum.authority_id == memorandum.authority_id,
        Memorandum.provider_id == memorandum.provider_id,
        Memorandum.state == MemorandumState.AGREED,
    )
    return sorted(session.scalars(query), key=_newest, reverse=True)


def versions(session: Session, actor: Actor, memorandum: Memorandum) -> list[Memorandum]:
    """Every one between the same two that still says something, drafts too, the newest first."""
    query = select(Memorandum).where(
        visible(actor),
        Memorandum.authority_id == memorandum.authority_id,
        Memorandum.provider_id == memorandum.provider_id,
        Memorandum.state != MemorandumState.DISCARDED,
    )
    return sorted(session.scalars(query), key=_newest, reverse=True)


def standing(memorandum: Memorandum, others: Iterable[Memorandum], day: date) -> Standing:
    """Where it stands on a day (UTC). ``others`` may hold any; only its own pair's count."""
    return _standing(memorandum, successor(memorandum, others), day)


def _standing(memorandum: Memorandum, by: Memorandum | None, day: date) -> Standing:
    if memorandum.state is MemorandumState.DRAFT:
        return Standing.DRAFT
    if memorandum.state is MemorandumState.DISCARDED:
        return Standing.DISCARDED
    if is_called_off(memorandum):
        return Standing.CALLED_OFF
    if memorandum.in_force_from > day:
        return Standing.TO_COME
    last = memorandum.in_force_to
    if by is not None and by.in_force_from <= day and (last is None or last >= by.in_force_from):
        return Standing.SUPERSEDED
    return Standing.ENDED if last is not None and last < day else Standing.IN_FORCE


def successor(memorandum: Memorandum, others: Iterable[Memorandum]) -> Memorandum | None:
    """The next agreed one of the same two: from its first day the older one binds no more."""
    later = [
        other
        for other in others
        if other.id != memorandum.id
        and other.authority_id == memorandum.authority_id
        and other.provider_id == memorandum.provider_id
        and other.state is MemorandumState.AGREED
        and not is_called_off(other)
        and _newest(other) > _newest(memorandum)
    ]
    return min(later, key=_newest, default=None)


def is_called_off(memorandum: Memorandum) -> bool:
    """Whether it was ended before its first day: it takes no other's place."""
    last = memorandum.in_force_to
    return last is not None and last < memorandum.in_force_from


def sha256(session: Session, memorandum: Memorandum) -> str:
    """The fingerprint of what is signed, as it stands now."""
    document = session.scalar(
        select(MemorandumDocument.sha256).where(MemorandumDocument.memorandum_id == memorandum.id)
    )
    return content_sha256(
        Signed(
            authority=str(memorandum.authority_id),
            provider=str(memorandum.provider_id),
            reference=memorandum.reference,
            version=memorandum.version,
            in_force_from=memorandum.in_force_from,
            in_force_to=memorandum.in_force_to,
            terms=memorandum.terms,
            document_sha256=document,
        )
    )


def obstacles(
    session: Session, memorandum: Memorandum, now: datetime, *, hidden: bool = False
) -> list[FieldError]:
    """What keeps a draft from being signed: its dates, then its ladders; all at once.

    ``hidden``: the authority's people are told by function, without names and hours.
    """
    return [
        *_of_dates(session, memorandum, now),
        *ladder_check.problems(session, memorandum, now, hidden=hidden),
    ]


def hides(session: Session, actor: Actor, memorandum: Memorandum) -> bool:
    """Whether the authority's people are told by function only: who they are is theirs to tell.

    So where a provider drafts alone with an authority that has agreed nothing with it. Contact
    points keep the register and read every provider's contacts anyway.
    """
    if not actor.is_provider or Side.AUTHORITY.value in memorandum.sides:
        return False
    return memorandum.state is not MemorandumState.AGREED and not of_pair(session, memorandum)


def partners(session: Session, actor: Actor) -> list[Provider] | list[Authority]:
    """With whom the actor's organisation can agree a memorandum, by name."""
    demand(actor, Verb.AGREE_MEMORANDA)
    if actor.provider_id is not None:
        authorities = select(Authority).where(Authority.status == Status.ACTIVE)
        return list(session.scalars(authorities.order_by(Authority.name)))
    providers = select(Provider).where(Provider.status == Status.ACTIVE)
    return list(session.scalars(providers.order_by(Provider.name)))


def _of_dates(session: Session, memorandum: Memorandum, now: datetime) -> list[FieldError]:
    first, today = memorandum.in_force_from, now.astimezone(UTC).date()
    if first < today:
        detail = (
            f"Its first day, {first}, has passed: nothing binds backwards. Move it to today or "
            "later, then both sides sign."
        )
        return [FieldError("/in_force_from", detail)]
    for other in of_pair(session, memorandum):
        if not is_called_off(other) and other.in_force_from >= first:
            detail = (
                f"{other.reference}, version {other.version}, agreed already, begins on "
                f"{other.in_force_from}. Begin after that day, or end that one first."
            )
            return [FieldError("/in_force_from", detail)]
    return []


def _row(memorandum: Memorandum, others: Iterable[Memorandum], day: date) -> Row:
    is_agreed = memorandum.state is MemorandumState.AGREED
    by = successor(memorandum, others) if is_agreed else None
    return Row(
        memorandum,
        _standing(memorandum, by, day),
        by,
        frozenset(signature.side for signature in memorandum.standing),
    )


def _newest(memorandum: Memorandum) -> tuple[date, int, UUID]:
    return memorandum.in_force_from, memorandum.version, memorandum.id
