"""The rules of the Parties on the pages: kept by administrators, help for officers."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from liaison.models import Order, PartyRule
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World, submit

FIELDS = {
    "name": "Norway",
    "countries": "no, SJ",
    "first_days": "90",
    "extension_days": "",
    "extensions": "",
    "note": "",
    "retention": "Nothing <b>is</b> retained.",
    "source": "Criminal Procedure Act, s. 215a",
    "review_on": "2027-06-30",
}
FOREIGN = {"origin-kind": "foreign", "origin-party": "ro", "facts": "A bank was emptied."}
RANSOMWARE = "02-foreign-ransomware-hosting.json"


def kept(world: World, name: str) -> PartyRule | None:
    with world.database.reading() as session:
        return session.scalars(select(PartyRule).where(PartyRule.name == name)).one_or_none()


def test_an_administrator_enters_changes_and_removes_a_rule(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("administrator")
    assert submit(client, "/rules/new", FIELDS).status_code == 303
    row = kept(world, "Norway")
    assert row is not None
    assert (row.countries, row.first_days) == (["NO", "SJ"], 90)
    page = client.get("/rules")
    assert "Nothing &lt;b&gt;is&lt;/b&gt; retained." in page.text
    opened = client.get(f"/rules/{row.id}/edit")
    assert {name: fields(opened.text)[name] for name in FIELDS} == FIELDS | {"countries": "NO, SJ"}
    sent = client.post(f"/rules/{row.id}/edit", data=typed(opened.text, {"first_days": "60"}))
    assert sent.status_code == 303
    assert "60 days" in client.get("/rules").text
    again = client.post(f"/rules/{row.id}/edit", data=typed(opened.text, {"first_days": "30"}))
    assert again.status_code == 303, "the clock stands still: it is the same wording to the moment"
    assert submit(client, f"/rules/{row.id}/remove", {}).status_code == 303
    assert "Norway" not in client.get("/rules").text


@pytest.mark.one_database
def test_whoever_was_overtaken_is_told(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    row = kept(world, "Canada")
    assert row is not None
    opened = client.get(f"/rules/{row.id}/edit")
    changed = typed(opened.text, {"first_days": "60"})
    assert client.post(f"/rules/{row.id}/edit", data=changed).status_code == 303
    late = client.post(f"/rules/{row.id}/edit", data=typed(opened.text, {"first_days": "30"}))
    assert late.status_code == 409
    assert "changed this rule" in late.text


@pytest.mark.one_database
def test_faults_are_shown_and_nothing_typed_is_lost(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    wrong = FIELDS | {"first_days": "ninety", "source": "", "countries": "NO, XX"}
    answer = submit(client, "/rules/new", wrong)
    assert answer.status_code == 422
    assert "First period: Enter a whole number from 1 to 3650." in answer.text
    assert "“XX” is no country code" in answer.text
    assert fields(answer.text)["first_days"] == "ninety"
    assert kept(world, "Norway") is None


@pytest.mark.one_database
def test_who_reads_and_who_has_the_menu_entry(world: World, signed_in: SignedIn) -> None:
    for who in ("officer", "auditor"):
        page = signed_in(who).get("/rules")
        assert page.status_code == 200
        assert "18 U.S.C. § 2703(f)" in page.text
        assert "Enter a rule" not in page.text
        assert ">Rules<" not in page.text
    assert ">Rules<" in signed_in("administrator").get("/people").text
    assert signed_in("spoc").get("/rules").status_code == 403


@pytest.mark.one_database
def test_a_rule_nobody_has_read_again_is_marked(world: World, signed_in: SignedIn) -> None:
    assert "Stale" not in signed_in("officer").get("/rules").text
    world.clock.move(days=300)
    assert "Stale: to be reviewed by 30 Jun 2027" in signed_in("officer").get("/rules").text


def test_the_order_form_shows_the_rule_and_the_duration_stays_untouched(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new")
    assert "The rule of the asking Party" not in page.text
    for days in ("", "17"):
        sent = typed(page.text, FOREIGN | {"duration_days": days}, "show-rule")
        shown = client.post("/orders/new", data=sent)
        assert shown.status_code == 200
        assert "The rule of the asking Party" in shown.text
        assert "Code of Criminal Procedure, art. 154" in shown.text
        held = fields(shown.text)
        sent.pop("act")
        assert held["duration_days"] == days, "help is never applied"
        del held["csrf_token"], sent["csrf_token"]
        assert held == sent, "nothing typed is lost, nothing is filled in"
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


@pytest.mark.one_database
def test_the_draft_that_is_edited_keeps_its_days(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    order = world.draft(RANSOMWARE, duration_days=61)
    path = f"/orders/{order.name}/edit"
    page = client.get(path)
    shown = client.post(path, data=typed(page.text, {"origin-party": "CA"}, "show-rule"))
    assert "destroyed when that date has passed" in shown.text
    assert fields(shown.text)["duration_days"] == "61"
    assert client.post(path, data=typed(shown.text, {})).status_code == 303
    assert world.order(order.name).duration_days == 61


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"origin-kind": "domestic"}, "Choose “Foreign” first"),
        ({"origin-party": "Romania"}, "two letters, like RO"),
    ],
)
def test_without_a_party_there_is_no_rule_to_show_and_the_page_says_so(
    signed_in: SignedIn, changes: dict[str, str], said: str
) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new")
    shown = client.post("/orders/new", data=typed(page.text, FOREIGN | changes, "show-rule"))
    assert shown.status_code == 422
    assert said in shown.text
    assert "The rule of the asking Party" not in shown.text


def test_the_check_page_shows_it_for_information(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    foreign = world.draft(RANSOMWARE, duration_days=61)
    page = client.get(f"/orders/{foreign.name}/issue").text
    assert "The rule of the asking Party" in page
    assert "nothing in the order follows from it" in page
    assert world.order(foreign.name).duration_days == 61
    domestic = world.draft()
    assert "The rule of the asking Party" not in client.get(f"/orders/{domestic.name}/issue").text
