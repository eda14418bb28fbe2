"""What is told when the portal itself fails: canaries lost, work late, a mailbox unread.

A fault is told once, when it begins; that it ended is noted. Whoever sees the bar or
``/metrics`` sees it all the while.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.vocabulary import Channel
from liaison.queries import lag
from liaison.services import canaries, ledger, mailbox_watch, portal_log, watch_letters, watches
from liaison.services.watches import Change
from liaison.settings import Settings

LATE = "late"
"""The name of the fault that work is past due."""


@dataclass(frozen=True)
class _Fault:
    name: str
    bad: bool
    letter: str
    entries: tuple[str, str]
    """What the portal's log says when it begins and when it has ended."""
    told: dict[str, Any]


def is_due(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether a fault began or ended: asked before a writing transaction is begun."""
    found = list(_faults(session, settings, now))
    return any(fault.bad is not watches.is_told(session, fault.name) for fault in found)


def judge(session: Session, settings: Settings, now: datetime) -> int:
    """Tells of what began and notes what ended; how many faults that were."""
    changed = [
        (fault, change)
        for fault in _faults(session, settings, now)
        if (change := watches.since(session, fault.name, now, bad=fault.bad)) is not Change.NONE
    ]
    for fault, change in changed:
        if change is Change.BEGAN:
            key = f"watch:{fault.name}:{rfc3339(now)}"
            watch_letters.tell_all(session, fault.letter, fault.told, key, now)
    for fault, change in changed:
        entry = fault.entries[change is Change.ENDED]
        portal_log.note(session, now, entry, CLOCK.id, ledger.PORTAL, fault.told)
    return len(changed)


def _faults(session: Session, settings: Settings, now: datetime) -> Iterator[_Fault]:
    what = lag.lag(session, now).fault
    entries = ("worker_late", "worker_caught_up")
    yield _Fault(LATE, bool(what), "watch/late", entries, {"what": what})
    for way in canaries.ways(settings):
        lost = canaries.is_lost(session, way, now)
        yield _Fault(
            f"lost:{way.value}",
            lost,
            "watch/canary_lost",
            ("canary_lost", "canary_back"),
            {"way": _words(way)},
        )
    since = mailbox_watch.blind_since(session, settings, now)
    yield _Fault(
        "mailbox",
        since is not None,
        "watch/mailbox",
        ("mailbox_unread", "mailbox_read"),
        {"since": rfc3339(since)} if since else {},
    )


def _words(way: Channel) -> str:
    return "e-mail" if way is Channel.EMAIL else "webhook"


def may_ping(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether the heartbeat's URL may hear of us: all ways came back since, and nothing is late."""
    ways = canaries.ways(settings)
    last = watches.last(session, PING)
    back = [canaries.last_arrived(session, way) for way in ways]
    fresh = [
        canary is not None
        and canary.arrived_at is not None
        and (last is None or canary.arrived_at > last or last > now)
        for canary in back
    ]
    lost = any(canaries.is_lost(session, way, now) for way in ways)
    return bool(ways) and all(fresh) and not lost and not lag.lag(session, now).fault


PING = "ping"
"""The name under which the last ping is noted."""
