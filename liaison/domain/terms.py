"""A memorandum's terms: data that set an order's clocks, limits and ladder.

No law sets a time in hours to acknowledge or to preserve ("without undue delay"): these
clocks are the memorandum's, and every page that shows them says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from liaison.domain.ladder import Ladder, ladder_from_json, ladder_json
from liaison.domain.vocabulary import DataCategory, Role, TargetType, Urgency
from liaison.errors import FieldError


@dataclass(frozen=True)
class Clocks:
    """Time from issue to acknowledge, and from issue to preserve."""

    acknowledge: timedelta
    preserve: timedelta


@dataclass(frozen=True)
class Window:
    """Hours of availability in the provider's time zone; days 0 (Monday) to 6, times ``HH:MM``."""

    days: tuple[int, ...]
    opens: str
    closes: str


@dataclass(frozen=True)
class Terms:
    """What a memorandum settles. ``emergency_windows`` empty means day and night, all week.

    The last three came later: one that does not name them was agreed without them.
    """

    clocks: Mapping[Urgency, Clocks]
    ladders: Mapping[Urgency, Ladder]
    answer: timedelta
    clock_stops: bool
    default_days: int
    longest_days: int
    extensions: int
    categories: frozenset[DataCategory]
    target_types: frozenset[TargetType]
    emergency_windows: tuple[Window, ...]
    languages: tuple[str, ...]
    issuers: frozenset[Role]
    ratification: timedelta
    drills_a_year: int
    disposal_confirmation: bool
    office_hours: tuple[Window, ...] = ()
    """When routine orders call people at the provider; empty means around the clock."""
    observes_holidays: bool = False
    """Whether the provider is closed on its country's public holidays: for routine orders."""
    reply_acknowledges: bool = False
    """Whether the answer “1” to a text message acknowledges receipt."""


@dataclass(frozen=True)
class Deadlines:
    """When the provider must have answered."""

    acknowledge_by: datetime
    preserve_by: datetime


def deadlines(terms: Terms, urgency: Urgency, issued_at: datetime) -> Deadlines:
    """Both clocks, counted from issue."""
    clocks = terms.clocks[urgency]
    return Deadlines(issued_at + clocks.acknowledge, issued_at + clocks.preserve)


def second_climb_start(deadline: Deadlines, acknowledged_at: datetime) -> datetime:
    """When an acknowledged order that is not preserved climbs again.

    The time to preserve has run out then; a late acknowledgement still leaves the span that
    lies between the two clocks, so that nobody is paged the moment they answer.
    """
    span = deadline.preserve_by - deadline.acknowledge_by
    return max(deadline.preserve_by, acknowledged_at + span)


def breaches(
    terms: Terms,
    memorandum: str,
    *,
    duration_days: int,
    targets: Iterable[tuple[TargetType, Iterable[DataCategory]]],
    roles: Set[Role],
) -> list[FieldError]:
    """What in an order the memorandum does not allow: the term, and what to do."""
    no_issuer = not_issuer(terms, memorandum, roles)
    found = [no_issuer] if no_issuer else []
    if duration_days > terms.longest_days:
        found.append(
            FieldError(
                "/duration_days",
                f"Memorandum {memorandum}, longest duration: {terms.longest_days} days. "
                f"Ask for {terms.longest_days} days or fewer; an extension can follow.",
            )
        )
    for index, (kind, categories) in enumerate(targets):
        found += _target_breaches(terms, memorandum, index, kind, categories)
    return found


def not_issuer(terms: Terms, memorandum: str, roles: Set[Role]) -> FieldError | None:
    """What stands in the way of somebody of these roles; no roles: who issues is no question."""
    if not roles or roles & terms.issuers:
        return None
    who = ", ".join(sorted(role.label for role in terms.issuers))
    return FieldError(
        "", f"Memorandum {memorandum}, who may issue: {who}. Ask one of them to issue it."
    )


def _target_breaches(
    terms: Terms,
    memorandum: str,
    index: int,
    kind: TargetType,
    categories: Iterable[DataCategory],
) -> list[FieldError]:
    found = []
    if kind not in terms.target_types:
        found.append(
            FieldError(
                f"/targets/{index}/type",
                f"Memorandum {memorandum}, target types: “{kind.label}” is not covered. "
                "Identify the data in another way, or agree an amendment with the provider.",
            )
        )
    outside = [c.label for c in categories if c not in terms.categories]
    if outside:
        found.append(
            FieldError(
                f"/targets/{index}/data",
                f"Memorandum {memorandum}, data categories: {', '.join(outside)} not covered. "
                "Leave it out, or agree an amendment with the provider.",
            )
        )
    return found


def terms_json(terms: Terms) -> dict[str, Any]:
    """The terms as data; times in minutes.

    A later term is named only where it says something: what was signed before it was there must
    keep its fingerprint.
    """
    return {
        "clocks": {
            u.value: {"acknowledge": _minutes(c.acknowledge), "preserve": _minutes(c.preserve)}
            for u, c in terms.clocks.items()
        },
        "ladders": {u.value: ladder_json(ladder) for u, ladder in terms.ladders.items()},
        "answer": _minutes(terms.answer),
        "clock_stops": terms.clock_stops,
        "default_days": terms.default_days,
        "longest_days": terms.longest_days,
        "extensions": terms.extensions,
        "categories": sorted(c.value for c in terms.categories),
        "target_types": sorted(t.value for t in terms.target_types),
        "emergency_windows": _windows_json(terms.emergency_windows),
        "languages": list(terms.languages),
        "issuers": sorted(r.value for r in terms.issuers),
        "ratification": _minutes(terms.ratification),
        "drills_a_year": terms.drills_a_year,
        "disposal_confirmation": terms.disposal_confirmation,
        **_later_json(terms),
    }


def _later_json(terms: Terms) -> dict[str, Any]:
    named = {
        "office_hours": _windows_json(terms.office_hours),
        "observes_holidays": terms.observes_holidays,
        "reply_acknowledges": terms.reply_acknowledges,
    }
    return {name: value for name, value in named.items() if value}


def _windows_json(windows: Iterable[Window]) -> list[dict[str, Any]]:
    return [{"days": list(w.days), "opens": w.opens, "closes": w.closes} for w in windows]


def _windows(data: Iterable[Mapping[str, Any]]) -> tuple[Window, ...]:
    return tuple(Window(tuple(w["days"]), w["opens"], w["closes"]) for w in data)


def terms_from_json(data: Mapping[str, Any]) -> Terms:
    """The terms that ``terms_json`` wrote."""
    return Terms(
        clocks={
            Urgency(u): Clocks(
                timedelta(minutes=c["acknowledge"]), timedelta(minutes=c["preserve"])
            )
            for u, c in data["clocks"].items()
        },
        ladders={Urgency(u): ladder_from_json(raw) for u, raw in data["ladders"].items()},
        answer=timedelta(minutes=data["answer"]),
        clock_stops=data["clock_stops"],
        default_days=data["default_days"],
        longest_days=data["longest_days"],
        extensions=data["extensions"],
        categories=frozenset(DataCategory(c) for c in data["categories"]),
        target_types=frozenset(TargetType(t) for t in data["target_types"]),
        emergency_windows=_windows(data["emergency_windows"]),
        languages=tuple(data["languages"]),
        issuers=frozenset(Role(r) for r in data["issuers"]),
        ratification=timedelta(minutes=data["ratification"]),
        drills_a_year=data["drills_a_year"],
        disposal_confirmation=data["disposal_confirmation"],
        office_hours=_windows(data.get("office_hours", ())),
        observes_holidays=data.get("observes_holidays", False),
        reply_acknowledges=data.get("reply_acknowledges", False),
    )


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
