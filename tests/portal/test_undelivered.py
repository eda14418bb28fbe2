"""The page of what reached nobody, and the delivery record on orders and contacts."""

from __future__ import annotations

from html import unescape

import pytest

from liaison.models import DeliveryAttempt, Message
from liaison.models.work import MessageState
from liaison.services import undelivered
from tests.portal.filled import SignedIn
from tests.services.test_undelivered import failed, letter
from tests.world import World, submit

pytestmark = pytest.mark.one_database

HOSTILE = "550 <script>alert(1)</script> =1+1"


def message_of(world: World, message: Message) -> Message:
    with world.database.reading() as session:
        return session.get_one(Message, message.id)


def test_a_notice_is_sent_again_from_the_page_of_what_is_undelivered(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    (message,) = failed(world, order, last_error=HOSTILE)
    officer = signed_in("officer")
    assert "Undelivered (1)" in officer.get("/orders").text
    page = officer.get("/undelivered").text
    assert order.name in page
    assert f"/undelivered/{message.id}" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    place = f"/undelivered/{message.id}"
    assert submit(officer, place, {}, to=f"{place}/retry").status_code == 303
    assert message_of(world, message).state is MessageState.QUEUED
    assert "Undelivered" not in officer.get("/orders").text
    refused = submit(officer, f"/orders/{order.name}", {}, to=f"{place}/retry")
    assert refused.status_code == 409
    assert "not undelivered any more" in refused.text


def test_a_letter_that_came_back_says_so_once(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    said = "Came back: 5.2.2 552 5.2.2 Mailbox full"
    (message,) = failed(world, order, last_error=said, bounced_at=world.now)
    with world.database.transaction() as session:
        session.add(
            DeliveryAttempt(
                message_id=message.id, number=1, at=world.now, took_ms=0, ok=False, answer=said
            )
        )
        undelivered.tell(session, session.get_one(Message, message.id), world.now)
    officer = signed_in("officer")
    paths = ("/undelivered", f"/undelivered/{message.id}", f"/orders/{order.name}")
    for path in (*paths, f"/orders/{order.name}/record"):
        page = unescape(officer.get(path).text)
        assert "552 5.2.2 Mailbox full" in page, path
        assert "5.2.2 552" not in page, path
        assert "Came back:" not in page.replace("Came back:</strong>", ""), path
    assert "came back: <span" in officer.get(f"/orders/{order.name}").text, "what came of the try"


def test_the_page_is_reached_from_the_list_of_calls(world: World, signed_in: SignedIn) -> None:
    officer = signed_in("officer")
    page = officer.get("/calls").text
    assert "Undelivered" not in page.partition("</nav>")[0], "nothing is"
    assert 'href="/undelivered"' in page.partition("</nav>")[2]
    assert "Nothing is undelivered" in officer.get("/undelivered").text


def test_it_is_dealt_with_by_a_note_and_nothing_typed_is_lost(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    (message,) = failed(world, order)
    officer, place = signed_in("officer"), f"/undelivered/{message.id}"
    empty = submit(officer, place, {"note": ""}, to=f"{place}/settle")
    assert empty.status_code == 422
    assert "Say in a few words" in empty.text
    long = submit(officer, place, {"note": "y" * 5001}, to=f"{place}/settle")
    assert long.status_code == 422
    assert "y" * 5001 in long.text
    done = submit(officer, place, {"note": "Called <them>."}, to=f"{place}/settle")
    assert done.location == "/undelivered"
    page = officer.get(f"/orders/{order.name}").text
    assert "Called &lt;them&gt;." in page
    assert "dealt with." in page
    assert "Called" not in signed_in("spoc").get(f"/orders/{order.name}").text


def test_an_answered_order_says_why_nothing_is_sent_again(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    (message,) = failed(world, order)
    world.acknowledge(order)
    page = signed_in("officer").get(f"/undelivered/{message.id}").text
    assert "Its reason is gone: the order is acknowledged." in page
    assert "/retry" not in page
    reader = signed_in("auditor").get(f"/undelivered/{message.id}").text
    assert "You read this and change nothing." in reader


def test_no_form_counts_without_its_token(world: World, signed_in: SignedIn) -> None:
    (message,) = failed(world, world.issue())
    officer = signed_in("officer")
    for act in ("retry", "settle"):
        answer = officer.post(f"/undelivered/{message.id}/{act}", data={"note": "Forged."})
        assert answer.status_code == 400
    assert message_of(world, message).state is MessageState.FAILED


def test_administrators_see_letters_about_access_and_no_order(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    failed(world, order)
    letter(world, world.person("officer").email)
    page = signed_in("administrator").get("/undelivered").text
    assert world.person("officer").email in page
    assert order.name not in page


def test_the_order_tells_each_side_where_its_notices_went(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    (message,) = failed(world, order, last_error="our server: secret words")
    with world.database.transaction() as session:
        session.add(
            DeliveryAttempt(
                message_id=message.id,
                number=1,
                at=world.now,
                took_ms=42,
                ok=False,
                status=451,
                answer="451 secret words",
            )
        )
    ours = signed_in("officer").get(f"/orders/{order.name}").text
    assert "Delivery record" in ours
    assert "not taken, 42 ms" in ours
    assert f"/undelivered/{message.id}" in ours
    theirs = signed_in("spoc").get(f"/orders/{order.name}").text
    assert "Notices to your people" in theirs
    assert "Not delivered" in theirs
    for hidden in (
        "secret words",
        "42 ms",
        "/undelivered",
        "Delivery record",
        "duty@police.example",
    ):
        assert hidden not in theirs, hidden
    contact = f"/contacts/{message.contact_id}"
    assert order.name in signed_in("officer").get(contact).text
    assert "secret words" not in signed_in("spoc").get(contact).text
    assert order.name not in signed_in("foreign_officer").get(contact).text
    assert order.name not in signed_in("administrator").get(contact).text


def test_what_waits_too_long_is_marked_on_the_order(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    failed(world, order, state=MessageState.QUEUED, urgent=True)
    world.clock.move(seconds=31)
    officer = signed_in("officer")
    assert "Queued too long" in officer.get(f"/orders/{order.name}").text
    page = officer.get("/undelivered").text
    assert "look whether the worker runs" in page
    assert "Queued too long" not in signed_in("spoc").get(f"/orders/{order.name}").text
