"""Every act that says which version was read moves it: whoever read the older one is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from liaison.domain.answer import Preservation, Refusal
from liaison.domain.extension import Wish
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import FollowUpKind, Ground
from liaison.errors import Stale
from liaison.models import Order
from liaison.services import (
    answers,
    authorising,
    disposals,
    doubts,
    extensions,
    follow_ups,
    orders,
    ratification,
    releases,
    thread,
)
from tests import keeping, threads
from tests.worker.doubting import doubt
from tests.world import World

pytestmark = pytest.mark.one_database

ROUTINE = "03-cgnat-fraud-routine.json"
ALL = Preservation(90, None, (), None, None, None, None, None)
REFUSAL = Refusal((Ground.NOT_STORED,), "Another holds it.", preserved_meanwhile=False)

Verb = Callable[[World, Session, Order, int], Any]


def asked(world: World) -> Order:
    order = world.issue()
    threads.ask(world, order)
    return order


def wished(world: World) -> Order:
    order = world.preserve(world.issue())
    keeping.ask(world, order)
    return order


def released(world: World) -> Order:
    order = world.preserve(world.issue())
    keeping.release(world, order)
    return order


def preserved(world: World) -> Order:
    return world.preserve(world.issue())


def submitted(world: World) -> Order:
    return world.submit(world.draft(ROUTINE))


def other_targets(world: World) -> dict[str, Any]:
    """The same order, with another address among its targets and nothing else changed."""
    data = world.data()
    data["targets"][0] |= {"type": "ip_address", "value": "203.0.113.99"}
    return data


STAGES: dict[Action, Callable[[World], Order]] = {
    Action.EDIT: lambda w: w.draft(),
    Action.SUBMIT: lambda w: w.draft(ROUTINE),
    Action.AUTHORISE: submitted,
    Action.RETURN: submitted,
    Action.ISSUE: lambda w: w.draft(),
    Action.RATIFY: lambda w: w.issue(),
    Action.ACKNOWLEDGE: lambda w: w.issue(),
    Action.PRESERVE: lambda w: w.issue(),
    Action.AMEND: preserved,
    Action.DECLINE: lambda w: w.issue(),
    Action.WITHDRAW: lambda w: w.issue(),
    Action.ASK_EXTENSION: preserved,
    Action.EXTEND: wished,
    Action.RECORD_MLA: preserved,
    Action.RELEASE: preserved,
    Action.DISPOSE: released,
    Action.DOUBT: lambda w: w.issue(),
    Action.VOUCH: lambda w: doubt(w, w.issue()),
    Action.ANSWER: asked,
}
"""An order at which each act is possible."""

ACTS: dict[Action, Verb] = {
    Action.EDIT: lambda w, s, o, v: orders.edit(
        s, w.actor("officer"), o.name, other_targets(w), v, w.now
    ),
    Action.SUBMIT: lambda w, s, o, v: authorising.submit(s, w.actor("officer"), o.name, v, w.now),
    Action.AUTHORISE: lambda w, s, o, v: authorising.authorise(
        s, w.actor("supervisor"), o.name, v, w.now
    ),
    Action.RETURN: lambda w, s, o, v: authorising.return_(
        s, w.actor("supervisor"), o.name, "Which one?", v, w.now
    ),
    Action.ISSUE: lambda w, s, o, v: orders.issue(s, w.actor("officer"), o.name, v, w.now),
    Action.RATIFY: lambda w, s, o, v: ratification.ratify(
        s, w.actor("supervisor"), o.name, v, w.now
    ),
    Action.ACKNOWLEDGE: lambda w, s, o, v: answers.acknowledge(
        s, w.actor("spoc"), o.name, w.now, version=v
    ),
    Action.PRESERVE: lambda w, s, o, v: answers.preserve(
        s, w.actor("spoc"), o.name, ALL, w.now, version=v
    ),
    Action.AMEND: lambda w, s, o, v: answers.preserve(
        s, w.actor("spoc"), o.name, ALL, w.now, version=v
    ),
    Action.DECLINE: lambda w, s, o, v: answers.decline(
        s, w.actor("spoc"), o.name, REFUSAL, w.now, version=v
    ),
    Action.WITHDRAW: lambda w, s, o, v: orders.withdraw(
        s, w.actor("officer"), o.name, "A mistake.", w.now, v
    ),
    Action.ASK_EXTENSION: lambda w, s, o, v: extensions.ask(
        s, w.actor("officer"), o.name, Wish(days=30, until=None), w.now, version=v
    ),
    Action.EXTEND: lambda w, s, o, v: extensions.confirm(
        s, w.actor("spoc"), o.name, Wish(days=30, until=None), w.now, version=v
    ),
    Action.RECORD_MLA: lambda w, s, o, v: follow_ups.record(
        s,
        w.actor("officer"),
        o.name,
        FollowUpKind.MLA,
        "MLA-2026-118",
        date(2026, 11, 23),
        w.now,
        version=v,
    ),
    Action.RELEASE: lambda w, s, o, v: releases.release(
        s, w.actor("officer"), o.name, w.now, version=v
    ),
    Action.DISPOSE: lambda w, s, o, v: disposals.confirm(
        s, w.actor("spoc"), o.name, w.now, version=v
    ),
    Action.DOUBT: lambda w, s, o, v: doubts.raise_(
        s, w.actor("spoc"), o.name, "The number is another one.", v, w.now
    ),
    Action.VOUCH: lambda w, s, o, v: doubts.vouch(s, w.actor("supervisor"), o.name, None, v, w.now),
    Action.ANSWER: lambda w, s, o, v: thread.answer(
        s, w.actor("officer"), o.name, "The first one.", w.now, v
    ),
}

UNVERSIONED = {
    Action.ACKNOWLEDGE_BY_PHONE,
    Action.LOG_CALL,
    Action.EXPIRE,
    Action.ASK,
    Action.REPORT_ROUTE,
    Action.NOTE,
    # The provider must not see that a person took over: a second one is refused by itself.
    Action.CLOSE_LADDER,
    # Nor what else they do to the ladder: who was overtaken there is told by the step they read.
    Action.ESCALATE,
    Action.SKIP_RUNGS,
    Action.PAUSE_LADDER,
    Action.RESUME_LADDER,
    Action.REOPEN_LADDER,
}
"""Acts that do not depend on what was read before, or that only the contact point may know of."""


def test_every_act_is_among_them() -> None:
    assert set(ACTS) == set(STAGES) == set(Action) - UNVERSIONED


@pytest.mark.parametrize("action", ACTS, ids=lambda action: action.value)
def test_an_act_moves_the_version_and_the_second_reader_is_told(
    world: World, action: Action
) -> None:
    order = STAGES[action](world)
    read = world.order(order.name).version
    with world.database.transaction() as session:
        ACTS[action](world, session, order, read)
    assert world.order(order.name).version > read
    world.clock.move(minutes=4)
    with pytest.raises(Stale), world.database.transaction() as session:
        ACTS[action](world, session, order, read)
