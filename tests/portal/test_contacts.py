"""The pages of contacts: what is shown to whom, and acting by their buttons alone."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from liaison.domain.vocabulary import Function
from liaison.models import Contact, ContactChange, Message, Verification
from tests.contact_steps import NEW_NUMBER, change, contact, given, read
from tests.portal.filled import SignedIn, fields
from tests.world import World, csrf_token, submit

KEEPER = "provider_administrator"


def press(browser: FlaskClient, page: str, action: str) -> int:
    """Presses the button of a page whose form goes to ``action``."""
    shown = browser.get(page)
    assert f'action="{action}"' in shown.text, action
    return browser.post(action, data={"csrf_token": csrf_token(shown)}).status_code


def made(world: World, browser: FlaskClient, **changes: Any) -> Contact:
    answer = submit(browser, "/contacts/new", given(**changes))
    assert answer.status_code == 303, answer.text
    return read(world, UUID(answer.location.rpartition("/")[2]))


def code_in_letter(world: World) -> str:
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == "register/contact_code")
        letters = session.scalars(query.order_by(Message.created_at.desc())).all()
        return world.vault.open(letters[0].sealed_link or "")


def test_a_contact_from_its_entry_to_its_use(world: World, signed_in: SignedIn) -> None:
    """Entered, verified by letter and by a call, cooled off: all by the pages' own buttons."""
    keeper, officer = signed_in(KEEPER), signed_in("officer")
    assert "Enter a contact" in keeper.get("/contacts").text
    new = made(world, keeper)
    page = f"/contacts/{new.id}"
    shown = keeper.get(page).text
    assert "New: not in use" in shown and "before 26 Nov 2026, 12:00 UTC" in shown
    assert "Number not verified" in shown and "Address not verified" in shown
    assert press(keeper, page, f"{page}/code/email") == 303
    verified = submit(keeper, f"{page}/verify/email", {"code": code_in_letter(world)})
    assert verified.status_code == 303
    assert press(keeper, page, f"{page}/code/phone") == 303
    assert "The number waits for its call" in keeper.get(f"{page}/verify/phone").text
    assert "To verify (1)" in officer.get("/orders").text
    assert "<dt>Reached by</dt>" in officer.get(page).text
    listed = officer.get("/contacts/to-verify").text
    (call,) = re.findall(r'href="(/contacts/to-verify/[^"]+)"', listed)
    before = officer.get(call)
    assert new.phone in before.text and 'id="code"' not in before.text
    assert "I am calling now" in before.text
    assert officer.post(call, data={"csrf_token": csrf_token(before)}).status_code == 303
    during = officer.get(call)
    code = "".join(re.findall(r'id="code"><strong>(\d{4}) (\d{4})<', during.text)[0])
    assert during.headers["Cache-Control"] == "no-store"
    assert 'id="code"' not in signed_in("supervisor").get(call).text
    assert submit(keeper, f"{page}/verify/phone", {"code": code}).status_code == 303
    after = read(world, new.id)
    assert after.email_verified_at and after.phone_verified_at
    assert "To verify (" not in officer.get("/orders").text.partition("</nav>")[0]
    assert officer.get(call).status_code == 404


@pytest.mark.one_database
def test_every_fault_stands_beside_its_field_and_nothing_typed_is_lost(
    signed_in: SignedIn,
) -> None:
    typed = given(email="night@gmail.com", phone="112", languages="", channels=[], name="Night")
    page = submit(signed_in(KEEPER), "/contacts/new", typed)
    assert page.status_code == 422
    for field in ("email", "phone", "languages"):
        assert f'href="#{field}"' in page.text
    assert 'href="#channels-0"' in page.text
    assert 'value="night@gmail.com"' in page.text and 'value="Night"' in page.text
    assert re.search(r'value="deputy"[^>]* checked', page.text)


@pytest.mark.one_database
def test_the_form_of_a_contact_opens_with_what_stands(world: World, signed_in: SignedIn) -> None:
    spoc = contact(world)
    keeper = signed_in(KEEPER)
    filled = fields(keeper.get(f"/contacts/{spoc.id}/edit").text)
    filled.pop("csrf_token")
    assert filled["phone"] == spoc.phone
    assert filled.getlist("channels") == ["email", "call"]
    assert filled["function"] == "primary"
    assert filled["review_on"] == "2027-01-01"
    same = keeper.get(f"/contacts/{spoc.id}/edit")
    answer = keeper.post(f"/contacts/{spoc.id}/edit", data=fields(same.text))
    assert answer.status_code == 303
    with world.database.reading() as session:
        assert session.scalars(select(ContactChange)).all() == []


def test_what_waits_is_shown_to_both_sides_and_stopped_by_either(
    world: World, signed_in: SignedIn
) -> None:
    spoc = contact(world)
    keeper, supervisor = signed_in(KEEPER), signed_in("supervisor")
    page = f"/contacts/{spoc.id}"
    assert submit(keeper, f"{page}/edit", given(spoc, phone=NEW_NUMBER)).status_code == 303
    for browser in (keeper, supervisor, signed_in("officer"), signed_in("spoc")):
        shown = browser.get(page).text
        assert spoc.phone in shown and NEW_NUMBER in shown
        assert "Not verified" in shown
        assert "the new number is verified" in shown
    provider = f"/providers/{spoc.provider_id}"
    for shown in (supervisor.get(provider).text, keeper.get("/contacts").text):
        assert "A change waits" in shown and "until 26 Nov 2026, 12:00 UTC" in shown
    for who in ("officer", "spoc"):
        assert "Stop this change" not in signed_in(who).get(page).text
    again = submit(keeper, f"{page}/edit", given(spoc, phone="+37477000243"))
    assert again.status_code == 409
    assert "Stop that one first" in again.text
    with world.database.reading() as session:
        waits = session.scalars(select(ContactChange.id)).one()
    assert press(supervisor, page, f"/contacts/changes/{waits}/cancel") == 303
    assert "Stopped by" in supervisor.get(page).text
    assert submit(keeper, f"{page}/edit", given(spoc, phone="+37477000243")).status_code == 303


def test_a_wrong_code_is_counted_and_said(world: World, signed_in: SignedIn) -> None:
    keeper = signed_in(KEEPER)
    new = made(world, keeper)
    page = f"/contacts/{new.id}"
    press(keeper, page, f"{page}/code/email")
    right = code_in_letter(world)
    bad = f"{(int(right) + 1) % 10**8:08d}"
    answer = submit(keeper, f"{page}/verify/email", {"code": bad})
    assert answer.status_code == 422
    assert "Tries left: 4" in answer.text and bad not in answer.text
    with world.database.reading() as session:
        assert session.scalars(select(Verification.tries)).one() == 1
    for _ in range(4):
        answer = submit(keeper, f"{page}/verify/email", {"code": bad})
    assert "Too many wrong codes" in answer.text
    assert submit(keeper, f"{page}/verify/email", {"code": right}).status_code == 422
    assert read(world, new.id).email_verified_at is None


def test_stale_entries_stand_on_top_and_are_reviewed_by_one_button(
    world: World, signed_in: SignedIn
) -> None:
    spoc = contact(world)
    with world.database.transaction() as session:
        session.execute(
            update(Contact).where(Contact.id == spoc.id).values(review_on=date(2026, 11, 1))
        )
    keeper = signed_in(KEEPER)
    for browser in (keeper, signed_in("supervisor"), signed_in("spoc")):
        shown = browser.get("/contacts").text
        assert "To be reviewed" in shown and "Stale since 1 Nov 2026" in shown
        assert shown.index("Stale since") < shown.index('id="org-1"')
    assert "Stale since" not in signed_in("norvik_spoc").get("/contacts").text
    page = f"/contacts/{spoc.id}"
    assert press(keeper, page, f"{page}/review") == 303
    assert "Stale since" not in keeper.get("/contacts").text
    assert read(world, spoc.id).review_on == date(2027, 5, 22)


def test_the_contact_points_administrator_enters_a_providers_contact(
    world: World, signed_in: SignedIn
) -> None:
    sevan = world.register.providers["Sevan Hosting"]
    administrator = signed_in("administrator")
    assert f"/contacts/new?provider={sevan}" in administrator.get(f"/providers/{sevan}").text
    assert "Enter a contact" not in signed_in("officer").get(f"/providers/{sevan}").text
    path = f"/contacts/new?provider={sevan}"
    page = administrator.get(path)
    assert "Sevan Hosting" in page.text and 'value="supervisor"' not in page.text
    answer = submit(administrator, path, given(email="night@sevan.example"))
    assert answer.status_code == 303
    new = read(world, UUID(answer.location.rpartition("/")[2]))
    assert new.provider_id == sevan
    for other in (uuid4(), "nonsense"):
        assert administrator.get(f"/contacts/new?provider={other}").status_code == 404
    assert signed_in(KEEPER).get(path).status_code == 404


def test_a_removed_contact_is_listed_nowhere_and_its_page_says_so(
    world: World, signed_in: SignedIn
) -> None:
    keeper = signed_in(KEEPER)
    new = made(world, keeper)
    assert "Night desk" in keeper.get("/contacts").text
    assert submit(keeper, f"/contacts/{new.id}/remove", {}).status_code == 303
    assert "Night desk" not in keeper.get("/contacts").text
    assert "Night desk" not in signed_in("officer").get(f"/providers/{new.provider_id}").text
    shown = keeper.get(f"/contacts/{new.id}").text
    assert "Removed" in shown and "Still right" not in shown
    assert submit(keeper, f"/contacts/{new.id}/remove", {}).status_code == 409


@pytest.mark.one_database
def test_a_provider_sees_its_parties_contacts_and_no_page_of_them(
    world: World, signed_in: SignedIn
) -> None:
    duty = contact(world, Function.DUTY_OFFICER, "CP")
    keeper = signed_in(KEEPER)
    assert duty.phone in keeper.get("/contacts").text
    assert keeper.get(f"/contacts/{duty.id}").status_code == 404
    norvik = contact(world, of="Norvik Mobile")
    for path in (norvik.id, uuid4()):
        assert keeper.get(f"/contacts/{path}").status_code == 404


@pytest.mark.one_database
def test_a_form_without_its_token_does_nothing(world: World, signed_in: SignedIn) -> None:
    spoc = contact(world)
    keeper = signed_in(KEEPER)
    for path in ("remove", "review", "edit"):
        assert keeper.post(f"/contacts/{spoc.id}/{path}", data={}).status_code == 400
    waits = change(world, spoc, phone=NEW_NUMBER)
    assert waits is not None
    assert keeper.post(f"/contacts/changes/{waits.id}/cancel", data={}).status_code == 400


@pytest.mark.one_database
def test_a_stale_factor_leads_back_to_the_form_with_all_that_was_typed(
    world: World, signed_in: SignedIn
) -> None:
    keeper = signed_in(KEEPER)
    page = keeper.get("/contacts/new")
    world.clock.move(minutes=6)
    typed = {"csrf_token": csrf_token(page), **given(name="Typed at night")}
    asked = keeper.post("/contacts/new", data=typed)
    assert asked.location.startswith("/account/fresh")
    code = world.unused_code(KEEPER)
    back = submit(keeper, asked.location, {"code": code})
    assert back.location.startswith("/contacts/new?kept=")
    again = keeper.get(back.location)
    assert 'value="Typed at night"' in again.text
    assert re.search(r'value="deputy"[^>]* checked', again.text)
    filled = fields(again.text)
    assert keeper.post(back.location, data=filled).status_code == 303
