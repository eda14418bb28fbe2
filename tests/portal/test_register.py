"""The register's pages: who sees which provider, and what they say."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from uuid6 import uuid7

from liaison.models import Contact, Memorandum
from tests.world import World

CONTACT_POINT = ("officer", "supervisor", "auditor", "administrator")
PROVIDER = ("spoc", "provider_administrator")


def place(world: World, name: str = "Meridian Telecom", *, below: str = "") -> str:
    return f"/providers/{world.register.providers[name]}{below}"


def words(html: str) -> str:
    """A page's text without its tags, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def memorandum_of(world: World, reference: str) -> UUID:
    with world.database.reading() as session:
        return session.scalars(select(Memorandum.id).where(Memorandum.reference == reference)).one()


@pytest.mark.parametrize("who", CONTACT_POINT)
def test_the_contact_point_reads_the_whole_register(
    client: FlaskClient, world: World, who: str
) -> None:
    world.sign_in(client, who)
    text = words(client.get("/providers").text)
    for name in world.register.providers:
        assert name in text
        assert client.get(place(world, name)).status_code == 200
        assert client.get(place(world, name, below="/memorandum")).status_code == 200
    assert text.count("In force") == 4
    assert "MoU-NL" not in text, "another authority's memoranda are not ours to read"


@pytest.mark.parametrize("who", PROVIDER)
def test_a_providers_people_see_their_own_provider_only(
    client: FlaskClient, world: World, who: str
) -> None:
    world.sign_in(client, who)
    text = words(client.get("/providers").text)
    assert "Meridian Telecom" in text
    assert "Norvik" not in text
    assert client.get(place(world)).status_code == 200
    assert client.get(place(world, below="/memorandum")).status_code == 200


@pytest.mark.parametrize("below", ["", "/memorandum"])
def test_anothers_provider_and_an_absent_one_are_answered_alike(
    client: FlaskClient, world: World, below: str
) -> None:
    world.sign_in(client, "spoc")
    answers = []
    for asked in (str(world.register.providers["Norvik Mobile"]), str(uuid7()), "no-id"):
        page = client.get(f"/providers/{asked}{below}")
        assert page.status_code == 404
        answers.append(re.sub(r"[0-9a-f]{32}", "", words(page.text.replace(asked, ""))))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.one_database
def test_a_provider_is_found_by_name_or_domain(client: FlaskClient, world: World) -> None:
    world.sign_in(client, "officer")
    for text in ("norv", "NORVIK.EXAMPLE", "mobile ltd"):
        found = words(client.get("/providers", query_string={"q": text}).text)
        assert "Norvik Mobile" in found
        assert "Meridian" not in found
    none = client.get("/providers", query_string={"q": '<b>"x"'})
    assert "No provider is called" in none.text
    assert '<b>"x"' not in none.text


def test_a_provider_without_memorandum_in_force_is_marked(
    client: FlaskClient, world: World
) -> None:
    with world.database.transaction() as session:
        session.execute(
            update(Memorandum)
            .where(Memorandum.reference == "MoU-CP-Sevan")
            .values(in_force_to=date(2026, 11, 22))
        )
    world.sign_in(client, "officer")
    assert words(client.get("/providers").text).count("None in force") == 1
    assert "No order can be issued" in words(client.get(place(world, "Sevan Hosting")).text)
    page = words(client.get(place(world, "Sevan Hosting", below="/memorandum")).text)
    assert "No memorandum in force" in page
    assert "Nothing can be issued" in page
    ended = place(world, "Sevan Hosting", below="/memorandum")
    chosen = client.get(ended, query_string={"id": str(memorandum_of(world, "MoU-CP-Sevan"))})
    assert "Ended" in words(chosen.text)


def test_the_last_day_in_force_counts(client: FlaskClient, world: World) -> None:
    world.clock.set(datetime(2028, 12, 31, 23, 0, tzinfo=UTC))
    world.sign_in(client, "officer")
    assert words(client.get("/providers").text).count("In force") == 4
    world.clock.set(datetime(2029, 1, 1, 0, 0, tzinfo=UTC))
    world.sign_in(client, "officer")
    assert words(client.get("/providers").text).count("None in force") == 4


def test_the_provider_page_tells_whom_to_reach_and_what_is_stale(
    client: FlaskClient, world: World
) -> None:
    with world.database.transaction() as session:
        session.execute(
            update(Contact)
            .where(Contact.email == "deputy@meridian.example")
            .values(review_on=date(2026, 11, 22))
        )
    world.sign_in(client, "officer")
    page = client.get(place(world)).text
    text = words(page)
    assert 'href="tel:+37410000200"' in page
    assert "Deputy SPOC at meridian.example" in text
    assert text.count("Stale") == 1
    assert "22 Nov 2026" in text
    assert "Asia/Yerevan (23 Nov 2026, 16:00 Yerevan now)" in text


@pytest.mark.parametrize("who", ["officer", "spoc"])
def test_the_memorandum_page_says_whose_clocks_these_are(
    client: FlaskClient, world: World, who: str
) -> None:
    world.sign_in(client, who)
    at = place(world, below="/memorandum")
    chosen = client.get(at, query_string={"id": str(memorandum_of(world, "MoU-CP-Meridian"))})
    text = words(chosen.text)
    assert "come from the memorandum, not from law" in text
    assert "Emergency 1 h 4 h" in text
    assert "Routine 2 days 5 days" in text
    assert "after 30 min Fallback addressee : Fallback addressee at meridian.example" in text
    assert "every 15 min until a person closes it" in text
    assert ("Our duty officer" if who == "officer" else "The contact point’s duty officer") in text
    assert "90 at the longest" in text


def test_a_term_that_leaves_a_category_out_says_so(client: FlaskClient, world: World) -> None:
    world.sign_in(client, "officer")
    text = words(client.get(place(world, "Harbour Cable", below="/memorandum")).text)
    assert "Not covered: location data." in text


def test_another_authoritys_memorandum_is_not_shown(client: FlaskClient, world: World) -> None:
    world.sign_in(client, "officer")
    at = place(world, below="/memorandum")
    for wanted in (str(memorandum_of(world, "MoU-NL-Meridian")), str(uuid7()), "x"):
        assert client.get(at, query_string={"id": wanted}).status_code == 404
    assert "MoU-NL" not in client.get(place(world)).text


def test_a_provider_sees_its_memoranda_with_every_authority(
    client: FlaskClient, world: World
) -> None:
    world.sign_in(client, "spoc")
    text = words(client.get(place(world)).text)
    assert "MoU-CP-Meridian" in text
    assert "MoU-NL-Meridian" in text


def test_contacts_are_ones_own_and_the_other_sides(client: FlaskClient, world: World) -> None:
    world.sign_in(client, "spoc")
    text = words(client.get("/contacts").text)
    assert "noc@meridian.example" in text
    assert "duty@police.example" in text
    assert "norvik.example" not in text


@pytest.mark.parametrize("path", ["/providers", "/contacts"])
def test_nobody_reads_the_register_without_signing_in(
    client: FlaskClient, world: World, path: str
) -> None:
    assert client.get(path).location == f"/login?next={path}"
    assert client.get(place(world)).location.startswith("/login?next=/providers/")
