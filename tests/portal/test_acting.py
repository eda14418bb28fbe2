"""What a SPOC answers on the pages, and what the contact point does to a served order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from liaison.domain.lifecycle import OrderState
from liaison.models import CallTask, Contact, Order
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World, csrf_token, submit

pytestmark = pytest.mark.one_database


def state_of(world: World, order: Order) -> OrderState:
    return world.order(order.name).state


# The provider's answers


def test_acknowledging_takes_two_clicks_and_no_field(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    assert f'href="/orders/{order.name}"' in client.get("/orders").text
    page = client.get(f"/orders/{order.name}")
    token = {"csrf_token": csrf_token(page), "version": str(order.version)}
    answer = client.post(f"/orders/{order.name}/acknowledge", data=token)
    assert answer.status_code == 303
    assert state_of(world, order) is OrderState.ACKNOWLEDGED


def test_preservation_opens_with_what_the_order_asks_for(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/preserve"
    page = client.get(path)
    form = fields(page.text)
    assert (form["days"], form["found"]) == ("90", "everything")
    assert client.post(path, data=form).status_code == 303
    after = world.order(order.name)
    assert after.state is OrderState.PRESERVED
    assert after.preserved_until == world.now + timedelta(days=90)
    assert "Amend the preservation report" in client.get(path).text


def test_days_that_are_no_number_are_named_beside_the_field(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/preserve"
    answer = client.post(path, data=typed(client.get(path).text, {"days": "9o"}))
    assert answer.status_code == 422
    assert 'id="days-e"' in answer.text
    assert fields(answer.text)["days"] == "9o"
    assert state_of(world, order) is OrderState.ISSUED


def test_a_part_is_told_target_by_target(world: World, signed_in: SignedIn) -> None:
    order = world.issue("02-foreign-ransomware-hosting.json")
    client = signed_in("sevan_spoc")
    path = f"/orders/{order.name}/preserve"
    form = fields(client.get(path).text)
    form["found"] = "part"
    form["targets-1-outcome"] = "nothing_held"
    form["targets-2-outcome"] = "partial"
    form["targets-2-until"] = "2026-12-31 00:00"
    form["targets-2-note"] = "Payments since 1 November."
    assert client.post(path, data=form).status_code == 303
    report = world.order(order.name).report
    assert report is not None
    outcomes = {t.target_id: t.outcome.value for t in report.targets}
    assert [outcomes[t.id] for t in order.targets] == ["preserved", "nothing_held", "partial"]


def test_declining_needs_a_ground_a_word_and_what_happens_meanwhile(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/decline"
    empty = submit(client, path, {"version": str(order.version)})
    assert empty.status_code == 422
    for name in ("grounds", "explanation", "preserved_meanwhile"):
        assert f'id="{name}-e"' in empty.text, name
    assert "mla" not in {choice.lower() for choice in fields(empty.text)}
    answer = submit(
        client,
        path,
        {
            "version": str(order.version),
            "grounds": ["not_stored", "overbroad"],
            "explanation": "Another provider holds it.",
            "preserved_meanwhile": "yes",
        },
    )
    assert answer.status_code == 303
    assert state_of(world, order) is OrderState.DECLINED
    assert "The data are being preserved." in client.get(f"/orders/{order.name}").text


def test_a_second_person_at_the_same_moment_is_told(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    form = fields(client.get(f"/orders/{order.name}/decline").text)
    world.acknowledge(order)
    form.setlist("grounds", ["overbroad"])
    form["explanation"], form["preserved_meanwhile"] = "Too much.", "no"
    answer = client.post(f"/orders/{order.name}/decline", data=form)
    assert answer.status_code == 409
    assert "acknowledged" in answer.text
    assert state_of(world, order) is OrderState.ACKNOWLEDGED


def test_another_providers_order_does_not_exist(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("norvik_spoc")
    for verb in ("", "/acknowledge", "/preserve", "/decline", "/question", "/withdraw", "/issue"):
        theirs = client.get(f"/orders/{order.name}{verb}")
        absent = client.get(f"/orders/CP-2026-9999{verb}")
        assert (theirs.status_code, absent.status_code) == (404, 404), verb
    assert order.name not in client.get("/orders?view=all").text


def test_question_and_answer_stand_in_one_thread(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    spoc, officer = signed_in("spoc"), signed_in("officer")
    path = f"/orders/{order.name}"
    asked = submit(spoc, path, {"text": "Source or destination?"}, to=f"{path}/question")
    assert asked.status_code == 303
    page = officer.get(path)
    assert "Source or destination?" in page.text
    assert "Answer the question" in page.text
    form = fields(page.text)
    form["text"] = "Source."
    assert officer.post(f"{path}/message", data=form).status_code == 303
    assert "Source." in spoc.get(path).text
    assert world.order(order.name).question_open_since is None
    form = fields(officer.get(path).text)
    form["text"] = " "
    assert officer.post(f"{path}/message", data=form).status_code == 422


# The contact point's acts


def test_a_logged_call_can_acknowledge(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("officer")
    with world.database.reading() as session:
        task = session.scalars(select(CallTask)).one()
    path = f"/orders/{order.name}/calls/{task.id}"
    assert path in client.get(f"/orders/{order.name}").text
    assert "+37410000200" in client.get(path).text
    nothing = submit(client, path, {})
    assert nothing.status_code == 422
    unreached = submit(client, path, {"outcome": "voicemail", "acknowledged": "y"})
    assert unreached.status_code == 422
    answer = submit(client, path, {"outcome": "reached", "acknowledged": "y", "note": "Ani, NOC."})
    assert answer.status_code == 303
    assert state_of(world, order) is OrderState.ACKNOWLEDGED
    assert "acknowledged by phone" in client.get(f"/orders/{order.name}").text
    assert "Ani, NOC." not in signed_in("spoc").get(f"/orders/{order.name}").text


def test_a_call_to_a_colleague_offers_no_acknowledgement(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("officer")
    with world.database.transaction() as session:
        task = session.scalars(select(CallTask)).one()
        path = f"/orders/{order.name}/calls/{task.id}"
        assert 'name="acknowledged"' in client.get(path).text
        colleague = select(Contact).where(
            Contact.phone == "+37410000101", Contact.authority_id == order.authority_id
        )
        task.contact_id = session.scalars(colleague).one().id
    page = client.get(path)
    assert 'name="acknowledged"' not in page.text
    forced = submit(client, path, {"outcome": "reached", "acknowledged": "y"})
    assert forced.status_code == 422
    assert state_of(world, order) is OrderState.ISSUED


def test_withdrawing_and_closing_the_escalation_need_a_reason(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    client = signed_in("officer")
    for verb in ("close-escalation", "withdraw"):
        path = f"/orders/{order.name}/{verb}"
        form = fields(client.get(path).text)
        assert client.post(path, data=form).status_code == 422, verb
        form["reason"] = "The child was found."
        assert client.post(path, data=form).status_code == 303, verb
    assert state_of(world, order) is OrderState.WITHDRAWN


def test_a_draft_is_discarded_without_a_word(world: World, signed_in: SignedIn) -> None:
    order = world.draft()
    client = signed_in("officer")
    path = f"/orders/{order.name}/withdraw"
    assert client.post(path, data=fields(client.get(path).text)).status_code == 303
    assert state_of(world, order) is OrderState.WITHDRAWN


def test_a_double_click_is_no_conflict_with_anybody(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/acknowledge"
    form = fields(client.get(path).text)
    for _ in range(2):
        answer = client.post(path, data=form)
        assert (answer.status_code, answer.location) == (303, f"/orders/{order.name}")
    world.clock.move(minutes=2)
    assert client.post(path, data=form).status_code == 409


def test_part_of_it_needs_to_say_which_part(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/preserve"
    form = fields(client.get(path).text)
    form["found"] = "part"
    answer = client.post(path, data=form)
    assert answer.status_code == 422
    assert "Every target below still says preserved" in answer.text
    assert world.order(order.name).state is OrderState.ISSUED
