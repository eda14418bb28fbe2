"""What would happen if an order were issued at some moment, and nobody answered.

The register is asked as the worker asks it (queries/registry.py), step by step, so that what is
told here is what would be done: who is on duty at that minute, by which verified ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from liaison.domain.ladder import Climb, Ladder, Step, Whom, outline, step
from liaison.domain.office_hours import Calendar
from liaison.domain.terms import Deadlines, Terms, deadlines, terms_from_json
from liaison.domain.vocabulary import Channel, MemorandumState, Urgency
from liaison.models import Contact, Memorandum, Order
from liaison.models.contact_rows import AnyContact
from liaison.queries import office_hours, registry

PAGES = 3
"""Pages at the top that are told; they go on until a person closes them."""


@dataclass(frozen=True)
class Called:
    """A contact and the ways that are begun at a moment.

    ``waiting``: a call to them is open since an earlier moment, and no second one is opened.
    """

    contact: AnyContact
    channels: tuple[Channel, ...]
    waiting: bool = False


@dataclass(frozen=True)
class Moment:
    """What happens at one moment; ``step`` is None for what the issue itself sets going."""

    at: datetime
    step: Step | None
    called: tuple[Called, ...]
    ours: bool = False
    """Whether some whom it calls are the authority's, and are not named to the reader."""

    @property
    def instead(self) -> bool:
        """Whether our own people are called because nobody of the provider is reached."""
        if self.step is None or self.step.whom not in _AT_THE_PROVIDER:
            return False
        return not self.ours and all(one.contact.provider_id is None for one in self.called)


_AT_THE_PROVIDER = (Whom.ON_DUTY, Whom.EVERY_SPOC, Whom.FALLBACK)


@dataclass(frozen=True)
class WhatIf:
    """An order issued at ``at`` and left alone."""

    at: datetime
    urgency: Urgency
    due: Deadlines
    moments: tuple[Moment, ...]
    page_every: timedelta
    late_by: timedelta
    """What an acknowledgement that comes late leaves to preserve, counted from then."""
    waits: bool
    """Whether an order of this urgency waits for the provider to open."""
    binds: bool
    """Whether these are the terms of an order issued then: the memorandum in force on that day."""


def what_if(
    session: Session,
    memorandum: Memorandum,
    urgency: Urgency,
    at: datetime,
    *,
    hidden: bool = False,
) -> WhatIf:
    """What an order of this urgency, issued at ``at`` under these terms, would set going.

    ``hidden``: of the authority it is not told who would be called, nor whether anybody would.
    """
    terms = terms_from_json(memorandum.terms)
    ladder, due = terms.ladders[urgency], deadlines(terms, urgency, at)
    # The register's own rule says whom a step calls; it is asked with an order never stored.
    order = Order(
        authority_id=memorandum.authority_id,
        provider_id=memorandum.provider_id,
        urgency=urgency,
    )
    return WhatIf(
        at=at,
        urgency=urgency,
        due=due,
        moments=tuple(
            _without_ours(session, moment) if hidden else moment
            for moment in _moments(session, order, terms, at)
        ),
        page_every=ladder.page_every,
        late_by=due.preserve_by - due.acknowledge_by,
        waits=urgency is Urgency.ROUTINE and office_hours.waits(terms),
        binds=_binds(session, memorandum, at),
    )


def _binds(session: Session, memorandum: Memorandum, at: datetime) -> bool:
    if memorandum.state is not MemorandumState.AGREED:
        return False
    day = at.astimezone(UTC).date()
    found = registry.memorandum_in_force(
        session, memorandum.authority_id, memorandum.provider_id, day
    )
    return found is not None and found.id == memorandum.id


def _moments(session: Session, order: Order, terms: Terms, at: datetime) -> Iterator[Moment]:
    ladder = terms.ladders[order.urgency]
    calendar = office_hours.calendar(session, order, terms, at)
    calls = _OpenCalls()
    served = tuple(_served(session, order, ladder, calls, at))
    if served:
        yield Moment(at, None, served)
    for coming in _steps(ladder, at, calendar):
        reached = registry.reached(session, order, coming, coming.due_at)
        yield Moment(coming.due_at, coming, tuple(map(calls.called, reached)))


def _without_ours(session: Session, moment: Moment) -> Moment:
    theirs = tuple(one for one in moment.called if one.contact.provider_id is not None)
    ours = len(theirs) < len(moment.called)
    if moment.step is not None:
        named = moment.step.contact
        contact = session.get(Contact, UUID(named)) if named else None
        ours |= moment.step.whom in (Whom.DUTY_OFFICER, Whom.SUPERVISOR)
        ours |= contact is not None and contact.provider_id is None
    return replace(moment, called=theirs, ours=ours)


def _steps(ladder: Ladder, at: datetime, calendar: Calendar | None) -> Iterator[Step]:
    """Every step up to the first pages at the top, in the order in which they come."""
    whole = outline(ladder, Climb.ACKNOWLEDGE, at, calendar)
    yield from whole
    first_page = whole[-1].number
    for number in range(first_page + 1, first_page + PAGES):
        yield step(ladder, Climb.ACKNOWLEDGE, at, number, calendar)


def _served(
    session: Session, order: Order, ladder: Ladder, calls: _OpenCalls, at: datetime
) -> Iterator[Called]:
    """Whom the issue itself tells, before the ladder does (services/serving.py).

    Whoever is on duty gets the order's notice, unless a rung brings it in the same moment; in an
    emergency a call opens at once.
    """
    told_by_ladder = any(not r.after and Channel.EMAIL in r.channels for r in ladder.rungs)
    told: dict[UUID, tuple[AnyContact, list[Channel]]] = {}
    if not told_by_ladder:
        for spoc in registry.addressees(session, order, Whom.ON_DUTY, at):
            if spoc.email_verified_at is not None:
                told.setdefault(spoc.id, (spoc, []))[1].append(Channel.EMAIL)
    if order.urgency is Urgency.EMERGENCY:
        for contact in registry.called_at_issue(session, order, at):
            told.setdefault(contact.id, (contact, []))[1].append(Channel.CALL)
    for contact, ways in told.values():
        yield calls.called(registry.Reached(contact, tuple(ways)))


class _OpenCalls:
    """Calls that nobody has made yet: whoever has one open gets no second (call_tasks.py)."""

    def __init__(self) -> None:
        self._to: set[object] = set()

    def called(self, one: registry.Reached) -> Called:
        waiting = Channel.CALL in one.channels and one.contact.id in self._to
        if Channel.CALL in one.channels:
            self._to.add(one.contact.id)
        begun = tuple(c for c in one.channels if not (waiting and c is Channel.CALL))
        return Called(one.contact, begun, waiting)
