"""Keeping contacts: who may, what waits, who is told, who stops it, what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from liaison.documents.letters import compose
from liaison.domain.vocabulary import Function
from liaison.errors import (
    Forbidden,
    Invalid,
    InvalidTransition,
    NotFound,
    RateLimited,
    StaleFactor,
)
from liaison.models import Contact, ContactChange, Memorandum, Message
from liaison.services import contacts
from liaison.services.contacts import COOLING_OFF
from tests.contact_steps import (
    BOTH_SIDES,
    DUTY,
    KEEPER,
    NEW_NUMBER,
    SPOC_MAIL,
    change,
    contact,
    given,
    logged,
    read,
    the_change,
    verify,
    written,
)
from tests.world import World

ADMIN = "provider_administrator"


def enter(world: World, by: str = ADMIN, provider: UUID | None = None, **changes: Any) -> Contact:
    with world.database.transaction() as session:
        actor = world.actor(by)
        return contacts.enter(session, actor, provider, given(**changes), world.now)


def remove(world: World, of: Contact, by: str = ADMIN) -> ContactChange | None:
    with world.database.transaction() as session:
        return contacts.remove(session, world.actor(by), of.id, world.now)


def no_memoranda(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(delete(Memorandum))


# Entering


def test_a_new_contact_cools_off_unverified_and_both_sides_are_told(world: World) -> None:
    made = read(world, enter(world).id)
    assert (made.position, made.languages) == (5, ["hy", "en"])
    assert made.usable_from == world.now + timedelta(hours=72)
    assert made.email_verified_at is made.phone_verified_at is None
    told = written(world, "contact_entered")
    assert set(told) == BOTH_SIDES - {SPOC_MAIL}, "nothing goes to an address nobody has verified"
    letter = compose("register/contact_entered", told[DUTY], "https://cp.example", "production")
    assert "+374 •••• 77" in letter.text and "n•••@meridian.example" in letter.text
    assert f"https://cp.example/contacts/{made.id}" in letter.text
    assert "26 Nov 2026, 12:00 UTC" in letter.text
    assert made.phone not in letter.text + letter.html
    assert logged(world) == ["contact_entered"]


def test_without_any_memorandum_a_contact_counts_once_it_is_verified(world: World) -> None:
    no_memoranda(world)
    assert read(world, enter(world).id).usable_from is None
    assert set(written(world, "contact_entered")) == {KEEPER}


def test_the_contact_points_administrator_keeps_a_providers_contacts(world: World) -> None:
    sevan = world.register.providers["Sevan Hosting"]
    made = enter(world, "administrator", sevan, email="night@sevan.example")
    assert made.provider_id == sevan
    told = written(world, "contact_entered")
    assert "k.manukyan@sevan.example" in told, "SPOCs are told where there is no administrator"
    with pytest.raises(NotFound):
        enter(world, "administrator", uuid4())


def test_a_provider_enters_nothing_elsewhere(world: World) -> None:
    with pytest.raises(NotFound):
        enter(world, ADMIN, world.register.providers["Norvik Mobile"])
    own = world.register.providers["Meridian Telecom"]
    assert enter(world, ADMIN, own).provider_id == own


def test_an_authoritys_contact_has_an_authoritys_function(world: World) -> None:
    with pytest.raises(Invalid):
        enter(world, "administrator")
    made = enter(world, "administrator", function="duty_officer", email="night@police.example")
    assert made.authority_id == world.register.authorities["CP"]
    told = set(written(world, "contact_entered"))
    assert told == {"s.martirosyan@police.example", "l.hakobyan@police.example"}


def test_the_same_contact_is_not_entered_twice(world: World) -> None:
    enter(world)
    with pytest.raises(Invalid, match="problem"):
        enter(world)


@pytest.mark.one_database
def test_only_who_keeps_contacts_with_a_fresh_factor(world: World) -> None:
    spoc = contact(world)
    with world.database.reading() as session:
        for who in ("officer", "supervisor", "auditor", "spoc"):
            with pytest.raises(Forbidden):
                contacts.enter(session, world.actor(who), None, given(), world.now)
            with pytest.raises(Forbidden):
                contacts.remove(session, world.actor(who), spoc.id, world.now)
        old = world.actor(ADMIN, fresh=False)
        with pytest.raises(StaleFactor):
            contacts.enter(session, old, None, given(), world.now)
        for verb in (contacts.remove, contacts.review):
            with pytest.raises(StaleFactor):
                verb(session, old, spoc.id, world.now)
        with pytest.raises(StaleFactor):
            contacts.change(session, old, spoc.id, given(spoc), world.now)


@pytest.mark.one_database
def test_anothers_contact_and_an_absent_one_are_alike(world: World) -> None:
    foreign = contact(world, of="Norvik Mobile")
    theirs = contact(world, Function.DUTY_OFFICER, "NL")
    with world.database.reading() as session:
        for who, found in ((ADMIN, foreign), (ADMIN, theirs), ("administrator", theirs)):
            for wanted in (found.id, uuid4()):
                with pytest.raises(NotFound) as refused:
                    contacts.remove(session, world.actor(who), wanted, world.now)
                assert refused.value.detail == NotFound().detail


# Changing


def test_a_new_number_waits_and_the_old_one_stays(world: World) -> None:
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER, name="Ruben V.")
    assert waits is not None
    assert waits.due_at == world.now + COOLING_OFF
    assert (waits.values, waits.old["phone"]) == ({"phone": NEW_NUMBER}, spoc.phone)
    after = read(world, spoc.id)
    assert (after.phone, after.phone_verified_at) == (spoc.phone, spoc.phone_verified_at)
    assert after.name == "Ruben V.", "a name holds at once"
    told = written(world, "contact_change")
    assert set(told) == BOTH_SIDES
    letter = compose("register/contact_change", told[SPOC_MAIL], "https://cp.example", "production")
    assert "Tigran Avagyan of Meridian Telecom has asked" in letter.text
    assert "+374 •••• 42" in letter.text
    assert NEW_NUMBER not in letter.text + letter.html
    assert "26 Nov 2026, 12:00 UTC at the soonest, and only once the phone number is" in letter.text
    assert "stopped under the link" in letter.text
    assert logged(world) == ["contact_change_asked"]


def test_one_change_at_a_time(world: World) -> None:
    spoc = contact(world)
    change(world, spoc, phone=NEW_NUMBER)
    with pytest.raises(InvalidTransition, match="26 Nov 2026, 12:00 UTC"):
        change(world, spoc, channels=["call"])
    with pytest.raises(InvalidTransition, match="Stop that one first"):
        remove(world, spoc)
    assert change(world, spoc, name="Another name") is None
    assert read(world, spoc.id).name == "Another name"


def test_nothing_changed_is_nothing_noted(world: World) -> None:
    spoc = contact(world)
    assert change(world, spoc) is None
    assert logged(world) == []
    assert written(world, "contact_change") == {}


def test_without_any_memorandum_a_change_holds_at_once_unverified(world: World) -> None:
    no_memoranda(world)
    spoc = contact(world)
    assert change(world, spoc, phone=NEW_NUMBER) is None
    after = read(world, spoc.id)
    assert (after.phone, after.phone_verified_at) == (NEW_NUMBER, None)
    assert after.email_verified_at == spoc.email_verified_at
    told = written(world, "contact_change")
    assert set(told) == {KEEPER, SPOC_MAIL}
    assert "It counts at once" in compose("register/contact_change", told[KEEPER], "", "test").text


def test_a_memorandum_that_has_ended_asks_for_no_cooling_off(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(update(Memorandum).values(in_force_to=world.now.date() - timedelta(days=4)))
    assert change(world, contact(world), phone=NEW_NUMBER) is None


def test_a_typing_error_in_a_new_entry_is_corrected_at_once_and_cools_off_anew(
    world: World,
) -> None:
    made = enter(world)
    verify(world, made.id, "phone")
    world.clock.move(hours=71)
    assert change(world, read(world, made.id), phone="+37410000778") is None
    after = read(world, made.id)
    assert (after.phone, after.phone_verified_at) == ("+37410000778", None)
    assert after.usable_from == world.now + COOLING_OFF


def test_a_new_name_is_told_to_who_bears_it_and_who_keeps_it(world: World) -> None:
    spoc = contact(world)
    assert change(world, spoc, name="Chief Thief") is None
    told = written(world, "contact_renamed")
    assert set(told) == {SPOC_MAIL, KEEPER}
    letter = compose(
        "register/contact_renamed", told[SPOC_MAIL], "https://cp.example", "production"
    )
    assert f"the contact “{spoc.name}” of Meridian Telecom" in letter.text
    assert "it is Chief Thief now" in letter.text
    change(world, read(world, spoc.id), languages="en")
    assert written(world, "contact_renamed") == told


def test_a_contact_is_changed_five_times_a_day_and_stopped_at_any_time(world: World) -> None:
    """Each change is a letter to everybody: nobody is to be buried in them."""
    spoc = contact(world)
    for last in range(contacts.CHANGES):
        waits = change(world, spoc, phone=f"+3747700024{last}")
        assert waits is not None
        with world.database.transaction() as session:
            actor = world.actor(ADMIN, fresh=False)
            contacts.cancel_change(session, actor, waits.id, world.now)
    with pytest.raises(RateLimited, match="5 times within a day"):
        change(world, spoc, phone=NEW_NUMBER)
    with pytest.raises(RateLimited):
        remove(world, contact(world))
    assert change(world, contact(world, Function.DEPUTY), phone=NEW_NUMBER) is not None
    world.clock.move(hours=24, seconds=1)
    assert change(world, spoc, phone=NEW_NUMBER) is not None


def test_an_organisation_keeps_so_many_contacts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert contacts.ENTRIES == 200
    monkeypatch.setattr(contacts, "ENTRIES", 7)  # five stand there
    made = [enter(world, phone=f"+3741000077{i}") for i in range(2)]
    with pytest.raises(InvalidTransition, match="7 contacts already"):
        enter(world, phone="+37410000779")
    for again in range(5):
        remove(world, made.pop())
        made.append(enter(world, phone=f"+3741000078{again}"))
    remove(world, made.pop())
    with pytest.raises(RateLimited, match="entered within a day"):
        enter(world, phone="+37410000789")


# Stopping


@pytest.mark.parametrize("who", [ADMIN, "supervisor", "administrator"])
def test_either_side_stops_a_change_without_a_fresh_factor(world: World, who: str) -> None:
    waits = change(world, contact(world), phone=NEW_NUMBER)
    assert waits is not None
    with world.database.transaction() as session:
        actor = world.actor(who, fresh=False)
        contacts.cancel_change(session, actor, waits.id, world.now)
    stopped = the_change(world, waits.id)
    assert stopped.cancelled_at == world.now
    assert world.person(who).name in (stopped.cancelled_by or "")
    assert set(written(world, "contact_stopped")) == BOTH_SIDES
    with world.database.transaction() as session, pytest.raises(InvalidTransition):
        contacts.cancel_change(session, world.actor(who), waits.id, world.now)
    assert logged(world)[-1] == "contact_change_stopped"


@pytest.mark.one_database
def test_who_may_not_stop_a_change(world: World) -> None:
    waits = change(world, contact(world), phone=NEW_NUMBER)
    assert waits is not None
    with world.database.reading() as session:
        for who in ("officer", "auditor", "spoc"):
            with pytest.raises(Forbidden):
                contacts.cancel_change(session, world.actor(who), waits.id, world.now)
        for wanted in (waits.id, uuid4()):
            with pytest.raises(NotFound):
                contacts.cancel_change(session, world.actor("norvik_spoc"), wanted, world.now)


@pytest.mark.one_database
def test_a_supervisor_without_a_memorandum_with_them_stops_nothing(world: World) -> None:
    waits = change(world, contact(world), phone=NEW_NUMBER)
    assert waits is not None
    with world.database.transaction() as session:
        cp = world.register.authorities["CP"]
        session.execute(delete(Memorandum).where(Memorandum.authority_id == cp))
    with world.database.reading() as session, pytest.raises(Forbidden):
        contacts.cancel_change(session, world.actor("supervisor"), waits.id, world.now)


def test_either_side_stops_a_new_entry_while_it_cools_off(world: World) -> None:
    made = enter(world)
    with world.database.transaction() as session:
        contacts.stop_entry(session, world.actor("supervisor", fresh=False), made.id, world.now)
    assert read(world, made.id).removed_at == world.now
    assert set(written(world, "contact_stopped")) == BOTH_SIDES - {SPOC_MAIL}
    spoc = contact(world)
    with world.database.transaction() as session, pytest.raises(InvalidTransition, match="remove"):
        contacts.stop_entry(session, world.actor("supervisor"), spoc.id, world.now)


# Removing, and what a ladder would lose


def test_a_removal_waits_like_a_change(world: World) -> None:
    deputy = contact(world, Function.DEPUTY)
    waits = remove(world, deputy)
    assert waits is not None and waits.values == {"removed": True}
    assert read(world, deputy.id).removed_at is None
    told = written(world, "contact_change")["deputy@meridian.example"]
    assert "the whole entry: it is removed" in told["what"]


def test_what_nobody_was_reached_by_goes_at_once(world: World) -> None:
    made = enter(world)
    assert remove(world, made) is None
    assert read(world, made.id).removed_at == world.now
    with pytest.raises(InvalidTransition, match="removed already"):
        remove(world, made)


@pytest.mark.parametrize(
    ("function", "of", "by", "names"),
    [
        (Function.SUPERVISOR, "CP", "administrator", "Our supervisor"),
        (Function.DUTY_OFFICER, "CP", "administrator", "Our duty officer"),
        (Function.PRIMARY, "Meridian Telecom", ADMIN, "SPOC on duty"),
        (Function.FALLBACK, "Meridian Telecom", ADMIN, "Fallback addressee"),
    ],
)
def test_the_last_one_that_a_rung_reaches_stays(
    world: World, function: Function, of: str, by: str, names: str
) -> None:
    last = contact(world, function, of)
    with pytest.raises(Invalid) as refused:
        remove(world, last, by)
    assert names in refused.value.errors[0].detail
    other = "deputy" if of != "CP" else "duty_officer"
    other = "supervisor" if function is Function.DUTY_OFFICER else other
    with pytest.raises(Invalid) as refused:
        change(world, last, by, function=other)
    assert names in refused.value.errors[0].detail
    assert written(world, "contact_change") == {}


def test_two_of_a_kind_do_not_both_leave(world: World) -> None:
    first = contact(world, Function.FALLBACK)
    second = enter(world, function="fallback")
    verify(world, second.id, "phone")
    world.clock.move(hours=72)
    assert remove(world, first) is not None
    with pytest.raises(Invalid) as refused:
        remove(world, read(world, second.id))
    assert "Fallback addressee" in refused.value.errors[0].detail


def test_a_way_that_a_rung_needs_stays(world: World) -> None:
    spoc, deputy = contact(world), contact(world, Function.DEPUTY)
    assert change(world, deputy, channels=["call"]) is not None, "the SPOC is mailed still"
    with pytest.raises(Invalid) as refused:
        change(world, spoc, channels=["call"])
    assert "Every SPOC" in refused.value.errors[0].detail
    assert refused.value.errors[0].pointer == "/channels"


# Reviewing


def test_still_right_until_the_next_review(world: World) -> None:
    spoc = contact(world)
    with world.database.transaction() as session:
        session.execute(update(Contact).where(Contact.id == spoc.id).values(nagged_at=world.now))
    with world.database.transaction() as session:
        contacts.review(session, world.actor(ADMIN), spoc.id, world.now)
    after = read(world, spoc.id)
    assert (after.reviewed_at, after.nagged_at) == (world.now, None)
    assert after.review_on == world.now.date() + timedelta(days=180)
    assert logged(world) == ["contact_reviewed"]


def test_letters_hold_no_number_and_no_secret(world: World) -> None:
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER, email="new.spoc@meridian.example")
    assert waits is not None
    with world.database.reading() as session:
        for message in session.scalars(select(Message)):
            assert NEW_NUMBER not in str(message.params)
            assert "new.spoc" not in str(message.params)
