"""Texts have bounds, and nobody acts on what they have not read; in both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.answer import Preservation, Refusal
from liaison.domain.vocabulary import CallOutcome, Ground
from liaison.errors import Invalid, InvalidTransition, Stale
from liaison.models import CallTask, Message, Order, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.services import answers, calls, escalation, orders
from tests.world import World

LONG = "x" * 10_001
Act = Callable[[Session, World, Order, str], Any]


def _log(session: Session, world: World, order: Order, text: str) -> None:
    task = session.scalars(select(CallTask.id).where(CallTask.order_id == order.id)).one()
    officer = world.actor("officer")
    calls.log(session, officer, order.name, task, CallOutcome.VOICEMAIL, text, world.now)


ACTS: dict[str, Act] = {
    "/reference": lambda s, w, o, t: answers.acknowledge(
        s, w.actor("spoc"), o.name, w.now, reference=t
    ),
    "/note": lambda s, w, o, t: answers.acknowledge(s, w.actor("spoc"), o.name, w.now, note=t),
    "/risk": lambda s, w, o, t: answers.preserve(
        s, w.actor("spoc"), o.name, Preservation(days=90, risk=t), w.now
    ),
    "/explanation": lambda s, w, o, t: answers.decline(
        s,
        w.actor("spoc"),
        o.name,
        Refusal((Ground.OVERBROAD,), t, preserved_meanwhile=False),
        w.now,
    ),
    "/text": lambda s, w, o, t: answers.ask(s, w.actor("spoc"), o.name, t, w.now),
    "/reason": lambda s, w, o, t: orders.withdraw(s, w.actor("officer"), o.name, t, w.now),
    "/reason ": lambda s, w, o, t: escalation.close(s, w.actor("officer"), o.name, t, w.now),
    "/note ": _log,
}


@pytest.mark.parametrize("text", [LONG, "a\x00b"], ids=["endless", "with NUL"])
@pytest.mark.parametrize("pointer", ACTS)
def test_no_verb_stores_a_text_without_end_or_one_no_database_keeps(
    world: World, pointer: str, text: str
) -> None:
    order = world.issue()
    with pytest.raises(Invalid) as refused, world.database.transaction() as session:
        ACTS[pointer](session, world, order, text)
    assert [fault.pointer for fault in refused.value.errors] == [pointer.strip()]
    with world.database.reading() as session:
        assert session.get_one(Order, order.id).version == order.version


def test_closing_a_ladder_that_was_answered_meanwhile_does_not_silence_the_next(
    world: World,
) -> None:
    order = world.issue()
    read = order.version
    world.acknowledge(order)
    with pytest.raises(Stale), world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "Reached.", world.now, read)
    with world.database.reading() as session:
        climbing = (Timer.state == TimerState.WAITING, Timer.kind == TimerKind.LADDER)
        assert session.scalars(select(Timer).where(*climbing)).one()


def test_the_first_reason_for_closing_a_ladder_stands(world: World) -> None:
    order = world.issue()
    for reason in ("Reached by phone.", "Another reason."):
        with world.database.transaction() as session:
            if reason == "Another reason.":
                with pytest.raises(InvalidTransition):
                    escalation.close(session, world.actor("officer"), order.name, reason, world.now)
            else:
                escalation.close(session, world.actor("officer"), order.name, reason, world.now)
    with world.database.reading() as session:
        assert session.get_one(Order, order.id).ladder_closed_reason == "Reached by phone."


def test_the_provider_does_not_notice_that_we_closed_the_ladder(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "Reached.", world.now)
    with world.database.transaction() as session:
        answers.acknowledge(
            session, world.actor("spoc"), order.name, world.now, version=order.version
        )


def test_a_question_that_came_meanwhile_is_not_answered_unseen(world: World) -> None:
    order = world.issue()
    read = order.version
    with world.database.transaction() as session:
        answers.ask(session, world.actor("spoc"), order.name, "Which port?", world.now)
    officer = world.actor("officer")
    with pytest.raises(Stale), world.database.transaction() as session:
        answers.answer(session, officer, order.name, "Please hurry.", world.now, read)
    with world.database.reading() as session:
        assert session.get_one(Order, order.id).question_open_since == world.now


def test_the_letter_says_that_less_was_promised_than_asked(world: World) -> None:
    order = world.issue()
    world.preserve(order, days=1)
    with world.database.reading() as session:
        letter = session.scalars(select(Message).where(Message.letter == "order_answered")).one()
        assert letter.params["said"] == "preserved, for less time than asked"
