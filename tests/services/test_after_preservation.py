"""What follows a preservation, in both databases: kept for a request, released, disposed of."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import FollowUpKind, Outcome
from liaison.errors import Forbidden, Invalid, InvalidTransition, LiaisonError, NotFound, Stale
from liaison.models import Order
from liaison.services import answers, ledger_check, orders
from tests.keeping import (
    DAY,
    dispose,
    letters,
    must_wait,
    planned,
    record_mla,
    release,
    stored,
    told,
    with_terms,
)
from tests.world import World


def unbroken(world: World) -> bool:
    with world.database.reading() as session:
        return not [b for b in ledger_check.verify(session) if isinstance(b, ledger_check.Break)]


def nothing_held(world: World, order: Order) -> Order:
    from liaison.domain.answer import Preservation, TargetAnswer

    answer = Preservation(
        targets=tuple(TargetAnswer(t.id, Outcome.NOTHING_HELD) for t in order.targets)
    )
    with world.database.transaction() as session:
        answers.preserve(session, world.actor("spoc"), order.name, answer, world.now)
    return stored(world, order)


# Kept for a request


def test_a_recorded_request_suspends_the_date_and_tells_the_provider(world: World) -> None:
    order = world.preserve(world.issue())
    assert planned(world, order)
    record_mla(world, order, note="By way of the Ministry of Justice.")
    after = stored(world, order)
    assert (after.state, after.mla_recorded_at) == (OrderState.PRESERVED, world.now)
    assert planned(world, order) == [] == must_wait(world, order)
    assert letters(world, "mla_recorded") == ["spoc@meridian.example"]
    (entry,) = told(world, "order.mla_recorded")
    assert (entry["kind"], entry["reference"], entry["sent_on"]) == (
        "mla",
        "MLA-2026-118",
        "2026-11-23",
    )
    assert unbroken(world)


def test_several_are_recorded_and_the_first_one_counts(world: World) -> None:
    order = world.preserve(world.issue())
    record_mla(world, order)
    first = world.now
    world.clock.move(days=100)
    record_mla(world, order, kind=FollowUpKind.PRODUCTION, reference="PO 7", by="supervisor")
    after = stored(world, order)
    assert after.mla_recorded_at == first
    assert [f.kind for f in after.follow_ups] == [FollowUpKind.MLA, FollowUpKind.PRODUCTION]
    assert len(told(world, "order.mla_recorded")) == 2


def test_an_amended_report_does_not_bring_the_date_back(world: World) -> None:
    order = world.preserve(world.issue())
    record_mla(world, order)
    world.preserve(order, days=30)
    assert planned(world, order) == []


def test_what_is_recorded_needs_a_reference_and_a_day_that_has_come(world: World) -> None:
    order = world.preserve(world.issue())
    # In Yerevan it is four hours later: the day has begun there at 20:00 UTC.
    for given in ({"reference": "  "}, {"sent_on": date(2026, 11, 24)}, {"note": "\x00"}):
        with pytest.raises(Invalid):
            record_mla(world, order, **given)
    world.clock.move(hours=8, minutes=1)
    record_mla(world, order, sent_on=date(2026, 11, 24))


def test_nothing_follows_where_nothing_is_held(world: World) -> None:
    order = nothing_held(world, world.issue())
    assert planned(world, order) == [] == must_wait(world, order)
    with pytest.raises(InvalidTransition, match="Nothing is held"):
        record_mla(world, order)
    release(world, order)
    assert stored(world, order).disposal_wanted is False
    with pytest.raises(InvalidTransition, match="Nothing is to be confirmed"):
        dispose(world, order)


# Released


def test_released_all_that_was_planned_ends_and_disposal_is_asked_for(world: World) -> None:
    order = world.preserve(world.issue())
    record_mla(world, order)
    release(world, order, note="Handed over on 1 March.")
    after = stored(world, order)
    assert (after.state, after.ended_at) == (OrderState.RELEASED, world.now)
    assert after.release_note == "Handed over on 1 March."
    assert letters(world, "order_ended") == ["spoc@meridian.example"]
    assert [kind for kind, _ in planned(world, order)] == ["disposal", "disposal"]
    assert planned(world, order) == must_wait(world, order)
    for act in (release, record_mla):
        with pytest.raises(InvalidTransition):
            act(world, order)
    assert unbroken(world)


def test_only_what_is_preserved_can_be_released_and_only_by_the_contact_point(
    world: World,
) -> None:
    order = world.issue()
    with pytest.raises(InvalidTransition):
        release(world, order)
    world.preserve(order)
    for by, error in (
        ("spoc", Forbidden),
        ("auditor", Forbidden),
        ("foreign_officer", NotFound),
        ("administrator", NotFound),
    ):
        with pytest.raises(error):
            release(world, order, by=by)
        with pytest.raises(error):
            record_mla(world, order, by=by)
    with pytest.raises(Stale):
        release(world, order, version=order.version)


# Disposed of


def test_disposal_is_confirmed_once_and_nobody_is_reminded(world: World) -> None:
    order = world.preserve(world.issue())
    with pytest.raises(InvalidTransition):
        dispose(world, order)
    release(world, order)
    for by, error in (("officer", Forbidden), ("norvik_spoc", NotFound)):
        with pytest.raises(error):
            dispose(world, order, by=by)
    world.clock.move(days=3)
    dispose(world, order, by="program", reference="DEL-1", note="Snapshot deleted.")
    after = stored(world, order)
    assert (after.state, after.disposed_at) == (OrderState.DISPOSED, world.now)
    assert after.disposal == {"reference": "DEL-1", "note": "Snapshot deleted."}
    assert after.ended_at == world.now - 3 * DAY, "it ended when it was released"
    assert planned(world, order) == [] == must_wait(world, order)
    assert letters(world, "order_disposed") == ["a.petrosyan@police.example", "duty@police.example"]
    with pytest.raises(InvalidTransition):
        dispose(world, order)
    assert unbroken(world)


def test_where_the_terms_ask_for_none_none_is_to_be_confirmed(world: World) -> None:
    with_terms(world, disposal_confirmation=False)
    order = world.preserve(world.issue())
    release(world, order)
    assert planned(world, order) == []
    with pytest.raises(InvalidTransition, match="Nothing is to be confirmed"):
        dispose(world, order)


# Races


def test_releasing_and_amending_at_the_same_moment_leave_one_plan(world: World) -> None:
    order = world.preserve(world.issue())
    gate, outcomes = threading.Barrier(2), []

    def race(act: Any, **more: Any) -> None:
        gate.wait()
        try:
            act(world, order, **more) if act is release else act(order, **more)
            outcomes.append("done")
        except LiaisonError as refused:
            outcomes.append(type(refused).__name__)

    threads = [
        threading.Thread(target=race, args=(release,)),
        threading.Thread(target=race, args=(world.preserve,), kwargs={"days": 60}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("done") >= 1
    assert stored(world, order).state is OrderState.RELEASED
    assert planned(world, order) == must_wait(world, order)


def test_a_withdrawal_ends_what_was_kept_for_a_request(world: World) -> None:
    order = world.preserve(world.issue())
    record_mla(world, order)
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "An error.", world.now)
    assert planned(world, order) == [] == must_wait(world, order)


def test_the_plan_follows_a_date_that_goes_there_and_back(world: World) -> None:
    order = world.issue()
    for days in (90, 30, 90, 10, 90):
        world.preserve(order, days=days)
        assert planned(world, order) == must_wait(world, order), days
