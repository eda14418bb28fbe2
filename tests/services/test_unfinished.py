"""Drafts saved as they are typed: nothing is lost, and whoever typed has written the order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from liaison.domain.lifecycle import OrderState
from liaison.errors import Forbidden, Invalid, NotFound
from liaison.models import (
    KeptForm,
    Order,
    OrderWriter,
    Person,
    Presence,
    UnfinishedDraft,
    UnfinishedWriter,
)
from liaison.queries.presence import others
from liaison.services import housekeeping, orders, presence, unfinished
from liaison.services.unfinished import DraftSaved
from liaison.services.vault import Vault
from tests.world import World

FIRST = (("provider", "Meridian Telecom"), ("offence", "Fraud"))
SECOND = (*FIRST, ("facts", "They were led to a false page."))
CASE = ("investigating_authority-case_number", "CD-26-8812")


def save(
    world: World,
    by: str,
    fields: tuple[tuple[str, str], ...],
    edit: int,
    draft_id: UUID | None = None,
    order_id: UUID | None = None,
) -> UnfinishedDraft:
    with world.database.transaction() as session:
        row = unfinished.save(
            session, world.vault, world.actor(by), draft_id, order_id, fields, edit, world.now
        )
        _ = row.saved_by.name
        return row


def count(world: World, table: type) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def read(world: World, by: str, draft_id: UUID) -> tuple[tuple[str, str], ...]:
    with world.database.reading() as session:
        row = unfinished.find(session, world.actor(by), draft_id)
        return unfinished.fields_of(world.vault, row)


@contextmanager
def finishing(world: World, by: str, draft_id: UUID, edit: int) -> Iterator[Order]:
    with world.database.transaction() as session:
        row = unfinished.ready(session, world.actor(by), draft_id, None, edit)
        order = orders.draft(session, world.actor(by), world.data(), world.now)
        if row is not None:
            unfinished.finish(session, row, [order], world.now)
        yield order


def test_begun_with_the_first_save_sealed_and_read_by_a_colleague(world: World) -> None:
    row = save(world, "officer", FIRST, 0)
    assert (row.edit, row.title) == (1, "Fraud, Meridian Telecom")
    assert "false page" not in save(world, "officer", SECOND, 1, row.id).sealed
    assert read(world, "supervisor", row.id) == SECOND
    with world.database.reading() as session:
        (listed,) = unfinished.listed(session, world.actor("supervisor"))
        assert (listed.begun_by.name, listed.edit) == (world.person("officer").name, 2)


def test_the_title_is_the_case_number_and_never_longer_than_a_line(world: World) -> None:
    assert save(world, "officer", (CASE, *FIRST), 0).title == "CD-26-8812, Meridian Telecom"
    assert save(world, "officer", (), 0).title == "No case number yet"
    assert len(save(world, "officer", (("offence", "x" * 900),), 0).title) == 81


def test_a_save_that_is_sent_twice_makes_one_draft_and_one_edit(world: World) -> None:
    wanted = uuid4()
    assert save(world, "officer", FIRST, 0, wanted).edit == 1
    assert save(world, "officer", FIRST, 0, wanted).edit == 1
    assert count(world, UnfinishedDraft) == 1
    # The answer to a save was lost on the way: their own older number is no conflict.
    assert save(world, "officer", SECOND, 0, wanted).edit == 2


def test_a_colleagues_newer_save_is_not_written_over(world: World) -> None:
    row = save(world, "officer", FIRST, 0)
    world.clock.move(seconds=12)
    save(world, "supervisor", SECOND, 1, row.id)
    with pytest.raises(DraftSaved) as caught:
        save(world, "officer", (*FIRST, ("facts", "Mine")), 1, row.id)
    assert world.person("supervisor").name in caught.value.detail
    assert "12:00:12 UTC" in caught.value.detail
    assert read(world, "officer", row.id) == SECOND
    with pytest.raises(DraftSaved), finishing(world, "officer", row.id, 1):
        pass
    assert count(world, Order) == 0


def test_another_authoritys_draft_is_none(world: World) -> None:
    row = save(world, "officer", FIRST, 0)
    stranger = world.actor("foreign_officer")
    for wanted in (row.id, uuid4()):
        with world.database.transaction() as session, pytest.raises(NotFound):
            unfinished.find(session, stranger, wanted)
        with world.database.transaction() as session, pytest.raises(NotFound):
            unfinished.discard(session, stranger, wanted)
    with pytest.raises(NotFound):
        save(world, "foreign_officer", SECOND, 1, row.id)
    with pytest.raises(NotFound):
        save(world, "foreign_officer", SECOND, 0, row.id)
    with world.database.reading() as session:
        assert unfinished.listed(session, stranger) == []


@pytest.mark.parametrize("who", ["auditor", "administrator", "spoc", "program"])
def test_only_those_who_write_orders_see_drafts(world: World, who: str) -> None:
    row = save(world, "officer", FIRST, 0)
    with world.database.transaction() as session, pytest.raises(Forbidden):
        unfinished.find(session, world.actor(who), row.id)
    with pytest.raises(Forbidden):
        save(world, who, FIRST, 0)


def test_everybody_who_typed_has_written_the_order_and_the_draft_is_gone(world: World) -> None:
    row = save(world, "officer", FIRST, 0)
    save(world, "supervisor", SECOND, 1, row.id)
    with world.database.transaction() as session:
        presence.here(session, world.actor("officer"), row.id, world.now, writing=True)
    with finishing(world, "supervisor", row.id, 2) as order:
        pass
    with world.database.reading() as session:
        query = select(OrderWriter.person_id).where(OrderWriter.order_id == order.id)
        people = {world.person(who).id for who in ("officer", "supervisor")}
        assert set(session.scalars(query)) == people
    for table in (UnfinishedDraft, Presence):
        assert count(world, table) == 0
    assert count(world, UnfinishedWriter) == 2  # a page that shows the text may be sent yet
    with pytest.raises(DraftSaved, match="discarded meanwhile"):
        save(world, "officer", FIRST, 1, row.id)
    assert count(world, UnfinishedDraft) == 0


def test_changes_to_a_draft_order_are_one_draft_whoever_begins(world: World) -> None:
    order = world.draft()
    mine = save(world, "officer", FIRST, 0, order_id=order.id)
    with pytest.raises(DraftSaved):
        save(world, "supervisor", SECOND, 0, order_id=order.id)
    theirs = save(world, "supervisor", SECOND, 1, order_id=order.id)
    assert (theirs.id, theirs.edit) == (mine.id, 2)
    with pytest.raises(NotFound):
        save(world, "foreign_officer", FIRST, 0, order_id=order.id)


def test_changes_that_nobody_can_make_any_more_are_tidied_away(world: World) -> None:
    order = world.draft()
    row = save(world, "officer", FIRST, 0, order_id=order.id)
    begun = save(world, "officer", FIRST, 0)
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now)
    assert count(world, UnfinishedDraft) == 2
    with world.database.transaction() as session:
        # Version and all: as if it had been submitted by another verb.
        session.execute(update(Order).values(state=OrderState.SUBMITTED, version=2))
    with world.database.reading() as session:
        found = unfinished.listed(session, world.actor("officer"))
        assert [one.id for one in found] == [begun.id]
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now)
        session.execute(update(Order).values(state=OrderState.WITHDRAWN, version=3))
    assert count(world, UnfinishedDraft) == 2
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now)
    with world.database.reading() as session:
        assert session.get(UnfinishedDraft, row.id) is None
        assert session.get(UnfinishedDraft, begun.id) is not None


def test_who_typed_is_remembered_for_as_long_as_a_page_may_show_it(world: World) -> None:
    row, kept = save(world, "officer", FIRST, 0), save(world, "officer", SECOND, 0)
    with world.database.transaction() as session:
        unfinished.discard(session, world.actor("officer"), row.id)
    for days, left in ((90, 2), (1, 1)):
        world.clock.move(days=days)
        with world.database.transaction() as session:
            housekeeping.tidy(session, world.now)
        assert count(world, UnfinishedWriter) == left
    with world.database.reading() as session:
        assert session.scalars(select(UnfinishedWriter.draft_id)).one() == kept.id


def test_the_typists_of_another_authoritys_draft_are_nobody_here(world: World) -> None:
    theirs = save(world, "foreign_officer", FIRST, 0)
    mine = save(world, "officer", FIRST, 0)
    with world.database.transaction() as session:
        session.expunge_all()
        actor = world.actor("officer")
        unfinished.save(
            session, world.vault, actor, mine.id, None, SECOND, 1, world.now, earlier=[theirs.id]
        )
        order = orders.draft(session, actor, world.data(), world.now)
        unfinished.credit(session, actor, [theirs.id, mine.id], [order], world.now)
        assert session.scalars(select(OrderWriter.person_id)).all() == [actor.person_id]
        typed = select(UnfinishedWriter.person_id).where(UnfinishedWriter.draft_id == mine.id)
        assert session.scalars(typed).all() == [actor.person_id]


def test_a_draft_is_saved_from_the_page_that_it_belongs_to(world: World) -> None:
    order, other = world.draft(), world.draft()
    change = save(world, "officer", FIRST, 0, order_id=order.id)
    new = save(world, "officer", FIRST, 0)
    for edit in (0, 1):
        with pytest.raises(NotFound):
            save(world, "supervisor", SECOND, edit, change.id)
    with world.database.transaction() as session, pytest.raises(NotFound):
        unfinished.ready(session, world.actor("supervisor"), change.id, None, 1)
    for draft_id in (change.id, new.id):
        with pytest.raises(NotFound):
            save(world, "supervisor", SECOND, 0, draft_id, other.id)
        assert read(world, "officer", draft_id) == FIRST


def test_a_change_that_took_the_place_of_the_one_that_was_read_is_told(world: World) -> None:
    order = world.draft()
    first = save(world, "officer", FIRST, 0, order_id=order.id)
    with world.database.transaction() as session:
        unfinished.discard(session, world.actor("officer"), first.id)
    second = save(world, "officer", SECOND, 0, order_id=order.id)
    with pytest.raises(DraftSaved, match="began another one"):
        save(world, "supervisor", FIRST, 1, first.id, order.id)
    with world.database.transaction() as session, pytest.raises(DraftSaved):
        unfinished.ready(session, world.actor("supervisor"), first.id, order.id, 1)
    assert read(world, "officer", second.id) == SECOND


def test_nothing_typed_gives_way_to_make_room(world: World) -> None:
    for _ in range(unfinished.MOST):
        save(world, "officer", FIRST, 0)
    with pytest.raises(Invalid) as caught:
        save(world, "officer", FIRST, 0)
    assert "Discard some" in caught.value.errors[0].detail
    assert count(world, UnfinishedDraft) == unfinished.MOST
    assert count(world, KeptForm) == 0


def test_a_draft_sealed_with_a_lost_key_says_so(world: World) -> None:
    row = save(world, "officer", FIRST, 0)
    other = Vault("YSBrZXkgdGhhdCBub2JvZHkgaGFzIHNlZW4geWV0ISE=")
    with world.database.reading() as session, pytest.raises(NotFound, match="cannot be read"):
        unfinished.fields_of(other, unfinished.find(session, world.actor("officer"), row.id))


# Who else is looking


def present(world: World, who: str, subject: UUID, *, writing: bool = False) -> None:
    with world.database.transaction() as session:
        presence.here(session, world.actor(who), subject, world.now, writing=writing)


def seen(world: World, who: str, subject: UUID) -> list[tuple[str, bool]]:
    with world.database.reading() as session:
        found = others(session, world.actor(who), subject, world.now)
        return [(one.name, one.writing) for one in found]


def test_colleagues_see_each_other_for_a_minute_and_the_other_side_never(world: World) -> None:
    order = world.issue()
    present(world, "officer", order.id)
    present(world, "officer", order.id, writing=True)
    present(world, "spoc", order.id)
    name = world.person("officer").name
    assert seen(world, "supervisor", order.id) == [(name, True)]
    assert seen(world, "officer", order.id) == []
    assert seen(world, "spoc", order.id) == []
    assert seen(world, "foreign_officer", order.id) == []
    world.clock.move(seconds=59)
    assert seen(world, "supervisor", order.id) == [(name, True)]
    world.clock.move(seconds=1)
    assert seen(world, "supervisor", order.id) == []
    with world.database.transaction() as session:
        housekeeping.tidy(session, world.now)
    assert count(world, Presence) == 0


def test_whoever_was_let_go_is_not_here_any_more(world: World) -> None:
    order = world.issue()
    present(world, "officer", order.id)
    with world.database.transaction() as session:
        session.get_one(Person, world.person("officer").id).disabled_at = world.now
    assert seen(world, "supervisor", order.id) == []


def test_a_program_is_nobody_who_looks(world: World) -> None:
    order = world.issue()
    present(world, "program", order.id)
    assert count(world, Presence) == 0
