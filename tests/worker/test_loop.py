"""The loops: one step's trouble is not the others', and all end when they are told."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from liaison.clock import FixedClock, SystemClock
from liaison.delivery import Receipt
from liaison.models import ApiKey, Database, Heartbeat, IdempotentAnswer, SignIn, Throttle
from liaison.services import accounts
from liaison.worker import Work, run_forever, run_once
from liaison.worker.loop import keep_on
from tests.mail import RecordingSender
from tests.register import PASSWORD
from tests.worker.looking import beats, until
from tests.world import World


def test_a_step_that_fails_is_tried_again_and_the_loop_goes_on(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    waits: list[float] = []
    rounds: list[int] = []
    monkeypatch.setattr(stop, "wait", lambda seconds: waits.append(seconds))

    def step(_work: Work) -> bool:
        rounds.append(len(rounds))
        if len(rounds) <= 3:
            raise OperationalError("SELECT 1", {}, Exception("the database is gone"))
        if len(rounds) == 6:
            stop.set()
        return len(rounds) == 4

    keep_on("step", step, 1.0, work, stop)
    assert len(rounds) == 6
    # Three failures, each with a longer pause; then work found, so no pause; then two idle rounds.
    assert waits == [0.5, 1.0, 2.0, 1.0, 1.0]


def test_the_pause_after_failures_has_an_end(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 50:
            stop.set()

    monkeypatch.setattr(stop, "wait", wait)

    def step(_work: Work) -> bool:
        raise ValueError

    keep_on("step", step, 1.0, work, stop)
    assert max(waits) == waits[-1] == 15.0


def test_it_runs_until_it_is_told_to_stop(work: Work, world: World, database: Database) -> None:
    stop, arrived = threading.Event(), threading.Event()

    class Telling(RecordingSender):
        def send(self, outgoing: object) -> Receipt:
            arrived.set()
            return Receipt("taken")

    world.issue()
    real = replace(work, sender=Telling())
    thread = threading.Thread(target=run_forever, args=(real, stop))
    thread.start()
    try:
        assert arrived.wait(20), "the first rung was due"
        assert until(lambda: beats(database)), "and all steps have succeeded"
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    with database.reading() as session:
        assert session.scalars(select(Heartbeat.worker)).all() == ["worker-1"]


def test_the_databases_clock_decides_where_it_has_one(work: Work, database: Database) -> None:
    assert work.now() == work.clock.now(), "a clock that was handed in overrides both"

    class Wrong(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(days=1)

    ahead = replace(work, clock=Wrong()).now() - SystemClock().now()
    if database.is_sqlite:
        assert ahead > timedelta(hours=23)
    else:
        assert abs(ahead) < timedelta(minutes=1)


def test_the_heartbeat_moves(work: Work, world: World, database: Database) -> None:
    for _ in range(2):
        world.clock.move(seconds=10)
        run_once(work)
        with database.reading() as session:
            (beat,) = session.scalars(select(Heartbeat)).all()
        assert (beat.worker, beat.at) == ("worker-1", world.now)
    run_once(replace(work, name="worker-2"))
    world.clock.move(days=1, seconds=1)
    run_once(work)
    with database.reading() as session:
        assert session.scalars(select(Heartbeat.worker)).all() == ["worker-1"]


def test_as_of_another_moment_there_is_no_heartbeat(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    world.issue()
    later = replace(work, clock=FixedClock(world.now + timedelta(minutes=50)))
    run_once(later)
    assert len(sender.sent) == 5, "every rung up to then"
    with database.reading() as session:
        assert session.scalars(select(Heartbeat)).all() == []


def test_housekeeping_removes_what_serves_nobody(
    work: Work, world: World, database: Database
) -> None:
    with database.transaction() as session:
        tried = accounts.count_try(session, world.person("spoc").email, "192.0.2.1", world.now)
        assert isinstance(tried, accounts.Tried)
        right = tried.fits(PASSWORD)
        started = accounts.start(session, tried, right, "192.0.2.1", "browser", world.now)
        assert isinstance(started, accounts.Started)
        session.add(
            IdempotentAnswer(
                api_key_id=_key_id(session),
                idempotency_key="one",
                request_hash="0" * 64,
                status=200,
                body="{}",
                created_at=world.now,
            )
        )
    run_once(work)
    assert _counts(database) == (1, 1, True)
    world.clock.move(minutes=6)
    run_once(work)
    assert _counts(database) == (1, 1, False)
    world.clock.move(days=30)
    run_once(work)
    assert _counts(database) == (0, 1, False)
    world.clock.move(days=60, minutes=5)
    run_once(work)
    assert _counts(database) == (0, 0, False)


def _key_id(session: Session) -> UUID:
    return session.scalars(select(ApiKey.id).limit(1)).one()


def _counts(database: Database) -> tuple[int, int, bool]:
    with database.reading() as session:
        return (
            len(session.scalars(select(IdempotentAnswer)).all()),
            len(session.scalars(select(SignIn)).all()),
            bool(session.scalars(select(Throttle)).all()),
        )
