"""The register's entries in the browser: kept by administrators, read by contact points."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from liaison.domain.vocabulary import Status
from liaison.models import Authority, Invitation, Provider
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World

pytestmark = pytest.mark.one_database

ARARAT = {
    "name": "Ararat Fibre",
    "country": "AM",
    "time_zone": "Asia/Yerevan",
    "languages": "hy\r\nen",
    "services": "Fibre Internet",
    "domains": "ararat.example\r\n\r\nararat-mail.example",
    "address_ranges": "2001:db8:aa::/48",
    "as_numbers": "AS64510",
    "phone_prefixes": "+374 77",
    "status": "active",
}


def provider(world: World, name: str) -> Provider:
    with world.database.reading() as session:
        return session.scalars(select(Provider).where(Provider.name == name)).one()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def test_a_provider_is_registered_changed_and_suspended(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    assert 'href="/providers/new"' in client.get("/providers").text
    made = client.post("/providers/new", data=typed(client.get("/providers/new").text, ARARAT))
    assert made.status_code == 303
    page = words(client.get(made.location).text)
    for text in ("ararat-mail.example", "2001:db8:aa::/48", "AS64510", "+37477", "Ararat Fibre"):
        assert text in page

    edit = f"{made.location}/edit"
    opened = fields(client.get(edit).text)
    assert opened["as_numbers"] == "64510"
    again = client.post(edit, data=opened)
    assert again.status_code == 303

    sent = typed(client.get(edit).text, {"status": "suspended"})
    refused = client.post(edit, data=sent)
    assert refused.status_code == 422
    assert "Say why the status changes" in refused.text
    sent["reason"] = "The licence was withdrawn."
    assert client.post(edit, data=sent).status_code == 303
    assert provider(world, "Ararat Fibre").status is Status.SUSPENDED
    assert "Suspended" in words(client.get(made.location).text)
    assert "Suspended" in words(client.get("/providers?q=ararat").text)


def test_every_fault_stands_at_its_field_with_its_line(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    faulty = {
        **ARARAT,
        "country": "ZZ",
        "address_ranges": "2001:db8:aa::/48\r\n\r\n10.0.0.0/8\r\n198.51.100.7/24",
        "domains": "norvik.example",
    }
    sent = typed(client.get("/providers/new").text, faulty)
    page = client.post("/providers/new", data=sent)
    assert page.status_code == 422
    assert 'href="#country"' in page.text
    assert "Line 3: 10.0.0.0/8 is private" in page.text
    assert "Line 4: 198.51.100.7/24 has bits set behind its prefix" in page.text
    assert fields(page.text)["address_ranges"].split() == faulty["address_ranges"].split()
    sent = typed(page.text, {"country": "AM", "address_ranges": ""})
    taken = client.post("/providers/new", data=sent)
    assert "norvik.example is registered for Norvik Mobile" in taken.text
    with world.database.reading() as session:
        assert session.scalar(select(Provider).where(Provider.name == "Ararat Fibre")) is None


def test_what_was_typed_is_hostile_and_stays_text(signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    hostile = {**ARARAT, "name": '<script>x</script>"', "services": "<b>y</b>"}
    sent = typed(client.get("/providers/new").text, hostile)
    made = client.post("/providers/new", data=sent)
    for path in (made.location, "/providers", f"{made.location}/edit"):
        text = client.get(path).text
        assert "<script>x" not in text
        assert "<b>y" not in text


def test_whoever_was_overtaken_keeps_what_they_typed(world: World, signed_in: SignedIn) -> None:
    client = signed_in("administrator")
    path = f"/providers/{world.register.providers['Sevan Hosting']}/edit"
    mine = typed(client.get(path).text, {"services": "Mine"})
    theirs = typed(client.get(path).text, {"services": "Theirs"})
    assert client.post(path, data=theirs).status_code == 303
    page = client.post(path, data=mine)
    assert page.status_code == 409
    assert "Somebody else changed this entry meanwhile" in page.text
    assert fields(page.text)["services"] == "Mine"
    assert provider(world, "Sevan Hosting").services == ["Theirs"]
    assert client.post(path, data=fields(page.text)).status_code == 303
    assert provider(world, "Sevan Hosting").services == ["Mine"]


def test_a_stale_code_leads_to_a_fresh_one_and_back_with_the_form_kept(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("administrator")
    sent = typed(client.get("/providers/new").text, ARARAT)
    world.clock.move(minutes=6)
    asked = client.post("/providers/new", data=sent)
    assert asked.status_code in (302, 303)
    fresh = client.get(asked.location)
    code = typed(fresh.text, {"code": world.unused_code("administrator")})
    back = client.post(asked.location, data=code)
    page = client.get(back.location)
    assert fields(page.text)["domains"].split() == ARARAT["domains"].split()
    assert client.post("/providers/new", data=fields(page.text)).status_code == 303


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("198.51.100.24", "Meridian Telecom"),
        ("+37491000118", "Norvik Mobile"),
        ("AS64499", "Sevan Hosting"),
        ("somebody@mail.harbour.example", "Harbour Cable"),
    ],
)
def test_the_list_is_searched_by_what_leads_to_a_provider(
    signed_in: SignedIn, text: str, found: str
) -> None:
    page = words(signed_in("officer").get("/providers", query_string={"q": text}).text)
    assert f"{found}’s" in page
    others = {"Meridian Telecom", "Norvik Mobile", "Sevan Hosting", "Harbour Cable"} - {found}
    assert not any(other in page for other in others)


def test_a_providers_people_learn_nothing_of_anothers_ranges(signed_in: SignedIn) -> None:
    page = words(signed_in("spoc").get("/providers", query_string={"q": "192.0.2.144"}).text)
    assert "Norvik" not in page
    own = words(signed_in("spoc").get("/providers", query_string={"q": "198.51.100.24"}).text)
    assert "Meridian Telecom’s 198.51.100.0/24" in own


def test_a_long_list_has_pages(world: World, signed_in: SignedIn) -> None:
    with world.database.transaction() as session:
        session.add_all(
            Provider(
                name=f"Provider {n:03}",
                legal_name="",
                country="AM",
                time_zone="UTC",
                domains=[],
                services=[],
                languages=[],
            )
            for n in range(200)
        )
    client = signed_in("officer")
    first = words(client.get("/providers").text)
    assert "Page 1 of 3, 204 providers" in first
    last = words(client.get("/providers?page=3").text)
    assert "Sevan Hosting" in last
    assert "Sevan Hosting" not in first
    for page in ("99", "-1", "x", "9" * 30):
        assert client.get(f"/providers?page={page}").status_code == 200


def test_contact_points_read_the_authorities_and_administrators_keep_them(
    world: World, signed_in: SignedIn
) -> None:
    officer = signed_in("officer")
    page = officer.get("/authorities").text
    assert "Landelijk 24/7 Contactpunt" in page
    assert 'href="/authorities/new"' not in page
    assert 'href="/authorities"' in officer.get("/providers").text

    client = signed_in("administrator")
    court = {
        "code": "PG",
        "name": "Prosecutor General’s Office",
        "kind": "prosecution",
        "status": "active",
        "country": "AM",
        "time_zone": "Asia/Yerevan",
        "phone": "+374 10 000200",
        "email": "desk@prosecution.example",
        "domains": "prosecution.example",
    }
    made = client.post("/authorities/new", data=typed(client.get("/authorities/new").text, court))
    assert made.status_code == 303
    assert "No administrator" in words(client.get(made.location).text)
    edit = f"{made.location}/edit"
    sent = typed(client.get(edit).text, {"code": "XX", "office_hours": "09:00 to 17:00"})
    assert client.post(edit, data=sent).status_code == 303
    with world.database.reading() as session:
        row = session.scalars(select(Authority).where(Authority.code == "PG")).one()
        assert (row.office_hours, row.kind.value) == ("09:00 to 17:00", "prosecution")


def test_the_first_administrator_is_invited_and_taken_back(
    world: World, signed_in: SignedIn, app: Flask
) -> None:
    client = signed_in("administrator")
    own = f"/providers/{world.register.providers['Norvik Mobile']}"
    assert "Invite its first administrator" in client.get(own).text
    path = f"{own}/first-administrator"
    sent = typed(client.get(path).text, {"email": "n@n0rvik.example", "name": "Nare Sahakyan"})
    refused = client.post(path, data=sent)
    assert refused.status_code == 422
    assert "resembles" in refused.text
    sent["email"] = "n@norvik.example"
    assert client.post(path, data=sent).status_code == 303
    waiting = client.get(path)
    assert "Nare Sahakyan is invited" in words(waiting.text)
    back = client.post(path, data={**fields(waiting.text), "act": "revoke"})
    assert back.status_code == 303
    with world.database.reading() as session:
        assert session.scalars(select(Invitation)).one().revoked_at is not None
    assert "Send the invitation" in client.get(path).text
    with world.database.transaction() as session:
        session.execute(
            update(Provider).where(Provider.name == "Norvik Mobile").values(status=Status.CLOSED)
        )
    assert "nobody is invited there" in client.get(path).text
    has_one = f"/providers/{world.register.providers['Meridian Telecom']}/first-administrator"
    assert "has an administrator already" in client.get(has_one).text
