"""The page of duty: who is on duty now, next, and in the coming four weeks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.domain.rota import Shift, coverage, instant
from liaison.models import Contact
from liaison.portal.duty.blueprint import WEEK, bp
from liaison.queries import duty as queries
from liaison.queries.duty import Book, Gap
from liaison.services import duty_scope, organisations

WEEKS = 4


@dataclass(frozen=True)
class Block:
    """A piece of the strip, in per cent of the week's width."""

    x: float
    width: float
    kind: str
    """``on``, ``other`` (the next one's, to tell them apart) or ``gap``."""


@dataclass(frozen=True)
class Week:
    """One line of the strip."""

    day: date
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Row:
    """A shift as the table shows it."""

    shift: Shift
    who: tuple[Contact, ...]
    rotas: str
    gap: str
    """Why nobody can be called; empty where somebody can."""


@bp.get("")
def index() -> ResponseReturnValue:
    """One's own organisation: on duty now and next, four weeks ahead, gaps, rotas, overrides."""
    demand(web.actor(), Verb.READ_REGISTER)
    organisation = organisations.own(web.db(), web.actor())
    owner, now = duty_scope.owner_of(web.actor()), web.now()
    until = now + WEEKS * WEEK
    book = queries.book(web.db(), owner, now, until)
    current, coming = queries.now_and_next(book, now)
    whole, gaps = book.timeline(now, until), book.gaps(now, until)
    standing = queries.rotas(web.db(), owner)
    names = {rota.id: rota.name for rota in standing}
    return render_template(
        "duty/index.html",
        organisation=organisation,
        current=current,
        coming=coming,
        gaps=gaps,
        rows=_rows(book, whole, gaps, names) if book.is_kept else [],
        weeks=_weeks(whole, gaps, now, organisation.time_zone) if book.is_kept else [],
        covered=coverage(whole),
        rotas=standing,
        people={str(i): c for i, c in book.contacts.items()},
        overrides=queries.overrides(web.db(), owner, now),
        names=names,
    )


def _rows(
    book: Book, whole: Iterable[Shift], gaps: Sequence[Gap], names: Mapping[UUID, str]
) -> list[Row]:
    return [
        Row(
            shift,
            book.people(shift.members),
            ", ".join(names[rota] for rota in shift.rotas if rota in names),
            next((g.why for g in gaps if g.start < shift.end and shift.start < g.end), ""),
        )
        for shift in whole
    ]


def _weeks(whole: Sequence[Shift], gaps: Sequence[Gap], now: datetime, zone: str) -> list[Week]:
    """The strip: a line a week, from this morning on in the organisation's zone."""
    today = now.astimezone(ZoneInfo(zone)).date()
    spans = [(s.start, s.end, ("on", "other")[n % 2]) for n, s in enumerate(whole) if s.members]
    spans += [(gap.start, gap.end, "gap") for gap in gaps]  # drawn last, over what they spoil
    found = []
    for number in range(WEEKS):
        day = today + number * WEEK
        start, end = (instant(d, "00:00", zone) for d in (day, day + WEEK))
        found.append(Week(day, tuple(_blocks(spans, start, end))))
    return found


def _blocks(
    spans: Iterable[tuple[datetime, datetime, str]], start: datetime, end: datetime
) -> Iterable[Block]:
    length = (end - start) / timedelta(seconds=1)
    for begin, finish, kind in spans:
        left, right = max(begin, start), min(finish, end)
        if left < right:
            x = (left - start) / timedelta(seconds=1) / length
            width = (right - left) / timedelta(seconds=1) / length
            yield Block(round(100 * x, 3), round(100 * width, 3), kind)
