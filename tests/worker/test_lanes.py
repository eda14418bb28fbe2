"""Ways out side by side: whoever keeps silent holds up nobody else; a hint wakes whoever sleeps."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from liaison.delivery import DeliveryError, Outgoing, Receipt
from liaison.domain.vocabulary import Channel
from liaison.models import Database, Message, WebhookEndpoint
from liaison.models.base import insert_once, new_id
from liaison.models.hints import TIMERS
from liaison.models.webhooks import EndpointState
from liaison.models.work import MessageState, Wanted
from liaison.services import claims, due_messages, outbox
from liaison.worker import Work, loop, messages, run_forever
from liaison.worker.wake import Wake
from tests.mail import RecordingSender
from tests.worker.looking import until
from tests.world import World


def endpoint(database: Database, world: World, provider: str = "Meridian Telecom") -> UUID:
    """A webhook's address of a provider."""
    with database.transaction() as session:
        row = WebhookEndpoint(
            provider_id=world.register.providers[provider],
            url="https://hooks.meridian.example/liaison",
            description="",
            events=[],
            state=EndpointState.ACTIVE,
            sealed_secret=world.vault.seal("whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgMjQrIGJ5dGVz"),
            created_at=world.now,
            created_by="test",
            changed_at=world.now,
        )
        session.add(row)
        session.flush()
        return row.id


def put(
    database: Database, world: World, channel: Channel, to: UUID | None = None, **more: Any
) -> UUID:
    """A message in the outbox, as the verbs put it there."""
    id = new_id()
    with database.transaction() as session:
        values = {
            "id": id,
            "idem": f"test:{id}",
            "endpoint_id": to,
            "channel": channel,
            "address": "somewhere",
            "letter": "webhook" if to else "escalation",
            "params": {},
            "wanted": Wanted.ALWAYS,
            "urgent": True,
            "state": MessageState.QUEUED,
            "created_at": world.now,
            "next_at": world.now,
            "fence": 0,
            "attempts": 0,
        }
        assert insert_once(session, Message, {**values, **more})
    return id


def webhook() -> messages.Lane:
    """The lane of webhooks."""
    return next(lane for lane in messages.LANES if lane.channel is Channel.WEBHOOK)


def test_every_way_that_a_message_can_take_has_a_lane() -> None:
    sent = [channel for channel in Channel if channel is not Channel.CALL]
    assert [lane.channel for lane in messages.LANES] == sent == list(outbox.SENT_BY)


def test_a_mail_server_that_keeps_silent_holds_up_no_other_way(
    work: Work, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, called = threading.Event(), threading.Event()

    class Hanging(RecordingSender):
        def send(self, outgoing: Outgoing) -> Receipt:
            if outgoing.channel is Channel.EMAIL:
                released.wait(60)
            else:
                called.set()
            return super().send(outgoing)

    monkeypatch.setattr(messages, "_outgoing", _plain)
    sender, stop = Hanging(), threading.Event()
    for channel in (Channel.EMAIL, Channel.EMAIL, Channel.TEXT):
        put(database, world, channel)
    thread = threading.Thread(target=run_forever, args=(replace(work, sender=sender), stop))
    thread.start()
    try:
        assert called.wait(20), "the text message left"
        assert not released.is_set(), "while the letters hang"
    finally:
        released.set()
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def _plain(_work: Work, claimed: claims.Claimed) -> Outgoing:
    return Outgoing(claimed.address, "", "", "", claimed.idem, claimed.created_at, claimed.channel)


def test_of_one_endpoint_one_message_is_under_way(
    work: Work, world: World, database: Database
) -> None:
    slow, other = endpoint(database, world), endpoint(database, world)
    first, second = (put(database, world, Channel.WEBHOOK, slow) for _ in range(2))
    (claimed,) = messages.claim(work, webhook())
    assert claimed.id == first
    assert messages.claim(work, webhook()) == [], "the slow one has one already"
    third = put(database, world, Channel.WEBHOOK, other)
    assert [c.id for c in messages.claim(work, webhook())] == [third]
    world.clock.move(seconds=46)
    again = [c.id for _ in range(3) for c in messages.claim(work, webhook())]
    assert again == [first, third], "a lease that ran out holds nothing; the second still waits"
    assert second not in again


def test_a_provider_whose_addresses_all_hang_holds_up_no_other(
    work: Work, world: World, database: Database
) -> None:
    for _ in range(webhook().threads):
        put(database, world, Channel.WEBHOOK, endpoint(database, world))
    other = next(name for name in world.register.providers if name != "Meridian Telecom")
    theirs = put(database, world, Channel.WEBHOOK, endpoint(database, world, other))
    claimed = [c.id for _ in range(webhook().threads) for c in messages.claim(work, webhook())]
    assert len(claimed) == due_messages.MOST_A_PROVIDER + 1
    assert theirs in claimed
    world.clock.move(seconds=46)
    assert messages.claim(work, webhook()), "leases that ran out crowd nobody"


@pytest.mark.postgresql_only
def test_two_that_claim_at_once_for_one_provider_count_alike(
    work: Work, world: World, database: Database
) -> None:
    for _ in range(4):
        put(database, world, Channel.WEBHOOK, endpoint(database, world))
    with database.transaction() as one, database.transaction() as two:
        assert len(claims.claim(one, world.now, 1, Channel.WEBHOOK)) == 1
        assert claims.claim(two, world.now, 1, Channel.WEBHOOK) == [], "it tries again at once"


@pytest.mark.postgresql_only
def test_two_that_claim_at_once_do_not_both_take_from_one_endpoint(
    work: Work, world: World, database: Database
) -> None:
    to = endpoint(database, world)
    for _ in range(2):
        put(database, world, Channel.WEBHOOK, to)
    with database.transaction() as one, database.transaction() as two:
        assert len(claims.claim(one, world.now, 1, Channel.WEBHOOK)) == 1
        assert claims.claim(two, world.now, 1, Channel.WEBHOOK) == []


def test_a_commit_that_plans_tells_those_who_listen(world: World, database: Database) -> None:
    hints = database.hints()
    try:
        assert hints.wait(0) == set()
        world.issue()
        told = hints.wait(10)
        assert told is None if database.is_sqlite else told == {TIMERS, "email"}
        with pytest.raises(RuntimeError), database.transaction() as session:  # noqa: PT012
            outbox.queue_letter(session, "a@b.example", "escalation", {}, "never", world.now)
            raise RuntimeError
        assert hints.wait(0.2) == set(), "what never was is told to nobody"
    finally:
        hints.close()


def test_what_falls_due_wakes_the_worker_before_its_next_look(
    work: Work, world: World, sender: RecordingSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_AT_FILE", 300.0)
    monkeypatch.setattr(loop, "LOOK_AT_SERVER", 300.0)
    stop, resting = threading.Event(), threading.Event()
    monkeypatch.setattr(loop, "beat", lambda _work: resting.set())
    thread = threading.Thread(target=run_forever, args=(work, stop))
    thread.start()
    try:
        assert until(lambda: any(t.name == "hints" for t in threading.enumerate()))
        resting.wait(3)
        world.issue()
        assert until(lambda: sender.sent), "nobody looks for five minutes"
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive(), "it does not sleep on when it is told to stop"


@pytest.mark.postgresql_only
def test_whoever_lost_the_connection_listens_again(work: Work, database: Database) -> None:
    wake = Wake()
    alarm = wake.alarm(TIMERS)
    assert wake.listen(work)
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query = 'LISTEN liaison' AND datname = current_database()"
            )
        )
    with pytest.raises(psycopg.OperationalError):
        wake.listen(work)
    assert not alarm.is_set()
    wake.listen(work)
    assert alarm.is_set(), "nobody knows what was missed"
    wake.close()


@pytest.mark.postgresql_only
def test_the_server_ends_a_transaction_of_a_worker_that_stopped(database: Database) -> None:
    """Or nobody else could fire a timer of the order that it holds."""
    with database.transaction() as session:
        assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "2min"


NAMES = ("Meridian Telecom", "Norvik Mobile")


def failing(work: Work, world: World, taken: list[claims.Claimed]) -> None:
    """These tries end in silence, after 20 seconds."""
    world.clock.move(seconds=20)
    for one in taken:
        messages._put_off(work, one, DeliveryError("took longer than 20 s"), 0.0)


def all_hands(work: Work) -> list[claims.Claimed]:
    """What the four threads of a worker take."""
    return [one for _ in range(4) for one in messages.claim(work, webhook())]


def test_programs_that_hang_leave_half_of_the_hands_to_the_others(
    work: Work, world: World, database: Database
) -> None:
    # Each event of their backlog takes its 20 s; they are two providers, and have two hooks each.
    hanging = [endpoint(database, world, name) for name in NAMES * 2]
    for to in hanging * 10:
        put(database, world, Channel.WEBHOOK, to)
    world.clock.move(seconds=1)
    well = endpoint(database, world, "Sevan Hosting")
    for _ in range(2):
        taken = all_hands(work)
        assert {one.endpoint_id for one in taken} == set(hanging), "it may be no more than a moment"
        failing(work, world, taken)
    sound = put(database, world, Channel.WEBHOOK, well)
    third = all_hands(work)
    assert len([one for one in third if one.endpoint_id in hanging]) == due_messages.MOST_FAILING
    assert sound in [one.id for one in third]
    assert len(third) == 3, "a hand is free for whatever comes"


def test_one_provider_whose_hooks_hang_takes_no_turn_of_another_that_failed(
    work: Work, world: World, database: Database
) -> None:
    hanging = [endpoint(database, world, NAMES[0]) for _ in range(2)]
    for to in hanging * 10:
        put(database, world, Channel.WEBHOOK, to)
    back = endpoint(database, world, NAMES[1])
    put(database, world, Channel.WEBHOOK, back)
    for _ in range(3):
        failing(work, world, all_hands(work))
    late = put(database, world, Channel.WEBHOOK, back)
    taken = all_hands(work)
    assert late in [one.id for one in taken] or back in [one.endpoint_id for one in taken]
    assert len([one for one in taken if one.endpoint_id in hanging]) == 1


def test_an_endpoint_that_takes_an_event_again_is_no_longer_among_those_that_fail(
    work: Work, world: World, database: Database
) -> None:
    slow = [endpoint(database, world, name) for name in world.register.providers][:3]
    for to in slow * 9:
        put(database, world, Channel.WEBHOOK, to)
    for _ in range(2):
        failing(work, world, all_hands(work)[:3])
    under_way = all_hands(work)
    assert len(under_way) == 2
    messages._confirm(work, under_way[0], Receipt("", 200, ""), 0.0)
    third = {one.endpoint_id for one in all_hands(work)}
    assert third == set(slow) - {under_way[1].endpoint_id}, "it has a place of its own again"
