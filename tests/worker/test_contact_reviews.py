"""Stale entries: the owner is reminded every fourteen days, supervisors from the fourth week on."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Function, Status
from liaison.models import Contact, Person, PersonRole, Provider
from liaison.services import contact_reviews, contacts
from liaison.worker import Work, run_once
from tests.contact_steps import KEEPER, contact, read
from tests.mail import RecordingSender
from tests.world import World

PROVIDER = "Meridian Telecom"

SUPERVISORS = ["e.jansen@politie.example", "m.grigoryan@police.example"]
"""Of both authorities: each has a memorandum with the provider."""


@pytest.fixture(autouse=True)
def only_meridians_are_stale(world: World) -> None:
    """Two of Meridian's contacts are to be reviewed by 1 December 2026; everybody else far on."""
    meridian = world.register.providers[PROVIDER]
    with world.database.transaction() as session:
        session.execute(update(Contact).values(review_on=date(2027, 11, 1)))
        session.execute(
            update(Contact)
            .where(
                Contact.provider_id == meridian,
                Contact.function.in_((Function.PRIMARY, Function.NOC)),
            )
            .values(review_on=date(2026, 12, 1))
        )


def letters(work: Work, sender: RecordingSender) -> list[str]:
    before = len(sender.sent)
    run_once(work)
    return sorted(sender.addresses[before:])


def test_who_is_reminded_and_when(world: World, work: Work, sender: RecordingSender) -> None:
    told = {}
    for _ in range(60):
        if found := letters(work, sender):
            told[world.now.date()] = found
        assert letters(work, sender) == []
        world.clock.move(days=1)
    assert told == {
        date(2026, 12, 2): [KEEPER],
        date(2026, 12, 16): [KEEPER],
        date(2026, 12, 30): sorted([KEEPER, *SUPERVISORS]),
        date(2027, 1, 13): sorted([KEEPER, *SUPERVISORS]),
    }
    first = sender.sent[0]
    assert first.subject == "2 contacts of Meridian Telecom must be reviewed"
    assert "(SPOC)" in first.text and "(Network operations centre)" in first.text
    assert "http://localhost/contacts" in first.text
    late = next(sent for sent in sender.sent if sent.address in SUPERVISORS)
    assert late.subject == "Meridian Telecom does not review its contacts"
    assert f"/contacts/{contact(world).id}" in late.text or "/contacts/" in late.text


def test_still_right_ends_the_reminders(world: World, work: Work, sender: RecordingSender) -> None:
    world.clock.set(datetime(2026, 12, 2, 8, tzinfo=UTC))
    assert letters(work, sender) == [KEEPER]
    for function in (Function.PRIMARY, Function.NOC):
        with world.database.transaction() as session:
            keeper = world.actor("provider_administrator")
            contacts.review(session, keeper, contact(world, function).id, world.now)
    world.clock.move(days=100)
    assert letters(work, sender) == []
    world.clock.move(days=81)
    assert letters(work, sender) == [KEEPER], "and they begin anew after the next date"


def test_spocs_are_reminded_where_there_is_no_administrator(
    world: World, work: Work, sender: RecordingSender
) -> None:
    with world.database.transaction() as session:
        someone = world.person("provider_administrator").id
        session.execute(update(Person).where(Person.id == someone).values(disabled_at=world.now))
    world.clock.set(datetime(2026, 12, 2, 8, tzinfo=UTC))
    assert letters(work, sender) == ["r.vardanyan@meridian.example"]


def test_where_nobody_keeps_them_supervisors_are_told_at_once(
    world: World, work: Work, sender: RecordingSender
) -> None:
    with world.database.transaction() as session:
        ours = [world.person(who).id for who in ("provider_administrator", "spoc")]
        session.execute(delete(PersonRole).where(PersonRole.person_id.in_(ours)))
    world.clock.set(datetime(2026, 12, 2, 8, tzinfo=UTC))
    assert letters(work, sender) == SUPERVISORS
    assert read(world, contact(world).id).nagged_at == world.now


def test_a_closed_provider_and_a_removed_contact_are_left_alone(
    world: World, work: Work, sender: RecordingSender
) -> None:
    world.clock.set(datetime(2026, 12, 2, 8, tzinfo=UTC))
    with world.database.transaction() as session:
        session.execute(
            update(Contact).where(Contact.function == Function.NOC).values(removed_at=world.now)
        )
    assert letters(work, sender) == [KEEPER]
    assert sender.sent[0].subject == "A contact of Meridian Telecom must be reviewed"
    world.clock.move(days=14)
    with world.database.transaction() as session:
        session.execute(update(Provider).values(status=Status.CLOSED))
    assert letters(work, sender) == []


def test_an_authoritys_own_entries_are_its_administrators_matter(
    world: World, work: Work, sender: RecordingSender
) -> None:
    with world.database.transaction() as session:
        session.execute(update(Contact).values(review_on=date(2027, 11, 1)))
        duty = contact(world, Function.DUTY_OFFICER, "CP")
        session.execute(
            update(Contact).where(Contact.id == duty.id).values(review_on=date(2026, 11, 1))
        )
    assert letters(work, sender) == [
        "l.hakobyan@police.example",
        "s.martirosyan@police.example",
    ]
    world.clock.move(days=14)
    assert "m.grigoryan@police.example" in letters(work, sender)


def test_what_is_due_is_one_organisation_at_a_time(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(update(Contact).values(review_on=date(2026, 1, 1)))
    counts = []
    with world.database.transaction() as session:
        while contact_reviews.is_due(session, world.now):
            counts.append(contact_reviews.run(session, world.now, ""))
    assert sorted(counts) == [2, 2, 5, 5, 5, 5]


def test_an_organisation_that_fails_holds_up_no_other(
    world: World, work: Work, sender: RecordingSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    norvik = world.register.providers["Norvik Mobile"]
    with world.database.transaction() as session:
        later = update(Contact).where(Contact.provider_id == norvik)
        session.execute(later.values(review_on=date(2026, 12, 2)))
    world.clock.set(datetime(2026, 12, 3, 9, tzinfo=UTC))
    real = contact_reviews._remind

    def remind(session: Session, stale: list[Contact], now: datetime) -> None:
        if stale[0].provider_id != norvik:
            raise KeyError("roles")
        real(session, stale, now)

    with monkeypatch.context() as broken:
        broken.setattr(contact_reviews, "_remind", remind)
        told = letters(work, sender)
    assert told and KEEPER not in told
    assert letters(work, sender) == [KEEPER], "tried again"
