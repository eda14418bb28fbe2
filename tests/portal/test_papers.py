"""An order's papers: deadlines for a calendar, the order and its record for printing."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from liaison.domain.vocabulary import CallOutcome
from liaison.models import CallTask, Order, OrderNote
from liaison.queries import order_papers
from liaison.services import answers, calls, doubts, escalation, orders
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn
from tests.world import ADDRESS, MovableClock, World

pytestmark = pytest.mark.one_database

SHEETS = ("print", "record")


@pytest.fixture
def work(
    settings: Any, world: World, database: Any, clock: MovableClock, sender: RecordingSender
) -> Work:
    """A worker whose letters are kept."""
    return Work(settings, database, clock, sender, name="worker-1")


def events(content: bytes) -> dict[str, Any]:
    """The events of a file, by their titles."""
    found = Calendar.from_ical(content).walk("VEVENT")
    return {str(e["SUMMARY"]).partition(":")[0]: e for e in found}


# Deadlines


def test_a_providers_calendar_has_its_own_deadlines(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    answer = signed_in("spoc").get(f"/orders/{order.name}/deadlines.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{order.ref}.ics"'
    found = events(answer.data)
    assert set(found) == {"Acknowledge by", "Preserve by"}
    first = found["Acknowledge by"]
    assert first["DTSTART"].dt == order.acknowledge_by
    assert first["DTSTART"].dt.utcoffset() == timedelta(0)
    assert (int(first["SEQUENCE"]), first["STATUS"]) == (order.version, "CONFIRMED")


def test_the_contact_points_has_its_own_too(world: World, signed_in: SignedIn) -> None:
    order = world.issue(mla={"intended": True, "expected_by": "2027-01-15"})
    with world.database.transaction() as session:
        answers.ask(session, world.actor("spoc"), order.name, "Which one?", world.now)
    with world.database.transaction() as session:
        session.execute(
            update(Order)
            .where(Order.id == order.id)
            .values(
                answer_by=world.now + timedelta(days=1), ratify_by=world.now + timedelta(hours=12)
            )
        )
    found = events(signed_in("officer").get(f"/orders/{order.name}/deadlines.ics").data)
    assert set(found) == {
        "Acknowledge by",
        "Preserve by",
        "Answer the question by",
        "Ratify by",
        "MLA request expected by",
    }
    assert found["MLA request expected by"]["DTSTART"].dt == date(2027, 1, 15)


def test_a_later_file_moves_and_cancels_what_the_first_has_set(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    client = signed_in("officer")
    before = events(client.get(f"/orders/{order.name}/deadlines.ics").data)
    world.preserve(order)
    after = events(client.get(f"/orders/{order.name}/deadlines.ics").data)
    for name in ("Acknowledge by", "Preserve by"):
        assert after[name]["UID"] == before[name]["UID"]
        assert int(after[name]["SEQUENCE"]) > int(before[name]["SEQUENCE"])
        assert after[name]["STATUS"] == "CANCELLED"
    kept = after["Data kept until"]
    assert kept["DTSTART"].dt == world.now + timedelta(days=90)
    (alarm,) = kept.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(days=-14)
    assert len({str(e["UID"]) for e in after.values()}) == len(after)


def test_a_calendar_says_no_more_than_a_letter(world: World, signed_in: SignedIn) -> None:
    order = world.issue("06-hostile-text.json")
    content = signed_in("officer").get(f"/orders/{order.name}/deadlines.ics").text
    plain = re.sub(r"\r\n ", "", content)
    assert f"/orders/{order.ref}" in plain
    assert order.provider.name in plain
    for secret in (order.offence, order.facts, *(t.value for t in order.targets)):
        assert secret[:20] not in plain


def test_a_draft_has_no_deadlines(world: World, signed_in: SignedIn) -> None:
    draft = world.draft()
    answer = signed_in("officer").get(f"/orders/{draft.name}/deadlines.ics")
    assert answer.status_code == 409
    assert "before it is issued" in answer.text


def test_times_are_in_utc_whatever_the_zone(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    content = signed_in("spoc").get(f"/orders/{order.name}/deadlines.ics").text
    assert order.acknowledge_by is not None
    assert f"DTSTART:{order.acknowledge_by:%Y%m%dT%H%M%S}Z" in content
    assert "TZID" not in content


# The order, for printing


def test_the_printed_order_has_every_field_and_no_navigation(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue("07-botnet-240-targets.json")
    page = signed_in("officer").get(f"/orders/{order.name}/print").text
    assert page.count("<tr>") == 1 + len(order.targets) == 241
    assert order.sha256 is not None
    for needed in (order.ref, order.sha256, str(order.id), order.memorandum.reference):  # type: ignore[union-attr]
        assert str(needed) in page
    assert "Urgent: time to acknowledge" in page
    assert "ladder" not in page
    assert "<nav" not in page
    assert "<script" not in page
    assert "style=" not in page
    assert "print.css" in page


def test_hostile_words_stay_words_on_paper(world: World, signed_in: SignedIn) -> None:
    order = world.issue("06-hostile-text.json")
    client = signed_in("officer")
    for sheet in SHEETS:
        page = client.get(f"/orders/{order.name}/{sheet}").text
        assert "<script" not in page
        assert not re.search(r"<(img|iframe|svg)\b", page)


def test_a_printed_draft_says_that_it_binds_nobody(world: World, signed_in: SignedIn) -> None:
    draft = world.draft()
    client = signed_in("officer")
    assert "binds nobody" in client.get(f"/orders/{draft.name}/print").text
    assert client.get(f"/orders/{draft.name}/record").status_code == 200
    assert signed_in("spoc").get(f"/orders/{draft.name}/print").status_code == 404


def test_a_withdrawn_order_is_stamped(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found.", world.now)
    assert "Withdrawn on" in signed_in("spoc").get(f"/orders/{order.name}/print").text


def test_printing_notes_that_the_provider_has_opened_it(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    assert signed_in("officer").get(f"/orders/{order.name}/print").status_code == 200
    assert world.order(order.name).fetched_at is None
    assert signed_in("spoc").get(f"/orders/{order.name}/print").status_code == 200
    assert world.order(order.name).fetched_at == world.now


def test_the_order_page_leads_to_its_papers(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    for who in ("officer", "spoc", "auditor"):
        page = signed_in(who).get(f"/orders/{order.name}").text
        for paper in ("print", "record", "deadlines.ics"):
            assert f'href="/orders/{order.name}/{paper}"' in page


# The record

SHARED = {
    "question": "CANARY-QUESTION which of the two",
    "answer": "CANARY-ANSWER the second",
    "doubt": "CANARY-DOUBT the number is odd",
    "vouch": "CANARY-VOUCH saw the file",
}
OURS = {
    "call": "CANARY-CALL the guard took it",
    "note": "CANARY-NOTE he is a relative of ours",
    "ladder": "CANARY-LADDER I drive there myself",
}


def eventful(world: World, work: Work) -> Order:
    """An order of which a lot is to be told, with a known word in each text."""
    order = world.issue()
    run_once(work)
    with world.database.transaction() as session:
        spoc, officer = world.actor("spoc"), world.actor("officer")
        answers.ask(session, spoc, order.name, SHARED["question"], world.now)
        answers.answer(session, officer, order.name, SHARED["answer"], world.now)
        doubts.raise_(session, spoc, order.name, SHARED["doubt"], None, world.now)
    run_once(work)
    with world.database.transaction() as session:
        task = session.scalars(select(CallTask).where(CallTask.order_id == order.id)).first()
        assert task is not None
        outcome = CallOutcome.REACHED
        officer = world.actor("officer")
        calls.log(session, officer, order.name, task.id, outcome, OURS["call"], world.now)
        supervisor = world.actor("supervisor")
        doubts.vouch(session, supervisor, order.name, SHARED["vouch"], None, world.now)
        escalation.close(session, officer, order.name, OURS["ladder"], world.now)
        note = OrderNote(order_id=order.id, at=world.now, author="A. P.", text=OURS["note"])
        session.add(note)
    return world.order(order.name)


def test_a_record_tells_each_side_what_is_theirs(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order = eventful(world, work)
    ours = signed_in("officer").get(f"/orders/{order.name}/record").text
    theirs = signed_in("spoc").get(f"/orders/{order.name}/record").text
    for text in SHARED.values():
        assert text in ours
        assert text in theirs
    for text in OURS.values():
        assert text in ours
        assert text not in theirs
    # Deliveries, from where we acted, and the alarms of our own people are ours as well.
    supervisor = world.person("supervisor").name
    assert f"from {ADDRESS}" in ours
    for mine in ("duty@police.example", "+37410000101", "the order is doubted:", "Only we"):
        assert mine in ours
        assert mine not in theirs.partition("Everything that happened")[2]
    acts = re.findall(rf"<bdi>{supervisor}</bdi>.*?</td>", theirs.partition("Everything")[2])
    assert acts
    assert not [act for act in acts if ADDRESS in act]
    assert "Phone calls" not in theirs
    assert "Notices" not in theirs


def test_an_auditor_reads_the_whole_record(world: World, signed_in: SignedIn, work: Work) -> None:
    order = eventful(world, work)
    page = signed_in("auditor").get(f"/orders/{order.name}/record").text
    assert all(text in page for text in (*SHARED.values(), *OURS.values()))


def test_the_record_is_in_order_and_names_each_entry(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order = eventful(world, work)
    page = signed_in("officer").get(f"/orders/{order.name}/record").text
    told = page.partition("Everything that happened")[2]
    assert told.index("Draft written") < told.index("Order issued") < told.index("doubts this")
    assert len(re.findall(r'hash">[0-9a-f]{16}<', told)) >= 8


def test_a_provider_is_not_even_handed_what_is_ours(world: World, work: Work) -> None:
    order = eventful(world, work)
    with world.database.reading() as session:
        found = session.get_one(Order, order.id)
        theirs = order_papers.record(session, world.actor("spoc"), found, world.now)
        ours = order_papers.record(session, world.actor("officer"), found, world.now)
    assert (theirs.notes, theirs.deliveries, theirs.calls) == ([], [], [])
    assert ours.notes
    assert ours.deliveries
    assert ours.calls
    assert not any(item.own for item in theirs.items)
