"""``/metrics`` for Prometheus: how the work goes, as the database knows it.

Only what stands in the database is told, so every process of the portal answers alike. Counts and
times of requests are not: each process would know its own alone. The proxy in front has them, and
so has the log, with one line a request.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_address

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from liaison.errors import NotFound
from liaison.queries import watching
from liaison.services import schema
from liaison.web.context import address, db, now, settings

bp = Blueprint("metrics", __name__)

Values = Mapping[tuple[str, ...], float]
"""Numbers by the values of their labels."""

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@bp.get("/metrics")
def metrics() -> Response:
    """Numbers of the whole installation; no name, no ref.

    Whoever shows ``LIAISON_METRICS_TOKEN`` reads them; where none is set, this machine alone.
    Anybody else learns no more than that there is no such page.
    """
    if not _may_read():
        raise NotFound
    registry = CollectorRegistry()
    current = schema.is_newest(db().connection())
    _one(registry, "liaison_schema_current", "1 where the schema is the newest", int(current))
    if current:
        _tell(registry, watching.numbers(db(), settings(), now()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    token = settings().metrics_token
    if not token:
        return _is_this_machine()
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        shown.strip().encode("utf-8", "replace"), token.encode()
    )


def _is_this_machine() -> bool:
    """Not what a proxy on this machine passes on, whether or not the settings name it."""
    if any(request.headers.get(name) for name in _FORWARDED):
        return False
    try:
        return ip_address(address()).is_loopback
    except ValueError:
        return False


def _tell(registry: CollectorRegistry, found: watching.Numbers) -> None:
    for name, words, value in _alone(found):
        _one(registry, name, words, value)
    hour: Values = {(c.value, s.value): count for (c, s), count in found.messages.items()}
    words = "Messages queued within the last hour, by channel and where they stand now"
    _several(registry, "liaison_messages_last_hour", words, ("channel", "state"), hour)
    ages: Values = {(w.channel.value,): _seconds(w.age) for w in found.ways}
    words = "Seconds since the newest canary that came back was sent; NaN where none has"
    _several(registry, "liaison_canary_age_seconds", words, ("way",), ages)
    lost: Values = {(w.channel.value,): int(w.lost) for w in found.ways}
    words = "1 where the newest canary did not come back in time"
    _several(registry, "liaison_canary_lost", words, ("way",), lost)


def _alone(found: watching.Numbers) -> Iterable[tuple[str, str, float]]:
    most = f"counted to {watching.MOST}"
    yield (
        "liaison_heartbeat_age_seconds",
        "Seconds since the newest worker's heartbeat; NaN where there is none",
        _seconds(found.heartbeat_age),
    )
    yield "liaison_workers", "Workers with a heartbeat of the last minute", found.workers
    yield (
        "liaison_timer_lag_seconds",
        "By how much the oldest timer is past due",
        _late(found.lag.oldest_timer),
    )
    yield (
        "liaison_message_lag_seconds",
        "By how much the oldest notice to a person is past due",
        _late(found.lag.oldest_message),
    )
    yield "liaison_timers_due", f"Timers past due, {most}", found.due_timers
    yield "liaison_timers_stuck", "Timers that fail again and again", found.stuck_timers
    yield "liaison_messages_due", f"Messages past due, {most}", found.due_messages
    yield (
        "liaison_messages_undelivered",
        f"Messages that failed and that nobody has dealt with, {most}",
        found.undelivered,
    )
    yield "liaison_calls_open", f"Calls that a person must make, {most}", found.open_calls
    yield (
        "liaison_ladders_at_top",
        "Open orders whose supervisor has been paged",
        found.at_the_top,
    )
    yield (
        "liaison_programs_silent",
        "Programs of providers that do not call as expected",
        found.silent_programs,
    )
    yield (
        "liaison_mailbox_failing_seconds",
        "For how long the mailbox of letters that came back could not be read",
        _late(found.mailbox_failing),
    )


def _one(registry: CollectorRegistry, name: str, words: str, value: float) -> None:
    Gauge(name, words, registry=registry).set(value)


def _several(
    registry: CollectorRegistry,
    name: str,
    words: str,
    labels: tuple[str, ...],
    values: Values,
) -> None:
    gauge = Gauge(name, words, labels, registry=registry)
    for label, value in values.items():
        gauge.labels(*label).set(value)


def _seconds(span: timedelta | None) -> float:
    return span.total_seconds() if span is not None else float("nan")


def _late(span: timedelta | None) -> float:
    return span.total_seconds() if span is not None else 0.0
