"""Four eyes: nobody stands behind an order that they wrote themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from liaison.domain.actors import operator
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import terms_json
from liaison.domain.vocabulary import Role
from liaison.errors import (
    Forbidden,
    Invalid,
    InvalidTransition,
    NotFound,
    OutsideTerms,
    Stale,
    StaleFactor,
)
from liaison.models import Authority, Entry, Memorandum, Message, Order, OrderWriter, Person, Timer
from liaison.models.work import MessageState
from liaison.services import authorising, ledger_check, orders, ratification, writers
from liaison.services.ledger import entry_data
from tests.register import terms
from tests.world import World

ROUTINE = "03-cgnat-fraud-routine.json"


def authorise(world: World, order: Order, by: str, **how: Any) -> Order:
    with world.database.transaction() as session:
        actor = world.actor(by, **how)
        return authorising.authorise(session, actor, order.name, None, world.now)


def return_(world: World, order: Order, by: str, note: str = "") -> Order:
    with world.database.transaction() as session:
        return authorising.return_(session, world.actor(by), order.name, note, None, world.now)


def edit(world: World, order: Order, by: str) -> Order:
    with world.database.transaction() as session:
        now = world.order(order.name)
        data = world.data(ROUTINE)
        return orders.edit(session, world.actor(by), order.name, data, now.version, world.now)


def of_type(world: World, order: Order, *types: str) -> list[dict[str, Any]]:
    with world.database.reading() as session:
        query = select(Entry).where(Entry.order_id == order.id, Entry.type.in_(types))
        return [entry_data(e) or {} for e in session.scalars(query.order_by(Entry.at, Entry.seq))]


def letters(world: World, letter: str) -> list[Message]:
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == letter).order_by(Message.id)
        return list(session.scalars(query))


def submitted(world: World, by: str = "officer") -> Order:
    return world.submit(world.draft(ROUTINE, by=by), by=by)


def test_a_routine_order_goes_out_on_two_peoples_word(world: World) -> None:
    draft = world.draft(ROUTINE)
    waiting = world.submit(draft)
    assert waiting.state is OrderState.SUBMITTED
    assert waiting.submitted_by_id == world.person("officer").id
    assert waiting.ref is None
    told = {(m.address, m.wanted.value) for m in letters(world, "order_submitted")}
    assert told == {
        ("duty@police.example", "until_authorised"),
        ("supervisor@police.example", "until_authorised"),
    }
    with pytest.raises(NotFound):
        world.order(draft.name, by="spoc")
    world.clock.move(minutes=20)
    served = world.authorise(waiting)
    assert (served.state, served.ref) == (OrderState.ISSUED, "CP-2026-0001")
    assert served.authorised_by_id == world.person("supervisor").id
    assert (served.ratify_by, served.ratified_at) == (None, None)
    assert served.disposal_wanted
    # The person in charge stays who wrote it, by name and address.
    assert served.officer_id == world.person("officer").id
    assert served.issuing_officer["name"] == "Anahit Petrosyan"
    (issued,) = of_type(world, served, "order.issued")
    assert issued["by"]["name"] == "Mariam Grigoryan"
    assert "ratify_by" not in issued
    assert len(of_type(world, served, "order.submitted", "order.authorised")) == 2
    assert {m.state for m in letters(world, "order_submitted")} == {MessageState.CANCELLED}
    (told_writer,) = letters(world, "order_authorised")
    assert told_writer.address == world.person("officer").email
    with world.database.reading() as session:
        found = ledger_check.verify(session)
        assert not [one for one in found if isinstance(one, ledger_check.Break)]


@pytest.mark.parametrize("file", [ROUTINE, "02-foreign-ransomware-hosting.json"])
def test_only_an_emergency_is_issued_at_once(world: World, file: str) -> None:
    draft = world.draft(file)
    with (
        pytest.raises(InvalidTransition, match="Submit this order"),
        world.database.transaction() as session,
    ):
        orders.issue(session, world.actor("officer"), draft.name, None, world.now)
    assert world.order(draft.name).state is OrderState.DRAFT
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0


# Whoever wrote it


def test_nobody_authorises_what_they_wrote_whatever_their_roles(world: World) -> None:
    order = submitted(world)
    writer = replace(world.actor("officer"), roles=frozenset(Role))
    with (
        pytest.raises(Forbidden, match="second pair of eyes") as refused,
        world.database.transaction() as session,
    ):
        authorising.authorise(session, writer, order.name, None, world.now)
    assert "Davit Sahakyan, Mariam Grigoryan" in refused.value.detail
    assert "Jan de Vries" not in refused.value.detail
    assert world.order(order.name).state is OrderState.SUBMITTED


def test_who_edited_a_returned_order_is_a_writer_too(world: World) -> None:
    order = submitted(world)
    returned = return_(world, order, "supervisor", "Which of the two addresses?")
    assert returned.state is OrderState.DRAFT
    assert returned.returned_note == "Which of the two addresses?"
    assert (returned.submitted_at, returned.submitted_by_id) == (None, None)
    edit(world, order, "supervisor")
    again = world.submit(world.order(order.name), by="officer")
    assert again.returned_note is None
    for who in ("officer", "supervisor"):
        with pytest.raises(Forbidden, match="second pair of eyes"):
            authorise(world, order, who)
    assert authorise(world, order, "second_officer").state is OrderState.ISSUED


def test_who_only_submits_what_another_drafted_is_a_writer(world: World) -> None:
    order = world.submit(world.draft(ROUTINE, by="officer"), by="second_officer")
    for who in ("officer", "second_officer"):
        with pytest.raises(Forbidden):
            authorise(world, order, who)
    assert world.authorise(order).officer_id == world.person("second_officer").id


def test_an_imported_draft_has_the_one_who_submits_it_as_writer(world: World) -> None:
    with world.database.transaction() as session:
        code = world.register.authorities["CP"]
        by = operator(code, "National 24/7 Contact Point")
        name = orders.draft(session, by, world.data(ROUTINE), world.now).name
    with pytest.raises(Forbidden), world.database.transaction() as session:
        authorising.submit(session, by, name, None, world.now)
    order = world.submit(world.order(name), by="second_officer")
    with pytest.raises(Forbidden):
        authorise(world, order, "second_officer")
    assert authorise(world, order, "officer").state is OrderState.ISSUED


def test_whoever_is_noted_as_a_writer_by_another_door_is_one(world: World) -> None:
    draft = world.draft(ROUTINE)
    with world.database.transaction() as session:
        order = session.get_one(Order, draft.id)
        for _ in range(2):
            writers.note_writer(session, order, world.person("supervisor").id, world.now)
        assert len(order.writers) == 2
    with pytest.raises(Forbidden):
        authorise(world, world.submit(draft), "supervisor")


@pytest.mark.parametrize("who", ["auditor", "administrator", "foreign_supervisor", "spoc"])
def test_nobody_else_authorises_or_returns(world: World, who: str) -> None:
    order = submitted(world)
    for act in (authorise, return_):
        with pytest.raises((Forbidden, NotFound)):
            act(world, order, who)
    assert world.order(order.name).state is OrderState.SUBMITTED


# What else authorising needs


def test_authorising_needs_a_fresh_code_and_a_passkey_where_the_authority_says_so(
    world: World,
) -> None:
    order = submitted(world)
    with pytest.raises(StaleFactor):
        authorise(world, order, "supervisor", fresh=False)
    with world.database.transaction() as session:
        session.execute(update(Authority).values(passkey_to_issue=True))
    with pytest.raises(Forbidden, match="passkey only"):
        authorise(world, order, "supervisor")
    assert world.order(order.name).state is OrderState.SUBMITTED


def test_whose_access_was_ended_meanwhile_authorises_nothing(world: World) -> None:
    order, actor = submitted(world), world.actor("supervisor")
    with world.database.transaction() as session:
        session.get_one(Person, world.person("supervisor").id).disabled_at = world.now
    with (
        pytest.raises(Forbidden, match="access has been ended"),
        world.database.transaction() as session,
    ):
        authorising.authorise(session, actor, order.name, None, world.now)
    assert world.order(order.name).state is OrderState.SUBMITTED


def set_terms(world: World, **changes: Any) -> None:
    with world.database.transaction() as session:
        agreed = terms_json(replace(terms(), **changes))
        session.execute(update(Memorandum).values(terms=agreed))


def test_who_may_issue_is_asked_of_who_authorises_not_of_who_submits(world: World) -> None:
    set_terms(world, issuers=frozenset({Role.SUPERVISOR}))
    order = submitted(world)
    with pytest.raises(OutsideTerms, match="memorandum does not allow"):
        authorise(world, order, "second_officer")
    assert authorise(world, order, "supervisor").state is OrderState.ISSUED
    emergency = world.draft()
    with pytest.raises(OutsideTerms), world.database.transaction() as session:
        orders.issue(session, world.actor("officer"), emergency.name, None, world.now)


def test_what_the_memorandum_allows_nobody_is_not_even_submitted(world: World) -> None:
    draft = world.draft(ROUTINE, duration_days=400)
    with pytest.raises(OutsideTerms):
        world.submit(draft)
    assert world.order(draft.name).state is OrderState.DRAFT


def test_a_memorandum_that_changed_meanwhile_rules_the_authorisation(world: World) -> None:
    order = submitted(world)
    set_terms(world, longest_days=10)
    with pytest.raises(OutsideTerms):
        authorise(world, order, "supervisor")


# Returned


def test_a_return_needs_a_note_unless_its_writer_takes_it_back(world: World) -> None:
    order = submitted(world)
    with pytest.raises(Invalid) as refused:
        return_(world, order, "supervisor", "  ")
    assert [e.pointer for e in refused.value.errors] == ["/note"]
    with pytest.raises(Invalid):
        return_(world, order, "supervisor", "x\x00y")
    assert return_(world, order, "officer").state is OrderState.DRAFT
    assert letters(world, "order_returned") == [], "they know"
    world.submit(world.order(order.name))
    return_(world, order, "supervisor", "The child’s name is in the note.")
    (told,) = letters(world, "order_returned")
    assert told.address == world.person("officer").email
    assert "child" not in str(told.params), "no case data"


def test_a_submitted_order_is_not_edited_and_can_be_discarded(world: World) -> None:
    order = submitted(world)
    with pytest.raises(InvalidTransition):
        edit(world, order, "officer")
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "", world.now)
    assert world.order(order.name).state is OrderState.WITHDRAWN
    assert {m.state for m in letters(world, "order_submitted")} == {MessageState.CANCELLED}
    with world.database.reading() as session:
        found = ledger_check.verify(session)
        assert not [one for one in found if isinstance(one, ledger_check.Break)]


# Twice, and at the same time


def test_a_second_authorisation_finds_it_done(world: World) -> None:
    order = submitted(world)
    authorise(world, order, "supervisor")
    for who in ("supervisor", "second_officer"):
        with pytest.raises(InvalidTransition):
            authorise(world, order, who)
    assert world.order(order.name).ref == "CP-2026-0001"
    actor = world.actor("second_officer")
    with pytest.raises(Stale), world.database.transaction() as session:
        authorising.authorise(session, actor, order.name, order.version, world.now)


def test_what_was_read_before_it_was_changed_is_not_authorised(world: World) -> None:
    order = submitted(world)
    return_(world, order, "officer")
    edit(world, order, "officer")
    world.submit(world.order(order.name))
    with pytest.raises(Stale):
        world.authorise(order)
    assert world.order(order.name).state is OrderState.SUBMITTED


def at_once(world: World, *acts: Callable[[], object]) -> list[BaseException | None]:
    """All at one moment; what became of each."""
    ready = threading.Barrier(len(acts))
    became: list[BaseException | None] = []

    def run(act: Callable[[], object]) -> None:
        ready.wait()
        try:
            act()
        except Exception as error:
            became.append(error)
        else:
            became.append(None)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return became


def test_of_two_who_authorise_at_one_moment_one_does(world: World) -> None:
    order = submitted(world)
    became = at_once(
        world,
        lambda: authorise(world, order, "supervisor"),
        lambda: authorise(world, order, "second_officer"),
    )
    assert became.count(None) == 1
    assert any(isinstance(error, InvalidTransition | Stale) for error in became)
    assert len(of_type(world, order, "order.issued")) == 1
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).where(Timer.order_id == order.id)) == 1


def test_of_a_return_and_an_authorisation_at_one_moment_one_happens(world: World) -> None:
    order = submitted(world)
    became = at_once(
        world,
        lambda: authorise(world, order, "supervisor"),
        lambda: return_(world, order, "officer"),
    )
    assert became.count(None) == 1
    now = world.order(order.name)
    assert (now.state is OrderState.ISSUED) == (now.authorised_by_id is not None)


def test_the_writers_of_an_emergency_are_known_too(world: World) -> None:
    draft = world.draft(by="second_officer")
    with world.database.transaction() as session:
        orders.issue(session, world.actor("officer"), draft.name, None, world.now)
    with world.database.reading() as session:
        found = set(session.scalars(select(OrderWriter.person_id)))
    assert found == {world.person("officer").id, world.person("second_officer").id}
    for who in ("officer", "second_officer"):
        with pytest.raises(Forbidden, match="cannot ratify"):
            world.ratify(draft, by=who)


# Ratifying


def test_an_emergency_is_ratified_once_by_another_person(world: World) -> None:
    order = world.issue(letters=True)
    assert order.ratify_by == world.now + timedelta(hours=12)
    told = {m.address for m in letters(world, "ratify_wanted")}
    assert told == {"supervisor@police.example", "duty@police.example"}
    (issued,) = of_type(world, order, "order.issued")
    assert issued["ratify_by"] == "2026-11-24T00:00:00Z"
    stale = world.actor("supervisor", fresh=False)
    with pytest.raises(StaleFactor), world.database.transaction() as session:
        ratification.ratify(session, stale, order.name, None, world.now)
    ratified = world.ratify(order)
    assert ratified.ratified_by_id == world.person("supervisor").id
    assert ratified.state is OrderState.ISSUED
    for who in ("supervisor", "second_officer"):
        with pytest.raises(InvalidTransition, match="Mariam Grigoryan has ratified"):
            world.ratify(order, by=who)
    assert len(of_type(world, order, "order.ratified")) == 1
    # They hear of it however soon somebody ratifies: it may be their account that was stolen.
    assert {m.state for m in letters(world, "ratify_wanted")} == {MessageState.QUEUED}
    with world.database.reading() as session:
        found = ledger_check.verify(session)
        assert not [one for one in found if isinstance(one, ledger_check.Break)]


def test_what_two_authorised_needs_no_ratification(world: World) -> None:
    order = world.issue(ROUTINE)
    with pytest.raises(InvalidTransition, match="needs no ratification"):
        world.ratify(order, by="second_officer")


def test_an_emergency_too_may_go_by_two_people(world: World) -> None:
    order = world.authorise(world.submit(world.draft()))
    assert (order.state, order.ratify_by) == (OrderState.ISSUED, None)


@pytest.mark.parametrize("who", ["auditor", "administrator", "foreign_supervisor", "spoc"])
def test_nobody_else_ratifies(world: World, who: str) -> None:
    order = world.issue()
    with pytest.raises((Forbidden, NotFound)):
        world.ratify(order, by=who)


def test_of_two_who_ratify_at_one_moment_one_does(world: World) -> None:
    order = world.issue()
    became = at_once(
        world,
        lambda: world.ratify(order),
        lambda: world.ratify(order, by="second_officer"),
    )
    assert became.count(None) == 1
    assert len(of_type(world, order, "order.ratified")) == 1


def test_an_answered_order_is_still_ratified_and_a_withdrawn_one_is_not(world: World) -> None:
    kept, gone = world.preserve(world.issue()), world.issue()
    assert world.ratify(kept).state is OrderState.PRESERVED
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), gone.name, "A mistake.", world.now)
    with pytest.raises(InvalidTransition):
        world.ratify(gone)
