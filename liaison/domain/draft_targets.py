"""The targets of a draft order: what identifies the data, for which period, of which category."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from liaison.domain.reading import Reader
from liaison.domain.targets import Identifier, parse
from liaison.domain.vocabulary import DataCategory, TargetType

MOST_TARGETS = 1000

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
FURTHEST = timedelta(days=366)
"""A period may end ahead: the data of an ongoing session are kept as they come."""

PROTOCOLS = ("tcp", "udp", "sctp")
"""Transport protocols that have ports."""


@dataclass(frozen=True)
class TargetDraft:
    """One identifier and what is wanted about it. ``start`` and ``end`` are in UTC; the offsets
    are minutes east of UTC in which the moments were given."""

    identifier: Identifier
    port: int | None
    protocol: str | None
    service: str | None
    start: datetime
    end: datetime
    start_offset: int
    end_offset: int
    data: tuple[DataCategory, ...]
    relation: str


def read_targets(r: Reader, now: datetime) -> tuple[TargetDraft, ...]:
    """The targets; only whole ones are given back, the faults of the others are noted."""
    hint = "Enter at least one identifier."
    found = [_target(t, now) for t in r.children("targets", needed=hint, most=MOST_TARGETS)]
    return tuple(target for target in found if target is not None)


def _target(t: Reader, now: datetime) -> TargetDraft | None:
    before = len(t.faults.found)
    kind = t.term("type", TargetType)
    identifier = _identifier(t, kind)
    port, protocol = _port(t, kind)
    hint = "Name the service the account belongs to." if kind is TargetType.ACCOUNT else ""
    service = t.text("service", needed=hint, longest=300)
    start, end = _period(t, now)
    data = _data(t)
    relation = t.text(
        "relation", needed="Say how it relates to the offence (art. 29(2)(c)).", longest=2000
    )
    t.done()
    if len(t.faults.found) > before:
        return None
    assert identifier and start and end and relation
    return TargetDraft(
        identifier,
        port,
        protocol,
        service,
        start.astimezone(UTC),
        end.astimezone(UTC),
        _offset(start),
        _offset(end),
        data,
        relation,
    )


def _identifier(t: Reader, kind: TargetType | None) -> Identifier | None:
    text = t.text("value", needed="Enter the identifier.", longest=2000)
    if text is None or kind is None:
        return None
    try:
        return parse(kind, text)
    except ValueError as error:
        t.fault("value", str(error))
        return None


def _port(t: Reader, kind: TargetType | None) -> tuple[int | None, str | None]:
    port = t.number("port", 1, 65535)
    protocol = t.text("protocol", longest=20)
    if protocol is not None and protocol.lower() not in PROTOCOLS:
        t.fault("protocol", f"Choose one of: {', '.join(PROTOCOLS)}.")
    if kind not in (None, TargetType.IP_ADDRESS):
        for name, value in (("port", port), ("protocol", protocol)):
            if value is not None:
                t.fault(name, "Only an IP address has one: leave it out.")
    return port, protocol and protocol.lower()


def _period(t: Reader, now: datetime) -> tuple[datetime | None, datetime | None]:
    start = t.moment("from", needed="Enter when the period begins, with its time zone.")
    end = t.moment("to", needed="Enter when the period ends, with its time zone.")
    for name, moment in (("from", start), ("to", end)):
        if moment and not EARLIEST <= moment <= now + FURTHEST:
            t.fault(name, "Enter a moment from 1970 on, at most a year ahead.")
            return start, end
    if start and start > now:
        t.fault("from", "The period begins in the future: only stored data can be preserved.")
    if start and end and end < start:
        t.fault("to", "The period ends before it begins.")
    return start, end


def _data(t: Reader) -> tuple[DataCategory, ...]:
    given = t.items("data", needed="Choose at least one category of data.", most=20)
    names = [t.one_of("data", value, DataCategory) for value in given]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _offset(moment: datetime) -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
