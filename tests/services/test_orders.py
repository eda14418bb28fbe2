"""The contact point's verbs, in both databases: draft, issue, withdraw, expire."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from liaison.domain.answer import Preservation
from liaison.domain.lifecycle import OrderState
from liaison.errors import (
    Forbidden,
    Invalid,
    InvalidTransition,
    NotFound,
    OutsideTerms,
    Stale,
)
from liaison.models import CallTask, Entry, Memorandum, Message, Order, Timer
from liaison.models.work import CallState, MessageState, TimerKind, TimerState
from liaison.queries.views import order_content
from liaison.services import answers, keeping, orders
from tests.world import ORDERS, World

VALID = sorted(path.name for path in ORDERS.glob("*.json"))
INVALID = sorted((ORDERS / "invalid").glob("*.json"))


def count(world: World, model: Any, *where: Any) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def issue(world: World, name: str, *, by: str = "officer", fresh: bool = True) -> None:
    with world.database.transaction() as session:
        orders.issue(session, world.actor(by, fresh=fresh), name, None, world.now)


@pytest.mark.parametrize("file", VALID)
def test_every_valid_order_is_drafted_and_issued(world: World, file: str) -> None:
    order = world.issue(file)
    assert order.state is OrderState.ISSUED
    assert order.ref == "CP-2026-0001"
    assert order.sha256


@pytest.mark.parametrize("path", INVALID, ids=lambda p: p.stem)
def test_every_invalid_order_is_refused_and_nothing_is_stored(world: World, path: Any) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    with (
        pytest.raises(Invalid) as refused,
        world.database.transaction() as session,
    ):
        orders.draft(session, world.actor("officer"), case["order"], world.now)
    assert set(case["expect_pointers"]) <= {fault.pointer for fault in refused.value.errors}
    assert count(world, Order) == 0
    assert count(world, Entry) == 0


def test_refs_count_up_per_authority_without_gaps(world: World) -> None:
    first = world.issue()
    theirs = world.issue(by="foreign_officer")
    draft = world.draft(duration_days=400)
    with pytest.raises(OutsideTerms):
        issue(world, draft.name)
    second = world.issue()
    assert [first.ref, second.ref, theirs.ref] == ["CP-2026-0001", "CP-2026-0002", "NL-2026-0001"]


def test_the_year_of_a_ref_is_the_authoritys_own(world: World) -> None:
    world.clock.set(world.now.replace(month=12, day=31, hour=21))  # 01:00 next day in Yerevan
    assert world.issue().ref == "CP-2027-0001"


def test_an_imported_order_may_name_its_provider_by_domain(world: World) -> None:
    assert world.issue(provider="MERIDIAN.example").provider.name == "Meridian Telecom"


def test_without_a_fresh_code_nothing_is_served(world: World) -> None:
    draft = world.draft()
    with pytest.raises(Forbidden, match="fresh code"):
        issue(world, draft.name, fresh=False)
    assert count(world, Message) == count(world, Timer) == count(world, CallTask) == 0


@pytest.mark.parametrize("who", ["auditor", "administrator", "spoc", "program"])
def test_only_officers_and_supervisors_issue(world: World, who: str) -> None:
    draft = world.draft()
    with pytest.raises((Forbidden, NotFound)):
        issue(world, draft.name, by=who)
    assert count(world, Order, Order.state == OrderState.ISSUED) == 0


def test_no_memorandum_in_force_says_so_and_sends_nothing(world: World) -> None:
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            memorandum.in_force_to = world.now.date() - timedelta(days=1)
    draft = world.draft()
    with pytest.raises(OutsideTerms) as refused:
        issue(world, draft.name)
    assert [f.pointer for f in refused.value.errors] == ["/provider"]
    assert "No memorandum with Meridian Telecom is in force" in refused.value.errors[0].detail
    assert count(world, Message) == 0


def test_a_category_the_memorandum_leaves_out_is_named(world: World) -> None:
    data = world.data("04-foreign-followup-mail.json")
    data["targets"][0]["data"] = ["location"]
    draft = world.draft("04-foreign-followup-mail.json", targets=data["targets"])
    with pytest.raises(OutsideTerms) as refused:
        world.submit(draft)
    assert [f.pointer for f in refused.value.errors] == ["/targets/0/data"]


def test_terms_are_copied_so_that_a_later_change_reaches_no_order_under_way(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            memorandum.terms = {**memorandum.terms, "longest_days": 1}
    with world.database.transaction() as session:
        kept = answers.preserve(
            session, world.actor("spoc"), order.name, Preservation(days=90), world.now
        )
        assert kept.state is OrderState.PRESERVED


def test_the_fingerprint_is_that_of_the_order_as_the_provider_reads_it(world: World) -> None:
    order = world.issue("06-hostile-text.json")
    with world.database.reading() as session:
        from liaison.documents.order_json import fingerprint

        stored = session.get_one(Order, order.id)
        assert fingerprint(order_content(stored)) == order.sha256


def test_an_emergency_opens_a_call_to_the_registered_number(world: World) -> None:
    order = world.issue()
    with world.database.reading() as session:
        task = session.scalars(select(CallTask).where(CallTask.order_id == order.id)).one()
        assert task.phone == task.contact.phone
    assert (
        count(world, CallTask, CallTask.order_id == world.issue("03-cgnat-fraud-routine.json").id)
        == 0
    )


def test_a_draft_edited_meanwhile_is_not_overwritten(world: World) -> None:
    draft = world.draft()
    with world.database.transaction() as session:
        again = world.data(offence="Another offence")
        orders.edit(session, world.actor("officer"), draft.name, again, draft.version, world.now)
    with pytest.raises(Stale), world.database.transaction() as session:
        orders.edit(
            session,
            world.actor("second_officer"),
            draft.name,
            world.data(),
            draft.version,
            world.now,
        )


def test_editing_replaces_all_targets(world: World) -> None:
    draft = world.draft("03-cgnat-fraud-routine.json")
    data = world.data("03-cgnat-fraud-routine.json")
    data["targets"] = data["targets"][3:]
    with world.database.transaction() as session:
        orders.edit(session, world.actor("officer"), draft.name, data, draft.version, world.now)
    with world.database.reading() as session:
        kept = session.get_one(Order, draft.id).targets
        assert [(t.position, t.type.value) for t in kept] == [(0, "imei"), (1, "imsi")]


def test_a_second_issue_finds_the_order_issued(world: World) -> None:
    order = world.issue()
    with pytest.raises(InvalidTransition):
        issue(world, order.name)
    assert count(world, Timer, Timer.kind == TimerKind.LADDER) == 1


def test_another_authoritys_draft_does_not_exist(world: World) -> None:
    draft = world.draft()
    with pytest.raises(NotFound):
        issue(world, draft.name, by="foreign_officer")


def test_withdrawing_stops_ladder_notices_and_calls(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found safe.", world.now)
    assert count(world, Timer, Timer.state == TimerState.WAITING) == 0
    assert count(world, CallTask, CallTask.state == CallState.OPEN) == 0
    with world.database.reading() as session:
        waiting = select(Message.letter).where(Message.state == MessageState.QUEUED)
        # Our own people hear that nobody ratified it.
        assert session.scalars(waiting).all() == ["unratified_withdrawn"]


def test_the_provider_that_has_read_an_order_hears_that_it_was_withdrawn(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        orders.note_fetched(session, world.actor("spoc"), order.name, world.now)
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found safe.", world.now)
    assert count(world, Message, Message.letter == "order_withdrawn") == 1


def test_a_served_order_is_withdrawn_with_a_reason(world: World) -> None:
    order = world.issue()
    with pytest.raises(Invalid), world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, " ", world.now)
    assert count(world, Order, Order.state == OrderState.ISSUED) == 1


def test_a_discarded_draft_is_never_seen_by_the_provider(world: World) -> None:
    draft = world.draft()
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), draft.name, "", world.now)
    assert count(world, Entry, Entry.stream.startswith("provider:")) == 0


def test_the_first_fetch_is_noted_once_and_makes_no_answer_stale(world: World) -> None:
    order = world.issue()
    for _ in range(2):
        with world.database.transaction() as session:
            orders.note_fetched(session, world.actor("program"), order.name, world.now)
    assert count(world, Entry, Entry.type == "order.fetched") == 1
    with world.database.transaction() as session:
        answers.acknowledge(
            session, world.actor("spoc"), order.name, world.now, version=order.version
        )


def test_preserved_data_expire_on_the_promised_date_and_not_before(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        answers.preserve(session, world.actor("spoc"), order.name, Preservation(days=30), world.now)
    with world.database.reading() as session:
        timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.EXPIRY)).one()
        assert timer.due_at == world.now + timedelta(days=30)
    for days, state in ((29, OrderState.PRESERVED), (1, OrderState.EXPIRED)):
        world.clock.move(days=days)
        with world.database.transaction() as session:
            stored = session.get_one(Order, order.id)
            keeping.expire(session, session.get_one(Timer, timer.id), stored, world.now)
        assert count(world, Order, Order.state == state) == 1
    assert count(world, Message, Message.letter == "order_expired") == 1
