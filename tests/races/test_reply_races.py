"""Races of eight in which some answer by text: one receipt, no answer lost, no page after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Channel
from liaison.models import Database, Order
from liaison.settings import Settings
from liaison.worker import Work, run_once
from liaison.worker.timers import fire_one
from tests.gateways import Callbacks, app_with, own_url, reach_by
from tests.http_sink import HttpSink
from tests.mail import RecordingSender
from tests.races.ladders import at_work, counts, form, nobody_is_paged, stands
from tests.races.runners import Act, Field, is_done, race, told_what_happened
from tests.worker.looking import entries
from tests.world import MovableClock, World


@pytest.fixture
def app(settings: Settings, world: World) -> Iterator[Flask]:
    """An installation with a gateway; what leaves for it is kept by the worker's sender."""
    with HttpSink() as sink:
        made = app_with(settings, world, own_url(sink))
    yield made
    made.extensions["liaison"].database.close()


@pytest.fixture
def work(
    settings: Settings, database: Database, clock: MovableClock, sender: RecordingSender
) -> Work:
    return Work(settings, database, clock, sender, name="worker-1")


def texted(course: Field, work: Work) -> Order:
    """An emergency whose SPOC has the text by which "1" confirms receipt, and no other open.

    The next step has come as well: its pages wait to be sent.
    """
    # Within the hour a "1" may mean the order before; and no session lasts as long.
    course.world.clock.move(minutes=61)
    course.browsers.clear()
    for who in ("officer", "supervisor", "spoc"):
        course.browser(who, 1)  # signing in moves the clock
    reach_by(course.world, Channel.TEXT)
    order = course.world.issue()
    run_once(work)
    course.world.clock.move(minutes=15)
    while fire_one(work):
        pass
    return order


def reply(course: Field, name: str) -> Act:
    """Somebody answers "1"; a gateway that says it twice gives it the same name."""
    callbacks = Callbacks(course.app, course.world)
    return lambda: callbacks.reply(id=name)


def replies_are_kept(course: Field, order: Order, wanted: int) -> None:
    """Each is the receipt, or stands on the order for the contact point."""
    receipts = entries(course.world.database, order, "order.acknowledged")
    noted = entries(course.world.database, order, "order.reply_received")
    assert {one["came"] for one in noted} <= {"not_open"}
    assert len(noted) + sum("by_reply" in one for one in receipts) == wanted


def test_a_reply_and_a_receipt_and_a_withdrawal_at_once(
    rounds: int, course: Field, work: Work
) -> None:
    for number in range(rounds):
        order = texted(course, work)
        path = f"/orders/{order.name}"
        program = course.program(f"{path}/acknowledgement", {}, order.version)
        withdrawn = {"reason": "Entered twice."}
        acts = [
            *(reply(course, f"reply-{number}-{name}") for name in ("a", "a", "b")),
            *(course.form("spoc", n, f"{path}/acknowledge") for n in (0, 1)),
            program,
            course.form("officer", 0, f"{path}/withdraw", **withdrawn),
            course.form("supervisor", 0, f"{path}/withdraw", **withdrawn),
        ]
        answers = race(acts)  # and no worker that would look again
        assert [answer.status_code for answer in answers[:3]] == [204] * 3
        done = [course.entries(order, f"order.{end}") for end in ("acknowledged", "withdrawn")]
        assert sorted(done) == [0, 1], done
        replies_are_kept(course, order, 2)
        for answer in answers[3:]:
            if not is_done(answer):
                told_what_happened(answer)
        stands(course, order)
        nobody_is_paged(work)


def test_a_receipt_while_people_move_and_hold_the_ladder(
    rounds: int, course: Field, work: Work
) -> None:
    for number in range(rounds):
        order = texted(course, work)
        acts = [
            *(reply(course, f"reply-{number}-{name}") for name in ("a", "b")),
            *(course.form("spoc", n, f"/orders/{order.name}/acknowledge") for n in (0, 1)),
            form(course, order, "escalate", "officer"),
            form(course, order, "skip", "supervisor"),
            form(course, order, "pause-escalation", "officer", 1),
            form(course, order, "close-escalation", "supervisor", 1),
        ]
        # A worker that looks again before it sends would hide a page that was not taken back.
        beside = [at_work(work)] if number % 2 else []
        answers = race(acts, *beside)
        assert [answer.status_code for answer in answers[:2]] == [204] * 2
        assert course.entries(order, "order.acknowledged") == 1
        replies_are_kept(course, order, 2)
        done = counts(course, order)
        assert sum(map(is_done, answers[4:])) == sum(done.values())
        for answer in answers[2:]:
            if not is_done(answer):
                told_what_happened(answer)
        now = stands(course, order)
        assert now.state is OrderState.ACKNOWLEDGED
        held = (now.ladder_closed_at, now.ladder_paused_at)
        assert held == (None, None), "the time to preserve has a ladder of its own"
        nobody_is_paged(work)
