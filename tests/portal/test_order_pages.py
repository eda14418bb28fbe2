"""Reading orders: first look, live parts, hostile text, everything in its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from liaison.models import Entry
from liaison.portal.orders import words
from liaison.queries.latest import ATTRIBUTION
from tests.portal.filled import SignedIn, fields
from tests.world import World, submit

pytestmark = pytest.mark.one_database


def test_the_first_look_of_the_provider_is_noted_once(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    officer, spoc = signed_in("officer"), signed_in("spoc")
    assert "Nobody there has opened it yet" in officer.get(f"/orders/{order.name}").text
    for _ in range(2):
        assert spoc.get(f"/orders/{order.name}").status_code == 200
    after = world.order(order.name)
    assert after.fetched_at == world.now
    assert after.version == order.version
    with world.database.reading() as session:
        fetched = select(func.count()).where(Entry.type == "order.fetched")
        assert session.scalar(fetched) == 1
    assert "It has been opened there" in officer.get(f"/orders/{order.name}").text


@pytest.mark.parametrize("path", ["/orders", "/orders/{ref}"])
def test_the_live_part_is_sent_only_when_something_changed(
    world: World, signed_in: SignedIn, path: str
) -> None:
    order = world.issue()
    client = signed_in("officer")
    address = path.format(ref=order.name) + "?part=live"
    first = client.get(address)
    assert first.status_code == 200
    assert "<html" not in first.text
    assert first.headers["X-Poll-Interval"] == "5"
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(address, headers=tag).status_code == 304
    world.acknowledge(order)
    assert client.get(address, headers=tag).status_code == 200


def test_hostile_text_is_shown_as_it_is(world: World, signed_in: SignedIn) -> None:
    order = world.issue("06-hostile-text.json")
    draft = world.draft("06-hostile-text.json")
    spoc, officer = signed_in("sevan_spoc"), signed_in("officer")
    text = "<script>alert(1)</script>{{ 7*7 }}"
    path = f"/orders/{order.name}"
    submit(spoc, path, {"text": text}, to=f"{path}/question")
    for client, where in (
        (spoc, path),
        (spoc, "/orders"),
        (spoc, f"{path}/preserve"),
        (officer, path),
        (officer, f"{path}/message"),
        (officer, "/orders"),
        (officer, f"/orders/{draft.name}/edit"),
        (officer, f"/orders/{draft.name}/issue"),
    ):
        page = client.get(where).text
        for harm in ("<script>alert", "<img src=x", "<svg/onload", '" autofocus onfocus'):
            assert harm not in page, f"{harm} in {where}"
        assert ">49<" not in page
    assert "&lt;script&gt;alert(document.cookie)" in officer.get(path).text
    assert fields(officer.get(f"/orders/{draft.name}/edit").text)["facts"].replace(
        "\r\n", "\n"
    ) == draft.facts.replace("\r\n", "\n")


def test_everything_the_order_says_is_on_its_page(world: World, signed_in: SignedIn) -> None:
    order = world.issue("04-foreign-followup-mail.json")
    page = signed_in("harbour_spoc").get(f"/orders/{order.name}").text
    for said in (
        order.offence,
        order.necessity,
        order.origin["authority"],
        order.origin["reference"],
        order.origin["previous"][0]["reference"],
        order.investigating_authority["case_number"],
        order.confirmation_contact["email"],
        *(t.value for t in order.targets),
        order.sha256 or "",
    ):
        assert said in page.replace("&#39;", "'").replace("&amp;", "&"), said


def test_what_no_database_keeps_is_refused(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}"
    answer = submit(client, path, {"text": "half\x00"}, to=f"{path}/question")
    assert answer.status_code == 422
    assert client.get("/orders?q=%00").status_code == 422
    assert client.get("/orders/%00").status_code == 404
    assert client.get("/orders?page=99999999999999999999").status_code == 200


def test_a_short_period_is_told_to_the_millisecond(world: World, signed_in: SignedIn) -> None:
    order = world.issue("03-cgnat-fraud-routine.json")
    page = signed_in("norvik_spoc").get(f"/orders/{order.name}").text
    assert "2026-11-18 17:05:02.25</span>" in page
    assert "(7.5 s)" in page
    assert "as given: 2026-11-18 21:03:11+04:00" in page


def test_every_entry_type_has_its_sentence() -> None:
    """A new type of entry breaks the build until somebody has found words for it."""
    house = Path(words.__file__).parents[2]
    written = set()
    for room in ("services", "worker"):
        for file in (house / room).rglob("*.py"):
            written |= set(re.findall(r'"(order\.[a-z_]+)"', file.read_text(encoding="utf-8")))
    assert len(written) > 10
    assert written - {ATTRIBUTION} <= words.TYPES


def test_what_is_overdue_is_seen_without_a_click(world: World, signed_in: SignedIn) -> None:
    late = world.issue("05-names-from-everywhere.json")
    world.clock.move(hours=30)
    quiet = world.issue("03-cgnat-fraud-routine.json")
    client = signed_in("officer")
    page = client.get(client.get("/").location)
    rows = page.text.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr")[1:]
    assert late.ref is not None
    assert quiet.ref is not None
    assert late.ref in rows[0]
    assert "late" in rows[0]
    assert quiet.ref in rows[1]
    assert "late" not in rows[1]
    assert re.search(r'class="hot"[^>]*><b>1</b>\s*Overdue', page.text)
