"""A thief wants the calls to come to them: with a stolen session, and with a stolen factor too.

The prize is the first hours of an emergency, in which the wrong person is told what is sought.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from liaison.domain.vocabulary import Function
from liaison.errors import InvalidTransition
from liaison.models import CallTask, Contact, ContactChange, Message, Order
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.contact_steps import (
    BOTH_SIDES,
    KEEPER,
    NEW_NUMBER,
    SPOC_MAIL,
    contact,
    given,
    logged,
    read,
    verify,
    written,
)
from tests.mail import RecordingSender
from tests.world import World, csrf_token, submit

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def signed_in(app: Flask, world: World) -> SignIn:
    """A browser in which somebody has signed in."""

    def browser(who: str) -> FlaskClient:
        client = app.test_client()
        world.sign_in(client, who)
        return client

    return browser


@pytest.fixture
def work(settings: Settings, world: World, sender: RecordingSender) -> Work:
    """A worker on the same clock; its letters are kept."""
    return Work(settings, world.database, world.clock, sender, name="worker-1")


def reached(world: World, work: Work) -> tuple[Order, set[str], set[str]]:
    """An emergency that is left alone for an hour: the numbers and addresses it went to."""
    order = world.issue()
    for _ in range(60):
        run_once(work)
        world.clock.move(minutes=1)
    run_once(work)
    with world.database.reading() as session:
        calls = session.scalars(select(CallTask).where(CallTask.order_id == order.id))
        numbers = {task.phone for task in calls}
        letters = session.scalars(select(Message).where(Message.order_id == order.id))
        return order, numbers, {letter.address for letter in letters}


def changes(world: World) -> list[ContactChange]:
    with world.database.reading() as session:
        return list(session.scalars(select(ContactChange)))


def test_a_thief_with_a_stolen_session_cannot_change_the_number(
    world: World, signed_in: SignIn, sender: RecordingSender
) -> None:
    """The cookie of the provider's administrator, an hour after they gave their factor."""
    thief = signed_in("provider_administrator")
    spoc = contact(world)
    page = thief.get(f"/contacts/{spoc.id}/edit")
    world.clock.move(minutes=6)
    token = csrf_token(page)
    forms = {
        f"/contacts/{spoc.id}/edit": given(spoc, phone=NEW_NUMBER),
        f"/contacts/{spoc.id}/remove": {},
        f"/contacts/{spoc.id}/review": {},
        "/contacts/new": given(phone=NEW_NUMBER, function="primary"),
    }
    for path, fields in forms.items():
        answer = thief.post(path, data={"csrf_token": token, **fields})
        assert answer.status_code == 303, path
        assert answer.location.startswith("/account/fresh"), path
    # Nor does guessing help: it is the same page that a sign-in's code is asked for on.
    guessed = submit(thief, "/account/fresh", {"code": "000000"})
    assert guessed.status_code == 401
    after = read(world, spoc.id)
    assert (after.phone, after.removed_at) == (spoc.phone, None)
    assert changes(world) == []
    assert logged(world) == []
    assert written(world, "contact_change") == written(world, "contact_entered") == {}


def test_a_thief_with_a_stolen_factor_waits_in_vain(
    world: World, signed_in: SignIn, work: Work, sender: RecordingSender
) -> None:
    """The change waits, the old number is called, both sides know, and one of them stops it."""
    spoc = contact(world)
    thief = signed_in("provider_administrator")  # session and factor: all that the person has
    path = f"/contacts/{spoc.id}"
    assert submit(thief, f"{path}/edit", given(spoc, phone=NEW_NUMBER)).status_code == 303
    page = thief.get(path).text
    assert spoc.phone in page and NEW_NUMBER in page
    assert "The old entry is in use" in page
    (waits,) = changes(world)
    assert waits.due_at == world.now + timedelta(hours=72)

    # Both sides are told at once, the old address with them; a fraud can be recognised by it.
    told = written(world, "contact_change")
    assert set(told) == BOTH_SIDES
    assert all("+374 •••• 42" in params["what"] for params in told.values())

    # The worst case: the contact point calls the new number in good faith, and it is verified.
    assert verify(world, spoc.id, "phone") is None

    # A child is missing, an hour later; nobody answers, and the whole ladder climbs.
    world.clock.move(hours=1)
    _, numbers, addresses = reached(world, work)
    assert spoc.phone in numbers
    assert NEW_NUMBER not in numbers
    assert SPOC_MAIL in addresses

    # To the last minute of the cooling-off.
    world.clock.set(waits.due_at - timedelta(minutes=62))
    _, numbers, _ = reached(world, work)
    assert spoc.phone in numbers and NEW_NUMBER not in numbers
    assert set(sender.addresses) >= BOTH_SIDES

    # The contact point calls the old number, and stops the change: no code is asked for.
    supervisor = signed_in("supervisor")
    open_page = supervisor.get(path)
    assert "Stop this change" in open_page.text
    world.clock.set(waits.due_at - timedelta(seconds=30))
    token = csrf_token(open_page)
    stopped = supervisor.post(f"/contacts/changes/{waits.id}/cancel", data={"csrf_token": token})
    assert stopped.status_code == 303
    assert set(written(world, "contact_stopped")) == BOTH_SIDES

    # It never counts: not when its time comes, not a month later.
    for days in (0, 3, 30):
        world.clock.move(days=days, minutes=1)
        run_once(work)
        assert read(world, spoc.id).phone == spoc.phone
    assert written(world, "contact_applied") == {}
    _, numbers, _ = reached(world, work)
    assert spoc.phone in numbers and NEW_NUMBER not in numbers
    assert "Stopped by <bdi>Mariam Grigoryan" in signed_in("supervisor").get(path).text
    assert logged(world)[0] == "contact_change_asked"
    assert "contact_change_stopped" in logged(world)
    assert "contact_changed" not in logged(world)


def test_the_provider_itself_stops_the_thief(world: World, signed_in: SignIn, work: Work) -> None:
    """The administrator reads the letter and takes the change back from their own session."""
    spoc = contact(world)
    thief = signed_in("provider_administrator")
    submit(thief, f"/contacts/{spoc.id}/edit", given(spoc, phone=NEW_NUMBER))
    (waits,) = changes(world)
    assert written(world, "contact_change")[KEEPER]["path"] == f"/contacts/{spoc.id}"
    owner = signed_in("provider_administrator")
    page = owner.get(f"/contacts/{spoc.id}")
    world.clock.move(minutes=30)  # an old factor is enough to take away
    answer = owner.post(
        f"/contacts/changes/{waits.id}/cancel", data={"csrf_token": csrf_token(page)}
    )
    assert answer.status_code == 303 and "/account/fresh" not in answer.location
    with pytest.raises(InvalidTransition):
        verify(world, spoc.id, "phone")
    world.clock.move(days=4)
    run_once(work)
    assert read(world, spoc.id).phone == spoc.phone


def test_a_contact_of_the_thiefs_own_touches_no_ladder_before_the_cooling_off(
    world: World, signed_in: SignIn, work: Work
) -> None:
    thief = signed_in("provider_administrator")
    fields = given(
        name="New duty SPOC",
        function="primary",
        email="duty.spoc@meridian.example",
        phone=NEW_NUMBER,
    )
    answer = submit(thief, "/contacts/new", fields)
    assert answer.status_code == 303
    assert set(written(world, "contact_entered")) == BOTH_SIDES - {SPOC_MAIL}
    with world.database.reading() as session:
        own = session.scalars(select(Contact).where(Contact.phone == NEW_NUMBER)).one()
    assert verify(world, own.id, "phone") is None
    assert verify(world, own.id, "email") is None
    assert own.usable_from is not None
    world.clock.set(own.usable_from - timedelta(minutes=62))
    _, numbers, addresses = reached(world, work)
    assert contact(world).phone in numbers
    assert NEW_NUMBER not in numbers
    assert "duty.spoc@meridian.example" not in addresses
    supervisor = signed_in("supervisor")
    page = supervisor.get(f"/contacts/{own.id}")
    token = {"csrf_token": csrf_token(page)}
    assert supervisor.post(f"/contacts/{own.id}/stop", data=token).status_code == 303
    world.clock.move(days=4)
    _, numbers, addresses = reached(world, work)
    assert NEW_NUMBER not in numbers
    assert "duty.spoc@meridian.example" not in addresses


def test_a_change_of_function_or_of_ways_touches_no_ladder_before_the_cooling_off(
    world: World, signed_in: SignIn, work: Work
) -> None:
    """The operations centre, where the thief sits, is to be called first, as a SPOC."""
    noc = contact(world, Function.NOC)
    thief = signed_in("provider_administrator")
    submit(thief, f"/contacts/{noc.id}/edit", given(noc, function="primary"))
    (waits,) = changes(world)
    world.clock.set(waits.due_at - timedelta(minutes=62))
    _, numbers, addresses = reached(world, work)
    assert noc.phone not in numbers
    assert noc.email not in addresses
    assert contact(world).phone in numbers
    world.clock.set(waits.due_at)
    run_once(work)  # ladders go first at each look: the change counts from the next one
    _, numbers, _ = reached(world, work)
    assert noc.phone in numbers, "nobody stopped it in three days: it counts"


def test_the_spoc_cannot_be_removed_from_under_a_ladder(
    world: World, signed_in: SignIn, work: Work
) -> None:
    thief = signed_in("provider_administrator")
    spoc, deputy = contact(world), contact(world, Function.DEPUTY)
    page = submit(thief, f"/contacts/{spoc.id}/remove", {})
    assert page.status_code == 422
    assert "SPOC on duty" in page.text
    page = submit(thief, f"/contacts/{spoc.id}/edit", given(spoc, function="noc"))
    assert page.status_code == 422
    assert changes(world) == []
    # The deputy may go, but not at once.
    assert submit(thief, f"/contacts/{deputy.id}/remove", {}).status_code == 303
    assert deputy.email in written(world, "contact_change")
    _, numbers, addresses = reached(world, work)
    assert spoc.phone in numbers
    assert {SPOC_MAIL, deputy.email} <= addresses
