"""The pages by which the contact point calls ahead, skips, pauses, goes on and opens again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from liaison.models import Order
from liaison.services import escalation, ladder_holds
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn, fields
from tests.world import World

pytestmark = pytest.mark.one_database

REASON = "They <b>wait</b> in court."


@pytest.fixture
def work(settings: Settings, world: World, sender: RecordingSender) -> Work:
    return Work(settings, world.database, world.clock, sender, name="worker-1")


@pytest.fixture
def order(world: World, work: Work) -> Order:
    """An emergency whose first rung has called."""
    issued = world.issue()
    run_once(work)
    return issued


def send(client: FlaskClient, order: Order, verb: str, **given: str) -> TestResponse:
    path = f"/orders/{order.name}/{verb}"
    form = fields(client.get(path).text)
    for name, value in given.items():
        form[name] = value
    return client.post(path, data=form)


def live(client: FlaskClient, order: Order) -> str:
    """What the page's poll gets; the token in its forms is another each time."""
    text = client.get(f"/orders/{order.name}?part=live").text
    return re.sub(r'(?<=name="csrf_token" value=")[^"]+', "", text)


def panel(client: FlaskClient, order: Order) -> str:
    """The ladder on the order's page, without what it is written in."""
    text = live(client, order).partition('id="la-h"')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_next_step_is_shown_and_called_from_its_page(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    client = signed_in("officer")
    world.clock.move(minutes=5)
    page = client.get(f"/orders/{order.name}/escalate").text
    assert "Every SPOC" in page
    assert "Davit Harutyunyan" in page or "Deputy" in page
    assert "Escalate now" in panel(client, order)
    assert send(client, order, "escalate").status_code == 422, "no reason"
    assert send(client, order, "escalate", reason=REASON).status_code == 303
    assert "due now" in panel(client, order)
    run_once(work)
    text = live(client, order)
    assert "Rung now: Every SPOC, alerted at 12:05 UTC" in text
    assert "Escalated by hand: Every SPOC alerted" in text
    assert re.search(r"at once instead of on \d+ \w+ \d{4}, \d\d:\d\d UTC\.", text)
    assert "They &lt;b&gt;wait&lt;/b&gt; in court." in text
    coming = text.partition("Next:")[2].partition("</div>")[0]
    assert re.search(r'<time [^>]*data-left="in"[^>]*>in \d\d:\d\d</time>', coming), "the countdown"
    spoc = signed_in("spoc")
    assert "by hand" not in live(spoc, order)
    assert "in court" not in live(spoc, order)


def test_what_is_sent_twice_is_done_once_and_who_was_overtaken_keeps_the_words(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    one, other = signed_in("officer"), signed_in("supervisor")
    path = f"/orders/{order.name}/escalate"
    form, theirs = fields(one.get(path).text), fields(other.get(path).text)
    form["reason"] = theirs["reason"] = REASON
    assert [one.post(path, data=form).status_code for _ in range(2)] == [303, 303]
    overtaken = other.post(path, data=theirs)
    assert overtaken.status_code == 409
    assert "Somebody else has just called the next step" in overtaken.text
    run_once(work)
    overtaken = other.post(path, data=theirs)
    assert overtaken.status_code == 409
    held = fields(overtaken.text)
    assert (held["reason"], held["step"]) == (REASON, "2"), "meant for the step that is next now"
    assert other.post(path, data=held).status_code == 303
    run_once(work)
    assert live(one, order).count("Escalated by hand") == 2


def test_a_rung_is_chosen_by_its_people(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    client = signed_in("officer")
    page = client.get(f"/orders/{order.name}/skip").text
    offered = re.findall(r'name="to"[^>]*value="(\d+)"', page)
    assert offered == ["2", "3", "4"], "the next one is no skip"
    answer = send(client, order, "skip", reason=REASON)
    assert answer.status_code == 422
    assert '<a href="#to-0">Go on at: Choose the rung' in answer.text
    assert send(client, order, "skip", to="1", reason=REASON).status_code == 422
    assert send(client, order, "skip", to="3", reason=REASON).status_code == 303
    run_once(work)
    told = live(client, order)
    assert "Skipped: Every SPOC, Fallback addressee." in told
    assert panel(client, order).count("skipped") == 2


def test_a_pause_is_told_to_our_people_and_to_nobody_else(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    client, spoc = signed_in("officer"), signed_in("spoc")
    spoc.get(f"/orders/{order.name}")  # the first look is noted
    before = live(spoc, order)
    page = client.get(f"/orders/{order.name}/pause-escalation").text
    assert re.findall(r'<option[^>]*value="(\d+)"', page) == ["15", "30", "60"]
    for wrong in ("", "61", "99999999999", "-5", "x"):
        answer = send(client, order, "pause-escalation", until=wrong, reason=REASON)
        assert answer.status_code == 422, wrong
        assert "1 hour at most" in answer.text
    assert send(client, order, "pause-escalation", until="30").status_code == 422
    assert send(client, order, "pause-escalation", until="30", reason=REASON).status_code == 303
    shown = panel(client, order)
    name = world.person("officer").name
    assert f"Paused by {name} until" in shown
    assert "12:30 UTC" in shown
    assert "in court" in shown
    assert "Escalate now" not in shown
    assert "Next:" not in live(client, order)
    assert live(spoc, order) == before
    colleague = signed_in("supervisor")
    overtaken = send(colleague, order, "pause-escalation", until="15", reason=REASON)
    assert overtaken.status_code == 409
    assert f"{name} has paused" in overtaken.text
    assert "Go on now" in panel(client, order)
    form = {"version": str(world.order(order.name).version)}
    form["csrf_token"] = fields(client.get(f"/orders/{order.name}").text)["csrf_token"]
    assert client.post(f"/orders/{order.name}/go-on", data=form).status_code == 303
    assert (
        client.post(f"/orders/{order.name}/go-on", data=form).status_code == 303
    )  # a double click
    assert "Pause the calls" in panel(client, order)
    assert live(spoc, order) == before
    assert send(colleague, order, "go-on").status_code == 409


def test_a_closed_escalation_is_opened_again(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    client = signed_in("supervisor")
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "By phone.", world.now)
    for verb in ("escalate", "skip", "pause-escalation"):
        page = client.get(f"/orders/{order.name}/{verb}").text
        assert "The escalation is closed." in page
    assert "Open the escalation again" in panel(client, order)
    assert send(client, order, "reopen-escalation").status_code == 422
    assert send(client, order, "reopen-escalation", reason=REASON).status_code == 303
    assert "Escalate now" in panel(client, order)
    assert (
        "It is open: nobody has closed it."
        in client.get(f"/orders/{order.name}/reopen-escalation").text
    )


def test_each_page_says_why_it_cannot_be(
    world: World, signed_in: SignedIn, work: Work, order: Order
) -> None:
    client = signed_in("officer")
    with world.database.transaction() as session:
        until = world.now + timedelta(minutes=20)
        ladder_holds.pause(session, world.actor("supervisor"), order.name, until, REASON, world.now)
    for verb in ("escalate", "skip", "pause-escalation"):
        page = client.get(f"/orders/{order.name}/{verb}").text
        assert "Paused by" in page, verb
    assert "Go on now" in client.get(f"/orders/{order.name}/go-on").text
    world.acknowledge(order)
    assert "Nobody holds it" in client.get(f"/orders/{order.name}/go-on").text


def test_all_that_is_missing_is_said_at_once(
    world: World, signed_in: SignedIn, order: Order
) -> None:
    answer = send(signed_in("officer"), order, "skip")
    assert answer.status_code == 422
    assert '<a href="#to-0">Go on at: Choose the rung' in answer.text
    assert "Say why the rungs before it are not called." in answer.text
    answer = send(signed_in("officer"), order, "skip", to="3")
    assert "Choose the rung" not in answer.text
    assert "Say why the rungs" in answer.text


def test_a_page_that_cannot_act_leads_to_what_can(
    world: World, signed_in: SignedIn, order: Order
) -> None:
    client = signed_in("officer")
    page = client.get(f"/orders/{order.name}/reopen-escalation").text
    assert "It is open" in page
    assert "Leave it closed" not in page
    assert "Back to the order" in page
    with world.database.transaction() as session:
        until = world.now + timedelta(minutes=20)
        ladder_holds.pause(session, world.actor("supervisor"), order.name, until, REASON, world.now)
    for verb in ("escalate", "skip", "pause-escalation"):
        page = client.get(f"/orders/{order.name}/{verb}").text
        assert re.search(rf'class="btn btn-primary" href="/orders/{order.name}/go-on"', page), verb
        assert "Wait for its time" not in page
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "By phone.", world.now)
    for verb in ("escalate", "skip", "pause-escalation"):
        page = client.get(f"/orders/{order.name}/{verb}").text
        path = f"/orders/{order.name}/reopen-escalation"
        assert re.search(rf'class="btn btn-primary" href="{path}"', page), verb


def test_closing_has_one_name(world: World, signed_in: SignedIn, order: Order) -> None:
    client = signed_in("officer")
    page = client.get(f"/orders/{order.name}/close-escalation").text
    assert "<h1>Stop the calls: I take over</h1>" in page
    assert "Close the escalation" not in page
