"""A ladder that stands still looks so: closed, paused; and the calls that are still to be made."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from liaison.domain.vocabulary import Channel, Function
from liaison.models import CallTask, Contact, Memorandum, Message, Order
from liaison.models.work import CallState
from liaison.queries.issue import preview
from liaison.services import escalation, ladder_holds
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn
from tests.portal.test_told_deliveries import words
from tests.world import World

pytestmark = pytest.mark.one_database

REASON = "I speak with their lawyer."


@pytest.fixture
def work(settings: Settings, world: World, sender: RecordingSender) -> Work:
    return Work(settings, world.database, world.clock, sender, name="worker-1")


@pytest.fixture
def order(world: World, work: Work) -> Order:
    """An emergency whose first rung has called, ten minutes ago."""
    issued = world.issue()
    run_once(work)
    world.clock.move(minutes=10)
    return issued


def shown(client: FlaskClient, order: Order) -> str:
    return client.get(f"/orders/{order.name}?part=live").text


def part(text: str, heading: str) -> str:
    """One panel of the page, as it is written."""
    return text.partition(f'id="{heading}"')[2].partition("</section>")[0]


def close(world: World, order: Order) -> None:
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, REASON, world.now)


def pause(world: World, order: Order) -> None:
    with world.database.transaction() as session:
        until = world.now + timedelta(minutes=30)
        ladder_holds.pause(session, world.actor("officer"), order.name, until, REASON, world.now)


def calls_of(world: World, order: Order) -> list[CallTask]:
    with world.database.reading() as session:
        opened = CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        return list(session.scalars(select(CallTask).where(*opened)))


def test_a_closed_ladder_has_no_step_to_come(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    officer = signed_in("officer")
    before = shown(officer, order)
    assert 'class="now"' in part(before, "la-h")
    assert "Every SPOC" in part(before, "dl-h"), "on the line under the clock"
    close(world, order)
    text = shown(officer, order)
    ladder = part(text, "la-h")
    assert re.findall(r'<li class="(\w+)"', ladder) == ["done"]
    assert "aria-current" not in ladder
    told = words(ladder)
    assert "12:15" not in told
    assert (
        "Not called unless it is opened again: Every SPOC, Fallback addressee, "
        "Our duty officer, Our supervisor." in told
    )
    line = part(text, "dl-h")
    for rung in ("Every SPOC", "Fallback", "Our"):
        assert rung not in line, rung
    assert "Rung now" not in line
    assert "Last rung: SPOC on duty, alerted at" in words(line)
    assert "Open the escalation again" in ladder


def test_a_ladder_closed_before_it_called_anybody_can_be_opened_again(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    close(world, order)
    ladder = part(shown(signed_in("officer"), order), "la-h")
    assert "<li" not in ladder
    assert "Open the escalation again" in ladder
    assert "Escalation ladder" not in shown(signed_in("spoc"), order)


def test_acknowledged_the_line_and_the_ladder_are_those_of_the_next_clock(
    world: World, signed_in: SignedIn, order: Order
) -> None:
    close(world, order)
    world.acknowledge(order)
    text = shown(signed_in("officer"), order)
    assert 'class="now"' not in part(text, "la-h")
    assert "Every SPOC" not in part(text, "dl-h")
    assert "Not called unless" not in part(text, "la-h"), "an answer opens it: it climbs again"


def test_while_it_is_paused_no_step_is_red(world: World, signed_in: SignedIn, order: Order) -> None:
    pause(world, order)
    ladder = part(shown(signed_in("officer"), order), "la-h")
    assert 'class="now"' not in ladder
    assert "The ladder calls nobody" in words(ladder)


@pytest.mark.parametrize("hold", [close, pause])
def test_calls_that_are_still_to_be_made_are_told_with_where_they_are(
    world: World, signed_in: SignedIn, order: Order, hold: object
) -> None:
    assert callable(hold)
    officer, spoc = signed_in("officer"), signed_in("spoc")
    spoc.get(f"/orders/{order.name}")
    (call,) = calls_of(world, order)
    assert "still on" not in shown(officer, order)
    theirs = part(shown(spoc, order), "la-h")
    hold(world, order)
    ladder = part(shown(officer, order), "la-h")
    told = words(ladder)
    assert "1 call is still on the list of calls" in told
    assert "SPOC at meridian.example" in told.partition("still on")[2]
    assert 'href="/calls"' in ladder
    assert str(call.id) in shown(officer, order), "logged from the page itself"
    assert part(shown(spoc, order), "la-h") == theirs
    with world.database.transaction() as session:
        session.execute(update(CallTask).values(state=CallState.LOGGED))
    assert "still on" not in shown(officer, order)


def test_a_text_message_of_a_rung_is_called_one(
    world: World, signed_in: SignedIn, order: Order
) -> None:
    with world.database.transaction() as session:
        theirs = Message.order_id == order.id, Message.address.contains("@meridian")
        session.execute(update(Message).where(*theirs).values(channel=Channel.TEXT, address="+431"))
    ladder = words(part(shown(signed_in("officer"), order), "la-h"))
    assert "text message sent, +431" in ladder
    assert "e-mail sent" not in ladder
    with world.database.transaction() as session:
        session.execute(update(Message).values(channel=Channel.VOICE))
    ladder = words(part(shown(signed_in("officer"), order), "la-h"))
    assert "automatic call made, +431" in ladder


# The forms by which it is moved


def test_nothing_is_said_twice_on_the_form_that_skips(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    officer = signed_in("officer")
    page = words(officer.get(f"/orders/{order.name}/skip").text)
    both = "SPOC at meridian.example; Deputy SPOC at meridian.example, Deputy SPOC"
    assert f"Next, unless you skip it: Every SPOC, {both}, planned for" in page
    world.clock.move(minutes=5)
    run_once(work)
    with world.database.transaction() as session:
        session.execute(
            update(Contact).where(Contact.function == Function.FALLBACK).values(name="Night desk")
        )
    page = words(officer.get(f"/orders/{order.name}/skip").text)
    said = page.partition("unless you skip it:")[2].partition(", planned for")[0]
    assert said.count("Fallback addressee") == 1


def test_of_two_choices_with_the_same_people_the_later_says_again(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        kept = session.get_one(Order, order.id)
        assert kept.terms is not None
        terms = {**kept.terms, "ladders": {**kept.terms["ladders"]}}
        ladder = terms["ladders"]["emergency"]
        last = {**ladder["rungs"][-1], "whom": "supervisor", "after": 24 * 60}
        terms["ladders"]["emergency"] = {**ladder, "rungs": [*ladder["rungs"], last]}
        terms["ladders"]["emergency"]["page_every"] = 24 * 60
        kept.terms = terms
    page = signed_in("officer").get(f"/orders/{order.name}/skip").text
    offered = [words(one) for one in re.findall(r"<label[^>]*>(.*?)</label>", page, flags=re.S)]
    ours = [one for one in offered if "Our supervisor" in one]
    assert [one.partition(", planned")[0].strip() for one in ours] == [
        "Our supervisor: Supervisor at police.example",
        "Our supervisor, again: Supervisor at police.example",
    ]
    assert "24 Nov 2026, 12:00 UTC" in ours[0]
    assert "25 Nov 2026, 12:00 UTC" in ours[1]


# Before it begins


def test_the_check_page_promises_each_person_only_their_own_ways(
    world: World, signed_in: SignedIn
) -> None:
    draft = world.draft()
    with world.database.transaction() as session:
        deputy = select(Contact).where(Contact.email == "deputy@meridian.example")
        session.scalars(deputy).one().channels = ["email"]
        for memorandum in session.scalars(select(Memorandum)):
            terms = deepcopy(memorandum.terms)
            terms["ladders"]["emergency"]["rungs"][1]["channels"] = ["email", "text", "call"]
            memorandum.terms = terms
    with world.database.reading() as session:
        check = preview(session, world.actor("officer"), draft.name, world.now)
        last, people = check.steps[-1]
        assert last.channels == (Channel.EMAIL, Channel.TEXT, Channel.VOICE, Channel.CALL)
        assert [one.channels for one in people] == [(Channel.EMAIL, Channel.CALL)]
    text = signed_in("officer").get(f"/orders/{draft.name}/issue").text
    told = words(part(text, "la-h"))
    assert "text message" not in told
    assert "automatic call" not in told
    assert told.partition("Our supervisor")[2].count("e-mail and phone call") == 1
    every = told.partition("Every SPOC")[2].partition("Fallback")[0]
    assert "SPOC at meridian.example (e-mail and phone call)" in every
    assert "(e-mail)" in every
