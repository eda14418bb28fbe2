"""The thread: questions and answers with files, the contact point's own clock, internal notes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from liaison.domain import thread_limits
from liaison.domain.actors import Actor
from liaison.errors import Forbidden, Invalid, NotFound, RateLimited
from liaison.models import Attachment, Blob, Entry, OrderNote, ThreadMessage
from liaison.queries import attachments as files
from liaison.queries import timeline
from liaison.queries.orders import find
from liaison.queries.views import order_view
from liaison.services import ledger_check, ledger_orders, notes, thread
from tests.threads import PDF, accepted, answer, ask, routine
from tests.world import World

DAY = timedelta(days=1)


def rows(world: World, table: type[ThreadMessage] | type[Blob] | type[OrderNote]) -> int:
    """How many rows a table has."""
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def told(world: World, type_: str) -> list[dict[str, object]]:
    """The data of the ledger's entries of a type."""
    with world.database.reading() as session:
        found = session.scalars(select(Entry).where(Entry.type == type_).order_by(Entry.seq))
        return [json.loads(entry.data or "null") for entry in found]


def test_a_file_goes_with_a_question_and_both_sides_can_fetch_it(world: World) -> None:
    order = world.issue()
    sent = ask(world, order, files=accepted("../report‮.pdf", PDF))
    (file,) = sent.attachments
    for who in ("spoc", "program", "officer", "supervisor", "auditor"):
        with world.database.reading() as session:
            found = files.find(session, world.actor(who), order.name, file.id)
            assert (found.blob.content, found.media_type) == (PDF, "application/pdf")
    with world.database.reading() as session:
        (message,) = order_view(find(session, world.actor("program"), order.name))["thread"]
    assert message["attachments"] == [
        {
            "id": str(file.id),
            "name": "../report.pdf",
            "media_type": "application/pdf",
            "size": len(PDF),
            "sha256": file.sha256,
        }
    ]
    (data,) = told(world, "order.message")
    assert data["attachments"] == message["attachments"]
    assert data["question"] is True


def test_nobody_else_can_fetch_it_and_all_are_answered_alike(world: World) -> None:
    order = world.issue()
    (file,) = ask(world, order, files=accepted()).attachments
    other = world.issue(provider="Norvik Mobile")
    for who, name in (
        ("norvik_spoc", order.name),
        ("norvik_spoc", other.name),
        ("norvik_program", other.name),
        ("foreign_officer", order.name),
        ("administrator", order.name),
        ("provider_administrator", order.name),
        ("officer", other.name),
        ("spoc", str(file.id)),
    ):
        with world.database.reading() as session, pytest.raises(NotFound) as refused:
            files.find(session, world.actor(who), name, file.id)
        assert refused.value.detail == NotFound().detail


def test_the_same_file_of_two_tenants_is_kept_once_and_each_sees_its_own(world: World) -> None:
    first, second = world.issue(), world.issue(provider="Norvik Mobile")
    (mine,) = ask(world, first, files=accepted("mine.txt")).attachments
    with world.database.transaction() as session:
        who = world.actor("norvik_spoc")
        given = accepted("theirs.txt")
        message = thread.ask(session, who, second.name, "See.", world.now, files=given)
        theirs = message.attachments[0].id
    assert rows(world, Blob) == 1
    with world.database.reading() as session:
        found = files.find(session, world.actor("norvik_spoc"), second.name, theirs)
        assert found.name == "theirs.txt"
        with pytest.raises(NotFound):
            files.find(session, world.actor("norvik_spoc"), second.name, mine.id)


def test_a_message_that_is_refused_leaves_no_file(world: World) -> None:
    order = world.issue()
    with pytest.raises(Invalid):
        ask(world, order, " ", files=accepted())
    assert (rows(world, Blob), rows(world, ThreadMessage)) == (0, 0)


@pytest.mark.parametrize("side", ["provider", "contact_point"])
def test_a_second_press_of_the_button_writes_nothing_twice(world: World, side: str) -> None:
    order = world.issue()
    write = ask if side == "provider" else answer
    write(world, order, "The same.", files=accepted())
    world.clock.move(seconds=2)
    again = write(world, order, "The same.", files=accepted())
    assert rows(world, ThreadMessage) == 1
    assert again.text == "The same."
    write(world, order, "The same.", files=accepted("b.txt", b"another file"))
    world.clock.move(minutes=2)
    write(world, order, "The same.", files=accepted("b.txt", b"another file"))
    assert rows(world, ThreadMessage) == 3


def test_a_question_is_not_lost_behind_the_same_words_as_a_remark(world: World) -> None:
    order = world.issue()
    ask(world, order, "Which?", question=False)
    ask(world, order, "Which?")
    assert world.order(order.name).question_open_since == world.now


def test_the_providers_answer_opens_no_question(world: World) -> None:
    order = world.issue()
    answer(world, order, "How long are the logs kept?")
    ask(world, order, "For 30 days.", question=False)
    found = world.order(order.name)
    assert (found.question_open_since, found.answer_by) == (None, None)
    assert [m.side for m in found.thread] == ["contact_point", "provider"]
    assert [data["question"] for data in told(world, "order.message")] == [False, False]


def test_the_time_to_answer_counts_from_the_oldest_open_question(world: World) -> None:
    order = world.issue()
    ask(world, order)
    begun = world.now
    world.clock.move(hours=5)
    ask(world, order, "And which port?")
    assert world.order(order.name).answer_by == begun + DAY
    answer(world, order)
    assert world.order(order.name).answer_by is None


def test_questions_after_the_end_are_answered_too(world: World) -> None:
    order = routine(world)
    world.preserve(order)
    ask(world, order, "May we delete the copy?")
    found = world.order(order.name)
    assert (found.answer_by, found.clock_stopped_at) == (world.now + DAY, None)
    answer(world, order, "Not yet.")
    assert world.order(order.name).question_open_since is None


def note(world: World, who: str | Actor, name: str, text: str = "He lies.") -> None:
    """An internal note, committed."""
    actor = world.actor(who) if isinstance(who, str) else who
    with world.database.transaction() as session:
        notes.write(session, actor, name, text, world.now)


def test_a_note_is_read_by_the_contact_point_alone(world: World) -> None:
    order = world.issue()
    note(world, "officer", order.name)
    note(world, "supervisor", order.name, "Indeed.")
    found = world.order(order.name)
    assert found.version == order.version, "the provider's ETag would tell of it"
    with world.database.reading() as session:
        seen = find(session, world.actor("auditor"), order.name)
        assert [n.text for n in seen.notes] == ["He lies.", "Indeed."]
        types = [i.type for i in timeline.for_order(session, world.actor("spoc"), seen)]
        assert "order.noted" not in types
        assert "He lies." not in json.dumps(order_view(seen))
        ours = [i for i in timeline.for_order(session, world.actor("officer"), seen) if i.own]
        noted = {i.data["text"] for i in ours if i.type == "order.noted" and i.data}
        assert noted == {"Indeed.", "He lies."}
        streams = set(session.scalars(select(Entry.stream).where(Entry.type == "order.noted")))
        assert all(stream.startswith("authority:") for stream in streams)


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("spoc", Forbidden),
        ("program", Forbidden),
        ("auditor", Forbidden),
        ("norvik_spoc", NotFound),
        ("foreign_officer", NotFound),
        ("provider_administrator", NotFound),
    ],
)
def test_nobody_else_writes_one(world: World, who: str, error: type[Exception]) -> None:
    order = world.issue()
    with pytest.raises(error):
        note(world, who, order.name)
    assert rows(world, OrderNote) == 0


def test_a_draft_takes_notes_and_a_second_press_adds_none(world: World) -> None:
    order = world.draft()
    note(world, "officer", order.name)
    note(world, "officer", order.name)
    note(world, "second_officer", order.name)
    assert rows(world, OrderNote) == 2


@pytest.mark.parametrize("text", ["", " \n", "n" * 5001, "a\x00b", "\ud800"])
def test_a_note_that_cannot_be_kept_is_told_so(world: World, text: str) -> None:
    order = world.issue()
    with pytest.raises(Invalid):
        note(world, "officer", order.name, text)


@pytest.mark.parametrize(("type_", "wanted"), [("order.noted", 1), ("order.message", 1)])
def test_a_thread_or_a_note_without_its_entry_is_found(
    world: World, type_: str, wanted: int
) -> None:
    order = world.issue()
    ask(world, order)
    note(world, "officer", order.name)
    with world.database.writing() as session:
        assert not [b for b in ledger_check.verify(session) if isinstance(b, ledger_check.Break)]
        for entry in session.scalars(select(Entry).where(Entry.type == type_)):
            session.delete(entry)
        session.flush()
        assert [m.reason for m in ledger_orders.missing(session)] == [f"its {type_} is missing"]
        session.rollback()


def test_attachments_keep_the_order_they_were_sent_in(world: World) -> None:
    order = world.issue()
    names = [f"{letter}.txt" for letter in "cab"]
    given = tuple(accepted(name, name.encode())[0] for name in names)
    sent = ask(world, order, files=given)
    with world.database.reading() as session:
        found = session.scalars(
            select(Attachment.name)
            .where(Attachment.message_id == sent.id)
            .order_by(Attachment.position)
        ).all()
    assert list(found) == names


@pytest.mark.one_database
def test_one_side_that_writes_without_end_is_stopped_and_the_other_is_not(world: World) -> None:
    order = world.issue()
    for number in range(thread_limits.HOURLY):
        ask(world, order, f"Question {number}")
    with pytest.raises(RateLimited):
        ask(world, order, "One more")
    for number in range(thread_limits.HOURLY):
        answer(world, order, f"Answer {number}")
    with pytest.raises(RateLimited):
        answer(world, order, "One more")
    assert rows(world, ThreadMessage) == 2 * thread_limits.HOURLY
    world.clock.move(hours=1)
    ask(world, order, "One more")
    assert world.order(order.name).question_open_since == world.now


@pytest.mark.one_database
def test_an_order_takes_no_more_files_or_messages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_limits, "MOST", 2)
    monkeypatch.setattr(thread_limits, "BYTES", len(PDF))
    order = world.issue()
    ask(world, order, files=accepted("a.pdf", PDF))
    with pytest.raises(Invalid):
        ask(world, order, "And this.", files=accepted())
    ask(world, order, "Without it.")
    with pytest.raises(Invalid):
        ask(world, order, "Again.")
    assert (rows(world, ThreadMessage), rows(world, Blob)) == (2, 1)
    answer(world, order, files=accepted("a.pdf", PDF))
