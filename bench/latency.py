"""From the click that issues an emergency to the provider's program: a real loop, a real sink.

The worker is another process with every step it has. Time begins before the order is issued and
ends when the sink has the request whole, by one clock.
"""

from __future__ import annotations

import logging
import multiprocessing
import random
import signal
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bench.stage import Stage, issue
from bench.workers import Nowhere
from liaison import signatures
from liaison.clock import SystemClock
from liaison.delivery import Ways
from liaison.delivery.webhook import WebhookSender
from liaison.domain.vocabulary import Channel
from liaison.models import Database, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.services.vault import Vault
from liaison.settings import Settings
from liaison.worker import Work, run_forever
from tests.http_sink import HttpSink

ISSUED = 200
PAUSE = 0.3
"""Seconds between two orders, at most; each waits for the one before: an idle machine."""
KINDS = ("order.issued", "order.escalated")
"""Told by the act itself; told by the first rung, which a timer fires."""


@dataclass
class RunningClock:
    """The stage's moment when it began, and running from there on."""

    moment: datetime
    began: float = field(default_factory=time.time)

    def now(self) -> datetime:
        """What it shows now."""
        return self.moment + timedelta(seconds=time.time() - self.began)


@dataclass(frozen=True)
class Spread:
    """Milliseconds from issue to receipt; ``missing`` never came."""

    what: str
    database: str
    p50: float
    p99: float
    longest: float
    missing: int

    @property
    def line(self) -> str:
        """As a line of text."""
        return (
            f"issue to {self.what} received, {self.database}: p50 {self.p50:.0f} ms, "
            f"p99 {self.p99:.0f} ms, longest {self.longest:.0f} ms, missing {self.missing}"
        )

    @property
    def json(self) -> dict[str, object]:
        """As JSON; milliseconds."""
        return {
            "what": f"issue to {self.what} received",
            "database": self.database,
            "p50_ms": round(self.p50, 1),
            "p99_ms": round(self.p99, 1),
            "longest_ms": round(self.longest, 1),
            "missing": self.missing,
        }


def measure(stage: Stage, count: int = ISSUED) -> list[Spread]:
    """One spread for each kind of entry."""
    sink = HttpSink()
    sink.start()
    _endpoint(stage, sink.url)
    context = multiprocessing.get_context("spawn")
    clock = RunningClock(stage.clock.now())
    ready = context.Event()
    worker = context.Process(target=_run, args=(stage.settings, clock, ready))
    worker.start()
    assert ready.wait(60)
    time.sleep(1)
    try:
        begun = {}
        for _ in range(count):
            stage.clock.set(clock.now())
            start = time.monotonic()
            begun[str(issue(stage, 1)[0].id)] = start
            _until(partial(_all_told, sink, len(begun)), 30)
            time.sleep(random.uniform(0, PAUSE))
    finally:
        assert worker.pid is not None
        worker.terminate()
        worker.join()
        _silence(stage)
    sink.stop()
    return [_spread(stage, kind, sink, begun) for kind in KINDS]


def _endpoint(stage: Stage, url: str) -> None:
    now = stage.clock.now()
    with stage.database.transaction() as session:
        session.add(
            WebhookEndpoint(
                provider_id=stage.world.register.providers["Meridian Telecom"],
                url=f"{url}/hook",
                description="bench",
                events=[],
                state=EndpointState.ACTIVE,
                sealed_secret=Vault(stage.settings.encryption_key).seal(signatures.new_secret()),
                created_at=now,
                created_by="bench",
                changed_at=now,
            )
        )


def _silence(stage: Stage) -> None:
    """The other figures are of a provider that only polls."""
    with stage.database.transaction() as session:
        for row in session.query(WebhookEndpoint):
            row.state = EndpointState.DISABLED


def _all_told(sink: HttpSink, orders: int) -> bool:
    return len(sink.got) >= orders * len(KINDS)


def _until(arrived: Callable[[], bool], seconds: float) -> None:
    """What is late has some time to arrive."""
    end = time.monotonic() + seconds
    while not arrived() and time.monotonic() < end:
        time.sleep(0.02)


def _run(settings: Settings, clock: RunningClock, ready: Any) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    hook = WebhookSender(SystemClock(), loopback=True)
    ways = Ways({Channel.EMAIL: Nowhere(), Channel.WEBHOOK: hook})
    work = Work(settings, Database(settings.database_url), clock, ways)
    stop = threading.Event()

    def end(*_: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    ready.set()
    run_forever(work, stop)


def _spread(stage: Stage, kind: str, sink: HttpSink, begun: dict[str, float]) -> Spread:
    came: dict[str, float] = {}
    for got in sink.got:
        order = got.json["data"]["order"]["id"]
        if got.json["type"] == kind and order in begun:
            came.setdefault(order, got.at)
    spans = sorted((at - begun[order]) * 1000 for order, at in came.items())
    p99 = statistics.quantiles(spans, n=100)[98]
    missing = len(begun) - len(spans)
    return Spread(kind, stage.kind, statistics.median(spans), p99, spans[-1], missing)
