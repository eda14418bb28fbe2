"""The pages about other providers: named by one side, followed by the other with one click."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from liaison.models import Order
from liaison.services import routes
from tests.portal.filled import SignedIn, fields
from tests.world import World, csrf_token

pytestmark = pytest.mark.one_database

PATH = "Handed over at 198.51.100.1 port 51820."


def name(world: World, order: Order, provider: str = "Norvik Mobile") -> str:
    with world.database.transaction() as session:
        spoc = world.actor("spoc")
        named = routes.report(session, spoc, order.name, provider, PATH, world.now)
        return str(named.routes[-1].id)


def test_a_provider_names_another_and_keeps_what_it_typed(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue("05-names-from-everywhere.json")
    spoc = signed_in("spoc")
    path = f"/orders/{order.name}/route"
    assert path in spoc.get(f"/orders/{order.name}").text
    form = fields(spoc.get(path).text)
    form["path"], form["target"] = PATH, str(order.targets[0].id)
    refused = spoc.post(path, data=form)
    assert refused.status_code == 422
    assert fields(refused.text)["path"] == PATH
    assert fields(refused.text)["target"] == str(order.targets[0].id)
    form["provider"] = "<b>norvik.example</b>"
    assert spoc.post(path, data=form).status_code == 303
    page = spoc.get(f"/orders/{order.name}").text
    assert PATH in page
    assert "&lt;b&gt;norvik.example&lt;/b&gt;" in page
    assert "register" not in page[page.index('id="routes-h"') :][:1500].lower()
    assert "ollow-on" not in page


def test_one_click_makes_the_follow_on_order(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    route = name(world, order)
    officer = signed_in("officer")
    page = officer.get(f"/orders/{order.name}")
    path = f"/orders/{order.name}/routes/{route}/follow-on"
    assert f'action="{path}"' in page.text
    for _ in range(2):
        answer = officer.post(path, data={"csrf_token": csrf_token(page)})
        assert answer.status_code == 303
        draft = answer.location
    with world.database.reading() as session:
        (made,) = session.scalars(select(Order).where(Order.follows_id == order.id)).all()
        assert draft.endswith(str(made.id))
    after = officer.get(f"/orders/{order.name}").text
    assert draft.rpartition("/")[2] in after
    assert "Make the follow-on order" not in after
    there = officer.get(draft).text
    assert f'href="/orders/{order.name}"' in there
    assert "Follows on" in there
    for seen in (signed_in("spoc").get(f"/orders/{order.name}").text,):
        assert str(made.id) not in seen
        assert "Follows on" not in seen


def test_where_it_is_not_registered_the_page_asks(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    route = name(world, order, "Unknown Networks")
    officer = signed_in("officer")
    path = f"/orders/{order.name}/routes/{route}/follow-on"
    assert f'href="{path}"' in officer.get(f"/orders/{order.name}").text
    page = officer.get(path)
    assert PATH in page.text
    assert "Meridian Telecom</option>" not in page.text, "it was asked already"
    refused = officer.post(path, data={"csrf_token": csrf_token(page)})
    assert refused.status_code == 422
    made = officer.post(path, data={"csrf_token": csrf_token(page), "provider": "Sevan Hosting"})
    assert made.status_code == 303
    assert "Sevan Hosting" in officer.get(made.location).text


def test_an_auditor_reads_the_links_and_has_no_button(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    route = name(world, order)
    auditor = signed_in("auditor")
    page = auditor.get(f"/orders/{order.name}").text
    assert "Norvik Mobile" in page
    assert "Make the follow-on order" not in page
    assert auditor.get(f"/orders/{order.name}/routes/{route}/follow-on").status_code == 403


def test_the_providers_reference_is_seen_before_any_report(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    spoc = signed_in("spoc")
    path = f"/orders/{order.name}/acknowledge"
    form = fields(spoc.get(path).text)
    form["reference"] = "NOC-8812"
    spoc.post(path, data=form)
    for who in ("spoc", "officer"):
        page = signed_in(who).get(f"/orders/{order.name}").text
        assert re.search(r'id="ref-h".{0,200}NOC-8812', page, re.DOTALL)
