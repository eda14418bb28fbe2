"""Two people vouch for a doubted order: who may, who may not, and what ends it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select

from liaison.domain.answer import Refusal
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Ground
from liaison.errors import Forbidden, InvalidTransition, NotFound, Stale, StaleFactor
from liaison.models import Database, Message, Order, Person, Timer, Vouch
from liaison.models.work import MessageState, TimerKind, TimerState
from liaison.services import answers, doubt_alarms, doubts, orders, people
from liaison.services.ledger_orders import missing
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.worker.doubting import (
    DUTY,
    DUTY_PHONE,
    SPOC,
    SUPERVISOR,
    alarms,
    doubt,
    vouch,
    vouches,
    waiting_doubts,
)
from tests.worker.looking import entries, open_calls
from tests.world import World

# Vouching


def test_two_people_vouch_and_the_provider_is_told(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = doubt(world, world.issue())
    run_once(work)
    first = vouch(world, order, by="second_officer", note="Saw the file.")
    assert first.doubt_open_since is not None
    assert vouches(world, order) == 1
    assert len(waiting_doubts(database, order)) == 1, "one is not enough: it climbs on"
    sender.sent.clear()
    second = vouch(world, order, by="supervisor")
    assert second.doubt_open_since is None
    assert vouches(world, order) is None
    assert waiting_doubts(database, order) == []
    assert DUTY_PHONE not in open_calls(database, order)
    told = entries(database, order, "order.vouched")
    assert [t["vouches"] for t in told] == [1, 2]
    assert told[0]["note"] == "Saw the file."
    run_once(work)
    assert [s.address for s in sender.sent if "have vouched" in s.subject] == [SPOC]
    world.clock.move(minutes=40)
    run_once(work)
    assert alarms(sender) == []
    with database.reading() as session:
        assert list(missing(session)) == []


def test_the_first_vouch_makes_an_older_answer_stale(world: World) -> None:
    order = doubt(world, world.issue())
    first = vouch(world, order, by="second_officer")
    assert first.version > order.version
    actor = world.actor("supervisor")
    with world.database.transaction() as session, pytest.raises(Stale):
        doubts.vouch(session, actor, order.name, None, order.version, world.now)
    assert vouches(world, order) == 1


def test_nobody_vouches_twice(world: World) -> None:
    order = doubt(world, world.issue())
    vouch(world, order, by="supervisor")
    with pytest.raises(InvalidTransition, match="a second person must"):
        vouch(world, order, by="supervisor")
    assert vouches(world, order) == 1


def test_a_hijacked_account_cannot_vouch_for_its_own_order(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    forged = doubt(world, world.issue())
    with pytest.raises(Forbidden, match="cannot vouch for it"):
        vouch(world, forged, by="officer")
    run_once(work)
    sender.sent.clear()
    # The second person looks for the case, finds none, and takes the order back.
    world.clock.move(minutes=4)
    with world.database.transaction() as session:
        actor = world.actor("supervisor")
        orders.withdraw(session, actor, forged.name, "We have not sent this.", world.now)
    after = world.order(forged.name)
    assert (after.state, after.doubt_open_since) == (OrderState.WITHDRAWN, None)
    assert waiting_doubts(database, forged) == []
    assert open_calls(database, forged) == []
    world.clock.move(hours=1)
    run_once(work)
    assert alarms(sender) == []
    with pytest.raises(InvalidTransition):
        vouch(world, forged, by="second_officer")
    with database.reading() as session:
        (row,) = session.get_one(Order, forged.id).doubts
        assert (row.ended_at, row.vouched_at) == (after.ended_at, None)


def test_whoever_changed_a_word_of_it_cannot_vouch(world: World) -> None:
    drafted = world.draft()
    with world.database.transaction() as session:
        data = world.data(offence="Another word")
        actor = world.actor("second_officer")
        orders.edit(session, actor, drafted.name, data, drafted.version, world.now)
    with world.database.transaction() as session:
        version = world.order(drafted.name).version
        orders.issue(session, world.actor("officer"), drafted.name, version, world.now)
    order = doubt(world, world.order(drafted.name))
    with pytest.raises(Forbidden, match="wrote, changed or submitted"):
        vouch(world, order, by="second_officer")


def test_vouching_needs_a_fresh_factor(world: World) -> None:
    order = doubt(world, world.issue())
    with pytest.raises(StaleFactor):
        vouch(world, order, by="supervisor", fresh=False)
    assert vouches(world, order) == 0


def test_another_authority_and_the_provider_vouch_for_nothing(world: World) -> None:
    order = doubt(world, world.issue())
    with pytest.raises(NotFound):
        vouch(world, order, by="foreign_officer")
    for who in ("spoc", "program", "auditor"):
        with pytest.raises(Forbidden):
            vouch(world, order, by=who)
    with pytest.raises(NotFound):
        vouch(world, order, by="norvik_spoc")


def test_without_a_doubt_there_is_nothing_to_vouch_for(world: World) -> None:
    order = world.issue()
    with pytest.raises(InvalidTransition, match="Nobody doubts"):
        vouch(world, order, by="supervisor")


def test_a_typed_code_does_not_vouch_where_the_authority_demands_a_passkey(
    world: World, database: Database
) -> None:
    order = doubt(world, world.issue())
    with database.transaction() as session:
        session.get_one(Order, order.id).authority.passkey_to_issue = True
    with pytest.raises(Forbidden, match="passkey"):
        vouch(world, order, by="supervisor")


def test_a_new_doubt_after_vouching_needs_two_anew(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    vouch(world, order, by="second_officer")
    vouch(world, order, by="supervisor")
    world.clock.move(hours=1)
    again = doubt(world, order, reason="They called from another number.")
    assert again.doubt_open_since == world.now
    assert vouches(world, order) == 0
    assert len(waiting_doubts(database, order)) == 1
    vouch(world, order, by="second_officer")
    vouch(world, order, by="supervisor")
    with database.reading() as session:
        rows = session.get_one(Order, order.id).doubts
        assert [row.vouched_at is not None for row in rows] == [True, True]


# Whoever is let go


def disable(world: World, who: str) -> None:
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        people.disable(session, actor, world.person(who).id, "Hijacked.", world.now)


def test_the_vouch_of_somebody_let_go_counts_no_more(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    before = vouch(world, order, by="second_officer")
    disable(world, "second_officer")
    assert vouches(world, order) == 0
    assert world.order(order.name).version > before.version
    (told,) = entries(database, order, "order.vouch_voided")
    assert told["person"] == world.person("second_officer").name
    counts = [(e["vouches"], e.get("voided")) for e in entries(database, order, "order.vouched")]
    assert counts == [(1, None), (0, True)], "the provider reads that one fewer counts"
    voided = entries(database, order, "order.vouched")[-1]
    assert told["person"] not in str(voided), "but not whose"
    assert world.person("administrator").name not in str(voided)
    after = vouch(world, order, by="supervisor")
    assert after.doubt_open_since is not None, "the first was void: this one is alone"


def test_one_who_was_disabled_unseen_is_found_at_the_second(
    world: World, database: Database
) -> None:
    order = doubt(world, world.issue())
    vouch(world, order, by="second_officer")
    with database.transaction() as session:
        (given,) = session.scalars(select(Vouch)).all()
        session.get_one(Person, given.person_id).disabled_at = world.now
    after = vouch(world, order, by="supervisor")
    assert after.doubt_open_since is not None
    assert vouches(world, order) == 1
    assert len(entries(database, order, "order.vouch_voided")) == 1
    counts = [(e["vouches"], e.get("voided")) for e in entries(database, order, "order.vouched")]
    assert counts == [(1, None), (0, True), (1, None)]


def test_an_officer_who_is_none_any_more_vouches_no_more(world: World) -> None:
    order = doubt(world, world.issue())
    vouch(world, order, by="second_officer")
    with world.database.transaction() as session:
        person = world.person("second_officer").id
        admin = world.actor("administrator")
        people.set_roles(session, admin, person, ["auditor"], "Moved on.", world.now)
    assert vouches(world, order) == 0


def test_what_two_have_ended_stays_ended(world: World) -> None:
    order = doubt(world, world.issue())
    vouch(world, order, by="second_officer")
    vouch(world, order, by="supervisor")
    disable(world, "second_officer")
    assert world.order(order.name).doubt_open_since is None


def test_one_whose_access_ended_after_sign_in_cannot_vouch(world: World) -> None:
    order = doubt(world, world.issue())
    hijacked = world.actor("second_officer")
    disable(world, "second_officer")
    with world.database.transaction() as session, pytest.raises(Forbidden, match="been ended"):
        doubts.vouch(session, hijacked, order.name, None, None, world.now)


# Calls and messages that were there before


def test_a_call_that_was_open_before_the_doubt_outlives_it(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    for _ in range(4):
        run_once(work)
        world.clock.move(minutes=15)
    assert DUTY_PHONE in open_calls(database, order), "the ladder has come to our duty officer"
    doubt(world, order)
    run_once(work)
    vouch(world, order, by="second_officer")
    vouch(world, order, by="supervisor")
    assert DUTY_PHONE in open_calls(database, order), "it is still not acknowledged"


def test_letters_on_their_way_are_taken_back_but_the_first(
    world: World, database: Database, work: Work
) -> None:
    order = doubt(world, world.issue())
    for number in range(2):
        with database.transaction() as session:
            waits = select(Timer).where(
                Timer.kind == TimerKind.DOUBT, Timer.state == TimerState.WAITING
            )
            timer = session.scalars(waits).one()
            assert timer.payload["step"] == number
            timer.state = TimerState.FIRED
            doubt_alarms.climb(session, timer, session.get_one(Order, order.id), world.now)
    vouch(world, order, by="second_officer")
    vouch(world, order, by="supervisor")
    with database.reading() as session:
        letters = session.scalars(select(Message).where(Message.letter == "order_doubted"))
        states = {m.address: m.state for m in letters}
    # Two hijacked accounts may have vouched: somebody must have heard of the doubt.
    assert states == {DUTY: MessageState.QUEUED, SUPERVISOR: MessageState.CANCELLED}


def test_whoever_stands_behind_it_as_the_second_person_may_vouch(world: World) -> None:
    order = doubt(world, world.issue())
    world.ratify(order, by="supervisor")
    vouch(world, order, by="supervisor")
    assert vouches(world, order) == 1
    other = doubt(world, world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom"))
    vouch(world, other, by="supervisor")
    assert vouches(world, other) == 1


def test_declining_ends_the_doubt(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    refusal = Refusal((Ground.MANIFEST_ERROR,), "Forged.", preserved_meanwhile=True)
    with database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, refusal, world.now)
    assert world.order(order.name).doubt_open_since is None
    assert waiting_doubts(database, order) == []


def test_the_clock_vouches_for_nobody(world: World) -> None:
    order = doubt(world, world.issue())
    nobody = replace(world.actor("supervisor"), person_id=None)
    with world.database.transaction() as session, pytest.raises(Forbidden, match="Only a person"):
        doubts.vouch(session, nobody, order.name, None, None, world.now)


# At once


def at_once(world: World, order: Order, *who: str) -> list[str]:
    """All vouch at the same moment, without a version; what became of each."""
    start = Barrier(len(who))

    def one(name: str) -> str:
        actor = world.actor(name)
        start.wait(30)
        try:
            with world.database.transaction() as session:
                doubts.vouch(session, actor, order.name, None, None, world.now)
        except InvalidTransition as refused:
            return refused.detail
        return "done"

    with ThreadPoolExecutor(len(who)) as pool:
        return list(pool.map(one, who))


def test_two_who_vouch_at_once_count_as_two(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    assert at_once(world, order, "second_officer", "supervisor") == ["done", "done"]
    assert world.order(order.name).doubt_open_since is None
    told = entries(database, order, "order.vouched")
    assert sorted(t["vouches"] for t in told) == [1, 2]


def test_one_person_twice_at_once_is_one(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    assert sorted(at_once(world, order, "supervisor", "supervisor")) == [doubts.TWICE, "done"]
    assert world.order(order.name).doubt_open_since is not None
    assert vouches(world, order) == 1
