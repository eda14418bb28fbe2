"""The new-order form proposes whose the targets are; a person chooses, and is never stopped."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select, update
from werkzeug.datastructures import MultiDict

from liaison.domain.vocabulary import Status
from liaison.models import Authority, Order, Provider
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World

pytestmark = pytest.mark.one_database

TYPED = {
    "provider": "",
    "offence": "Fraud",
    "facts": "The pages were served from these addresses.",
    "targets-0-value": "203.0.113.77",
    "targets-0-start": "2026-11-23 01:10",
}


def stand(world: World, provider: str, status: Status) -> None:
    with world.database.transaction() as session:
        found = update(Provider).where(Provider.name == provider)
        session.execute(found.values(status=status))


def pressed(form: MultiDict[str, str], button: str) -> MultiDict[str, str]:
    """The form as it is sent by one of its buttons."""
    sent = form.copy()
    sent["act"] = button
    return sent


def kept(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    """All that was typed and chosen."""
    return sorted(item for item in form.items(multi=True) if item[0] not in ("csrf_token", "act"))


def test_the_provider_is_found_and_chosen_with_two_buttons(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    sent = typed(client.get("/orders/new").text, TYPED)
    two = client.post("/orders/new", data=pressed(sent, "add-target"))
    more = typed(two.text, {"targets-1-value": "keys@sevan.example"})
    page = client.post("/orders/new", data=pressed(more, "find-provider"))

    assert page.status_code == 200
    assert "203.0.113.77 lies in Sevan Hosting’s 203.0.113.0/24" in page.text
    assert "keys@sevan.example belongs to Sevan Hosting’s sevan.example" in page.text
    assert kept(fields(page.text)) == kept(more)  # nothing is lost
    button = re.search(r'value="(choose-provider-[^"]+)"', page.text)
    assert button is not None
    chosen = client.post("/orders/new", data=pressed(fields(page.text), button[1]))

    assert fields(chosen.text)["provider"] == "Sevan Hosting"
    more["provider"] = "Sevan Hosting"
    assert kept(fields(chosen.text)) == kept(more)
    assert "Chosen" in chosen.text
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_draft_that_is_there_asks_as_well(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    path = f"/orders/{world.draft().name}/edit"
    page = client.post(path, data=pressed(fields(client.get(path).text), "find-provider"))
    assert "198.51.100.24 lies in Meridian Telecom’s 198.51.100.0/24" in page.text
    assert 'value="choose-provider-' not in page.text  # it is chosen already


def test_where_nothing_leads_anywhere_the_page_says_so(signed_in: SignedIn) -> None:
    client = signed_in("officer")
    new = client.get("/orders/new").text
    for value in ("", "elodie-m-1987", "<b>x</b>"):
        sent = typed(new, {**TYPED, "targets-0-value": value})
        page = client.post("/orders/new", data=pressed(sent, "find-provider"))
        assert page.status_code == 200
        assert "The register proposes nobody" in page.text


def test_a_suspended_provider_is_shown_and_cannot_be_chosen(
    world: World, signed_in: SignedIn
) -> None:
    stand(world, "Sevan Hosting", Status.SUSPENDED)
    client = signed_in("officer")
    new = client.get("/orders/new")
    assert '<option value="Sevan Hosting"' not in new.text
    sent = typed(new.text, TYPED)
    page = client.post("/orders/new", data=pressed(sent, "find-provider"))
    assert "Suspended: no order can be issued" in page.text
    assert 'value="choose-provider-' not in page.text
    wanted = f"choose-provider-{world.register.providers['Sevan Hosting']}"
    forced = client.post("/orders/new", data=pressed(sent, wanted))
    assert fields(forced.text)["provider"] == ""
    assert "Chosen" not in forced.text


def test_the_check_page_hints_at_another_provider_and_blocks_nothing(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    order = world.draft(provider="Norvik Mobile")
    path = f"/orders/{order.name}/issue"
    page = client.get(path)
    assert "198.51.100.24 lies in Meridian Telecom’s 198.51.100.0/24" in page.text
    assert "Nothing is blocked" in page.text
    assert client.post(path, data=fields(page.text)).status_code == 303

    right = client.get(f"/orders/{world.draft().name}/issue")
    assert "points to another provider" not in right.text


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.CLOSED])
def test_no_order_goes_to_a_provider_that_is_not_active(
    world: World, signed_in: SignedIn, status: Status
) -> None:
    order = world.draft()
    stand(world, "Meridian Telecom", status)
    client = signed_in("officer")
    path = f"/orders/{order.name}/issue"
    page = client.get(path)
    assert f"Meridian Telecom is {status.value} in the register" in page.text
    sent = {**fields(client.get("/account").text), "version": "1"}
    assert client.post(path, data=sent).status_code == 422


def test_no_order_comes_from_an_authority_that_is_not_active(
    world: World, signed_in: SignedIn
) -> None:
    order = world.draft()
    with world.database.transaction() as session:
        found = update(Authority).where(Authority.code == "CP")
        session.execute(found.values(status=Status.SUSPENDED))
    page = signed_in("officer").get(f"/orders/{order.name}/issue")
    assert "National 24/7 Contact Point is suspended in the register" in page.text
    assert "nothing can be sent" in page.text
