"""Codes for addresses and numbers: where they go, how long they count, who may do what."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from liaison.domain.actors import Actor
from liaison.errors import Forbidden, InvalidTransition, NotFound, RateLimited, StaleFactor
from liaison.models import Contact, Message, Verification
from liaison.services import contacts, verifications
from tests.contact_steps import NEW_NUMBER, change, contact, given, logged, read, verify
from tests.world import World

ADMIN = "provider_administrator"


@pytest.fixture
def made(world: World) -> Contact:
    """A new contact of Meridian's; nothing of it is verified."""
    with world.database.transaction() as session:
        return contacts.enter(session, world.actor(ADMIN), None, given(), world.now)


def ask(world: World, of: UUID, way: str, by: str | Actor = ADMIN) -> Verification:
    actor = world.actor(by) if isinstance(by, str) else by
    with world.database.transaction() as session:
        return verifications.ask(session, world.vault, actor, of, way, world.now)


def call(world: World, row: UUID, by: str | Actor = "officer") -> str:
    actor = world.actor(by) if isinstance(by, str) else by
    with world.database.transaction() as session:
        verifications.call(session, world.vault, actor, row, world.now)
        found = verifications.find_call(session, actor, row, world.now)
        return verifications.code_for(world.vault, actor, found) or ""


def enter(world: World, of: UUID, way: str, code: str, by: str | Actor = ADMIN) -> str | None:
    actor = world.actor(by) if isinstance(by, str) else by
    with world.database.transaction() as session:
        return verifications.enter(session, world.vault, actor, of, way, code, world.now)


def code_of(world: World, row: Verification) -> str:
    with world.database.reading() as session:
        return world.vault.open(session.get_one(Verification, row.id).sealed_code)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


# By letter


def test_the_code_for_an_address_goes_there_sealed_and_verifies_it(
    world: World, made: Contact
) -> None:
    row = ask(world, made.id, "email")
    code = code_of(world, row)
    assert len(code) == 8 and code.isdigit()
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == "register/contact_code")
        letter = session.scalars(query).one()
        assert letter.address == made.email
        assert code not in str(letter.params) and code not in row.sealed_code
        assert world.vault.open(letter.sealed_link or "") == code
    assert enter(world, made.id, "email", f" {code[:4]}-{code[4:]} ") is None
    assert read(world, made.id).email_verified_at == world.now
    assert logged(world)[-2:] == ["contact_code_asked", "contact_verified"]
    with pytest.raises(InvalidTransition, match="verified already"):
        ask(world, made.id, "email")


def test_five_wrong_codes_spend_it(world: World, made: Contact) -> None:
    code = code_of(world, ask(world, made.id, "email"))
    for left in (4, 3, 2, 1):
        assert f"Tries left: {left}" in (enter(world, made.id, "email", wrong(code)) or "")
    assert enter(world, made.id, "email", "ա" * 8) == verifications.SPENT
    assert enter(world, made.id, "email", code) == verifications.NONE_OPEN
    assert read(world, made.id).email_verified_at is None
    fresh = code_of(world, ask(world, made.id, "email"))
    assert enter(world, made.id, "email", fresh) is None


def test_a_code_counts_for_a_day_and_a_newer_one_ends_it(world: World, made: Contact) -> None:
    first = code_of(world, ask(world, made.id, "email"))
    second = code_of(world, ask(world, made.id, "email"))
    assert "wrong" in (enter(world, made.id, "email", first) or "")
    world.clock.move(hours=24)
    assert enter(world, made.id, "email", second) == verifications.NONE_OPEN


def test_a_few_codes_an_hour_for_one_address(world: World, made: Contact) -> None:
    for _ in range(verifications.CODES):
        ask(world, made.id, "email")
    with pytest.raises(RateLimited):
        ask(world, made.id, "email")
    ask(world, made.id, "phone")
    world.clock.move(hours=1, seconds=1)
    ask(world, made.id, "email")


def test_a_code_for_one_address_verifies_no_other(world: World, made: Contact) -> None:
    code = code_of(world, ask(world, made.id, "email"))
    with world.database.transaction() as session:
        fields = given(read(world, made.id), email="other@meridian.example")
        contacts.change(session, world.actor(ADMIN), made.id, fields, world.now)
    assert enter(world, made.id, "email", code) == verifications.NONE_OPEN


# By a call


def test_a_number_is_verified_by_two_people(world: World, made: Contact) -> None:
    row = ask(world, made.id, "phone")
    known = code_of(world, row)
    assert enter(world, made.id, "phone", known) == verifications.NOT_CALLED
    with world.database.reading() as session:
        officer = world.actor("officer")
        waiting = verifications.to_call(session, officer, world.now)
        assert [w.value for w in waiting] == [made.phone]
        assert verifications.code_for(world.vault, officer, waiting[0]) is None
    assert call(world, row.id) == known
    assert enter(world, made.id, "phone", known) is None
    assert read(world, made.id).phone_verified_at == world.now
    assert logged(world)[-2:] == ["contact_called", "contact_verified"]
    with world.database.reading() as session:
        assert verifications.count_to_call(session, world.actor("officer"), world.now) == 0


def test_a_second_caller_reads_another_code(world: World, made: Contact) -> None:
    row = ask(world, made.id, "phone")
    first = call(world, row.id, "officer")
    assert call(world, row.id, "officer") == first
    second = call(world, row.id, "second_officer")
    assert second != first
    with world.database.reading() as session:
        found = session.get_one(Verification, row.id)
        assert verifications.code_for(world.vault, world.actor("officer"), found) is None
    assert "wrong" in (enter(world, made.id, "phone", first) or "")
    assert enter(world, made.id, "phone", second) is None


def test_nobody_reads_a_code_out_and_enters_it(world: World) -> None:
    """Somebody who is officer and administrator at once."""
    both = _both(world)
    with world.database.transaction() as session:
        fields = given(function="duty_officer", email="night@police.example")
        other = world.actor("administrator")
        made = contacts.enter(session, other, None, fields, world.now)
    asked = ask(world, made.id, "phone", both)
    with pytest.raises(Forbidden, match="somebody else calls"):
        call(world, asked.id, both)
    asked = ask(world, made.id, "phone", "administrator")
    code = call(world, asked.id, both)
    with pytest.raises(Forbidden, match="another person enters it"):
        enter(world, made.id, "phone", code, both)
    assert enter(world, made.id, "phone", code, "administrator") is None


def test_whoever_asked_for_a_change_of_a_number_does_not_call_it(world: World) -> None:
    both = _both(world)
    spoc = contact(world)
    with world.database.transaction() as session:
        contacts.change(session, both, spoc.id, given(spoc, phone=NEW_NUMBER), world.now)
    row = ask(world, spoc.id, "phone")
    with pytest.raises(Forbidden):
        call(world, row.id, both)
    assert call(world, row.id, "second_officer")


def test_whoever_entered_a_number_does_not_call_it(world: World) -> None:
    """They could read the code out to a number of their own, with a colleague's good will."""
    both = _both(world)
    sevan = world.register.providers["Sevan Hosting"]
    with world.database.transaction() as session:
        fields = given(email="night@sevan.example")
        made = contacts.enter(session, both, sevan, fields, world.now)
    row = ask(world, made.id, "phone", "administrator")
    with pytest.raises(Forbidden, match="somebody else calls"):
        call(world, row.id, both)
    assert call(world, row.id, "second_officer")
    # Corrected by somebody else: the number is theirs.
    fields = given(read(world, made.id), phone="+37410000778")
    with world.database.transaction() as session:
        contacts.change(session, world.actor("administrator"), made.id, fields, world.now)
    row = ask(world, made.id, "phone", "administrator")
    assert call(world, row.id, both)


def _both(world: World) -> Actor:
    officer, administrator = world.actor("officer"), world.actor("administrator")
    return Actor(
        id=officer.id,
        name=officer.name,
        roles=officer.roles | administrator.roles,
        authority_id=officer.authority_id,
        person_id=officer.person_id,
        organisation=officer.organisation,
        via=officer.via,
    )


@pytest.mark.one_database
def test_who_calls_and_with_what(world: World, made: Contact) -> None:
    row = ask(world, made.id, "phone")
    for who in ("auditor", "administrator", ADMIN, "spoc"):
        with world.database.reading() as session, pytest.raises(Forbidden):
            verifications.to_call(session, world.actor(who), world.now)
    with pytest.raises(StaleFactor):
        call(world, row.id, world.actor("officer", fresh=False))
    with pytest.raises(NotFound):
        call(world, uuid4())
    for who in ("officer", "spoc"):
        with pytest.raises(Forbidden):
            ask(world, made.id, "email", who)
        with pytest.raises(Forbidden):
            enter(world, made.id, "email", "12345678", who)


@pytest.mark.one_database
def test_an_authoritys_own_numbers_are_its_own_matter(world: World) -> None:
    with world.database.transaction() as session:
        fields = given(function="duty_officer", email="night@police.example")
        made = contacts.enter(session, world.actor("administrator"), None, fields, world.now)
    row = ask(world, made.id, "phone", "administrator")
    with pytest.raises(NotFound):
        call(world, row.id, "foreign_officer")


def test_a_number_waits_a_week_for_its_call(world: World, made: Contact) -> None:
    row = ask(world, made.id, "phone")
    world.clock.move(days=6, hours=23)
    code = call(world, row.id)
    world.clock.move(hours=23)
    assert enter(world, made.id, "phone", code) is None
    other = ask(world, made.id, "email")
    assert other.expires_at == world.now + timedelta(hours=24)


def test_the_code_of_a_stopped_change_counts_for_nothing(world: World) -> None:
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER)
    assert waits is not None
    row = ask(world, spoc.id, "phone")
    call(world, row.id)
    with world.database.transaction() as session:
        contacts.cancel_change(session, world.actor("supervisor"), waits.id, world.now)
    with pytest.raises(InvalidTransition, match="verified already"):
        enter(world, spoc.id, "phone", code_of(world, row))
    again = change(world, spoc, phone=NEW_NUMBER)
    assert again is not None
    assert enter(world, spoc.id, "phone", code_of(world, row)) == verifications.NONE_OPEN
    assert verify(world, spoc.id, "phone") is None
    assert read(world, spoc.id).phone == spoc.phone, "verified, and cooling off still"


def test_there_is_no_other_way(world: World, made: Contact) -> None:
    with pytest.raises(NotFound):
        ask(world, made.id, "fax")
