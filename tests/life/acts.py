"""Every act of the lifecycle as somebody might do it: with a number that picks among its ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.answer import Preservation, Refusal, TargetAnswer
from liaison.domain.extension import Wish
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import CallOutcome, FollowUpKind, Ground, Outcome
from liaison.models import CallTask, Order
from liaison.models.work import CallState
from liaison.queries import ladder
from liaison.services import (
    answers,
    authorising,
    calls,
    disposals,
    doubts,
    escalation,
    extensions,
    follow_ups,
    ladder_holds,
    ladder_moves,
    notes,
    orders,
    ratification,
    releases,
    routes,
    thread,
)
from tests.world import World


@dataclass(frozen=True)
class Try:
    """Somebody's attempt. ``pick`` chooses among the ways; ``note`` is a word to look for."""

    session: Session
    world: World
    actor: Actor
    order: Order
    pick: int
    note: str
    data: dict[str, Any]
    """What the order was written with."""

    @property
    def name(self) -> str:
        """The order, as its address has it."""
        return self.order.name

    @property
    def version(self) -> int:
        """The order as it was read."""
        return self.order.version


def _preserve(t: Try) -> object:
    days, outcome = (60, 90, 30)[t.pick % 3], None
    targets: tuple[TargetAnswer, ...] = ()
    if t.pick % 5 == 0:
        outcome = Outcome.NOTHING_HELD
    elif t.pick % 5 == 1:
        outcome = Outcome.PARTIAL
    if outcome is not None:
        targets = tuple(
            TargetAnswer(i.id, outcome, None, "Log begins late.") for i in t.order.targets
        )
    answer = Preservation(
        days=None if outcome is Outcome.NOTHING_HELD else days,
        until=None,
        targets=targets,
        preserved_at=None,
        reference=None,
        sha256=None,
        risk="The customer may delete it." if t.pick % 7 == 0 else None,
        note=None,
    )
    return answers.preserve(t.session, t.actor, t.name, answer, t.world.now, version=t.version)


def _log_call(t: Try) -> object:
    found = t.session.scalars(
        select(CallTask.id)
        .where(CallTask.order_id == t.order.id, CallTask.state == CallState.OPEN)
        .order_by(CallTask.id)
    ).first()
    outcome = tuple(CallOutcome)[t.pick % 4 if t.pick % 11 == 0 else t.pick % 3]
    task = found or UUID(int=7 << 76 | 2 << 62)
    return calls.log(t.session, t.actor, t.name, task, outcome, t.note, t.world.now)


def _by_phone(t: Try) -> object:
    found = t.session.scalars(
        select(CallTask.id)
        .where(CallTask.order_id == t.order.id, CallTask.state == CallState.OPEN)
        .order_by(CallTask.id)
    ).first()
    task = found or UUID(int=7 << 76 | 2 << 62)
    return calls.log(
        t.session, t.actor, t.name, task, CallOutcome.REACHED, "", t.world.now, acknowledged=True
    )


def _follow_up(t: Try) -> object:
    kind = FollowUpKind.MLA if t.pick % 2 else FollowUpKind.PRODUCTION
    day = (t.world.now - timedelta(days=1)).date()
    return follow_ups.record(
        t.session, t.actor, t.name, kind, "MLA-1", day, t.world.now, version=t.version
    )


def _decline(t: Try) -> object:
    refusal = Refusal((Ground.OVERBROAD,), "Too wide for its purpose.", bool(t.pick % 2))
    return answers.decline(t.session, t.actor, t.name, refusal, t.world.now, version=t.version)


def _ask_extension(t: Try) -> object:
    wish = Wish(days=(30, 60, 90)[t.pick % 3])
    return extensions.ask(t.session, t.actor, t.name, wish, t.world.now, version=t.version)


def _extend(t: Try) -> object:
    wish = Wish(days=(30, 10)[t.pick % 2])
    return extensions.confirm(t.session, t.actor, t.name, wish, t.world.now, version=t.version)


def _next_step(t: Try) -> int:
    climb = escalation.running_climb(t.order)
    timer = ladder.standing(t.session, t.order, climb) if climb is not None else None
    return int(timer.payload["step"]) if timer is not None else 0


def _pause(t: Try) -> object:
    until = t.world.now + timedelta(minutes=(5, 45, 300, 2000)[t.pick % 4])
    reason = f"I speak with them: {t.note}"
    return ladder_holds.pause(t.session, t.actor, t.name, until, reason, t.world.now, t.version)


ACTS: dict[Action, Callable[[Try], object]] = {
    Action.EDIT: lambda t: orders.edit(t.session, t.actor, t.name, t.data, t.version, t.world.now),
    Action.SUBMIT: lambda t: authorising.submit(t.session, t.actor, t.name, t.version, t.world.now),
    Action.AUTHORISE: lambda t: authorising.authorise(
        t.session, t.actor, t.name, t.version, t.world.now
    ),
    Action.RETURN: lambda t: authorising.return_(
        t.session, t.actor, t.name, "Name the port.", t.version, t.world.now
    ),
    Action.ISSUE: lambda t: orders.issue(t.session, t.actor, t.name, t.version, t.world.now),
    Action.RATIFY: lambda t: ratification.ratify(
        t.session, t.actor, t.name, t.version, t.world.now
    ),
    Action.ACKNOWLEDGE: lambda t: answers.acknowledge(
        t.session, t.actor, t.name, t.world.now, version=t.version
    ),
    Action.ACKNOWLEDGE_BY_PHONE: _by_phone,
    Action.PRESERVE: _preserve,
    Action.AMEND: _preserve,
    Action.DECLINE: _decline,
    Action.WITHDRAW: lambda t: orders.withdraw(
        t.session, t.actor, t.name, "Entered in error.", t.world.now, t.version
    ),
    Action.ASK_EXTENSION: _ask_extension,
    Action.EXTEND: _extend,
    Action.RECORD_MLA: _follow_up,
    Action.RELEASE: lambda t: releases.release(
        t.session, t.actor, t.name, t.world.now, version=t.version
    ),
    Action.DISPOSE: lambda t: disposals.confirm(
        t.session, t.actor, t.name, t.world.now, version=t.version
    ),
    Action.DOUBT: lambda t: doubts.raise_(
        t.session, t.actor, t.name, "The number calls nobody.", t.version, t.world.now
    ),
    Action.VOUCH: lambda t: doubts.vouch(t.session, t.actor, t.name, None, t.version, t.world.now),
    Action.REPORT_ROUTE: lambda t: routes.report(
        t.session, t.actor, t.name, "Norvik Mobile", "Handed over at 01:22.", t.world.now
    ),
    Action.ASK: lambda t: thread.ask(
        t.session, t.actor, t.name, "Which of the two accounts?", t.world.now
    ),
    Action.ANSWER: lambda t: thread.answer(
        t.session, t.actor, t.name, "The first.", t.world.now, t.version
    ),
    Action.NOTE: lambda t: notes.write(t.session, t.actor, t.name, t.note, t.world.now),
    Action.LOG_CALL: _log_call,
    Action.ESCALATE: lambda t: ladder_moves.escalate(
        t.session, t.actor, t.name, _next_step(t), f"Now: {t.note}", t.world.now, t.version
    ),
    Action.SKIP_RUNGS: lambda t: ladder_moves.skip(
        t.session,
        t.actor,
        t.name,
        _next_step(t),
        _next_step(t) + 1 + t.pick % 4,
        f"On leave: {t.note}",
        t.world.now,
        t.version,
    ),
    Action.PAUSE_LADDER: _pause,
    Action.RESUME_LADDER: lambda t: ladder_holds.go_on(
        t.session, t.actor, t.name, t.world.now, t.version
    ),
    Action.REOPEN_LADDER: lambda t: ladder_holds.reopen(
        t.session, t.actor, t.name, f"By mistake: {t.note}", t.world.now, t.version
    ),
    Action.CLOSE_LADDER: lambda t: escalation.close(
        t.session, t.actor, t.name, "I called them myself.", t.world.now, t.version
    ),
}
"""All that people and programs do; expiry is the clock's."""
