"""The ladder as a line: where its rungs stand, so that their distances are seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from liaison import web
from liaison.domain.ladder import Climb as Clock
from liaison.domain.ladder import Ladder, Whom, outline
from liaison.domain.terms import Terms
from liaison.domain.vocabulary import Function, Urgency
from liaison.models import Authority, Memorandum
from liaison.portal.filters import span
from liaison.queries import register_pages as pages

_APART = 9.0
"""Per cent of the line that a label needs, so that none covers another."""

_ANY = datetime(2000, 1, 1, tzinfo=UTC)
"""Any beginning will do: what is drawn are distances from it."""


@dataclass(frozen=True)
class Mark:
    """A rung on the line; ``x`` in per cent. ``label`` is empty where there is no room."""

    x: str
    label: str


@dataclass(frozen=True)
class Climb:
    """The ladder of one urgency: its rungs, and a line to see their distances.

    ``people``: whom each rung calls, as the reader may know it.
    """

    urgency: Urgency
    rungs: list[pages.Rung]
    people: list[list[str]]
    marks: list[Mark]
    due: str
    """Where on the line the time to acknowledge ends, in per cent."""


@dataclass(frozen=True)
class Line:
    """A ladder on a line, as it is typed: rungs, their repeats, where the time ends."""

    marks: list[Mark]
    repeats: list[str]
    due: str
    end: timedelta
    """Of the line: the first page at the top, or the time to acknowledge if that is later."""


def line(ladder: Ladder, due: timedelta) -> Line:
    """The picture of one ladder; ``due`` is its time to acknowledge."""
    steps = outline(ladder, Clock.ACKNOWLEDGE, _ANY)
    whole = max(due, steps[-1].due_at - _ANY)
    firsts = sorted({step.due_at - _ANY for step in steps if step.repeat == 0 or step.at_top})
    again = sorted({step.due_at - _ANY for step in steps if step.repeat and not step.at_top})
    return Line(
        _placed(firsts, whole), [_percent(x, whole) for x in again], _percent(due, whole), whole
    )


def climbs(shown: Memorandum, terms: Terms, *, hidden: bool = False) -> list[Climb]:
    """The ladders of all urgencies, the emergency's first."""
    found = []
    for urgency in reversed(Urgency):
        rungs = pages.ladder(web.db(), shown, urgency)
        due = terms.clocks[urgency].acknowledge
        whole = max(due, rungs[-1].after)
        people = [_people(rung, shown.authority, hidden) for rung in rungs]
        found.append(Climb(urgency, rungs, people, _marks(rungs, whole), _percent(due, whole)))
    return found


def by_function(function: Function, authority: Authority) -> str:
    """One of an authority's people whose name the reader is not to know."""
    return f"{function.label} of {authority.name}"


def _people(rung: pages.Rung, authority: Authority, hidden: bool) -> list[str]:
    if not hidden:
        return [contact.name for contact in rung.people]
    # Not by who is on duty: whether anybody is, is not told either.
    ours = {Whom.DUTY_OFFICER: Function.DUTY_OFFICER, Whom.SUPERVISOR: Function.SUPERVISOR}
    if rung.whom in ours:
        return [by_function(ours[rung.whom], authority)]
    told = [c.name if c.provider_id else by_function(c.function, authority) for c in rung.people]
    return list(dict.fromkeys(told))


def _marks(rungs: list[pages.Rung], whole: timedelta) -> list[Mark]:
    return _placed([rung.after for rung in rungs], whole)


def _placed(moments: list[timedelta], whole: timedelta) -> list[Mark]:
    marks, last = [], 0.0
    for after in moments:
        x = after / whole * 100 if whole else 0.0
        room = x - last >= _APART and 100 - x >= _APART
        marks.append(Mark(f"{x:.1f}", span(after) if room else ""))
        last = x if room else last
    return marks


def _percent(part: timedelta, whole: timedelta) -> str:
    return f"{part / whole * 100:.1f}" if whole else "100"
