"""Extensions, in both databases: asked for, confirmed, limited by the memorandum and by law."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from liaison.domain.lifecycle import OrderState
from liaison.errors import (
    Forbidden,
    Invalid,
    InvalidTransition,
    LiaisonError,
    NotFound,
    OutsideTerms,
    Stale,
)
from liaison.models import Extension, PartyRule
from liaison.services import ledger_check
from tests.keeping import (
    DAY,
    ask,
    extend,
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


def law(world: World, *countries: str, days: int | None = 30, times: int | None = 1) -> None:
    with world.database.transaction() as session:
        session.add(
            PartyRule(
                # Before every other general one.
                name=f"Law of {'+'.join(countries)}" if countries else "A general rule",
                countries=list(countries),
                retention="",
                first_days=90,
                extension_days=days,
                extensions=times,
                note="",
                source="Code of Criminal Procedure, art. 1",
                review_on=date(2028, 1, 1),
                changed_by="the tests",
                changed_at=world.now,
            )
        )


def test_asked_for_and_confirmed_the_date_moves_and_its_reminders_with_it(world: World) -> None:
    order = world.preserve(world.issue())
    before = stored(world, order)
    assert before.preserved_until is not None
    ask(world, order, days=60, reason="The request is at the court.")
    asked = stored(world, order)
    assert asked.extension_asked_at == world.now
    assert asked.preserved_until == before.preserved_until, "nobody has confirmed it"
    assert letters(world, "extension_asked") == ["spoc@meridian.example"]
    world.clock.move(days=1)
    extend(world, order, by="program", days=60, reference="NOC-1")
    after = stored(world, order)
    assert after.preserved_until == before.preserved_until + 60 * DAY
    assert (after.extension_asked_at, after.provider_reference) == (None, "NOC-1")
    assert planned(world, order) == must_wait(world, order)
    assert max(due for _, due in planned(world, order)) == after.preserved_until
    assert letters(world, "order_extended") == ["a.petrosyan@police.example", "duty@police.example"]
    (entry,) = told(world, "order.extended")
    assert (entry["shorter"], entry["by"]["organisation"]) == (False, "Meridian Telecom")
    with world.database.reading() as session:
        assert not [b for b in ledger_check.verify(session) if isinstance(b, ledger_check.Break)]


def test_extended_twice_and_refused_a_third_time(world: World) -> None:
    with_terms(world, extensions=2)
    order = world.preserve(world.issue())
    for _ in range(2):
        ask(world, order, days=90)
        extend(world, order, days=90)
    with pytest.raises(OutsideTerms) as refused:
        ask(world, order, days=1)
    (fault,) = refused.value.errors
    assert "MoU-CP-Meridian, number of extensions: 2" in fault.detail
    assert "extended twice already" in fault.detail
    assert "Record the MLA request" in fault.detail
    assert stored(world, order).extension_asked_at is None
    assert stored(world, order).preserved_until == world.now + 270 * DAY


def test_later_changes_to_the_memorandum_do_not_reach_the_order(world: World) -> None:
    order = world.preserve(world.issue())
    with_terms(world, extensions=0, longest_days=10)
    ask(world, order, days=90)
    assert stored(world, order).extension_asked_at is not None


def test_the_law_that_binds_the_provider_is_the_narrowest_that_names_the_country(
    world: World,
) -> None:
    law(world, "AM", "GE", "MD", days=60, times=None)
    law(world, "AM", days=20)
    law(world, "NL", days=5)
    order = world.preserve(world.issue())
    with pytest.raises(OutsideTerms) as refused:
        ask(world, order, days=21)
    (fault,) = refused.value.errors
    assert fault.pointer == "/days"
    assert "Law of AM" in fault.detail
    assert "Code of Criminal Procedure, art. 1" in fault.detail
    ask(world, order, days=20)


def test_a_general_rule_and_the_law_of_the_party_that_asks_limit_nothing(world: World) -> None:
    order = world.issue("08-emergency-threat-foreign.json", provider="Meridian Telecom")
    party = order.origin["party"]
    assert party != "AM"
    law(world, party, days=5, times=0)
    law(world, days=5, times=0)
    world.preserve(order)
    ask(world, order, days=30)
    assert stored(world, order).extension_asked_at is not None


def test_an_earlier_date_is_taken_and_marked(world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order, days=60)
    extend(world, order, days=10)
    after = stored(world, order)
    assert after.preserved_until == world.now + 100 * DAY
    (entry,) = told(world, "order.extended")
    assert entry["shorter"] is True
    assert entry["asked_until"].startswith("2027-04-22")
    assert after.extensions[0].until == world.now + 150 * DAY


def test_a_later_date_than_asked_goes_up_to_the_limits(world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order, days=10)
    with pytest.raises(OutsideTerms, match="cannot be kept longer"):
        extend(world, order, days=91)
    extend(world, order, days=90)
    assert stored(world, order).preserved_until == world.now + 180 * DAY


def test_limits_that_came_meanwhile_hold_for_the_confirmation(world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order, days=60)
    law(world, "AM", days=20)
    with pytest.raises(OutsideTerms):
        extend(world, order, days=60)
    extend(world, order, days=20)


def test_one_wish_at_a_time(world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order)
    with pytest.raises(InvalidTransition, match="waits for Meridian Telecom"):
        ask(world, order, by="supervisor")


def test_nobody_extends_what_nobody_asked_for(world: World) -> None:
    order = world.preserve(world.issue())
    with pytest.raises(InvalidTransition, match="amend the preservation report"):
        extend(world, order)
    ask(world, order)
    extend(world, order)
    with pytest.raises(InvalidTransition, match="No extension is asked for"):
        extend(world, order)


def test_only_who_may_and_only_their_own(world: World) -> None:
    order = world.preserve(world.issue())
    for by in ("spoc", "auditor"):
        with pytest.raises(Forbidden):
            ask(world, order, by=by)
    for by in ("foreign_officer", "administrator", "norvik_spoc"):
        with pytest.raises(NotFound):
            ask(world, order, by=by)
    ask(world, order)
    for by, error in (("officer", Forbidden), ("norvik_spoc", NotFound)):
        with pytest.raises(error):
            extend(world, order, by=by)


def test_nothing_to_extend_before_it_is_preserved_or_after_its_end(world: World) -> None:
    order = world.issue()
    with pytest.raises(InvalidTransition):
        ask(world, order)
    world.preserve(order)
    ask(world, order)
    release(world, order)
    assert stored(world, order).extension_asked_at is None
    assert stored(world, order).extensions[0].dropped_at == world.now
    with pytest.raises(InvalidTransition):
        extend(world, order)


def test_a_recorded_request_makes_the_wish_needless(world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order)
    record_mla(world, order)
    after = stored(world, order)
    assert (after.extension_asked_at, after.extensions[0].dropped_at) == (None, world.now)
    assert letters(world, "extension_asked") == []
    for act in (ask, extend):
        with pytest.raises(InvalidTransition, match="until it is decided"):
            act(world, order)


def test_an_amendment_that_gives_the_date_answers_the_wish(world: World) -> None:
    order = world.preserve(world.issue(), days=30)
    ask(world, order, days=10)
    world.preserve(order, days=39)
    assert stored(world, order).extension_asked_at is not None, "that is a day too early"
    world.preserve(order, days=40)
    assert stored(world, order).extension_asked_at is None
    assert stored(world, order).extensions[0].confirmed_at is None


def test_whoever_read_an_older_version_does_not_act(world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order, version=order.version)
    for act, by in ((ask, "second_officer"), (extend, "spoc")):
        with pytest.raises(Stale):
            act(world, order, by=by, version=order.version)


def test_hostile_text_is_named_and_nothing_is_stored(world: World) -> None:
    order = world.preserve(world.issue())
    with pytest.raises(Invalid):
        ask(world, order, reason="nul \x00")
    with pytest.raises(Invalid):
        ask(world, order, reason="x" * 2001)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Extension)) == 0


@pytest.mark.parametrize("act", [ask, extend], ids=["ask", "confirm"])
def test_of_two_at_the_same_moment_one_wins(world: World, act: Callable[..., None]) -> None:
    order = world.preserve(world.issue())
    racers = ("officer", "supervisor")
    if act is extend:
        ask(world, order)
        racers = ("spoc", "program")
    gate, outcomes = threading.Barrier(2), []

    def race(who: str) -> None:
        gate.wait()
        try:
            act(world, order, by=who)
            outcomes.append("done")
        except LiaisonError as refused:
            outcomes.append(type(refused).__name__)

    threads = [threading.Thread(target=race, args=(who,)) for who in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["InvalidTransition", "done"]
    assert stored(world, order).state is OrderState.PRESERVED
    assert planned(world, order) == must_wait(world, order)
    assert len(stored(world, order).extensions) == 1
    assert stored(world, order).preserved_until == world.now + timedelta(
        days=120 if act is extend else 90
    )
