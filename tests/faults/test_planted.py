"""The count finds each of the bugs that others had: else it would prove nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults import trips
from tests.faults.account import Count, account
from tests.faults.stage import LEASE, Stage

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(900)]


def dies(point: str) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        stage.issue()
        assert stage.work(point=point).was_killed

    return play


def answered_meanwhile(stage: Stage) -> None:
    (order,) = stage.issue()
    stage.work(point="claim:begin")
    stage.acknowledge(order)


def runs_on(stage: Stage) -> None:
    stage.issue()
    stage.work()
    stage.move(minutes=16)
    stage.work(point="send:after")


PLAYS: dict[str, tuple[Callable[[Stage], None], Callable[[Count], list[str]]]] = {
    "marked before sending": (dies("send:before"), lambda count: count.missing),
    "enqueued after the commit": (dies("fire:after-commit"), lambda count: count.missing),
    "paged after the acknowledgement": (answered_meanwhile, lambda count: count.after_the_answer),
    "another key each time": (runs_on, lambda count: count.doubled),
    "never retried": (dies("send:before"), lambda count: count.missing),
    "fired twice": (runs_on, lambda count: count.doubled),
}


@pytest.mark.parametrize("bug", PLAYS)
def test_a_planted_bug_is_found(stage: Stage, bug: str) -> None:
    play, of_its_kind = PLAYS[bug]
    stage.plant = bug
    play(stage)
    stage.settle()
    assert of_its_kind(account(stage)), "nothing was found wrong"


def test_without_it_the_same_plays_are_sound(stage: Stage) -> None:
    for play, _ in PLAYS.values():
        play(stage)
    stage.move(seconds=LEASE)
    stage.settle()
    assert account(stage).faults == []
    assert set(stage.tripped()) <= set(trips.POINTS)
