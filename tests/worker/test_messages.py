"""Three phases, and a worker killed between any two of them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from liaison.delivery import DeliveryError, Outgoing, Receipt
from liaison.models import Database, Message, Order
from liaison.models.work import MessageState
from liaison.services import claims, due_messages, outbox, tries, undelivered
from liaison.services.claims import Claimed
from liaison.worker import Done, Work, messages, run_once, timers, webhooks
from tests.mail import RecordingSender
from tests.worker.looking import entries, open_calls
from tests.worker.looking import messages as notices
from tests.world import World

SPOC = "spoc@meridian.example"


def paged(work: Work, world: World) -> tuple[Order, Claimed]:
    """An emergency, and its first page as a worker has it in hand."""
    order = world.issue()
    timers.fire_one(work)
    (claimed,) = messages.claim(work)
    return order, claimed


def test_a_worker_killed_after_its_claim_loses_nothing(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    timers.fire_one(work)
    assert len(messages.claim(work)) == 1  # and here it dies
    assert run_once(work) == Done(), "within the lease nobody else may send it"
    world.clock.move(seconds=46)
    assert run_once(work) == Done(sent=1)
    assert sender.addresses == [SPOC]
    (notice,) = notices(database, order)
    assert (notice.state, notice.attempts, notice.fence) == (MessageState.SENT, 2, 2)


def test_a_worker_killed_before_its_confirmation_repeats_under_the_same_key(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order, claimed = paged(work, world)
    sender.send(messages._outgoing(work, claimed))  # accepted, and here it dies
    world.clock.move(seconds=46)
    run_once(work)
    (notice,) = notices(database, order)
    assert [one.idem for one in sender.sent] == [notice.idem] * 2
    assert sender.sent[0] == sender.sent[1]


def test_whoever_was_overtaken_changes_nothing(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    timers.fire_one(work)
    (slow,) = messages.claim(work)
    world.clock.move(seconds=46)
    (quick,) = messages.claim(work)
    assert quick.fence == slow.fence + 1
    with database.transaction() as session:
        tried = tries.Tried(timedelta(seconds=46), 250, "late")
        assert not tries.confirm(session, slow, "late", world.now, tried)
        assert tries.put_off(session, slow, "late", world.now, tried, permanent=True) is None
        assert not claims.drop(session, slow, world.now)
    assert notices(database, order)[0].state is MessageState.SENDING
    assert not messages.send(work, slow), "an overtaken claim is not sent"
    assert messages.send(work, quick)
    assert sender.addresses == [SPOC]
    assert notices(database, order)[0].provider_ref == "recorded 1"


def test_nothing_is_sent_once_the_acknowledgement_is_there(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order, claimed = paged(work, world)
    world.acknowledge(order)
    assert not messages.send(work, claimed)
    assert sender.sent == []
    world.clock.move(minutes=5)
    run_once(work)
    assert SPOC not in sender.addresses
    assert notices(database, order)[0].state is MessageState.CANCELLED


def test_a_notice_that_arrived_while_it_was_taken_back_counts_as_sent(
    work: Work, world: World, database: Database
) -> None:
    order, claimed = paged(work, world)
    world.acknowledge(order)
    with database.transaction() as session:
        assert tries.confirm(
            session, claimed, "250 taken", world.now, tries.Tried(timedelta(0), 250, "taken")
        )
    notice = notices(database, order)[0]
    assert (notice.state, notice.provider_ref) == (MessageState.SENT, "250 taken")


def test_a_temporary_failure_is_tried_again_later_each_time(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    sender.fail(*[DeliveryError("451 try later")] * 2)
    assert run_once(work) == Done(fired=1, sent=0)
    delays = []
    for _ in range(2):
        (notice,) = notices(database, order)
        assert notice.state is MessageState.QUEUED
        assert notice.last_error == "451 try later"
        delays.append(notice.next_at - world.now)
        world.clock.set(notice.next_at - timedelta(milliseconds=1))
        assert run_once(work) == Done()
        world.clock.set(notice.next_at)
        run_once(work)
    assert timedelta(seconds=4) <= delays[0] <= timedelta(seconds=6)
    assert timedelta(seconds=12) <= delays[1] <= timedelta(seconds=18)
    assert notices(database, order)[0].state is MessageState.SENT
    assert open_calls(database, order) == ["+37410000200"], "only the call of the rung itself"


def test_the_other_side_may_ask_for_more_time(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    sender.fail(DeliveryError("busy", retry_after=timedelta(minutes=3)))
    run_once(work)
    assert notices(database, order)[0].next_at == world.now + timedelta(minutes=3)


@pytest.mark.parametrize("permanent", [True, False])
def test_a_notice_that_cannot_be_delivered_is_never_silent(
    work: Work, world: World, database: Database, sender: RecordingSender, permanent: bool
) -> None:
    order = world.issue(
        "05-names-from-everywhere.json", urgency="emergency", emergency_ground="A life."
    )
    world.clock.move(minutes=15)
    run_once(work)
    before = open_calls(database, order)
    world.clock.move(minutes=15)
    timers.fire_one(work)
    tries = 1 if permanent else 5
    sender.fail(*[DeliveryError("550 no such user", permanent=permanent)] * tries)
    for _ in range(tries):
        run_once(work)
        world.clock.move(minutes=2, seconds=30)
    run_once(work)
    failed = [n for n in notices(database, order) if n.state is MessageState.FAILED]
    assert [n.address for n in failed] == ["fallback@meridian.example"]
    assert failed[0].attempts == tries
    assert set(open_calls(database, order)) - set(before) == {"+37410000203"}
    (entry,) = entries(database, order, "order.delivery_failed")
    assert (entry["attempts"], entry["error"]) == (tries, "550 no such user")
    told = [one for one in sender.sent if "could not be delivered" in one.subject]
    assert [one.address for one in told] == ["duty@police.example"]


def test_undelivered_opens_a_call_to_whom_no_rung_calls(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=15)
    # The second rung mails every SPOC and calls nobody.
    sender.fail(*[DeliveryError("550 no such user", permanent=True)] * 2)
    run_once(work)
    assert set(open_calls(database, order)) == {"+37410000200", "+37410000201"}


def test_a_letter_that_cannot_be_made_does_not_stop_the_others(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    broken, sound = world.issue(), world.issue("08-emergency-threat-foreign.json")
    while timers.fire_one(work):
        pass
    with database.transaction() as session:
        message = session.get_one(Message, notices(database, broken)[0].id)
        message.letter = "no_such_letter"
    run_once(work)
    assert sender.addresses == ["spoc@norvik.example"]
    assert notices(database, broken)[0].last_error == "ValueError"
    assert notices(database, sound)[0].state is MessageState.SENT


def test_what_nobody_can_be_told_of_is_not_sent_with_every_lease(
    work: Work,
    world: World,
    database: Database,
    sender: RecordingSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order, claimed = paged(work, world)
    sender.fail(DeliveryError("no such mailbox", permanent=True))

    def fail(*_given: object) -> None:
        raise RuntimeError("a register that cannot be read")

    monkeypatch.setattr(undelivered, "tell", fail)
    assert not messages.send(work, claimed)
    (notice,) = notices(database, order)
    assert (notice.state, notice.last_error) == (MessageState.FAILED, "no such mailbox")
    world.clock.move(seconds=46)
    assert messages.claim(work) == []


@pytest.mark.parametrize("odd", ["ab\x00cd", "ab\ud800cd"])
def test_what_another_side_says_is_kept_as_far_as_it_can_be(
    work: Work, world: World, database: Database, odd: str
) -> None:
    class Odd(RecordingSender):
        def send(self, outgoing: Outgoing) -> Receipt:
            super().send(outgoing)
            return Receipt(odd, 250, odd)

    taken = world.issue()
    timers.fire_one(work)
    (claimed,) = messages.claim(work)
    assert messages.send(replace(work, sender=Odd()), claimed)
    (notice,) = notices(database, taken)
    assert (notice.state, notice.provider_ref) == (MessageState.SENT, "ab cd")

    refused = world.issue("08-emergency-threat-foreign.json")
    timers.fire_one(work)
    for refusal in (DeliveryError(odd), DeliveryError(odd, permanent=True)):
        (claimed,) = messages.claim(work)
        refusing = RecordingSender(failures=deque([refusal]))
        assert not messages.send(replace(work, sender=refusing), claimed)
        world.clock.move(seconds=7)
    (notice,) = (n for n in notices(database, refused) if n.id == claimed.id)
    assert (notice.state, notice.last_error) == (MessageState.FAILED, "ab cd")
    assert entries(database, refused, "order.delivery_failed"), "it is told all the same"


def test_what_left_does_not_leave_again_because_its_receipt_cannot_be_kept(
    work: Work,
    world: World,
    database: Database,
    sender: RecordingSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order, claimed = paged(work, world)
    confirm = tries.confirm

    def fail(session: Session, claimed: Claimed, reference: str, *more: Any) -> bool:
        if reference:
            raise ValueError("a reference of a kind that nobody thought of")
        return confirm(session, claimed, reference, *more)

    monkeypatch.setattr(tries, "confirm", fail)
    assert messages.send(work, claimed)
    (notice,) = notices(database, order)
    assert (notice.state, notice.provider_ref) == (MessageState.SENT, "")
    world.clock.move(minutes=10)
    run_once(work)
    assert sender.addresses == [SPOC]


def test_a_receipt_that_no_database_is_there_to_keep_is_not_thrown_away(
    work: Work,
    world: World,
    database: Database,
    sender: RecordingSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order, claimed = paged(work, world)

    def away(*_given: object) -> bool:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "note_ok", away)
        with pytest.raises(OperationalError):
            messages.send(work, claimed)
    assert notices(database, order)[0].state is MessageState.SENDING
    world.clock.move(seconds=46)
    run_once(work)
    assert [one.idem for one in sender.sent] == [notices(database, order)[0].idem] * 2
    assert notices(database, order)[0].provider_ref == "recorded 2"


def test_one_that_cannot_be_noted_keeps_none_beside_it(
    work: Work,
    world: World,
    database: Database,
    sender: RecordingSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = world.issue(), world.issue("08-emergency-threat-foreign.json")
    while timers.fire_one(work):
        pass
    confirm, failures = tries.confirm, deque([ValueError("the first"), ValueError("again")])

    def fail(*given: Any) -> bool:
        if failures:
            raise failures.popleft()
        return confirm(*given)

    monkeypatch.setattr(tries, "confirm", fail)
    with pytest.raises(ValueError, match="again"):
        messages.send_some(work)
    assert sender.addresses == [SPOC, "spoc@norvik.example"]
    (notice,) = notices(database, second)
    assert (notice.state, notice.attempts) == (MessageState.SENT, 1)
    world.clock.move(seconds=46)
    run_once(work)
    assert notices(database, first)[0].state is MessageState.SENT


def test_urgent_notices_pass_a_backlog(work: Work, world: World, sender: RecordingSender) -> None:
    routine = world.issue("03-cgnat-fraud-routine.json", by="officer")
    world.clock.move(days=1)
    timers.fire_one(work)
    world.clock.move(minutes=1)
    emergency = world.issue()
    timers.fire_one(work)
    run_once(work)
    refs = [one.subject for one in sender.sent]
    assert emergency.name in refs[0]
    assert routine.name in refs[1]


def test_no_heap_of_letters_about_the_register_goes_before_an_emergency(
    work: Work, world: World, database: Database
) -> None:
    with database.transaction() as session:
        for number, urgent in enumerate((False, True)):
            for letter in range(5):
                key, to = f"{number}:{letter}", f"p{letter}@police.example"
                outbox.queue_letter(
                    session, to, "webhook_by_key", {}, key, world.now, urgent=urgent
                )
    world.clock.move(seconds=1)
    order = world.issue()
    timers.fire_one(work)
    claimed = [one for _ in range(6) for one in messages.claim(work)]
    keys = [one.idem.split(":")[1] for one in claimed]
    page = f"{order.id}:"
    assert keys[:5] == ["1"] * 5, "what somebody waits for goes first"
    assert claimed[5].idem.startswith(page), "the page comes next"
    assert keys[6:] == ["0"] * 5


def test_a_batch_fits_into_a_lease() -> None:
    from liaison.delivery.base import LONGEST

    assert due_messages.LEASE.total_seconds() > messages.BATCH * LONGEST


def test_two_workers_never_hold_the_same_message(
    work: Work, world: World, database: Database
) -> None:
    world.issue()
    timers.fire_one(work)
    first = messages.claim(work)
    second = messages.claim(replace(work, name="worker-2"))
    assert len(first) == 1
    assert second == []
