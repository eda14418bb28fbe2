"""A worker that says it lives does its work; what watches it is told when it does not."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from liaison import checks
from liaison.delivery import DeliveryError
from liaison.models import Database, Message
from liaison.models.work import MessageState
from liaison.queries.lag import lag
from liaison.services import housekeeping
from liaison.settings import Settings
from liaison.worker import Work, messages, run_forever, run_once, timers
from liaison.worker.pulse import Pulse
from tests.mail import RecordingSender
from tests.worker.looking import beats, until
from tests.world import World


def readyz(client: FlaskClient) -> tuple[int, str]:
    answer = client.get("/readyz")
    assert answer.json is not None
    return answer.status_code, answer.json["checks"]["worker"]


def check(settings: Settings, database: Database, world: World) -> tuple[bool, str]:
    found = {f.name: f for f in checks.run(settings, database, world.clock)}
    return found["worker"].ok, found["worker"].detail


@pytest.mark.parametrize("broken", [(timers, "fire_one"), (messages, "send_some")])
def test_a_worker_whose_steps_fail_is_not_alive(
    work: Work,
    world: World,
    database: Database,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    broken: tuple[object, str],
) -> None:
    tries: list[int] = []
    sound: list[int] = []

    def fails(_work: Work, *_: object, **__: object) -> int:
        tries.append(len(tries))
        raise RuntimeError("always")

    def finds_nothing(_work: Work, *_: object) -> tuple[int, int]:
        sound.append(len(sound))
        return (0, 0)

    other = (messages, "send_some") if broken[0] is timers else (timers, "fire_one")
    monkeypatch.setattr(*broken, fails)
    monkeypatch.setattr(*other, finds_nothing if other[0] is messages else lambda *_, **__: 0)
    world.issue()
    stop = threading.Event()
    thread = threading.Thread(target=run_forever, args=(work, stop))
    thread.start()
    try:
        assert until(lambda: len(tries) >= 3), "it is tried again and again"
    finally:
        stop.set()
        thread.join(20)
    assert beats(database) == []
    status, said = readyz(client)
    assert status == 503
    assert "no heartbeat" in said


def test_a_pulse_stops_a_minute_after_the_last_success(work: Work) -> None:
    seconds = [0.0]
    written: list[float] = []
    fails = [False]
    pulse = Pulse("timers", "messages", seconds=lambda: seconds[0])

    def beat(_work: Work) -> bool:
        written.append(seconds[0])
        return False

    def step(_work: Work) -> bool:
        if fails[0]:
            raise RuntimeError
        return False

    heart, fired, sent = (
        pulse.beating(beat),
        pulse.watched("timers", step),
        pulse.watched("messages", lambda _: True),
    )
    heart(work)
    fired(work)
    heart(work)
    assert written == [], "one of them has not succeeded yet"
    sent(work)
    heart(work)
    heart(work)
    assert written == [0.0]
    fails[0] = True
    for moment in range(1, 200):
        seconds[0] = float(moment)
        sent(work)
        with pytest.raises(RuntimeError):
            fired(work)
        heart(work)
    assert written[-1] == 60.0
    assert written[:3] == [0.0, 5.0, 10.0]
    fails[0] = False
    fired(work)
    heart(work)
    assert written[-1] == 199.0


def test_a_single_run_that_failed_was_not_alive(
    work: Work, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_work: Work) -> int:
        raise RuntimeError("always")

    monkeypatch.setattr(timers, "fire_one", fails)
    with pytest.raises(RuntimeError):
        run_once(work)
    assert beats(database) == []


def test_a_heartbeat_from_the_future_is_none(
    world: World, database: Database, client: FlaskClient, settings: Settings
) -> None:
    with database.transaction() as session:
        housekeeping.beat(session, "gone", world.now + timedelta(hours=1))
    assert readyz(client)[0] == 503
    assert check(settings, database, world)[0] is False
    with database.transaction() as session:
        housekeeping.beat(session, "at work", world.now + timedelta(seconds=20))
    assert readyz(client) == (200, "ok"), "the one that is at work counts all the same"
    assert check(settings, database, world)[0] is True


def test_a_timer_that_nobody_fires_is_told(
    world: World, database: Database, client: FlaskClient, settings: Settings
) -> None:
    world.issue()
    for minutes, ok in ((2, True), (1, False)):
        world.clock.move(minutes=minutes)
        with database.transaction() as session:
            housekeeping.beat(session, "says it lives", world.now)
        assert (readyz(client)[0] == 200) is ok
        assert check(settings, database, world)[0] is ok
    assert readyz(client)[1] == "late: a timer is 3 min past due"
    assert check(settings, database, world)[1].startswith("a timer is 3 min past due")


def test_a_notice_that_nobody_sends_is_told(
    work: Work, world: World, database: Database, client: FlaskClient, sender: RecordingSender
) -> None:
    order = world.issue()
    timers.fire_one(work)
    world.clock.move(minutes=3)
    with database.transaction() as session:
        housekeeping.beat(session, "says it lives", world.now)
    assert readyz(client) == (503, "late: a notice is 3 min past due")
    with database.transaction() as session:
        # Somebody took it in hand, and hangs.
        session.execute(update(Message).values(state=MessageState.SENDING))
    assert readyz(client)[0] == 503
    world.acknowledge(order)
    with database.transaction() as session:
        # It lies there, but nobody wants it any more.
        session.execute(
            update(Message)
            .where(Message.letter == "order_issued")
            .values(state=MessageState.QUEUED)
        )
    with database.reading() as session:
        found = lag(session, world.now)
    assert found.oldest_message == timedelta(0), "only what was queued just now"
    assert readyz(client) == (200, "ok")


def test_a_notice_between_two_tries_is_not_late(
    work: Work, world: World, database: Database, client: FlaskClient, sender: RecordingSender
) -> None:
    world.issue()
    sender.fail(*[DeliveryError("451 try later")] * 4)
    for _ in range(4):
        run_once(work)
        assert readyz(client) == (200, "ok")
        world.clock.move(seconds=50)
