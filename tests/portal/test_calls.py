"""Whom to call, what to say there, and a number that is wrong, on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from liaison.domain.vocabulary import CallOutcome
from liaison.models import CallTask, Contact, Order
from liaison.models.work import CallState, Wanted
from liaison.services import call_tasks, calls, escalation, ladder_holds, verifications
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.drills import begin
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn
from tests.world import World, csrf_token, submit

pytestmark = pytest.mark.one_database

SPOC = "+37410000200"
CASE = (
    "offence",
    "facts",
    "necessity",
    "emergency_ground",
    "targets",
    "investigating_authority",
    "prosecution",
    "custodian",
)
"""What of an order is about somebody's case."""


def call_path(world: World, order: Order) -> str:
    with world.database.reading() as session:
        of_it = (CallTask.order_id == order.id, CallTask.state == CallState.OPEN)
        task = session.scalars(select(CallTask.id).where(*of_it).order_by(CallTask.id)).first()
    return f"/orders/{order.name}/calls/{task}"


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str | int):
        yield str(value)


def script(client: FlaskClient, path: str) -> str:
    page = client.get(path)
    assert page.status_code == 200
    assert 'id="call-script"' in page.text
    return unescape(page.text)


def test_nothing_of_the_case_stands_beside_the_telephone(world: World, signed_in: SignedIn) -> None:
    data = world.data(
        prosecution={"name": "PROSECUTORCANARY", "case_number": "CASECANARY"},
        custodian="CUSTODIANCANARY",
    )
    order = world.issue(prosecution=data["prosecution"], custodian=data["custodian"])
    said = script(signed_in("officer"), call_path(world, order))
    told = [text for name in CASE for text in texts(data[name]) if len(text) > 3]
    assert len(told) > 10
    kinds = {"ip_address", "subscriber", "traffic"}
    found = [text for text in told if text not in kinds and text in said]
    assert not found
    for word in ("subscriber", "abduction", "child"):
        assert word not in said.lower()
    for token in (order.ref, "24/7 contact point", SPOC, "acknowledge it", "13:00 UTC", "17:00"):
        assert str(token) in said
    assert "Never take another number" in said


def test_the_script_follows_the_order(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    officer = signed_in("officer")
    path = call_path(world, order)
    with world.database.transaction() as session:
        session.execute(update(CallTask).values(wanted=Wanted.ALWAYS))
    world.acknowledge(order)
    assert "confirm the preservation" in script(officer, path)
    world.preserve(order)
    said = script(officer, path)
    assert "read what we have written" in said
    assert "comes back" not in said


def test_a_drill_says_so_in_the_script(world: World, signed_in: SignedIn) -> None:
    order = begin(world)
    said = script(signed_in("officer"), call_path(world, order))
    assert said.count("This is a TEST, a drill") == 1
    assert "A TEST, a drill." in said


def test_a_colleague_is_told_what_needs_them(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        ours = select(Contact).where(
            Contact.phone == "+37410000101", Contact.authority_id == order.authority_id
        )
        session.execute(update(CallTask).values(contact_id=session.scalars(ours).one().id))
    said = script(signed_in("officer"), call_path(world, order))
    assert "needs you" in said
    assert "acknowledgement by phone" not in said


def test_all_open_calls_on_one_page(world: World, signed_in: SignedIn) -> None:
    urgent = world.issue("05-names-from-everywhere.json", provider="Norvik Mobile")
    with world.database.transaction() as session:
        stored = session.get_one(Order, urgent.id)
        norvik = select(Contact).where(Contact.provider_id == stored.provider_id)
        contact = session.scalars(norvik.order_by(Contact.position)).first()
        assert contact is not None
        wanted, now = Wanted.UNTIL_ACKNOWLEDGED, world.now - timedelta(hours=3)
        call_tasks.open_task(session, stored, contact, "Not acknowledged.", "k", wanted, now)
    older = world.issue()
    world.clock.move(minutes=1)
    newer = world.issue()
    officer = signed_in("officer")
    menu = officer.get("/orders").text
    assert "Calls (3)" in menu
    page = officer.get("/calls").text
    places = [page.index(f'href="{call_path(world, order)}"') for order in (older, newer, urgent)]
    assert places == sorted(places), "the emergency that has waited longest comes first"
    for word in (SPOC, "16:01 Yerevan", "13:01 Oslo", "3 h 1 min ago", "Not acknowledged."):
        assert word in page, word
    with world.database.transaction() as session:
        held = update(Order).where(Order.id == urgent.id)
        session.execute(held.values(clock_stopped_at=world.now))
    assert "Calls (2)" in officer.get("/calls").text, "a stopped clock calls nobody"
    # Another authority has calls of its own only; a provider reads nothing of them.
    assert SPOC not in signed_in("foreign_officer").get("/calls").text
    assert "Nobody has to be called" in signed_in("foreign_officer").get("/calls").text
    assert signed_in("spoc").get("/calls").status_code == 403


def test_a_wrong_number_is_shown_until_it_is_verified_anew(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    officer = signed_in("officer")
    answer = submit(
        officer,
        call_path(world, order),
        {"outcome": "wrong_number", "answered_by": "A bakery", "note": "Bread."},
    )
    assert answer.status_code == 303
    timeline = officer.get(f"/orders/{order.name}").text
    assert "A bakery" in timeline
    with world.database.reading() as session:
        contact = session.scalars(select(Contact).where(Contact.phone == SPOC)).one()
    keeper = signed_in("provider_administrator")
    path = f"/contacts/{contact.id}"
    for client in (officer, keeper):
        assert "Wrong number" in client.get(path).text
    assert "A bakery" not in keeper.get(path).text
    assert "is wrong, as whoever called it was told" in signed_in("auditor").get("/portal-log").text
    admin, caller, vault = (
        world.actor("provider_administrator"),
        world.actor("officer"),
        world.vault,
    )
    with world.database.transaction() as session:
        row = verifications.ask(session, vault, admin, contact.id, "phone", world.now)
        row = verifications.call(session, vault, caller, row.id, world.now)
        code = verifications.code_for(vault, caller, row) or ""
        wrong = verifications.enter(session, vault, admin, contact.id, "phone", code, world.now)
        assert wrong is None
    assert "Wrong number" not in officer.get(path).text
    with world.database.reading() as session:
        contact = session.get_one(Contact, contact.id)
        assert (contact.wrong_number_at, contact.phone_verified_at) == (None, world.now)


def log_wrong(world: World, order: Order) -> None:
    task = call_path(world, order).rpartition("/")[2]
    with world.database.transaction() as session:
        officer, outcome = world.actor("officer"), CallOutcome.WRONG_NUMBER
        calls.log(session, officer, order.name, UUID(task), outcome, "A bakery.", world.now)


def test_a_number_that_is_wrong_is_marked_wherever_it_waits_to_be_called(
    world: World, signed_in: SignedIn
) -> None:
    told, paused = world.issue(), world.issue()
    officer = signed_in("officer")
    path = call_path(world, paused)
    with world.database.transaction() as session:
        actor, until = world.actor("officer"), world.now + timedelta(minutes=20)
        ladder_holds.pause(session, actor, paused.name, until, "I drive there.", world.now)
    before = officer.get(path).text
    assert f'href="tel:{SPOC}"' in before
    log_wrong(world, told)
    name = world.person("officer").name
    listed, page = officer.get("/calls").text, officer.get(path).text
    for text in (listed, page):
        assert f"<s>{SPOC}</s>" in text
        assert f'href="tel:{SPOC}"' not in text
        assert "told to be wrong" in text
        assert name in text.partition("told to be wrong")[2]
    assert "the registered number" not in page.partition("lead-2")[2].partition("</p>")[0]
    # Whose entry it is in the register is said there, too: to us, and to its own people.
    contacts = officer.get("/contacts").text
    assert "Told to be wrong" in contacts
    assert f"<s>{SPOC}</s>" in contacts
    assert name in contacts.partition("Told to be wrong")[2]
    for who in ("provider_administrator", "foreign_officer"):
        theirs = signed_in(who).get("/contacts").text.partition("Told to be wrong")[2]
        assert SPOC in theirs, who
        assert name not in theirs, "another organisation's people are not named"


def test_the_list_is_asked_for_again_and_again(world: World, signed_in: SignedIn) -> None:
    order, officer = world.issue(), signed_in("officer")
    page = officer.get("/calls").text
    assert 'data-live="/calls?part=live"' in page
    assert 'data-every="5"' in page
    first = officer.get("/calls?part=live")
    assert "<html" not in first.text
    assert SPOC in first.text
    assert "Calls (1)" in first.text, "the menu comes with it"
    tag = {"If-None-Match": first.headers["ETag"]}
    again = officer.get("/calls?part=live", headers=tag)
    assert (again.status_code, again.text) == (304, "")
    log_wrong(world, order)
    changed = officer.get("/calls?part=live", headers=tag)
    assert changed.status_code == 200
    assert f'href="tel:{SPOC}"' not in changed.text
    with world.database.transaction() as session:
        session.execute(update(CallTask).values(state=CallState.CANCELLED))
    none = officer.get("/calls?part=live")
    assert "Nobody has to be called" in none.text
    assert none.headers["X-Poll-Interval"] == "30"
    assert signed_in("spoc").get("/calls?part=live").status_code == 403


def test_the_menus_count_of_calls_moves_on_every_live_page(
    world: World, signed_in: SignedIn
) -> None:
    order, officer = world.issue(), signed_in("officer")
    other = world.draft()
    for path in ("/orders?part=live", f"/orders/{other.name}?part=live"):
        with world.database.transaction() as session:
            session.execute(update(CallTask).values(state=CallState.OPEN))
        first = officer.get(path)
        assert "Calls (1)" in first.text.partition('id="menu"')[2]
        with world.database.transaction() as session:
            of_it = update(CallTask).where(CallTask.order_id == order.id)
            session.execute(of_it.values(state=CallState.CANCELLED))
        after = officer.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert after.status_code == 200, path
        assert "Calls (" not in after.text.partition('id="menu"')[2]


def test_called_before_is_said_of_whom_somebody_has_called(
    world: World, signed_in: SignedIn, settings: Settings, sender: RecordingSender
) -> None:
    order, officer = world.issue(), signed_in("officer")
    log_wrong(world, order)
    page = officer.get("/calls").text
    assert "Deputy" in page or "Davit Harutyunyan" in page, "who takes over"
    assert ">called before<" not in page
    task = UUID(call_path(world, order).rpartition("/")[2])
    with world.database.transaction() as session:
        actor, outcome = world.actor("officer"), CallOutcome.NO_ANSWER
        calls.log(session, actor, order.name, task, outcome, "", world.now)
    world.clock.move(minutes=6)
    run_once(Work(settings, world.database, world.clock, sender, name="worker-1"))
    assert ">called before<" in officer.get("/calls").text


def test_a_number_that_somebody_shares_is_doubted_there_too(
    world: World, signed_in: SignedIn
) -> None:
    told, other = world.issue(), world.issue()
    with world.database.transaction() as session:
        deputy = session.scalars(select(Contact).where(Contact.phone == "+37410000201")).one()
        deputy.phone = SPOC
        of_other = update(CallTask).where(CallTask.order_id == other.id)
        session.execute(of_other.values(contact_id=deputy.id))
    log_wrong(world, told)
    page = signed_in("officer").get(call_path(world, other)).text
    assert "told to be wrong" in page


def test_the_list_says_which_ladder_a_person_holds(world: World, signed_in: SignedIn) -> None:
    paused, closed, climbing = world.issue(), world.issue(), world.issue()
    officer = world.actor("officer")
    closed_call = call_path(world, closed)
    with world.database.transaction() as session:
        until = world.now + timedelta(minutes=20)
        ladder_holds.pause(session, officer, paused.name, until, "I <b>drive</b>.", world.now)
        escalation.close(session, officer, closed.name, "They are at court.", world.now)
        session.execute(
            update(CallTask)
            .where(CallTask.order_id == closed.id)
            .values(state=CallState.OPEN, wanted=Wanted.UNTIL_ACKNOWLEDGED)
        )
    client = signed_in("officer")
    rows: dict[UUID, str] = {}
    for row in unescape(client.get("/calls").text).split("<tr")[2:]:
        rows |= {order.id: row for order in (paused, closed, climbing) if str(order.ref) in row}
    name = world.person("officer").name
    assert "paused" in rows[paused.id]
    assert "12:20" in rows[paused.id]
    assert name in rows[paused.id]
    assert "closed" in rows[closed.id]
    assert "They are at court." in rows[closed.id]
    assert "escalation" not in rows[climbing.id].lower()
    assert "escalation of this order is closed" in client.get(closed_call).text


def test_a_call_that_was_logged_shows_what_came_of_it_and_asks_for_nothing(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    path = call_path(world, order)
    officer, colleague = signed_in("officer"), signed_in("supervisor")
    officer.get(path)
    given = {"outcome": "voicemail", "answered_by": "A machine", "note": "Said the ref."}
    assert submit(colleague, path, given).status_code == 303
    page = officer.get(path)
    main = page.text.partition("<main")[2]
    assert page.status_code == 200
    for word in ("Voicemail", "A machine", "Said the ref.", world.person("supervisor").name):
        assert word in main, word
    assert "<textarea" not in main
    assert "Log this call" not in main
    mine = {"outcome": "reached", "answered_by": "Anna", "note": "She <i>signs</i> in now."}
    late = officer.post(path, data=mine | token_of(officer))
    assert late.status_code == 409
    text = late.text.partition("<main")[2]
    assert "This was not done" in text
    assert "She &lt;i&gt;signs&lt;/i&gt; in now." in text
    assert "Anna" in text
    assert world.person("supervisor").name in text
    assert "send it again" not in text
    assert "<textarea" not in text
    # The same once more by whoever has logged it: a double click.
    assert colleague.post(path, data=given | token_of(colleague)).status_code == 303


def token_of(client: FlaskClient) -> dict[str, str]:
    return {"csrf_token": csrf_token(client.get("/account"))}
