"""The pages of four eyes: submit, authorise, return, issue at once, ratify."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from liaison.domain.lifecycle import OrderState
from liaison.models import Order, Person
from liaison.services import authorising
from tests.portal.filled import SignedIn, fields
from tests.world import World, csrf_token, submit

ROUTINE = "03-cgnat-fraud-routine.json"


def state_of(world: World, order: Order) -> OrderState:
    return world.order(order.name).state


def press(client: FlaskClient, path: str, to: str | None = None, **typed: str) -> int:
    """Opens a page and sends its form with what was typed; the answer's status."""
    page = client.get(path)
    assert page.status_code == 200
    return client.post(to or path, data={**fields(page.text).to_dict(), **typed}).status_code


def test_a_routine_order_goes_from_its_writer_to_another_person_and_out(
    world: World, signed_in: SignedIn
) -> None:
    order = world.draft(ROUTINE)
    writer, other = signed_in("officer"), signed_in("supervisor")
    page = writer.get(f"/orders/{order.name}")
    assert "Check and submit" in page.text
    assert "Check and issue" not in page.text
    check = writer.get(f"/orders/{order.name}/issue").text
    assert "Submit for authorisation" in check
    assert "Can authorise: <bdi>Davit Sahakyan</bdi>, <bdi>Mariam Grigoryan</bdi>." in check
    assert "Issue at once" not in check
    assert 'name="code"' not in check
    assert press(writer, f"/orders/{order.name}/submit") == 303
    assert state_of(world, order) is OrderState.SUBMITTED

    waiting = writer.get(f"/orders/{order.name}").text
    assert "Waiting for another person" in waiting
    assert "Take it back" in waiting
    assert "Check and authorise" not in waiting
    assert "Waiting for authorisation" in writer.get("/orders?view=all").text
    assert "Authorise and issue to" not in writer.get(f"/orders/{order.name}/authorise").text

    assert "Check and authorise" in other.get(f"/orders/{order.name}").text
    world.clock.move(minutes=6)
    path = f"/orders/{order.name}/authorise"
    assert "Submitted by <bdi>Anahit Petrosyan</bdi>" in other.get(path).text
    assert press(other, path, code="") == 422
    assert state_of(world, order) is OrderState.SUBMITTED
    assert press(other, path, code=world.unused_code("supervisor")) == 303
    served = world.order(order.name)
    assert served.state is OrderState.ISSUED
    shown = writer.get(f"/orders/{served.ref}").text
    assert "Authorised" in shown
    assert "ratif" not in shown.replace("ratified_", "").lower()


def test_its_writer_is_refused_at_every_door(world: World, signed_in: SignedIn) -> None:
    order = world.submit(world.draft(ROUTINE))
    writer = signed_in("officer")
    token = csrf_token(writer.get("/account"))
    sent = {"csrf_token": token, "version": str(order.version)}
    refused = writer.post(f"/orders/{order.name}/authorise", data=sent)
    assert refused.status_code == 403
    assert "a second pair of eyes" in refused.text
    assert "Mariam Grigoryan" in refused.text
    assert writer.post(f"/orders/{order.name}/issue", data=sent).status_code == 409
    assert state_of(world, order) is OrderState.SUBMITTED
    emergency = world.issue()
    sent["version"] = str(emergency.version)
    assert writer.post(f"/orders/{emergency.ref}/ratify", data=sent).status_code == 403
    assert "Ratify with" not in writer.get(f"/orders/{emergency.ref}/ratify").text


def test_a_routine_order_is_not_issued_at_once(world: World, signed_in: SignedIn) -> None:
    order, client = world.draft(ROUTINE), signed_in("officer")
    sent = {"csrf_token": csrf_token(client.get("/account")), "version": str(order.version)}
    refused = client.post(f"/orders/{order.name}/issue", data=sent)
    assert refused.status_code == 409
    assert "Submit this order for authorisation" in refused.text
    assert state_of(world, order) is OrderState.DRAFT


def test_a_returned_order_shows_its_writer_why(world: World, signed_in: SignedIn) -> None:
    order = world.submit(world.draft(ROUTINE))
    other, writer = signed_in("supervisor"), signed_in("officer")
    path = f"/orders/{order.name}/return"
    assert "must be changed" in other.get(path).text
    empty = submit(other, path, {"version": str(order.version), "note": ""})
    assert empty.status_code == 422
    note = "Which port? <b>& “quotes”</b>"
    assert submit(other, path, {"version": str(order.version), "note": note}).status_code == 303
    assert state_of(world, order) is OrderState.DRAFT
    for place in ("", "/edit", "/issue"):
        page = writer.get(f"/orders/{order.name}{place}").text
        assert "Returned: change this, then submit it again." in page, place
        assert "Which port? &lt;b&gt;" in page
    assert press(writer, f"/orders/{order.name}/submit") == 303
    page = writer.get(f"/orders/{order.name}").text
    assert "Returned: change this" not in page
    assert "What must be changed" in page, "the record still tells it"


def test_its_writer_takes_it_back_with_one_press(world: World, signed_in: SignedIn) -> None:
    order, writer = world.submit(world.draft(ROUTINE)), signed_in("officer")
    status = press(writer, f"/orders/{order.name}", to=f"/orders/{order.name}/return")
    assert status == 303
    assert state_of(world, order) is OrderState.DRAFT


def test_sent_twice_it_is_done_once(world: World, signed_in: SignedIn) -> None:
    order = world.draft(ROUTINE)
    writer, other = signed_in("officer"), signed_in("supervisor")
    form = fields(writer.get(f"/orders/{order.name}/submit").text)
    for _ in range(2):
        assert writer.post(f"/orders/{order.name}/submit", data=form).status_code == 303
    form = fields(other.get(f"/orders/{order.name}/authorise").text)
    for _ in range(2):
        assert other.post(f"/orders/{order.name}/authorise", data=form).status_code == 303
    assert world.order(order.name).ref == "CP-2026-0001"
    emergency = world.issue()
    form = fields(other.get(f"/orders/{emergency.ref}/ratify").text)
    for _ in range(2):
        assert other.post(f"/orders/{emergency.ref}/ratify", data=form).status_code == 303


def test_what_was_returned_and_changed_meanwhile_is_not_authorised(
    world: World, signed_in: SignedIn
) -> None:
    order, other = world.submit(world.draft(ROUTINE)), signed_in("supervisor")
    form = fields(other.get(f"/orders/{order.name}/authorise").text)
    with world.database.transaction() as session:
        officer = world.actor("officer")
        authorising.return_(session, officer, order.name, "", None, world.now)
    world.submit(world.order(order.name))
    assert other.post(f"/orders/{order.name}/authorise", data=form).status_code == 409
    assert state_of(world, order) is OrderState.SUBMITTED


def test_an_emergency_is_issued_at_once_and_both_sides_see_that_it_is_not_ratified(
    world: World, signed_in: SignedIn
) -> None:
    draft = world.draft()
    writer = signed_in("officer")
    check = writer.get(f"/orders/{draft.name}/issue").text
    assert "Issue at once" in check
    assert "must ratify it within 12 h" in check
    assert "Or let another person issue it" in check
    assert press(writer, f"/orders/{draft.name}/issue") == 303
    order = world.order(draft.name)
    spoc, other = signed_in("spoc"), signed_in("supervisor")
    for path in (f"/orders/{order.ref}", "/orders"):
        for client in (writer, other):
            assert "Ratify by 24 Nov 2026, 00:00</span>" in client.get(path).text, path
        assert "Not yet ratified</span>" in spoc.get(path).text, path
    assert "Not ratified</span>" not in writer.get("/orders").text, "one tag says it"
    assert "Waiting for another person" in writer.get(f"/orders/{order.ref}").text
    assert "Check and ratify" in other.get(f"/orders/{order.ref}").text
    assert "ratify</a>" not in spoc.get(f"/orders/{order.ref}").text

    world.clock.set(order.ratify_by or world.now)
    writer, spoc, other = signed_in("officer"), signed_in("spoc"), signed_in("supervisor")
    for client in (writer, spoc, other):
        for path in (f"/orders/{order.ref}", "/orders"):
            page = client.get(path).text
            assert '<span class="tag red">' in page
            assert "Not ratified</span>" in page
    assert press(other, f"/orders/{order.ref}/ratify") == 303
    for client in (writer, spoc):
        page = client.get(f"/orders/{order.ref}").text
        assert "Ratified by a second person" in page
        assert "Not ratified</span>" not in page
        assert "Not ratified</span>" not in client.get("/orders").text
    assert "Check and ratify" not in other.get(f"/orders/{order.ref}").text


@pytest.mark.one_database
def test_who_submitted_and_was_let_go_is_named_before_it_is_authorised(
    world: World, signed_in: SignedIn
) -> None:
    order = world.submit(world.draft(ROUTINE))
    with world.database.transaction() as session:
        session.get_one(Person, world.person("officer").id).disabled_at = world.now
    page = signed_in("supervisor").get(f"/orders/{order.name}/authorise").text
    assert "The access of <bdi>Anahit Petrosyan</bdi>, who submitted it, has been ended" in page


@pytest.mark.one_database
def test_an_auditor_reads_and_does_nothing(world: World, signed_in: SignedIn) -> None:
    order = world.submit(world.draft(ROUTINE))
    auditor = signed_in("auditor")
    page = auditor.get(f"/orders/{order.name}").text
    assert "you read this order and change nothing" in page
    assert "Check and authorise" not in page
    for verb in ("submit", "authorise", "return", "issue"):
        assert auditor.get(f"/orders/{order.name}/{verb}").status_code in (403, 409)
