"""The pages of a doubted order: the SPOC's one button, and the contact point's answer."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from liaison.domain.lifecycle import OrderState
from liaison.models import Authority, Order
from liaison.services import doubts
from tests.portal.filled import SignedIn, fields
from tests.world import World, csrf_token

pytestmark = pytest.mark.one_database

WHY = "Nobody of that name works there. <script>alert(1)</script>"
REGISTERED = ("+37410000101", "+37410000102")


def doubted(world: World, order: Order | None = None) -> Order:
    order = order or world.issue()
    with world.database.transaction() as session:
        doubts.raise_(session, world.actor("spoc"), order.name, WHY, None, world.now)
    return world.order(order.name)


def vouched(world: World, order: Order, by: str) -> Order:
    with world.database.transaction() as session:
        doubts.vouch(session, world.actor(by), order.name, None, None, world.now)
    return world.order(order.name)


# The provider's side


def test_the_button_leads_to_the_registers_numbers(world: World, signed_in: SignedIn) -> None:
    forged = {"name": "A. Forger", "phone": "+37499666666", "email": "x@police.example"}
    order = world.issue(confirmation_contact={**forged, "function": "Duty officer"})
    client = signed_in("spoc")
    path = f"/orders/{order.name}/doubt"
    assert f'href="{path}"' in client.get(f"/orders/{order.name}").text
    page = client.get(path).text
    numbers = page.partition("Numbers to call")[2].partition("What happens")[0]
    assert all(number in numbers for number in REGISTERED)
    assert "+37499666666" not in page
    assert "Keep the data provisionally" in page
    assert "what you have acknowledged stays" in page


def test_a_doubt_is_shown_to_both_and_only_as_text(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/doubt"
    form = fields(client.get(path).text)
    form["reason"] = WHY
    assert client.post(path, data=form).status_code == 303
    assert client.post(path, data=form).status_code == 303, "a double click is no conflict"
    mine = client.get(f"/orders/{order.name}").text
    assert "You doubt this order" in mine
    assert "I doubt this order" not in mine
    theirs = signed_in("supervisor")
    page = theirs.get(f"/orders/{order.name}").text
    assert "Meridian Telecom doubts this order" in page
    assert f'href="/orders/{order.name}/vouch"' in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    queue = theirs.get("/orders").text
    assert "Doubted" in queue
    assert "Doubted, not vouched for in time" not in queue
    world.clock.move(minutes=15)
    assert "Doubted, not vouched for in time" in theirs.get("/orders").text


def test_without_a_reason_the_page_says_what_is_missing(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/doubt"
    answer = client.post(path, data=fields(client.get(path).text))
    assert answer.status_code == 422
    assert "Say what makes you doubt the order." in answer.text
    assert 'id="reason-e"' in answer.text


def test_an_open_doubt_has_numbers_and_no_second_form(world: World, signed_in: SignedIn) -> None:
    order = doubted(world)
    page = signed_in("spoc").get(f"/orders/{order.name}/doubt").text
    assert REGISTERED[0] in page
    assert 'name="reason"' not in page


def test_looking_changes_nothing(world: World, signed_in: SignedIn) -> None:
    order = doubted(world)
    client = signed_in("supervisor")
    for page in ("", "/vouch", "/print", "/record", "/deadlines.ics"):
        assert client.get(f"/orders/{order.name}{page}").status_code == 200
    assert world.order(order.name).version == order.version


# The contact point's side


def test_two_people_vouch_on_the_page(world: World, signed_in: SignedIn) -> None:
    order = doubted(world)
    path = f"/orders/{order.name}/vouch"
    world.clock.move(minutes=1)
    for who in ("second_officer", "supervisor"):
        client = signed_in(who)
        world.clock.move(minutes=6)
        form = fields(client.get(path).text)
        assert client.post(path, data=form).status_code == 422, "the code is old: another one"
        form["code"] = world.unused_code(who)
        form["note"] = f"{who} has seen the file."
        assert client.post(path, data=form).status_code == 303
        assert client.post(path, data=form).status_code == 303, "a double click"
    after = world.order(order.name)
    assert after.doubt_open_since is None
    assert after.state is OrderState.ISSUED
    page = signed_in("spoc").get(f"/orders/{order.name}").text
    assert "The doubt is over." in page
    assert "supervisor has seen the file." in page
    assert "I doubt this order" in page
    assert "You doubted this order; two people vouched for it, " in page


def test_only_whoever_may_vouch_is_offered_it(world: World, signed_in: SignedIn) -> None:
    order = doubted(world)
    link = f'href="/orders/{order.name}/vouch"'
    writer = signed_in("officer").get(f"/orders/{order.name}").text
    assert link not in writer
    assert "so you cannot vouch for it. " in writer
    assert f"{world.person('supervisor').name}" in writer.partition("cannot vouch")[2]
    vouched(world, order, "supervisor")
    mine = signed_in("supervisor").get(f"/orders/{order.name}").text
    assert link not in mine
    assert "You have vouched; one more is needed." in mine
    assert link in signed_in("second_officer").get(f"/orders/{order.name}").text


def test_whoever_wrote_it_reads_why_not(world: World, signed_in: SignedIn) -> None:
    order = doubted(world)
    client = signed_in("officer")
    page = client.get(f"/orders/{order.name}/vouch")
    assert page.status_code == 200
    assert "cannot vouch for it" in page.text
    assert "I vouch for this order" not in page.text
    token = {"csrf_token": csrf_token(page), "version": str(order.version)}
    answer = client.post(f"/orders/{order.name}/vouch", data={**token, "code": "000000"})
    assert answer.status_code == 403
    assert "cannot vouch for it" in answer.text
    assert world.order(order.name).version == order.version


def test_whoever_has_vouched_waits_for_another(world: World, signed_in: SignedIn) -> None:
    order = vouched(world, doubted(world), "supervisor")
    page = signed_in("supervisor").get(f"/orders/{order.name}/vouch").text
    assert "a second person must" in page
    assert "I vouch for this order" not in page


def test_of_two_who_vouch_at_once_the_second_keeps_the_note(
    world: World, signed_in: SignedIn
) -> None:
    order = doubted(world)
    client = signed_in("supervisor")
    path = f"/orders/{order.name}/vouch"
    form = fields(client.get(path).text)
    vouched(world, order, "second_officer")
    form["note"] = "I called her at home."
    answer = client.post(path, data=form)
    assert answer.status_code == 409
    assert "This was not done" in answer.text
    again = fields(answer.text)
    assert again["note"] == "I called her at home."
    assert client.post(path, data=again).status_code == 303
    assert world.order(order.name).doubt_open_since is None


def test_a_wrong_code_vouches_for_nothing(world: World, signed_in: SignedIn) -> None:
    order = doubted(world)
    client = signed_in("supervisor")
    path = f"/orders/{order.name}/vouch"
    form = fields(client.get(path).text)
    form["code"] = "000000"
    answer = client.post(path, data=form)
    assert answer.status_code == 422
    assert 'id="code-e"' in answer.text
    assert world.order(order.name).version == order.version


def test_where_a_passkey_is_demanded_no_code_is_asked_for(
    world: World, signed_in: SignedIn
) -> None:
    order = doubted(world)
    with world.database.transaction() as session:
        session.execute(update(Authority).values(passkey_to_issue=True))
    client = signed_in("supervisor")
    page = client.get(f"/orders/{order.name}/vouch").text
    assert 'name="code"' not in page
    assert "with a passkey only" in page
    assert client.post(f"/orders/{order.name}/vouch", data=fields(page)).status_code == 422
    assert world.order(order.name).version == order.version


def test_without_a_doubt_the_page_says_so(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    answer = signed_in("supervisor").get(f"/orders/{order.name}/vouch")
    assert answer.status_code == 409
    assert "Nobody doubts this order now" in answer.text


def test_an_expired_session_keeps_the_reason(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/doubt"
    form = fields(client.get(path).text)
    form["reason"] = "The address is a free-mail one."
    world.clock.move(hours=13)
    answer = client.post(path, data=form)
    assert answer.status_code in (302, 303)
    assert "/login" in answer.location
    assert world.order(order.name).doubt_open_since is None
