"""Where notices went: the order's page and its record on paper say the same, from one piece."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from liaison.domain.vocabulary import Channel
from liaison.models import DeliveryAttempt, Message, Order
from liaison.models.work import MessageState, Wanted
from liaison.portal.orders.shown_deliveries import folded
from liaison.queries import deliveries
from tests import hooks
from tests.portal.filled import SignedIn
from tests.services.test_undelivered import failed
from tests.world import World

pytestmark = pytest.mark.one_database

HOOK = "https://hooks.meridian.example/hook/a-secret-place"
OTHER = "https://other.meridian.example/in"


def words(text: str) -> str:
    """What a page says, without what it is written in."""
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
    return re.sub(r" (?=[:;,.)])", "", plain)


def record(client: FlaskClient, order: Order) -> str:
    """The notices of the record for printing."""
    return words(client.get(f"/orders/{order.name}/record").text).rpartition("Notices")[2]


def panel(client: FlaskClient, order: Order) -> str:
    """The delivery record on the order's page, as it is written."""
    text = client.get(f"/orders/{order.name}").text
    return text.partition('id="del-h"')[2].partition("</section>")[0]


def to_program(world: World, order: Order, states: Sequence[MessageState], url: str) -> None:
    """Webhooks about an order, a minute apart, one for each state."""
    endpoint, _ = hooks.made(world, url)
    with world.database.transaction() as session:
        for number, state in enumerate(states):
            at = world.now + timedelta(minutes=number)
            sent = state is MessageState.SENT
            session.add(
                Message(
                    idem=f"{endpoint}:{number}",
                    order_id=order.id,
                    endpoint_id=endpoint,
                    channel=Channel.WEBHOOK,
                    address=url,
                    letter="webhook",
                    params={"type": "order.escalated"},
                    wanted=Wanted.ALWAYS,
                    urgent=False,
                    state=state,
                    created_at=at,
                    next_at=at + timedelta(days=1),
                    attempts=1,
                    sent_at=at if sent else None,
                )
            )


def tried(message: Message, *, ok: bool, answer: str, at: timedelta) -> DeliveryAttempt:
    return DeliveryAttempt(
        message_id=message.id,
        number=1,
        at=message.created_at + at,
        took_ms=7,
        ok=ok,
        status=None,
        answer=answer,
    )


def test_of_a_webhook_the_record_tells_the_host_alone(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    to_program(world, order, [MessageState.SENT, MessageState.FAILED], HOOK)
    for who in ("officer", "auditor"):
        client = signed_in(who)
        for page in ("", "/record"):
            text = client.get(f"/orders/{order.name}{page}").text
            assert "a-secret-place" not in text, (who, page)
            assert "Webhook to hooks.meridian.example" in words(text)
    assert "hooks.meridian" not in signed_in("spoc").get(f"/orders/{order.name}/record").text


def test_a_text_that_arrived_is_told_as_such_on_paper(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    at = world.now + timedelta(seconds=3)
    failed(
        world,
        order,
        channel=Channel.TEXT,
        address="+37410000101",
        state=MessageState.SENT,
        sent_at=world.now,
        delivered_at=at,
        last_error=None,
    )
    told = record(signed_in("officer"), order)
    assert "Text message to +37410000101" in told
    assert "Delivered" in told
    assert "delivered 23 Nov 2026, 12:00:03 UTC" in told
    assert "mail server" not in told


def test_a_letter_that_came_back_and_was_sent_again_is_told_whole(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    (message,) = failed(
        world, order, state=MessageState.SENT, attempts=1, letter="ratify_wanted", last_error=None
    )
    with world.database.transaction() as session:
        kept = session.get_one(Message, message.id)
        kept.sent_at = world.now + timedelta(minutes=9)
        minutes = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=9))
        said = ((True, "250 first"), (False, "550 5.1.1 came back"), (True, "250 second"))
        for at, (ok, answer) in zip(minutes, said, strict=True):
            session.add(tried(message, ok=ok, answer=answer, at=at))
    told = record(signed_in("officer"), order)
    assert "Emergency to ratify" in told
    assert "ratify wanted" not in told
    places = [told.index(answer) for _, answer in said]
    assert places == sorted(places), "on paper the oldest first, as all of the record"
    assert "not taken" in told
    assert "sent 23 Nov 2026, 12:09:00 UTC" in told
    assert "<details" not in signed_in("officer").get(f"/orders/{order.name}/record").text
    assert "550 5.1.1 came back" in panel(signed_in("officer"), order)


def test_a_paper_leaves_out_no_notice(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    failed(world, order, how_many=deliveries.MOST_OF_AN_ORDER + 5)
    text = signed_in("officer").get(f"/orders/{order.name}/record").text
    told = text.rpartition("Notices and their delivery")[2]
    assert told.count('<tr class="own">') >= deliveries.MOST_OF_AN_ORDER + 5


# The page: a program's many events are one row


def test_events_of_one_program_are_one_row_and_what_failed_stands_open(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    sent = [MessageState.SENT] * 5
    to_program(world, order, [*sent, MessageState.FAILED, MessageState.QUEUED], HOOK)
    to_program(world, order, [MessageState.SENT], OTHER)
    text = panel(signed_in("officer"), order)
    (fold,) = re.findall(r"<summary>([^<]*events[^<]*)</summary>", text)
    assert fold == "6 events: 1 queued, 5 sent"
    plain = re.sub(r"<details.*?</details>", "", text, flags=re.S)
    assert plain.count("Webhook to") == 3, "the fold, the failed one, the other program"
    assert plain.count("Send again or settle") == 1


def test_what_waits_too_long_or_failed_is_never_folded(world: World) -> None:
    order = world.issue()
    states = [MessageState.QUEUED, MessageState.SENT, MessageState.FAILED, MessageState.SENT]
    to_program(world, order, states, HOOK)
    later = world.now + timedelta(days=2)
    with world.database.transaction() as session:
        kept = session.get_one(Order, order.id)
        actor = world.actor("officer")
        found = [
            one
            for one in deliveries.of_order(session, actor, kept, later)
            if one.message.endpoint_id
        ]
        rows = [[one.stand.value for one in row] for row in folded(found)]
        assert rows == [["sent", "sent"], ["failed"], ["late"]]
        for one in found:
            if one.message.state is MessageState.FAILED:
                one.message.settled_at = later
        rows = [[one.stand.value for one in row] for row in folded(found)]
        assert rows == [["sent", "failed", "sent"], ["late"]], "dealt with: nothing asks for it"


def test_what_a_providers_server_said_is_not_told_for_it_may_quote_its_address(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    to_program(world, order, [MessageState.FAILED], HOOK)
    with world.database.transaction() as session:
        message = session.query(Message).filter(Message.endpoint_id.is_not(None)).one()
        message.last_error = said = "404 Cannot POST /hook/a-secret-place"
        session.add(
            DeliveryAttempt(
                message_id=message.id,
                number=1,
                at=world.now,
                took_ms=3,
                ok=False,
                status=404,
                answer=said,
            )
        )
        place = f"/undelivered/{message.id}"
    client = signed_in("officer")
    pages = (
        f"/orders/{order.name}",
        f"/orders/{order.name}/record",
        place,
        "/undelivered?programs=1",
    )
    for page in pages:
        text = client.get(page).text
        assert "404" in text, page
        assert "secret-place" not in text, page
