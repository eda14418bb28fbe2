"""What stands in the way of putting a memorandum's ladders in force.

A rung that would reach nobody is a promise that nobody keeps. So each rung is asked for its own
addressees: that our duty officer is called where nobody else is (queries/registry.py) is a net,
and no reason to agree on a rung that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from liaison.domain.ladder import Climb, Ladder, Rung, Whom, outline
from liaison.domain.ladder_entry import MOST_CALLS, too_many_calls
from liaison.domain.office_hours import Calendar
from liaison.domain.terms import Clocks, terms_from_json
from liaison.domain.terms_words import DAYS, counted, span, ways, whom_words
from liaison.domain.vocabulary import PERSONAL, Channel, Function, Urgency
from liaison.errors import FieldError
from liaison.models import Authority, Contact, Memorandum, Order, Provider
from liaison.models.contact_rows import AnyContact
from liaison.queries import duty, office_hours, registry

LOOKED_AHEAD = timedelta(weeks=4)
"""Each hour of the week comes four times, and so do the turns of a rota of four."""

SHORTEST_PAGE, LONGEST_PAGE = timedelta(minutes=5), timedelta(hours=24)
"""Between two pages at the top: nobody can act in less, and nobody may sleep through more."""

LATEST_TOP = {Urgency.URGENT: timedelta(days=7), Urgency.ROUTINE: timedelta(days=30)}
"""When the supervisor must have been paged; in an emergency when its time to preserve ends."""

_MOST_HOURS = 3
"""Gaps that are named; how many more there are is said."""

_DUTIES = (Whom.ON_DUTY, Whom.DUTY_OFFICER)


def problems(
    session: Session, memorandum: Memorandum, now: datetime, *, hidden: bool = False
) -> list[FieldError]:
    """All that stands in the way, for every urgency; empty where the ladders hold.

    Pointers are ``/ladders/<urgency>/<rung>``, ``…/page_every``, ``…/latest``, ``…/apart`` and
    ``…/top``. ``hidden``: of the authority no names and hours are told.
    """
    terms = terms_from_json(memorandum.terms)
    found = []
    for urgency in reversed(Urgency):
        clocks, ladder = terms.clocks.get(urgency), terms.ladders.get(urgency)
        due = clocks or Clocks(timedelta(0), timedelta(0))
        found += of_ladder(
            session, memorandum, urgency, ladder or Ladder(()), due, now, hidden=hidden
        )
    return found


def of_ladder(
    session: Session,
    memorandum: Memorandum,
    urgency: Urgency,
    ladder: Ladder,
    clocks: Clocks,
    now: datetime,
    *,
    hidden: bool = False,
) -> list[FieldError]:
    """The same for one ladder, written or still being typed, under the clocks of its urgency."""
    check = _Check(session, memorandum, urgency, now, hidden)
    return list(check.ladder(ladder, clocks))


NEEDS_GATEWAY = frozenset({Channel.TEXT, Channel.VOICE})
"""Ways that a carrier's gateway carries (delivery/gateway.py)."""


def without_gateway(ladder: Ladder) -> list[str]:
    """What is said of a ladder where this installation has no gateway.

    No obstacle: a gateway can come before the memorandum is in force, and whatever cannot be
    sent opens a call task. Nobody is passed over in silence.
    """
    found = []
    for index, rung in enumerate(ladder.rungs):
        if by := [way for way in rung.channels if way in NEEDS_GATEWAY]:
            what = "Nothing else is chosen: each" if len(by) == len(rung.channels) else "Each"
            found.append(
                f"Rung {index + 1} uses {ways(by)}, and this installation has no gateway. {what} "
                "opens a call task instead."
            )
    return found


class _Check:
    """One ladder of one memorandum, asked at the first moment at which it can be used."""

    def __init__(
        self,
        session: Session,
        memorandum: Memorandum,
        urgency: Urgency,
        now: datetime,
        hidden: bool,
    ) -> None:
        self._session, self._urgency, self._hidden = session, urgency, hidden
        self._authority = session.get_one(Authority, memorandum.authority_id)
        self._provider = session.get_one(Provider, memorandum.provider_id)
        self._at = max(now, datetime.combine(memorandum.in_force_from, time(), UTC))
        terms = terms_from_json(memorandum.terms)
        waits = urgency is Urgency.ROUTINE and office_hours.waits(terms)
        self._calendar = (
            office_hours.of_provider(self._provider, terms, self._at) if waits else None
        )
        # The register's own rule says whom a rung means; it is asked with an order never stored.
        self._order = Order(
            authority_id=memorandum.authority_id, provider_id=memorandum.provider_id
        )

    def ladder(self, ladder: Ladder, clocks: Clocks) -> Iterator[FieldError]:
        if not ladder.rungs:
            yield self._fault("", "the ladder has no rung. Add at least one.")
        for index, rung in enumerate(ladder.rungs):
            start = f"rung {index + 1} ({_about(rung)})"
            for fault in self._rung(rung):
                yield self._fault(f"/{index}", f"{start} {fault}")
        first = min((rung.after for rung in ladder.rungs), default=timedelta(0))
        if first > clocks.acknowledge:
            yield self._fault(
                "/0",
                f"the first rung comes after {span(first)}, but the time to acknowledge ends "
                f"after {span(clocks.acknowledge)}. Let the first rung call before that.",
            )
        yield from self._times(ladder, clocks)
        yield from self._top(ladder.page_every)

    def _times(self, ladder: Ladder, clocks: Clocks) -> Iterator[FieldError]:
        """Repeats count, too: a ladder that calls nobody for long is none."""
        steps = outline(ladder, Climb.ACKNOWLEDGE, self._at)
        if len(steps) - 1 > MOST_CALLS:
            yield self._fault("", too_many_calls(len(steps) - 1))
        most = LATEST_TOP.get(self._urgency, clocks.preserve)
        top = steps[-1].due_at - self._at
        if ladder.rungs and top > most:
            why = "" if self._urgency in LATEST_TOP else ", its time to preserve"
            yield self._fault(
                "/latest",
                f"the supervisor would be paged for the first time after {span(top)}. Let that be "
                f"within {span(most)}{why}: fewer or earlier rungs, repeats or pages.",
            )
        if self._urgency is Urgency.EMERGENCY:
            gap = max((b.due_at - a.due_at for a, b in pairwise(steps)), default=timedelta(0))
            if gap > LONGEST_PAGE:
                yield self._fault(
                    "/apart",
                    f"nobody would be called for {span(gap)} between two calls. Leave at most "
                    f"{span(LONGEST_PAGE)} between them.",
                )

    def _top(self, page_every: timedelta) -> Iterator[FieldError]:
        if not SHORTEST_PAGE <= page_every <= LONGEST_PAGE:
            yield self._fault(
                "/page_every",
                f"at the top the supervisor would be paged every {span(page_every)}. "
                f"Choose between {span(SHORTEST_PAGE)} and {span(LONGEST_PAGE)}.",
            )
        for fault in self._reaches(Rung(timedelta(0), Whom.SUPERVISOR, PERSONAL)):
            yield self._fault("/top", f"at the top, the supervisor’s page {fault}")

    def _fault(self, place: str, detail: str) -> FieldError:
        pointer = f"/ladders/{self._urgency.value}{place}"
        return FieldError(pointer, f"{self._urgency.label}: {detail}")

    def _rung(self, rung: Rung) -> Iterator[str]:
        if not rung.channels:
            yield f"has no way to call by. Choose {ways(PERSONAL, 'or')}."
        elif rung.whom in _DUTIES:
            yield from self._hours(rung)
        else:
            yield from self._reaches(rung)

    # Whoever is meant at any hour

    def _reaches(self, rung: Rung) -> Iterator[str]:
        meant = registry.addressees(self._session, self._order, rung.whom, self._at, rung.contact)
        if any(_reachable(contact, rung) for contact in meant):
            return
        if not meant:
            yield f"would reach nobody: {self._missing(rung)}"
            return
        yield f"would reach nobody. {self._why_not(meant, rung)}"

    def _why_not(self, meant: Sequence[AnyContact], rung: Rung) -> str:
        if self._hidden and any(contact.provider_id is None for contact in meant):
            return f"{self._authority.name} must see to it, or let the rung call somebody else."
        return " ".join(_why_not(contact, rung) for contact in meant)

    def _missing(self, rung: Rung) -> str:
        if rung.whom is Whom.NAMED:
            return self._named(rung.contact)
        wanted: dict[Whom, tuple[str, Provider | Authority]] = {
            Whom.ON_DUTY: ("no SPOC", self._provider),
            Whom.EVERY_SPOC: ("no SPOC or deputy", self._provider),
            Whom.FALLBACK: ("no fallback addressee", self._provider),
            Whom.DUTY_OFFICER: ("no duty officer", self._authority),
            Whom.SUPERVISOR: ("no supervisor", self._authority),
        }
        who, where = wanted[rung.whom]
        waiting = self._cooling(rung.whom, where)
        return (
            f"{who} of {where.name} is registered{waiting}. Register one among the contacts"
            f"{', or let the rung call somebody else' if rung.whom is not Whom.SUPERVISOR else ''}."
        )

    def _cooling(self, whom: Whom, where: Provider | Authority) -> str:
        """Whether somebody is there whose entry does not count yet."""
        functions = {
            Whom.EVERY_SPOC: (Function.PRIMARY, Function.DEPUTY),
            Whom.FALLBACK: (Function.FALLBACK,),
            Whom.DUTY_OFFICER: (Function.DUTY_OFFICER,),
            Whom.SUPERVISOR: (Function.SUPERVISOR,),
        }.get(whom, (Function.PRIMARY,))
        coming = [
            c
            for c in where.contacts
            if c.function in functions and c.removed_at is None and _begins_after(c, self._at)
        ]
        if not coming:
            return ""
        if self._hides(where):
            return " whose entry counts already"
        first = min(coming, key=lambda c: c.usable_from or self._at)
        return f" whose entry counts already ({first.name} counts from {self._day(first, where)})"

    def _day(self, contact: Contact, where: Provider | Authority) -> str:
        assert contact.usable_from is not None
        local = contact.usable_from.astimezone(ZoneInfo(where.time_zone))
        return f"{local:%Y-%m-%d %H:%M} {where.time_zone}"

    def _named(self, contact_id: str | None) -> str:
        found = self._session.get(Contact, UUID(contact_id)) if contact_id else None
        # Somebody else's contact is not named: who it is is theirs to tell.
        if found is None or not self._is_party(found):
            return "no contact of the two sides is chosen. Choose one."
        where = self._provider if found.provider_id else self._authority
        if self._hides(where):
            return f"this contact of {where.name} does not count. Choose another contact."
        if found.removed_at is not None and found.removed_at <= self._at:
            return f"{found.name} is no longer registered. Choose another contact."
        return f"{found.name}’s entry counts only from {self._day(found, where)}. Wait for it."

    def _hides(self, where: Provider | Authority) -> bool:
        return self._hidden and where is self._authority

    def _is_party(self, contact: Contact) -> bool:
        return contact.provider_id == self._provider.id or (
            contact.provider_id is None and contact.authority_id == self._authority.id
        )

    # Whoever is on duty at each hour

    def _owner(self, whom: Whom) -> duty.Owner:
        if whom is Whom.ON_DUTY:
            return duty.Owner(provider_id=self._provider.id)
        return duty.Owner(authority_id=self._authority.id)

    def _hours(self, rung: Rung) -> Iterator[str]:
        """Nobody on duty, or only people whom the rung's ways do not reach.

        Where no rota stands, the one registered for the function counts as always on duty. Where a
        routine order waits for the provider to open, nobody needs to be on duty before.
        """
        where = self._provider if rung.whom is Whom.ON_DUTY else self._authority
        end = self._at + LOOKED_AHEAD
        book = duty.book(self._session, self._owner(rung.whom), self._at, end)
        if not book.rotas:
            yield from self._reaches(rung)
            return
        empty: list[Span] = []
        unreached: dict[tuple[Contact, ...], list[Span]] = {}
        opens = self._calendar if rung.whom is Whom.ON_DUTY else None
        for start, until in _pieces(book, self._at, end, opens):
            who = tuple(book.at(start))
            if not who:
                empty.append((start, until))
            elif not any(_reachable(contact, rung) for contact in who):
                unreached.setdefault(who, []).append((start, until))
        if self._hides(where) and (empty or unreached):
            yield (
                f"would reach nobody at some hours. {where.name} must see to it, or let the rung "
                "call somebody else."
            )
            return
        if empty:
            yield (
                f"would find nobody on duty at {where.name} on {_told(empty, where.time_zone)}. "
                "Fill the rota, or let the rung call somebody else."
            )
        for who, spans in unreached.items():
            why = self._why_not(who, rung)
            yield f"would reach nobody on {_told(spans, where.time_zone)}. {why}"


Span = tuple[datetime, datetime]


def _pieces(
    book: duty.Book, start: datetime, end: datetime, opens: Calendar | None
) -> Iterator[Span]:
    """A span in pieces in each of which the same entries are on duty and count.

    Pieces in which the provider is closed are left out, where it is waited for.
    """
    edges = {start, end}
    for open_span in opens.open_from(start, end - start) if opens else ():
        edges.update(open_span)
    for shift in book.timeline(start, end):
        edges.add(shift.start)
        for contact in book.people(shift.members):
            edges.update(edge for edge in (contact.usable_from, contact.removed_at) if edge)
    pieces = pairwise(sorted(edge for edge in edges if start <= edge <= end))
    return (one for one in pieces if opens is None or opens.is_open(one[0]))


def _told(pieces: list[Span], zone: str) -> str:
    """The first gaps in the organisation's own time, and how many more there are."""
    gaps: list[Span] = []
    for start, end in pieces:
        joins = gaps and gaps[-1][1] == start
        gaps = [*gaps[:-1], (gaps[-1][0], end)] if joins else [*gaps, (start, end)]
    named = [_gap(start, end, ZoneInfo(zone)) for start, end in gaps[:_MOST_HOURS]]
    more = len(gaps) - len(named)
    rest = f" and {counted(more, 'time', 'times')} more in the coming four weeks" if more else ""
    return f"{'; '.join(named)}{rest} ({zone})"


def _gap(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    begins, ends = start.astimezone(zone), end.astimezone(zone)
    first = f"{DAYS[begins.weekday()]} {begins:%Y-%m-%d} from {begins:%H:%M}"
    if ends.date() == begins.date():
        return f"{first} to {ends:%H:%M}"
    return f"{first} to {DAYS[ends.weekday()]} {ends:%Y-%m-%d} {ends:%H:%M}"


def _about(rung: Rung) -> str:
    when = f"after {span(rung.after)}" if rung.after else "at once"
    return f"{whom_words(rung.whom)}, {when}"


def _reachable(contact: AnyContact, rung: Rung) -> bool:
    return any(way in registry.ways(contact) for way in rung.channels)


def _begins_after(contact: AnyContact, at: datetime) -> bool:
    return contact.usable_from is not None and contact.usable_from > at


def _value(way: Channel) -> str:
    return "e-mail address" if way is Channel.EMAIL else "phone number"


def _why_not(contact: AnyContact, rung: Rung) -> str:
    """Why a contact is not reached by the rung's ways, and what to do about it."""
    who = f"{contact.name} ({contact.function.label})"
    if contact.wrong_number_at is not None and Channel.CALL in rung.channels:
        return f"The phone number of {who} is wrong, as a caller was told. Change it or verify it."
    unverified = [way for way in rung.channels if way.value in contact.channels]
    if unverified:
        values = " and ".join(dict.fromkeys(map(_value, unverified)))
        return f"The {values} of {who} {_is(unverified)} not verified. Verify it first."
    by = ways(rung.channels, "or")
    return f"{who} is not to be reached by {by}. Choose another way, or change the entry."


def _is(ways: list[Channel]) -> str:
    return "is" if len(ways) == 1 else "are"
