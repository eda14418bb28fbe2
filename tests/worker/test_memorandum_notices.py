"""Letters before a memorandum ends: to both sides, when, and never about one that is followed."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import delete, event, update

from liaison.delivery.base import Outgoing
from liaison.domain.vocabulary import Role
from liaison.models import Memorandum, Person, PersonRole, Provider
from liaison.services import memorandum_notices, orders
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.services.test_memoranda import agree, begin, end, first_of, write
from tests.world import World

BOTH = ["m.grigoryan@police.example", "t.avagyan@meridian.example"]
LAST = date(2028, 12, 31)


@pytest.fixture(autouse=True)
def only_one(world: World) -> UUID:
    """The memorandum between the contact point and Meridian Telecom, until 31 December 2028."""
    first = first_of(world)
    with world.database.transaction() as session:
        session.execute(delete(Memorandum).where(Memorandum.id != first))
    return first


def letters(work: Work, sender: RecordingSender) -> list[str]:
    """Whom this run wrote to about the end of a memorandum."""
    before = len(about(sender))
    run_once(work)
    return sorted(outgoing.address for outgoing in about(sender)[before:])


def about(sender: RecordingSender) -> list[Outgoing]:
    """The letters about an end; other parts of the register write letters, too."""
    return [outgoing for outgoing in sender.sent if " ends " in outgoing.subject]


def on(world: World, month: int, day: int, hour: int = 12) -> None:
    world.clock.set(datetime(2028, month, day, hour, tzinfo=UTC))


def test_letters_go_90_30_and_7_days_before_and_once_each(
    world: World, work: Work, sender: RecordingSender
) -> None:
    on(world, 9, 25)
    told = {}
    while world.now.date() <= LAST:
        if found := letters(work, sender):
            told[(LAST - world.now.date()).days] = found
        assert letters(work, sender) == []
        world.clock.move(days=1)
    assert letters(work, sender) == []
    assert told == {90: BOTH, 30: BOTH, 7: BOTH}
    assert [outgoing.subject for outgoing in about(sender)[::2]] == [
        "Memorandum MoU-CP-Meridian ends in 90 days",
        "Memorandum MoU-CP-Meridian ends in 30 days",
        "Memorandum MoU-CP-Meridian ends in 7 days",
    ]
    last = about(sender)[-1]
    assert f"http://localhost/memoranda/{first_of(world)}" in last.text
    assert "until 31 Dec 2028" in last.text


def test_after_a_pause_only_the_latest_letter_goes(
    world: World, work: Work, sender: RecordingSender
) -> None:
    on(world, 12, 31, 23)
    assert letters(work, sender) == BOTH
    assert about(sender)[-1].subject.endswith("ends today")


def followed(world: World, first_day: str) -> None:
    """A next version is agreed that begins on this day."""
    draft = begin(world)
    write(world, draft, "provider_administrator", in_force_from=first_day)
    agree(world, draft)


@pytest.mark.parametrize("first_day", ["2028-12-31", "2029-01-01"])
def test_no_letter_where_a_later_one_follows_without_a_hole(
    world: World, work: Work, sender: RecordingSender, first_day: str
) -> None:
    followed(world, first_day)
    on(world, 12, 30)
    assert letters(work, sender) == []
    assert about(sender) == []


def test_a_hole_of_a_day_is_warned_of(world: World, work: Work, sender: RecordingSender) -> None:
    followed(world, "2029-01-02")
    run_once(work)
    on(world, 12, 30)
    assert letters(work, sender) == BOTH
    with world.database.reading() as session:
        assert not memorandum_notices.is_due(session, world.now)


def test_a_draft_is_not_enough_and_is_pointed_at(
    world: World, work: Work, sender: RecordingSender
) -> None:
    on(world, 12, 1)
    begin(world)
    run_once(work)
    assert "A draft of version 2 is open" in about(sender)[-1].text


def test_whoever_was_told_of_an_end_that_was_set_is_warned_at_the_next_day_only(
    world: World, work: Work, sender: RecordingSender
) -> None:
    end(world, first_of(world), date(2026, 12, 13))
    assert letters(work, sender) == BOTH  # of the end itself
    assert letters(work, sender) == []
    world.clock.move(days=13)
    assert letters(work, sender) == BOTH
    assert about(sender)[-1].subject == "Memorandum MoU-CP-Meridian ends in 7 days"


def test_everybody_who_can_sign_is_told_and_nobody_who_left(
    world: World, work: Work, sender: RecordingSender
) -> None:
    on(world, 12, 1)
    with world.database.transaction() as session:
        role = PersonRole(person_id=world.person("spoc").id, role=Role.PROVIDER_ADMINISTRATOR)
        session.add(role)
        session.execute(
            update(Person)
            .where(Person.id == world.person("supervisor").id)
            .values(disabled_at=world.now)
        )
    # Our side has nobody left who can sign: its administrator must know.
    assert letters(work, sender) == [
        "r.vardanyan@meridian.example",
        "s.martirosyan@police.example",
        BOTH[1],
    ]


def test_where_nobody_has_an_account_the_registered_addresses_are_told(
    world: World, work: Work, sender: RecordingSender
) -> None:
    on(world, 12, 1)
    with world.database.transaction() as session:
        session.execute(update(Person).values(disabled_at=world.now))
    assert letters(work, sender) == [
        "247cp@police.example",
        "deputy@meridian.example",
        "spoc@meridian.example",
    ]
    with world.database.reading() as session:
        assert not memorandum_notices.is_due(session, world.now)


def test_two_workers_write_one_letter_each(
    world: World, work: Work, sender: RecordingSender
) -> None:
    on(world, 12, 1)
    start, told = threading.Barrier(4), []

    def tell() -> None:
        start.wait()
        with world.database.transaction() as session:
            told.append(memorandum_notices.run(session, world.now, "http://localhost"))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [0, 0, 0, 2]
    assert letters(work, sender) == BOTH


def ending(world: World, how_many: int) -> None:
    """So many more memoranda that end on the same day, with a provider each."""
    with world.database.transaction() as session:
        first = session.get_one(Memorandum, first_of(world))
        source = {
            column.key: getattr(first.provider, column.key)
            for column in Provider.__table__.columns
            if column.key not in ("id", "name", "name_key")
        }
        more = [Provider(**{**source, "name": f"P{n}"}) for n in range(how_many)]
        session.add_all(more)
        session.flush()
        session.add_all(
            Memorandum(
                authority_id=first.authority_id,
                provider_id=one.id,
                reference="R",
                version=1,
                signed_on=first.signed_on,
                in_force_from=first.in_force_from,
                in_force_to=first.in_force_to,
                terms=first.terms,
            )
            for one in more
        )


def test_many_are_told_in_portions_and_those_told_cost_nothing(world: World) -> None:
    """However many end on one day: the worker asks one question while nothing is due."""
    ending(world, 24)
    on(world, 12, 30)
    portions = []
    while True:
        with world.database.transaction() as session:
            told = memorandum_notices.run(session, world.now, "http://localhost")
        if not told:
            break
        portions.append(told)
    assert portions == [21, 5]  # the first memorandum's provider has an administrator to tell, too
    statements: list[str] = []
    with world.database.reading() as session:
        heard = session.get_bind()
        event.listen(heard, "before_cursor_execute", lambda *given: statements.append(given[2]))
        assert not memorandum_notices.is_due(session, world.now)
    assert len([one for one in statements if one.startswith("SELECT")]) == 1


@pytest.mark.postgresql_only
def test_an_emergency_is_issued_while_letters_are_being_queued(world: World) -> None:
    """It refers to the memorandum, which is held meanwhile; nothing makes it wait."""
    on(world, 12, 30)
    draft = world.draft()
    issued: list[object] = []

    def issue() -> None:
        with world.database.transaction() as session:
            issued.append(
                orders.issue(session, world.actor("officer"), draft.name, None, world.now)
            )

    with world.database.transaction() as session:
        assert memorandum_notices.run(session, world.now, "http://localhost") == 2
        other = threading.Thread(target=issue)
        other.start()
        other.join(5)
        waited = not issued
    other.join()
    assert not waited
