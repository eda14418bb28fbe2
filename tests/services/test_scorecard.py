"""The scorecard: whose it is, what it counts, and that drills and real orders never mix."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from liaison.domain.answer import Refusal
from liaison.domain.ladder import Whom
from liaison.domain.scorecard import Share
from liaison.domain.vocabulary import CallOutcome, Channel, Ground
from liaison.errors import Forbidden, NotFound
from liaison.models import CallTask, Memorandum, Message, Provider
from liaison.models.work import CallState, MessageState
from liaison.queries import drills as drill_lists
from liaison.queries.scorecard import Reach, Scorecard, scorecards
from liaison.services import answers, calls, drills
from tests.drills import begin, look, plan, seen
from tests.services.test_memoranda import begin as draft
from tests.services.test_memoranda import first_of
from tests.services.test_queries import climb, counted
from tests.world import World


def cards(
    world: World, who: str = "officer", provider: str = "Meridian Telecom", months: int = 12
) -> list[Scorecard]:
    with world.database.reading() as session:
        found = session.get_one(Provider, world.register.providers[provider])
        return scorecards(session, world.actor(who), found, months, world.now)


def card(world: World, who: str = "officer", **more: object) -> Scorecard:
    (found,) = cards(world, who, **more)  # type: ignore[arg-type]
    return found


def test_drills_and_real_orders_stand_side_by_side_and_are_never_mixed(world: World) -> None:
    drill = begin(world)
    world.clock.move(minutes=90)
    world.acknowledge(drill)
    world.preserve(drill, days=1)
    real = world.issue()
    world.clock.move(minutes=10)
    world.acknowledge(real)
    found = card(world)
    assert (found.drills.number, found.real.number) == (1, 1)
    assert found.drills.median == timedelta(minutes=90)
    assert found.real.median == timedelta(minutes=10)
    assert found.drills.in_time == Share(0, 1)
    assert found.real.in_time == Share(1, 1)
    assert found.drills.kept_in_time == Share(1, 1)
    assert found.real.kept_in_time == Share(0, 0), "its time to preserve still runs"
    assert found.drills.hours[16] == Share(0, 1), "12:00 UTC is 16:00 in Yerevan"


def test_an_amended_report_is_not_a_later_preservation(world: World) -> None:
    order = world.issue()
    world.clock.move(hours=3)
    world.preserve(order)
    world.clock.move(hours=30)
    world.preserve(order, days=60)
    assert card(world).real.kept_in_time == Share(1, 1)


def test_a_refusal_answers(world: World) -> None:
    order = begin(world)
    world.clock.move(minutes=20)
    refusal = Refusal((Ground.NOT_STORED,), "Not ours.", preserved_meanwhile=False)
    with world.database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, refusal, world.now)
    found = card(world).drills
    assert (found.answered, found.in_time) == (1, Share(1, 1))
    assert found.median == timedelta(minutes=20)


def test_a_drill_broken_off_in_time_is_no_failure(world: World) -> None:
    drill = plan(world)
    look(world)
    world.clock.move(minutes=30)
    world.issue()
    found = card(world)
    assert seen(world, drill).why is not None
    assert (found.drills.number, found.drills.judged) == (1, 0)


def test_the_period(world: World) -> None:
    order = begin(world)
    world.preserve(order, days=1)
    world.clock.move(days=100)
    assert card(world, months=3).drills.number == 0
    assert card(world, months=12).drills.number == 1


def test_an_authority_sees_its_own_only_and_a_provider_each_of_its_authorities(
    world: World,
) -> None:
    begin(world)
    foreign = world.issue(
        "03-cgnat-fraud-routine.json", by="foreign_officer", provider="Meridian Telecom"
    )
    assert card(world, "auditor").drills.number == 1
    assert card(world, "auditor").real.number == 0
    own = card(world, "foreign_officer")
    assert (own.drills.number, own.real.number) == (0, 1)
    assert own.authority.id == foreign.authority_id
    for who in ("spoc", "provider_administrator"):
        theirs = {c.authority.code: (c.drills.number, c.real.number) for c in cards(world, who)}
        assert theirs == {"CP": (1, 0), "NL": (0, 1)}
    with pytest.raises(NotFound):
        cards(world, "norvik_spoc")
    with pytest.raises(Forbidden):
        cards(world, "administrator")


def test_what_came_of_each_rung(world: World) -> None:
    order = begin(world)
    world.clock.move(minutes=50)
    climb(world)
    with world.database.transaction() as session:
        sent = {"spoc@meridian.example": MessageState.FAILED}
        for message in session.scalars(select(Message)):
            message.state = sent.get(message.address, MessageState.SENT)
        task = session.scalars(
            select(CallTask).where(
                CallTask.phone == "+37410000200", CallTask.state == CallState.OPEN
            )
        ).one()
        officer = world.actor("officer")
        calls.log(session, officer, order.name, task.id, CallOutcome.NO_ANSWER, "", world.now)
    email, call = Channel.EMAIL, Channel.CALL
    ours = [
        Reach(Whom.DUTY_OFFICER, email, 1, 1, 0),
        Reach(Whom.DUTY_OFFICER, call, 1, 0, 0),
    ]
    theirs = [
        Reach(Whom.ON_DUTY, email, 1, 0, 1),
        Reach(Whom.ON_DUTY, call, 1, 0, 1),
        Reach(Whom.EVERY_SPOC, email, 2, 1, 1),
        Reach(Whom.FALLBACK, email, 1, 1, 0),
        Reach(Whom.FALLBACK, call, 1, 0, 0),
    ]
    assert card(world).reach == theirs + ours
    (of_cp,) = [c for c in cards(world, "spoc") if c.authority.code == "CP"]
    assert of_cp.reach == theirs, "whom the contact point calls of its own is its own matter"


def test_real_orders_say_nothing_of_rungs(world: World) -> None:
    world.issue()
    climb(world)
    assert card(world).reach == []


def test_the_queries_do_not_grow_with_the_orders(world: World) -> None:
    def asked() -> int:
        with counted(world.database) as statements:
            cards(world)
        return len(statements)

    world.preserve(begin(world), days=1)
    few = asked()
    for _ in range(3):
        world.preserve(begin(world), days=1)
        world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    assert asked() == few


# Who knows of which drill


def listed(world: World, who: str) -> tuple[int, int, int]:
    with world.database.reading() as session:
        found = drill_lists.lists(session, world.actor(who))
    return len(found.planned), len(found.running), len(found.past)


def test_an_unannounced_drill_is_known_to_whoever_plans_and_to_nobody_else(world: World) -> None:
    quiet = plan(world, world.now + timedelta(hours=30))
    told = plan(world, world.now + timedelta(hours=31), announced=True)
    assert listed(world, "supervisor") == (2, 0, 0)
    for who in ("officer", "auditor"):
        assert listed(world, who) == (1, 0, 0)
    for who in ("spoc", "provider_administrator"):
        assert listed(world, who) == (0, 0, 0), "not told yet"
    world.clock.move(hours=8)
    look(world)
    assert listed(world, "spoc") == (1, 0, 0)
    for who in ("norvik_spoc", "foreign_officer"):
        assert listed(world, who) == (0, 0, 0)
    with world.database.reading() as session:
        for who, drill in (("spoc", quiet), ("officer", quiet), ("norvik_spoc", told)):
            with pytest.raises(NotFound):
                drill_lists.find(session, world.actor(who), drill.id)
    world.clock.move(hours=22)
    look(world)
    for who in ("supervisor", "officer", "spoc", "provider_administrator"):
        assert listed(world, who)[1] == 1, "once it runs everybody knows"


def test_one_that_was_cancelled_unseen_stays_unseen(world: World) -> None:
    drill = plan(world, world.now + timedelta(hours=30))
    with world.database.transaction() as session:
        drills.cancel(session, world.actor("supervisor"), drill.id, "Not now.", world.now)
    assert listed(world, "supervisor") == (0, 0, 1)
    assert listed(world, "spoc") == (0, 0, 0)


def test_nobody_without_the_right_reads_of_drills(world: World) -> None:
    with world.database.reading() as session:
        for who in ("administrator", "program"):
            with pytest.raises(Forbidden):
                drill_lists.lists(session, world.actor(who))


def test_a_draft_alone_makes_no_scorecard_with_an_authority(world: World) -> None:
    """Nobody learns of an authority by drafting with it."""
    with world.database.transaction() as session:
        session.delete(session.get_one(Memorandum, first_of(world)))
    draft(world, "provider_administrator")
    assert [one.authority.code for one in cards(world, "provider_administrator")] == ["NL"]
