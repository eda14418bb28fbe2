"""Races of eight on one order: each act once, no failure of ours, losers told what happened.

A short form runs with every test; ``make races`` runs a thousand on each database.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from liaison.domain.extension import Wish
from liaison.domain.lifecycle import OrderState
from liaison.models import CallTask, Order, Timer
from liaison.models.work import TimerKind
from liaison.services import extensions
from tests.races.runners import Act, Field, is_done, race, told_what_happened
from tests.world import World

EMERGENCY, URGENT = "01-emergency-missing-child.json", "05-names-from-everywhere.json"


def run(
    rounds: int,
    course: Field,
    begin: Callable[[], Order],
    acts: Callable[[Order], list[Act]],
    type_: str,
    state: OrderState,
) -> None:
    """Each race on an order of its own: the act stands once, whoever did not do it knows."""
    for _ in range(rounds):
        order = begin()
        answers = race(acts(order))
        assert course.entries(order, type_) == 1
        after = course.world.order(order.name)
        assert after.state is state
        assert any(is_done(answer) for answer in answers), "nobody was told that it is done"
        for answer in answers:
            if not is_done(answer):
                told_what_happened(answer)


def test_one_acknowledgement(rounds: int, course: Field, world: World) -> None:
    def acts(order: Order) -> list[Act]:
        path = f"/orders/{order.ref}/acknowledge"
        here = [course.form("spoc", n, path) for n in range(4)]
        program = f"/orders/{order.ref}/acknowledgement"
        return here + [course.program(program, {}, order.version) for _ in range(4)]

    def begin() -> Order:
        world_order = world.issue(URGENT)
        course.browser("spoc", 0).get(f"/orders/{world_order.ref}")
        return world.order(world_order.name)

    run(rounds, course, begin, acts, "order.acknowledged", OrderState.ACKNOWLEDGED)


def test_one_confirmation(rounds: int, course: Field, world: World) -> None:
    def acts(order: Order) -> list[Act]:
        path = f"/orders/{order.ref}/preserve"
        here = [course.form("spoc", n, path) for n in range(4)]
        program = f"/orders/{order.ref}/preservation"
        return here + [course.program(program, {"days": 90}, order.version) for _ in range(4)]

    def begin() -> Order:
        return world.acknowledge(world.issue(URGENT))

    run(rounds, course, begin, acts, "order.preserved", OrderState.PRESERVED)


def test_one_withdrawal(rounds: int, course: Field, world: World) -> None:
    def acts(order: Order) -> list[Act]:
        path = f"/orders/{order.ref}/withdraw"
        return [
            course.form(who, n, path, reason="Entered twice.")
            for who in ("officer", "supervisor")
            for n in range(4)
        ]

    run(rounds, course, lambda: world.issue(URGENT), acts, "order.withdrawn", OrderState.WITHDRAWN)


def test_one_ratification(rounds: int, course: Field, world: World) -> None:
    def acts(order: Order) -> list[Act]:
        path = f"/orders/{order.ref}/ratify"
        return [
            course.form(who, n, path) for who in ("supervisor", "second_officer") for n in range(4)
        ]

    run(
        rounds,
        course,
        lambda: world.issue(EMERGENCY),
        acts,
        "order.ratified",
        OrderState.ISSUED,
    )


def test_one_extension(rounds: int, course: Field, world: World) -> None:
    def begin() -> Order:
        kept = world.preserve(world.issue(URGENT), days=60)
        with world.database.transaction() as session:
            officer = world.actor("officer")
            extensions.ask(session, officer, kept.name, Wish(days=30), world.now)
        return world.order(kept.name)

    def acts(order: Order) -> list[Act]:
        path = f"/orders/{order.ref}/extension"
        here = [course.form("spoc", n, path) for n in range(4)]
        return here + [course.program(path, {"days": 30}, order.version) for _ in range(4)]

    run(rounds, course, begin, acts, "order.extended", OrderState.PRESERVED)


def test_whoever_is_first_decides_between_different_acts(
    rounds: int, course: Field, world: World
) -> None:
    for _ in range(rounds):
        order = world.issue(URGENT)
        name, version = order.ref, order.version
        decline = {
            "grounds": ["overbroad"],
            "explanation": "Too wide.",
            "preserved_meanwhile": True,
        }
        acts = [
            *(
                course.form("officer", n, f"/orders/{name}/withdraw", reason="Wrong.")
                for n in (0, 1)
            ),
            *(course.program(f"/orders/{name}/acknowledgement", {}, version) for _ in range(2)),
            *(
                course.program(f"/orders/{name}/preservation", {"days": 60}, version)
                for _ in range(2)
            ),
            *(course.program(f"/orders/{name}/refusal", decline, version) for _ in range(2)),
        ]
        answers = race(acts)
        done = {
            type_: course.entries(order, f"order.{type_}")
            for type_ in ("withdrawn", "acknowledged", "preserved", "declined")
        }
        # All had read one version: one act stands, and all others are told of it.
        assert sorted(done.values()) == [0, 0, 0, 1], done
        (what,) = [type_ for type_, number in done.items() if number]
        assert world.order(order.name).state.value == what
        for answer in answers:
            if not is_done(answer):
                told_what_happened(answer)


def test_a_call_is_logged_once(rounds: int, course: Field, world: World) -> None:
    for _ in range(rounds):
        order = world.issue()
        with world.database.reading() as session:
            of_it = select(CallTask.id).where(CallTask.order_id == order.id)
            path = f"/orders/{order.ref}/calls/{session.scalars(of_it).one()}"
        people = [(who, n) for who in ("officer", "second_officer") for n in range(4)]
        # Each tells something else: the very same form from the same person is a double click.
        told = [
            course.form(*one, path, outcome="no_answer", note=f"Try {one[1]}") for one in people
        ]
        answers = race(told)
        assert course.entries(order, "order.call_logged", own=True) == 1
        done = [answer for answer in answers if is_done(answer)]
        assert len(done) == 1
        for answer in answers:
            if answer is not done[0]:
                told_what_happened(answer)
        with world.database.reading() as session:
            of_order = (Timer.order_id == order.id, Timer.kind == TimerKind.CALL_AGAIN)
            assert len(session.scalars(select(Timer).where(*of_order)).all()) == 1
