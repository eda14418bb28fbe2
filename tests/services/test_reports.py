"""Reports that are amended: nothing is lost, what became less is marked, the letters say it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from liaison.documents.letters import compose
from liaison.domain.answer import Preservation, Refusal, TargetAnswer
from liaison.domain.vocabulary import Ground, Outcome
from liaison.errors import Invalid
from liaison.models import Entry, Message, Order, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.queries import reports
from liaison.services import answers
from tests.world import World

MANY = "07-botnet-240-targets.json"


def preserve(world: World, order: Order, by: str = "spoc", **given: Any) -> None:
    with world.database.transaction() as session:
        actor = world.actor(by)
        answers.preserve(session, actor, order.name, Preservation(**given), world.now)


def letters(world: World) -> list[Message]:
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == "order_answered").order_by(Message.id)
        return list(session.scalars(query))


def entries(world: World, type_: str) -> list[dict[str, Any]]:
    with world.database.reading() as session:
        query = select(Entry.data).where(Entry.type == type_).order_by(Entry.seq)
        return [json.loads(data) for data in session.scalars(query) if data]


def history(world: World, order: Order) -> list[reports.Past]:
    with world.database.reading() as session:
        found = session.get_one(Order, order.id)
        return reports.history(found)


def two_targets(order: Order, second: Outcome, until: datetime | None = None) -> Any:
    answered = [TargetAnswer(t.id, Outcome.PRESERVED) for t in order.targets]
    answered[-1] = TargetAnswer(order.targets[-1].id, second, until)
    return tuple(answered)


def test_an_amendment_that_gives_less_is_marked_for_both_sides(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    preserve(world, order, days=90)
    preserve(world, order, days=60)
    last, first = history(world, order)
    assert first.changes is None
    assert last.changes is not None
    assert last.changes.shorter
    assert last.changes.until == (
        world.now + timedelta(days=90),
        world.now + timedelta(days=60),
    )
    (entry,) = entries(world, "order.preservation_amended")
    assert entry["shorter"] is True
    said = letters(world)[-1].params
    assert said["answer"] == "amended_shorter"
    letter = compose("order_answered", {**said, "ref": order.ref}, "https://cp.example", "test")
    assert "amended" in letter.subject
    assert "for less time" in letter.text


def test_one_target_that_is_gone_is_less(world: World) -> None:
    order = world.issue("02-foreign-ransomware-hosting.json")
    preserve(world, order, "sevan_spoc", days=90)
    less = two_targets(order, Outcome.NOTHING_HELD)
    preserve(world, order, "sevan_spoc", days=90, targets=less)
    change = history(world, order)[0].changes
    assert change is not None
    assert [c.target_id for c in change.targets] == [order.targets[-1].id]
    assert change.shorter
    assert change.until is None


def test_an_amendment_that_gives_more_is_only_amended(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    preserve(world, order, days=60)
    preserve(world, order, days=90, note="Found the rest.")
    (entry,) = entries(world, "order.preservation_amended")
    assert entry["shorter"] is False
    assert letters(world)[-1].params["answer"] == "amended"


def test_nothing_held_after_all_is_told_in_its_own_words(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    preserve(world, order, days=60)
    gone = tuple(TargetAnswer(t.id, Outcome.NOTHING_HELD) for t in order.targets)
    preserve(world, order, targets=gone)
    assert letters(world)[-1].params["answer"] == "amended_nothing"
    assert world.order(order.name).preserved_until is None


def test_a_risk_is_in_the_subject_of_the_letter_and_never_its_text(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    preserve(world, order, days=90)
    preserve(world, order, days=90, risk="The customer can wipe the server.")
    params = letters(world)[-1].params
    letter = compose("order_answered", params, "https://cp.example", "test")
    assert "risk (art. 29(6))" in letter.subject
    assert "wipe" not in letter.subject + letter.text + letter.html
    with world.database.reading() as session:
        assert reports.with_risk(session, [order.id]) == {order.id}
    preserve(world, order, days=90)
    with world.database.reading() as session:
        assert reports.with_risk(session, [order.id]) == frozenset(), "it was taken back"


def test_a_date_that_stands_may_be_repeated_however_near(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    preserve(world, order, days=90)
    until = world.order(order.name).preserved_until
    assert until is not None
    world.clock.set(until - timedelta(hours=2))
    preserve(world, order, until=until, note="The reference changed.")
    assert world.order(order.name).preserved_until == until
    with pytest.raises(Invalid, match="problem"):
        preserve(world, order, until=until + timedelta(hours=1))


def test_the_expiry_follows_the_amended_date(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    preserve(world, order, days=90)
    preserve(world, order, days=30)
    with world.database.reading() as session:
        query = select(Timer.due_at).where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.EXPIRY,
            Timer.state == TimerState.WAITING,
        )
        assert session.scalars(query).all() == [world.now + timedelta(days=30)]


def test_the_letter_of_a_refusal_says_whether_the_data_are_kept(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    refusal = Refusal((Ground.OVERBROAD,), "All customers.", preserved_meanwhile=True)
    with world.database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, refusal, world.now)
    letter = compose("order_answered", letters(world)[-1].params, "https://cp.example", "test")
    assert "kept meanwhile" in letter.text
    assert "All customers" not in letter.text


def test_two_hundred_and_forty_targets_are_counted(world: World) -> None:
    order = world.issue(MANY)
    kinds = [Outcome.PRESERVED] * 212 + [Outcome.PARTIAL] * 20 + [Outcome.NOTHING_HELD] * 8
    answered = tuple(TargetAnswer(t.id, kind) for t, kind in zip(order.targets, kinds, strict=True))
    preserve(world, order, days=90, targets=answered)
    with world.database.reading() as session:
        report = session.get_one(Order, order.id).report
        assert report is not None
        said = reports.summary(report).said
    assert said == "212 preserved, 20 partly preserved, 8 nothing held"


@pytest.mark.one_database
def test_an_order_takes_no_reports_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_REPORTS", 2)
    order = world.issue()
    preserve(world, order, days=90)
    preserve(world, order, days=89)
    with pytest.raises(Invalid, match="problem") as caught:
        preserve(world, order, days=88)
    assert "2 reports" in caught.value.errors[0].detail
    assert len(history(world, order)) == 2
