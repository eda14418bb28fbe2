"""The queue's page, its filters and its file; and the hand-over of a shift."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from liaison.models import Contact, Entry, HandOver, Order, OrderNote, SavedFilter
from liaison.models.work import Wanted
from liaison.portal.orders import exporting
from liaison.services import answers, call_tasks, doubts, orders
from tests.portal.filled import SignedIn
from tests.world import World, submit

pytestmark = pytest.mark.one_database

ROUTINE = "03-cgnat-fraud-routine.json"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def noted(world: World, type_: str) -> list[dict[str, object]]:
    with world.database.reading() as session:
        found = session.scalars(select(Entry.data).where(Entry.type == f"portal.{type_}"))
        return [json.loads(data or "{}") for data in found]


def test_filters_stand_as_chips_that_can_be_taken_away(world: World, signed_in: SignedIn) -> None:
    world.issue()
    routine = world.issue(ROUTINE)
    officer = signed_in("officer")
    page = officer.get("/orders?urgency=routine&provider=norvik mobile&state=issued").text
    assert routine.name in page
    chips = re.findall(r'<a class="tag" href="([^"]+)">', page)
    assert len(chips) == 3
    assert any("urgency" not in chip and "state=issued" in chip for chip in chips)
    assert "it was left out" in officer.get("/orders?party=Narnia").text
    assert "<form" in page
    assert 'method="get"' in page


def test_a_filter_is_kept_under_a_name_and_forgotten(world: World, signed_in: SignedIn) -> None:
    officer, other = signed_in("officer"), signed_in("supervisor")
    path = "/orders/filters?urgency=emergency&view=all"
    saved = submit(officer, path, {"name": "  Mine <b> "})
    assert saved.location == "/orders?view=all&urgency=emergency"
    page = officer.get("/orders").text
    assert "Mine &lt;b&gt;" in page
    assert "view=all&amp;urgency=emergency" in page
    assert "Mine" not in other.get("/orders").text
    submit(officer, "/orders/filters?view=closed", {"name": "MINE <B>"})
    with world.database.reading() as session:
        (one,) = session.scalars(select(SavedFilter))
    assert one.query == "view=closed"
    away = f"/orders/filters/{one.id}/delete"
    assert submit(other, "/orders/filters", {}, to=away).status_code == 404
    assert submit(officer, "/orders/filters", {}, to=away).status_code == 303
    assert "MINE" not in officer.get("/orders").text


def test_a_filter_without_a_name_is_refused_and_nothing_lost(
    world: World, signed_in: SignedIn
) -> None:
    officer = signed_in("officer")
    answer = submit(officer, "/orders/filters?view=drafts", {"name": " "})
    assert answer.status_code == 422
    assert "Give these filters a name" in answer.text
    assert "Drafts" in answer.text
    long = submit(officer, "/orders/filters", {"name": "x" * 81})
    assert long.status_code == 422
    assert "x" * 81 in long.text


def test_what_is_shown_is_taken_away_as_a_file(world: World, signed_in: SignedIn) -> None:
    emergency = world.issue()
    world.issue(ROUTINE)
    draft = world.draft(
        "06-hostile-text.json",
        investigating_authority={"name": "Unit", "case_number": "=HYPERLINK(1)"},
    )
    officer, spoc = signed_in("officer"), signed_in("spoc")
    answer = officer.get("/orders.csv?urgency=emergency")
    assert "attachment" in answer.headers["Content-Disposition"]
    (one,) = rows(answer.text)
    assert (one["ref"], one["waiting_for"]) == (
        emergency.name,
        "You: phone SPOC at meridian.example",
    )
    assert len(rows(officer.get("/orders.csv?view=all").text)) == 3
    (hostile,) = rows(officer.get("/orders.csv?view=drafts").text)
    assert hostile["case_number"] == "'=HYPERLINK(1)"
    assert hostile["ref"] == "", draft.name
    (theirs,) = rows(spoc.get("/orders.csv?view=all").text)
    assert theirs["ref"] == emergency.name
    assert not {"case_number", "person_in_charge", "party"} & theirs.keys()
    told = noted(world, "orders_exported")
    assert [(t["filter"], t["rows"]) for t in told] == [
        ("urgency=emergency", 1),
        ("view=all", 3),
        ("view=drafts", 1),
        ("view=all", 1),
    ]
    auditor = signed_in("auditor")
    assert "orders were taken away as a file" in auditor.get("/portal-log").text


def test_what_was_searched_for_is_not_noted(world: World, signed_in: SignedIn) -> None:
    world.issue()
    signed_in("officer").get("/orders.csv?view=all&q=198.51.100.24")
    (told,) = noted(world, "orders_exported")
    assert told["searched"] is True
    assert "198.51" not in json.dumps(told["filter"])


def test_a_file_has_its_end_and_says_so(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST", 2)
    for _ in range(3):
        world.issue(ROUTINE)
    found = rows(signed_in("officer").get("/orders.csv").text)
    assert len(found) == 3
    assert "Only the first 2 orders" in found[2]["ref"]


def note(world: World, order: Order, text: str) -> None:
    with world.database.transaction() as session:
        session.add(OrderNote(order_id=order.id, at=world.now, author="A", text=text))


def hand_over(world: World, signed_in: SignedIn, notes: str = "Call Norvik at nine.") -> str:
    answer = submit(signed_in("officer"), "/hand-over", {"notes": notes})
    assert answer.status_code == 303, answer.text
    return answer.location


def test_the_desk_lists_what_stands_open_and_was_promised(
    world: World, signed_in: SignedIn
) -> None:
    emergency, kept = world.issue(), world.preserve(world.issue(ROUTINE), by="norvik_spoc")
    promised = world.now.date() + timedelta(days=3)
    with world.database.transaction() as session:
        session.execute(
            update(Order)
            .where(Order.id == kept.id)
            .values(mla_intended=True, mla_expected_by=promised, extension_asked_at=world.now)
        )
        answers.ask(session, world.actor("spoc"), emergency.name, "Which cell?", world.now)
    note(world, kept, "The prosecutor <i>knows</i>.")
    page = signed_in("auditor").get("/hand-over").text
    for words in (
        "Emergencies running (1)",
        "Questions to answer (1)",
        "Calls to make (1)",
        "Phone SPOC at meridian.example",
        "MLA requests promised (1)",
        "Extensions asked for (1)",
        "The prosecutor &lt;i&gt;knows",
    ):
        assert words in page, words
    assert "Sign off" not in page, "an auditor reads"
    assert emergency.offence not in page


def test_one_gives_and_another_takes(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    place = hand_over(world, signed_in)
    giver, taker = signed_in("officer"), signed_in("supervisor")
    own = giver.get(place).text
    assert "I have read it" not in own
    assert submit(giver, place, {"note": ""}, to=f"{place}/take").status_code == 403
    assert "as it was told" in taker.get(place).text
    world.acknowledge(order)
    later = world.issue()
    changed = taker.get(place).text
    assert "Acknowledged" in changed
    assert later.name in changed
    assert "not told" in changed
    for _ in range(2):  # a double click is one
        answer = submit(taker, "/hand-over", {"note": "Fine."}, to=f"{place}/take")
        assert answer.status_code == 303
    page = signed_in("auditor").get(place).text
    assert "Taken over" in page
    assert "Fine." in page
    assert order.name in page
    assert [len(noted(world, f"hand_over_{what}")) for what in ("given", "taken")] == [1, 1]
    with world.database.reading() as session:
        (stored,) = session.scalars(select(HandOver))
    assert stored.taken_by == world.person("supervisor").name
    said = json.dumps(stored.told)
    for secret in (order.offence, order.facts, order.targets[0].value):
        assert secret not in said


def test_calls_are_handed_over_in_the_turn_of_the_list_of_calls(
    world: World, signed_in: SignedIn
) -> None:
    routine = world.issue(ROUTINE)
    with world.database.transaction() as session:
        stored = session.get_one(Order, routine.id)
        theirs = select(Contact).where(Contact.provider_id == stored.provider_id)
        contact = session.scalars(theirs.order_by(Contact.position)).first()
        assert contact is not None
        wanted, since = Wanted.UNTIL_ACKNOWLEDGED, world.now - timedelta(hours=3)
        call_tasks.open_task(session, stored, contact, "Not acknowledged.", "k", wanted, since)
    emergency = world.issue()
    place = hand_over(world, signed_in)
    client = signed_in("supervisor")
    for page in (client.get("/hand-over").text, client.get(place).text):
        calls = page.partition('id="s-call"')[2].partition("</section>")[0]
        assert calls.index(str(emergency.ref)) < calls.index(str(routine.ref))


def test_a_card_names_its_moment_as_the_column_does(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    world.submit(world.draft(ROUTINE))
    with world.database.transaction() as session:
        doubts.raise_(session, world.actor("spoc"), order.name, "Odd.", None, world.now)
    place = hand_over(world, signed_in)
    client = signed_in("supervisor")
    for page in (client.get("/hand-over").text, client.get(place).text):
        for why, words in (
            ("emergency", "By"),
            ("call", "Open since"),
            ("authorise", "Submitted"),
            ("vouch", "Doubted since"),
        ):
            part = page.partition(f'id="s-{why}"')[2].partition("</section>")[0]
            labels = re.findall(r'data-label="([^"]+)"', part)
            assert labels[3::4] == [words] * (len(labels) // 4), why
            assert f'<th scope="col">{words}</th>' in part
            assert labels


def test_one_hand_over_waits_at_a_time(world: World, signed_in: SignedIn) -> None:
    place = hand_over(world, signed_in)
    giver, other = signed_in("officer"), signed_in("supervisor")
    page = giver.get(place)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token is not None
    again = giver.post("/hand-over", data={"csrf_token": token.group(1), "notes": "Again."})
    assert again.location == place, "a double click leads to the first"
    theirs = submit(other, place, {"notes": "Mine, too."}, to="/hand-over")
    assert theirs.status_code == 409
    assert "has handed over already" in theirs.text
    assert submit(giver, place, {}, to=f"{place}/cancel").status_code == 303
    assert submit(other, "/hand-over", {"notes": "Mine, too."}).status_code == 303
    late = submit(giver, "/hand-over", {"note": ""}, to=f"{place}/take")
    assert late.status_code == 409


def test_nobody_signs_off_without_a_word(world: World, signed_in: SignedIn) -> None:
    officer = signed_in("officer")
    answer = submit(officer, "/hand-over", {"notes": " \n "})
    assert answer.status_code == 422
    assert "or that there is nothing" in answer.text
    assert noted(world, "hand_over_given") == []


def test_another_contact_point_has_its_own_desk(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    place = hand_over(world, signed_in)
    foreign = signed_in("foreign_officer")
    assert order.name not in foreign.get("/hand-over").text
    assert foreign.get(place).status_code == 404
    assert submit(foreign, "/hand-over", {"note": ""}, to=f"{place}/take").status_code == 404
    assert signed_in("spoc").get("/hand-over").status_code == 403


def test_an_order_that_was_withdrawn_has_left_the_desk(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    place = hand_over(world, signed_in)
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Solved.", world.now)
    assert "Withdrawn" in signed_in("supervisor").get(place).text
    assert order.name not in signed_in("officer").get("/hand-over").text
