"""How moments, tags and names read: on pages, on paper, in the queue."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from liaison.models import HandOver, Order
from liaison.portal import filters
from liaison.portal.orders import moments, words
from liaison.services import hand_overs
from tests.portal.filled import SignedIn, fields
from tests.portal.test_unfinished import paste
from tests.world import World

AT = datetime(2026, 11, 29, 14, 29, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("microsecond", "shown"),
    [(0, "14:29:59"), (520918, "14:29:59"), (250000, "14:29:59.25"), (7000, "14:29:59.007")],
)
def test_a_paper_has_no_digits_that_only_a_machine_wrote(microsecond: int, shown: str) -> None:
    at = AT.replace(microsecond=microsecond)
    assert filters.utc(at, seconds=True) == f"29 Nov 2026, {shown}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-11-29T14:29:59.520918Z", "29 Nov 2026, 14:29 UTC"),
        ("2027-02-27", "27 Feb 2027"),
        ("soon", "soon"),
        (None, ""),
    ],
)
def test_a_moment_in_a_stored_text_reads_like_any_other(value: str | None, shown: str) -> None:
    assert filters.written(value) == shown


def test_a_targets_moment_is_exact_and_has_no_idle_zeros() -> None:
    assert moments.as_typed(AT.replace(microsecond=250000), 0) == "2026-11-29 14:29:59.25"
    assert moments.as_typed(AT.replace(microsecond=520918), 0) == "2026-11-29 14:29:59.520918"
    assert moments.as_typed(AT, 240) == "2026-11-29 18:29:59+04:00"
    assert moments.shown("2026-11-10T00:00:30Z", "UTC") == "2026-11-10 00:00:30"
    assert moments.shown("2026-11-10 04:00", "Asia/Yerevan") == "2026-11-10 00:00:00"
    assert moments.shown("next week", "UTC") == "next week"


def test_a_contact_that_is_called_as_its_function_is_named_once() -> None:
    told = words._escalated(
        {"called": [{"name": "Duty officer", "function": "duty_officer"}], "whom": "duty_officer"}
    )
    assert told.strong == "Duty officer."


@pytest.mark.one_database
def test_the_queue_shows_the_urgency_and_keeps_the_edge_for_emergencies(
    world: World, signed_in: SignedIn
) -> None:
    routine = world.issue("03-cgnat-fraud-routine.json")
    emergency = world.issue()
    with world.database.transaction() as session:
        session.execute(
            update(Order).where(Order.id == routine.id).values(acknowledge_by=world.now)
        )
    world.clock.move(minutes=1)
    page = signed_in("officer").get("/orders").text
    rows = {
        ref: row
        for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)
        for ref in (routine.name, emergency.name)
        if ref in row
    }
    assert 'class="hot"' in rows[emergency.name]
    assert re.search(r'class="urgency"><span class="tag emergency">', rows[emergency.name])
    assert 'class="hot"' not in rows[routine.name]
    assert 'class="left late"' in rows[routine.name]


@pytest.mark.one_database
def test_paper_and_hand_over_show_no_raw_moment(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        odd = world.now.replace(microsecond=748272)
        session.execute(
            update(Order).where(Order.id == order.id).values(acknowledge_by=odd, issued_at=odd)
        )
        made = hand_overs.give(session, world.actor("officer"), "Quiet.", world.now)
        session.flush()
        given = made.id
    client = signed_in("officer")
    raw = re.compile(r"748272|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d* UTC|\dT\d\d:\d\d:\d\d")
    for path in (f"/hand-over/{given}", f"/orders/{order.name}/print"):
        text = re.sub(r"<[^>]+>", " ", client.get(path).text)
        assert not raw.search(text), path
    assert isinstance(made, HandOver)
    assert "Stop the calls: I take over" in client.get(f"/orders/{order.name}").text
    assert "What has happened (UTC)" in client.get(f"/orders/{order.name}").text


@pytest.mark.one_database
def test_pasted_targets_are_listed_as_the_check_page_shows_them(signed_in: SignedIn) -> None:
    lines = "\n".join(
        f"192.0.2.{n};4{n:04};tcp;2026-11-10T00:00:00Z;2026-11-10T00:00:30Z;subscriber;him"
        for n in range(1, 13)
    )
    client = signed_in("officer")
    answer = paste(client, "value;port;protocol;from;to;data;relation\n" + lines)
    assert answer.status_code == 200, fields(answer.text)
    table = re.sub(r"<[^>]+>", "", answer.text.partition("Complete targets")[2])
    assert "2026-11-10 00:00:00 to 2026-11-10 00:00:30 UTC" in table
    assert "00Z to" not in table
    assert "Subscriber" in table
