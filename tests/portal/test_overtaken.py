"""Two people at once: who comes second is told what happened, and loses nothing that was typed."""

from __future__ import annotations

import re

import pytest
from werkzeug.datastructures import MultiDict

from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from liaison.services import answers, escalation
from tests.portal.filled import SignedIn, fields
from tests.world import World

pytestmark = pytest.mark.one_database

NOT_DONE = "This was not done: the order has changed since you read it"

ACTS: dict[str, tuple[str, dict[str, str]]] = {
    "acknowledge": ("spoc", {"note": "Night shift has it."}),
    "preserve": ("spoc", {"note": "Snapshot taken."}),
    "decline": (
        "spoc",
        {"explanation": "Too much.", "grounds": "overbroad", "preserved_meanwhile": "no"},
    ),
    "withdraw": ("officer", {"reason": "The child was found."}),
    "close-escalation": ("officer", {"reason": "I am on the phone with them."}),
    "escalate": ("officer", {"reason": "It cannot wait."}),
    "skip": ("officer", {"reason": "They are on leave.", "to": "2"}),
    "pause-escalation": ("officer", {"reason": "I speak with them.", "until": "30"}),
    "message": ("officer", {"text": "Source."}),
}


def ask(world: World, order: Order, text: str = "Which of the two?") -> None:
    with world.database.transaction() as session:
        answers.ask(session, world.actor("spoc"), order.name, text, world.now)


def filled(page: str, given: dict[str, str]) -> MultiDict[str, str]:
    form = fields(page)
    for name, value in given.items():
        form[name] = value
    return form


@pytest.mark.parametrize("verb", ACTS)
def test_who_was_overtaken_keeps_what_was_typed_and_reads_what_happened(
    world: World, signed_in: SignedIn, verb: str
) -> None:
    who, given = ACTS[verb]
    order = world.issue()
    client = signed_in(who)
    path = f"/orders/{order.name}/{verb}"
    opened = client.get(path).text
    assert fields(opened)["version"] == str(order.version)
    ask(world, order)

    answer = client.post(path, data=filled(opened, given))

    assert answer.status_code == 409
    assert NOT_DONE in answer.text
    assert "Which of the two?" in answer.text
    held = fields(answer.text)
    assert {name: held[name] for name in given} == given
    now = world.order(order.name)
    assert held["version"] == str(now.version)
    assert now.state is OrderState.ISSUED
    assert now.ladder_closed_at is None
    assert now.question_open_since is not None
    assert client.post(path, data=held).status_code == 303


@pytest.mark.parametrize("version", [None, "", "x", "-1", "²", "1" * 10, "1" * 5000])
@pytest.mark.parametrize("verb", ACTS)
def test_whoever_does_not_say_what_they_read_is_overtaken(
    world: World, signed_in: SignedIn, verb: str, version: str | None
) -> None:
    who, given = ACTS[verb]
    order = world.issue()
    client = signed_in(who)
    path = f"/orders/{order.name}/{verb}"
    form = filled(client.get(path).text, given)
    if version is None:
        del form["version"]
    else:
        form["version"] = version
    assert client.post(path, data=form).status_code == 409
    assert world.order(order.name).version == order.version


@pytest.mark.parametrize("version", [None, "x", "1" * 5000])
def test_nothing_is_issued_unread(world: World, signed_in: SignedIn, version: str | None) -> None:
    order = world.draft()
    client = signed_in("officer")
    path = f"/orders/{order.name}/issue"
    form = fields(client.get(path).text)
    if version is None:
        del form["version"]
    else:
        form["version"] = version
    assert client.post(path, data=form).status_code == 409
    assert world.order(order.name).state is OrderState.DRAFT


def test_an_act_that_is_no_longer_possible_keeps_what_was_typed(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/decline"
    form = filled(client.get(path).text, ACTS["decline"][1])
    world.preserve(order)
    answer = client.post(path, data=form)
    assert answer.status_code == 409
    assert NOT_DONE in answer.text
    assert fields(answer.text)["explanation"] == "Too much."


def test_a_question_that_came_meanwhile_is_not_answered_from_the_orders_page(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    ask(world, order, "The first question?")
    client = signed_in("officer")
    opened = client.get(f"/orders/{order.name}").text
    ask(world, order, "The second question?")
    answer = client.post(
        f"/orders/{order.name}/message", data=filled(opened, {"text": "To the first: source."})
    )
    assert answer.status_code == 409
    assert "The second question?" in answer.text
    assert fields(answer.text)["text"] == "To the first: source."
    assert world.order(order.name).question_open_since is not None


def test_the_ladder_of_the_second_clock_is_not_closed_by_who_saw_the_first(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    client = signed_in("officer")
    path = f"/orders/{order.name}/close-escalation"
    form = filled(client.get(path).text, ACTS["close-escalation"][1])
    world.acknowledge(order, by="program")
    answer = client.post(path, data=form)
    assert answer.status_code == 409
    assert "acknowledged." in answer.text
    assert world.order(order.name).ladder_closed_at is None


def test_the_provider_sees_neither_what_comes_next_nor_that_a_person_took_over(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    spoc, officer = signed_in("spoc"), signed_in("officer")
    path = f"/orders/{order.name}"
    spoc.get(path)  # the first look is noted

    def live() -> str:
        # But for the token against forgery, which carries the second it was made in.
        text = spoc.get(f"{path}?part=live").text
        return re.sub(r'(?<=name="csrf_token" value=")[^"]+', "", text)

    assert "Next:" in officer.get(path).text
    before = live()
    for words in ("Next:", "due now", 'class="todo"', 'aria-current="step"', "Escalation ladder"):
        assert words not in before, words
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "I call them.", world.now)
    assert "The escalation was closed" in officer.get(path).text
    assert "Closed by a person" in officer.get(path).text
    assert live() == before
