"""Canaries, what is late, and the dead-man's switch: the watcher is watched."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from liaison import checks
from liaison.delivery import DeliveryError, Outgoing, own
from liaison.delivery.own import WithCanary
from liaison.domain.vocabulary import Channel
from liaison.errors import LiaisonError
from liaison.models import Canary, Database, Entry, Message
from liaison.models.work import MessageState
from liaison.queries import watching as shown
from liaison.services import canaries, housekeeping, watches
from liaison.settings import Settings
from liaison.worker import Work, bounces, messages, run_once, timers, watch
from liaison.worker.pulse import Pulse
from tests.http_sink import DRIP, HttpSink, Reply
from tests.imap_sink import ImapSink
from tests.mail import RecordingSender
from tests.world import MovableClock, World

EMAIL = "canary@police.example"


@pytest.fixture
def watched(work: Work) -> Work:
    """A worker that sends canaries: by webhook, and by e-mail to an address that comes back."""
    settings = replace(
        work.settings,
        canary_every=5,
        canary_address=EMAIL,
        bounce_url="imaps://u:p@mail.example/INBOX",
    )
    return replace(work, settings=settings)


def sent(sender: RecordingSender) -> list[Outgoing]:
    return [o for o in sender.sent if "canary" in o.idem]


def token(outgoing: Outgoing) -> str:
    if outgoing.channel is Channel.WEBHOOK:
        return outgoing.address.rpartition("/")[2]
    found = canaries.token_in(f"Re: [Fwd] {outgoing.subject}")
    assert found is not None
    return found


def come_back(world: World, *which: Outgoing) -> None:
    with world.database.transaction() as session:
        for outgoing in which:
            assert canaries.arrived(session, token(outgoing), world.now)


def entries(database: Database, type_: str) -> int:
    with database.reading() as session:
        count = select(func.count()).select_from(Entry).where(Entry.type == f"portal.{type_}")
        return session.scalar(count) or 0


def send_all(work: Work) -> None:
    while messages.send_some(work)[0]:
        pass


def letters(sender: RecordingSender, about: str) -> list[str]:
    return sorted(o.address for o in sender.sent if about in o.subject)


def test_canaries_go_the_whole_way_every_five_minutes(
    world: World, watched: Work, sender: RecordingSender
) -> None:
    watch.watch(watched)
    send_all(watched)
    first = sent(sender)
    assert {o.channel for o in first} == {Channel.EMAIL, Channel.WEBHOOK}
    assert {o.address.partition("/canary/")[0] for o in first} == {EMAIL, "http://localhost"}
    world.clock.move(minutes=4)
    come_back(world, *first)
    watch.watch(watched)
    send_all(watched)
    assert len(sent(sender)) == 2
    world.clock.move(minutes=1)
    watch.watch(watched)
    send_all(watched)
    tokens = [token(o) for o in sent(sender)]
    assert len(set(tokens)) == 4
    assert all(re.fullmatch(r"[\w-]{43}", t) for t in tokens)


def test_a_lost_canary_is_told_once_and_its_return_is_noted(
    world: World, watched: Work, sender: RecordingSender, database: Database
) -> None:
    watch.watch(watched)
    send_all(watched)
    by_mail, by_hook = sorted(sent(sender), key=lambda o: o.channel.value)
    world.clock.move(minutes=1)
    come_back(world, by_hook)
    watch.watch(watched)
    assert entries(database, "canary_lost") == 0
    world.clock.move(minutes=1)
    watch.watch(watched)
    send_all(watched)
    told = letters(sender, "a canary by e-mail did not come back")
    assert "duty@police.example" in told
    assert "supervisor@politie.example" in told
    assert not [address for address in told if "meridian" in address]
    for _ in range(3):
        world.clock.move(minutes=5)
        watch.watch(watched)
        send_all(watched)
        come_back(world, *[o for o in sent(sender)[-2:] if o.channel is Channel.WEBHOOK])
        watch.watch(watched)
    send_all(watched)
    assert letters(sender, "a canary by e-mail did not come back") == told, "once a spell"
    with database.reading() as session:
        (said,) = shown.faults(session, watched.settings, world.now)[1:]
        assert "e-mail" in said
    world.clock.move(minutes=5)
    watch.watch(watched)
    send_all(watched)
    come_back(world, *sent(sender)[-2:])
    watch.watch(watched)
    assert (entries(database, "canary_lost"), entries(database, "canary_back")) == (1, 1)
    assert by_mail.channel is Channel.EMAIL


def test_a_canary_that_cannot_leave_is_told_as_lost_and_as_nothing_else(
    world: World, watched: Work, sender: RecordingSender, database: Database
) -> None:
    sender.fail(*[DeliveryError("550 no", permanent=True)] * 2)
    watch.watch(watched)
    send_all(watched)
    with database.reading() as session:
        unsettled = select(Message.state).where(Message.settled_at.is_(None))
        assert set(session.scalars(unsettled)) <= {MessageState.CANCELLED}
    assert entries(database, "letter_failed") == 0
    world.clock.move(minutes=2)
    watch.watch(watched)
    assert entries(database, "canary_lost") == 2


def test_two_workers_send_one_canary(world: World, watched: Work, database: Database) -> None:
    start = threading.Barrier(4)

    def look() -> None:
        start.wait()
        watch.watch(watched)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        found = session.execute(select(Canary.channel, func.count()).group_by(Canary.channel)).all()
    assert sorted(count for _, count in found) == [1, 1]


def test_canaries_are_thrown_away_after_a_day(
    world: World, watched: Work, sender: RecordingSender, database: Database
) -> None:
    watch.watch(watched)
    send_all(watched)
    world.clock.move(hours=25)
    watch.watch(watched)
    with database.transaction() as session:
        housekeeping.tidy(session, world.now)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Canary)) == 2
        carried = select(func.count()).select_from(Message)
        assert session.scalar(carried.where(Message.letter == canaries.LETTER)) == 2


def test_a_stopped_sender_is_told_once(
    world: World, work: Work, sender: RecordingSender, database: Database
) -> None:
    world.issue()
    timers.fire_one(work)
    watch.watch(work)
    assert entries(database, "worker_late") == 0
    world.clock.move(minutes=3)
    watch.watch(work)
    watch.watch(work)
    assert entries(database, "worker_late") == 1
    run_once(work)
    assert "duty@police.example" in letters(sender, "Liaison is behind: a notice is 3 min past due")
    watch.watch(work)
    assert (entries(database, "worker_late"), entries(database, "worker_caught_up")) == (1, 1)


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as made:
        yield made


def test_the_switch_is_pinged_only_after_canaries_came_back(
    world: World, watched: Work, sender: RecordingSender, sink: HttpSink
) -> None:
    seconds = [0.0]
    pulse = Pulse("timers", seconds=lambda: seconds[0])
    beat = pulse.watched("timers", lambda _: False)
    worker = replace(watched, settings=replace(watched.settings, heartbeat_url=sink.url + "/ping"))
    ping = watch.pinging(pulse, lambda: seconds[0])

    def pings(after: float = 61) -> int:
        seconds[0] += after
        beat(worker)
        before = len(sink.got)
        ping(worker)
        return len(sink.got) - before

    watch.watch(worker)
    send_all(worker)
    assert pings() == 0, "no canary is back"
    first = sent(sender)
    come_back(world, first[0])
    assert pings() == 0, "one of the ways is not known to be open"
    come_back(world, *first)
    seconds[0] += 100
    ping(worker)
    assert sink.got == [], "the timers have not succeeded for 100 s"
    assert pings() == 1
    assert (sink.got[0].method, sink.got[0].path) == ("GET", "/ping")
    assert pings() == 0, "no canary has come back since"
    world.clock.move(minutes=5)
    watch.watch(worker)
    send_all(worker)
    world.clock.move(seconds=10)
    come_back(world, *sent(sender)[-2:])
    assert pings(after=1) == 1
    world.clock.move(minutes=5)
    watch.watch(worker)
    send_all(worker)
    come_back(world, *sent(sender)[-2:])
    world.issue()
    world.clock.move(minutes=3)
    assert pings() == 0, "a timer is late"


@pytest.mark.one_database
def test_a_ping_that_fails_stops_nothing_and_is_tried_again(
    world: World, watched: Work, sender: RecordingSender, sink: HttpSink
) -> None:
    seconds = [0.0]
    pulse = Pulse("timers", seconds=lambda: seconds[0])
    beat = pulse.watched("timers", lambda _: False)
    worker = replace(watched, settings=replace(watched.settings, heartbeat_url=sink.url))
    ping = watch.pinging(pulse, lambda: seconds[0])
    watch.watch(worker)
    send_all(worker)
    come_back(world, *sent(sender))
    sink.script(Reply(500), Reply(302, {"Location": sink.url + "/elsewhere"}))
    for expected in (1, 2, 3, 3):
        seconds[0] += 61
        beat(worker)
        ping(worker)
        assert len(sink.got) == expected
    assert {got.path for got in sink.got} == {"/"}, "no redirect is followed"


def test_a_request_of_ours_never_lasts_longer_than_it_may(sink: HttpSink) -> None:
    sink.script(DRIP)
    with pytest.raises(DeliveryError, match="longer than"):
        own.ask("GET", sink.url, 0.5)
    for url in (
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "no address",
        "https://ä/",
    ):
        with pytest.raises(DeliveryError, match="https"):
            own.ask("GET", url)


def outgoing(address: str, clock: MovableClock, *secrets: str) -> Outgoing:
    return Outgoing(
        address, "", "", "", "k", clock.now(), Channel.WEBHOOK, "1", {"a": 1}, tuple(secrets)
    )


def test_only_a_canary_of_ours_takes_the_plain_way(
    clock: MovableClock, sink: HttpSink, sender: RecordingSender
) -> None:
    way = WithCanary(sender, sink.url)
    good = f"{sink.url}/canary/{'t' * 43}"
    assert way.send(outgoing(good, clock)).status == 200
    assert [got.path for got in sink.got] == [f"/canary/{'t' * 43}"]
    theirs = outgoing(good, clock, "whsec_abc")
    for other in (
        theirs,
        outgoing(f"{good}/../../login", clock),
        outgoing(f"{good}?x=1", clock),
        outgoing(f"http://10.0.0.1/canary/{'t' * 43}", clock),
    ):
        way.send(other)
    assert len(sink.got) == 1
    assert len(sender.sent) == 4


@pytest.mark.one_database
def test_checks_tell_of_canaries_programs_and_the_switch(
    world: World, watched: Work, sender: RecordingSender, database: Database
) -> None:
    def told(settings: Settings = watched.settings) -> dict[str, tuple[bool, bool, str]]:
        found = checks.run(settings, database, world.clock)
        return {f.name: (f.ok, f.warns, f.detail) for f in found}

    assert told()["canaries"][:2] == (True, True), "none has come back yet"
    watch.watch(watched)
    send_all(watched)
    come_back(world, *sent(sender))
    assert told()["canaries"] == (True, False, "they come back by webhook and email")
    world.clock.move(minutes=10)
    assert told()["canaries"][0] is False, "none since"
    off = replace(watched.settings, canary_every=0, heartbeat_url="https://watch.example/secret")
    assert told(off)["canaries"][1] is True
    assert told(off)["heartbeat"][0] is False
    plain = replace(watched.settings, heartbeat_url="http://watch.example/secret")
    assert told(plain)["heartbeat"][0] is False
    assert "secret" not in told(plain)["heartbeat"][2]
    good = replace(watched.settings, heartbeat_url="https://watch.example/secret")
    assert told(good)["heartbeat"][0] is True


def test_a_canary_comes_home_through_the_portal_s_own_door(
    world: World, watched: Work, sender: RecordingSender, app: Flask, database: Database
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    watch.watch(watched)
    send_all(watched)
    (by_hook,) = (o for o in sent(sender) if o.channel is Channel.WEBHOOK)
    client = app.test_client()
    for guess in ("x" * 43, "%00", "x" * 5000):
        assert client.post(f"/canary/{guess}").status_code == 404
    assert client.get("/canary/" + token(by_hook)).status_code == 405
    world.clock.move(seconds=30)
    for _ in range(2):
        answer = client.post("/canary/" + token(by_hook))
        assert (answer.status_code, answer.data) == (204, b"")
        world.clock.move(seconds=30)
    with database.reading() as session:
        back = canaries.last_arrived(session, Channel.WEBHOOK)
        assert back is not None
        assert back.arrived_at == back.sent_at + timedelta(seconds=30), "the first time counts"


@pytest.mark.one_database
def test_a_turn_taken_by_a_wrong_clock_comes_again(world: World, database: Database) -> None:
    every = timedelta(minutes=5)
    with database.transaction() as session:
        assert watches.take_turn(session, "canary:x", world.now + timedelta(hours=1), every)
        assert watches.is_turn(session, "canary:x", world.now, every)
        assert watches.take_turn(session, "canary:x", world.now, every)
        assert not watches.take_turn(session, "canary:x", world.now, every)


@pytest.mark.one_database
def test_without_a_mailbox_only_the_webhook_comes_back(settings: Settings) -> None:
    on = replace(settings, canary_every=5, canary_address=EMAIL)
    assert set(canaries.ways(on)) == {Channel.WEBHOOK}
    assert canaries.ways(settings) == {}


@pytest.fixture
def mailbox() -> Iterator[ImapSink]:
    sink = ImapSink()
    sink.start()
    yield sink
    sink.stop()


def look_in_vain(work: Work) -> None:
    with pytest.raises(LiaisonError):
        bounces.read_mailbox(work)


def with_mailbox(work: Work, url: str) -> Work:
    return replace(work, settings=replace(work.settings, bounce_url=url))


def bar(work: Work) -> str:
    with work.database.reading() as session:
        return " ".join(shown.faults(session, work.settings, work.now()))


def test_a_mailbox_that_nobody_can_read_is_told_of_once_and_that_it_is_read_again(
    world: World, work: Work, sender: RecordingSender, database: Database, mailbox: ImapSink
) -> None:
    reading = with_mailbox(work, mailbox.url)
    mailbox.refuses = True
    began = f"{world.now:%H:%M} UTC"
    for _ in range(2):
        look_in_vain(reading)
        watch.watch(reading)
        world.clock.move(minutes=9)
    assert entries(database, "mailbox_unread") == 0, "nine minutes are a restart of the server"
    for _ in range(3):
        watch.watch(reading)
        world.clock.move(minutes=1)
        look_in_vain(reading)
    send_all(reading)
    told = letters(sender, "letters that came back cannot be read since")
    assert "duty@police.example" in told
    assert "supervisor@politie.example" in told
    assert not [address for address in told if "meridian" in address]
    assert len(told) == len(set(told)), "once a spell"
    assert "has not been read since" in bar(reading)
    assert began in bar(reading)
    mailbox.refuses = False
    assert not bounces.read_mailbox(reading)
    watch.watch(reading)
    assert "has not been read" not in bar(reading)
    assert (entries(database, "mailbox_unread"), entries(database, "mailbox_read")) == (1, 1)


@pytest.mark.parametrize(
    "address", ["imaps://mail.example", "imap+starttls://u:p@mail..example/INBOX"]
)
def test_a_wrong_address_of_the_mailbox_is_told_of_too_and_none_is_nobodys_fault(
    world: World, work: Work, database: Database, address: str
) -> None:
    wrong = with_mailbox(work, address)
    look_in_vain(wrong)
    world.clock.move(minutes=10)
    assert "has not been read" in bar(wrong)
    with database.reading() as session:
        failing = shown.numbers(session, wrong.settings, world.now).mailbox_failing
        assert failing == timedelta(minutes=10)
        assert shown.numbers(session, work.settings, world.now).mailbox_failing is None
    assert "has not been read" not in bar(work), "the setting was taken away"


def test_a_look_that_a_wrong_clock_noted_counts_from_now(world: World, work: Work) -> None:
    wrong = with_mailbox(work, "imaps://mail.example")
    world.clock.move(hours=1)
    look_in_vain(wrong)
    world.clock.move(hours=-1)
    look_in_vain(wrong)
    world.clock.move(minutes=10)
    assert "has not been read" in bar(wrong)
