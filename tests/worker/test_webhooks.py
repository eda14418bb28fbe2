"""A provider's program is told that its stream has grown: from the act to a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from liaison.clock import SystemClock
from liaison.delivery import DeliveryError, Ways, WebhookSender
from liaison.domain.vocabulary import Channel
from liaison.models import CallTask, Entry, Message, Order, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.models.work import MessageState
from liaison.services import webhook_keeping, webhook_replays
from liaison.worker import Work, messages, run_once, timers
from tests.hooks import KEEPER, endpoint, made, of_norvik, queued, stream
from tests.http_sink import HttpSink, Reply
from tests.mail import RecordingSender
from tests.world import World


def routine(world: World) -> Order:
    """Served to Meridian Telecom without haste."""
    return world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as made_:
        yield made_


@pytest.fixture
def work(work: Work, sender: RecordingSender) -> Work:
    """Letters are kept, webhooks leave for real."""
    hooks = WebhookSender(SystemClock(), loopback=True, longest=2)
    return replace(work, sender=Ways({Channel.EMAIL: sender, Channel.WEBHOOK: hooks}))


def disable(world: World, endpoint_id: UUID) -> None:
    with world.database.transaction() as session:
        webhook_keeping.disable(session, world.actor(KEEPER), endpoint_id, world.now)


def enable(world: World, endpoint_id: UUID) -> None:
    with world.database.transaction() as session:
        webhook_keeping.enable(session, world.actor(KEEPER), endpoint_id, world.now)


def replay_since(world: World, endpoint_id: UUID, **ago: float) -> int:
    with world.database.transaction() as session:
        since = world.now - timedelta(**ago)
        actor = world.actor(KEEPER)
        return webhook_replays.replay_since(session, actor, endpoint_id, since, world.now)


def subjects(sender: RecordingSender) -> list[str]:
    return [one.subject for one in sender.sent if one.subject.startswith("Webhook")]


def test_every_entry_of_the_stream_is_told_once_and_says_where_to_fetch(
    work: Work, world: World, sink: HttpSink
) -> None:
    _, secret = made(world, f"{sink.url}/hook")
    of_norvik(world, f"{sink.url}/norvik")
    order = world.issue()
    world.acknowledge(order)
    run_once(work)
    world.preserve(order)
    run_once(work)
    entries = [e for e in stream(world) if e.type != "order.escalated"]
    assert sink.ids() == [str(e.id) for e in entries]
    assert {got.path for got in sink.got} == {"/hook"}, "no other provider hears of it"
    first = sink.got[0]
    told = Webhook(secret).verify(first.body, dict(first.headers))
    seq = entries[0].seq
    assert told == {
        "type": "order.issued",
        "timestamp": "2026-11-23T12:00:00Z",
        "data": {
            "seq": seq,
            "id": str(entries[0].id),
            "order": {"id": str(order.id), "ref": order.ref},
            "fetch": {
                "events": f"http://localhost/api/v1/events?after={seq - 1}",
                "order": f"http://localhost/api/v1/orders/{order.id}",
            },
        },
    }


def test_no_word_of_the_case_leaves(work: Work, world: World, sink: HttpSink) -> None:
    made(world, sink.url)
    order = world.issue(offence="Kidnapping of Canary", facts="The canary was seen in Gyumri.")
    run_once(work)
    sent = b"".join(got.body for got in sink.got).decode()
    assert order.name in sent
    for word in ("anary", "Gyumri", "Petrosyan", "Meridian"):
        assert word not in sent


def test_a_filter_lets_through_what_it_names(work: Work, world: World, sink: HttpSink) -> None:
    made(world, sink.url, ["order.acknowledged", "order.withdrawn"])
    world.acknowledge(world.issue())
    run_once(work)
    assert [got.json["type"] for got in sink.got] == ["order.acknowledged"]


def test_the_ladders_page_ends_with_its_reason(work: Work, world: World, sink: HttpSink) -> None:
    hook, _ = made(world, sink.url, ["order.escalated"])
    order = world.issue()
    timers.fire_one(work)
    world.acknowledge(order)
    run_once(work)
    assert sink.got == []
    assert {m.state for m in queued(world, hook)} == {MessageState.CANCELLED}


def test_a_worker_killed_after_the_other_side_took_it_repeats_under_the_same_id(
    work: Work, world: World, sink: HttpSink
) -> None:
    made(world, sink.url, ["order.issued"])
    routine(world)
    claimed = next(c for _ in range(9) for c in messages.claim(work) if c.endpoint_id)
    work.sender.send(messages._outgoing(work, claimed))  # taken, and here it dies
    world.clock.move(seconds=46)
    run_once(work)
    assert len(sink.got) == 2
    assert len(set(sink.ids())) == 1
    assert sink.got[0].body == sink.got[1].body


def test_retries_of_an_emergency_go_on_for_hours_and_call_nobody(
    work: Work, world: World, sink: HttpSink, sender: RecordingSender
) -> None:
    hook, _ = made(world, sink.url, ["order.issued"])
    sink.always(Reply(500, body=b"not today"))
    order = world.issue()
    world.acknowledge(order)
    world.preserve(order)
    waits = []
    for _ in range(30):
        run_once(work)
        (message,) = queued(world, hook)
        if message.state is not MessageState.QUEUED:
            break
        waits.append((message.next_at - world.now).total_seconds())
        world.clock.set(message.next_at)
    assert message.state is MessageState.FAILED
    for given, planned in zip(waits, (5, 15, 45, 120, 300, 1800, 7200, 18000, 36000), strict=True):
        assert 0.8 * planned <= given <= 1.2 * planned
    assert len(set(sink.ids())) == 1
    assert message.settled_at is not None, "nothing is left for a person to do"
    with world.database.reading() as session:
        calls = session.scalars(select(CallTask).where(CallTask.why.contains("delivered"))).all()
        kinds = set(session.scalars(select(Entry.type)))
    assert calls == []
    assert "order.delivery_failed" not in kinds
    assert subjects(sender) == [f"Webhook 127.0.0.1:{sink.port} takes nothing"], "one warning"


def test_retry_after_is_honoured_and_capped(work: Work, world: World, sink: HttpSink) -> None:
    urgent, _ = made(world, sink.url, ["order.issued"])
    sink.script(*[Reply(429, {"Retry-After": said}) for said in ("77", "86400")])
    world.issue()
    run_once(work)
    (message,) = queued(world, urgent)
    assert message.next_at - world.now == timedelta(seconds=77)
    world.clock.set(message.next_at)
    run_once(work)
    (message,) = queued(world, urgent)
    assert message.next_at - world.now == timedelta(minutes=5)
    assert len(sink.got) == 2
    world.clock.set(message.next_at)
    run_once(work)
    assert queued(world, urgent)[0].state is MessageState.SENT


def test_what_is_gone_is_disabled_at_once_and_its_people_are_told(
    work: Work, world: World, sink: HttpSink, sender: RecordingSender
) -> None:
    hook, _ = made(world, sink.url)
    sink.script(Reply(410))
    order = routine(world)
    run_once(work)
    row = endpoint(world, hook)
    assert (row.state, row.disabled_why) == (
        EndpointState.DISABLED,
        "It answered 410: gone for good.",
    )
    assert subjects(sender) == [f"Webhook 127.0.0.1:{sink.port} was disabled"]
    world.acknowledge(order)
    run_once(work)
    assert len(sink.got) == 1
    with world.database.reading() as session:
        (told,) = session.scalars(select(Entry).where(Entry.type == "portal.webhook_given_up"))
        assert told.data is not None
        assert sink.url not in told.data, "the log names no more than the host"


def test_after_three_days_of_failure_it_is_disabled_and_what_waits_is_taken_back(
    work: Work, world: World, sink: HttpSink, sender: RecordingSender
) -> None:
    hook, _ = made(world, sink.url)
    sink.always(Reply(503))
    order = routine(world)
    run_once(work)
    for _ in range(6):
        assert endpoint(world, hook).state is EndpointState.ACTIVE
        world.clock.move(hours=12, seconds=1)
        run_once(work)
    world.acknowledge(order)
    run_once(work)
    assert endpoint(world, hook).state is EndpointState.DISABLED
    states = {m.state for m in queued(world, hook)}
    assert states <= {MessageState.CANCELLED, MessageState.FAILED}
    assert subjects(sender)[-1].endswith("was disabled")
    before = len(sink.got)
    world.clock.move(days=1)
    run_once(work)
    assert len(sink.got) == before


def test_one_failure_weeks_after_another_disables_nothing(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, _ = made(world, sink.url, ["order.issued"])
    sink.always(Reply(503))
    routine(world)
    while MessageState.FAILED not in {m.state for m in queued(world, hook)}:
        run_once(work)
        world.clock.set(max(m.next_at for m in queued(world, hook)))
    world.clock.move(days=21)
    routine(world)
    run_once(work)
    row = endpoint(world, hook)
    assert (row.state, row.failing_since) == (EndpointState.ACTIVE, world.now)
    assert [m.state for m in queued(world, hook)].count(MessageState.QUEUED) == 1, "tried again"


def test_one_success_ends_the_row_of_failures(work: Work, world: World, sink: HttpSink) -> None:
    hook, _ = made(world, sink.url, ["order.issued"])
    sink.script(Reply(500))
    world.issue()
    run_once(work)
    assert endpoint(world, hook).failing_since == world.now
    world.clock.move(seconds=10)
    run_once(work)
    row = endpoint(world, hook)
    assert (row.failing_since, row.last_ok_at) == (None, world.now)


def test_a_fault_of_ours_is_not_held_against_the_other_side(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, _ = made(world, sink.url, ["order.issued"])
    with world.database.transaction() as session:
        session.get_one(WebhookEndpoint, hook).sealed_secret = "sealed with a key that is lost"
    world.issue()
    run_once(work)
    assert sink.got == []
    (message,) = queued(world, hook)
    assert (message.state, message.last_error) == (MessageState.QUEUED, "SettingsError")
    assert endpoint(world, hook).failing_since is None


def test_an_endpoint_disabled_between_claim_and_sending_gets_nothing(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, _ = made(world, sink.url, ["order.issued"])
    routine(world)
    claimed = next(c for _ in range(9) for c in messages.claim(work) if c.endpoint_id)
    disable(world, hook)
    enable(world, hook)
    assert not messages.send(work, claimed)
    assert sink.got == []
    disable(world, hook)
    with pytest.raises(DeliveryError):
        messages._outgoing(work, claimed)


def test_what_waited_goes_to_the_new_address_with_the_new_secret(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, _ = made(world, "http://127.0.0.1:1/old", ["order.issued"])
    world.issue()
    run_once(work)
    assert queued(world, hook)[0].state is MessageState.QUEUED
    with world.database.transaction() as session:
        wanted = webhook_keeping.Wanted(f"{sink.url}/new", "", ["order.issued"])
        actor = world.actor(KEEPER)
        webhook_keeping.change(session, actor, hook, wanted, None, world.now, loopback=True)
        secret = webhook_keeping.roll(session, world.vault, actor, hook, 0, world.now)[1]
    world.clock.move(minutes=1)
    run_once(work)
    (got,) = sink.got
    assert got.path == "/new"
    assert Webhook(secret).verify(got.body, dict(got.headers))


def test_both_secrets_sign_while_they_overlap_and_then_the_new_one_alone(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, old = made(world, sink.url, ["order.issued"])
    with world.database.transaction() as session:
        actor = world.actor(KEEPER)
        new = webhook_keeping.roll(session, world.vault, actor, hook, 24, world.now)[1]
    routine(world)
    run_once(work)
    world.clock.move(hours=24)
    routine(world)
    run_once(work)
    both, alone = sink.got
    for secret in (old, new):
        assert Webhook(secret).verify(both.body, dict(both.headers))
    assert Webhook(new).verify(alone.body, dict(alone.headers))
    with pytest.raises(Exception, match="No matching"):
        Webhook(old).verify(alone.body, dict(alone.headers))


def test_a_step_of_a_ladder_is_sent_again_though_its_reason_is_gone(
    work: Work, world: World, sink: HttpSink
) -> None:
    """What a provider asks for anew is a fact; its ladder calls nobody by it."""
    hook, _ = made(world, sink.url)
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=1)
    world.acknowledge(order)
    run_once(work)
    before = len(sink.got)
    said = replay_since(world, hook, hours=1)
    run_once(work)
    again = [got.json["type"] for got in sink.got[before:]]
    assert len(again) == said
    assert "order.escalated" in again


def test_what_came_while_it_was_disabled_can_be_sent_again_once_each_time(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, _ = made(world, sink.url, ["order.issued", "order.acknowledged"])
    disable(world, hook)
    order = routine(world)
    world.clock.move(minutes=5)
    world.acknowledge(order)
    run_once(work)
    assert sink.got == []
    enable(world, hook)
    assert replay_since(world, hook, minutes=2) == 1
    assert replay_since(world, hook, hours=1) == 1, "what waits is left to its own try"
    run_once(work)
    assert replay_since(world, hook, hours=1) == 2
    run_once(work)
    kinds = [got.json["type"] for got in sink.got]
    assert sorted(kinds) == ["order.acknowledged"] * 2 + ["order.issued"] * 2
    ids = {str(e.id) for e in stream(world) if e.type in kinds}
    assert set(sink.ids()) == ids, "under the entries' own ids"
    idems = [m.idem for m in queued(world, hook)]
    assert len(set(idems)) == 4
    assert {idem.rpartition(":replay:")[2] for idem in idems} == {"1", "2"}


def test_the_test_button_sends_a_ping_the_whole_way(
    work: Work, world: World, sink: HttpSink
) -> None:
    hook, secret = made(world, sink.url, ["order.declined"])
    with world.database.transaction() as session:
        webhook_replays.ping(session, world.actor(KEEPER), hook, world.now)
    with (
        world.database.transaction() as session,
        pytest.raises(webhook_keeping.NotAsItIs),
    ):
        webhook_replays.ping(session, world.actor(KEEPER), hook, world.now)
    run_once(work)
    (got,) = sink.got
    assert Webhook(secret).verify(got.body, dict(got.headers))["type"] == "ping"
    assert json.loads(got.body)["data"]["order"] is None


def test_an_act_that_is_rolled_back_tells_nobody(work: Work, world: World, sink: HttpSink) -> None:
    from liaison.services import answers

    made(world, sink.url, ["order.acknowledged"])
    order = routine(world)

    def fail() -> None:
        with world.database.transaction() as session:
            answers.acknowledge(session, world.actor("spoc"), order.name, world.now)
            raise RuntimeError("killed before the commit")

    with pytest.raises(RuntimeError):
        fail()
    run_once(work)
    assert sink.got == []


def test_each_try_is_on_record(work: Work, world: World, sink: HttpSink) -> None:
    hook, _ = made(world, sink.url, ["order.issued"])
    sink.script(Reply(502, body=b"<h1>Bad gateway</h1>"), Reply(200, body=b"ok"))
    world.issue()
    run_once(work)
    world.clock.move(seconds=7)
    run_once(work)
    with world.database.reading() as session:
        message = session.scalars(select(Message).where(Message.endpoint_id == hook)).one()
        tries = [(t.number, t.ok, t.status, t.answer) for t in message.tries]
    assert tries == [(1, False, 502, "502 <h1>Bad gateway</h1>"), (2, True, 200, "ok")]


def test_an_older_secret_is_forgotten_when_its_overlap_is_over(work: Work, world: World) -> None:
    hook, _ = made(world, "https://hooks.meridian.example/")
    with world.database.transaction() as session:
        webhook_keeping.roll(session, world.vault, world.actor(KEEPER), hook, 24, world.now)
    world.clock.move(hours=23)
    run_once(work)
    assert endpoint(world, hook).sealed_old_secret is not None
    world.clock.move(hours=1)
    run_once(work)
    row = endpoint(world, hook)
    assert (row.sealed_old_secret, row.old_secret_until) == (None, None)


@pytest.mark.postgresql_only
def test_putting_a_webhook_off_waits_for_no_order(work: Work, world: World, sink: HttpSink) -> None:
    """It holds its endpoint, and writes to the portal's log where that is given up."""
    made(world, sink.url, ["order.issued"])
    order = routine(world)
    sink.always(Reply(410))
    hooks = messages.Lane(Channel.WEBHOOK)
    (claimed,) = messages.claim(work, hooks)
    with ThreadPoolExecutor(1) as pool, world.database.transaction() as session:
        session.execute(select(Order.id).where(Order.id == order.id).with_for_update())
        assert not pool.submit(messages.send, work, claimed).result(timeout=20)
