"""Letters that come back: from a real mailbox, and what they may and may not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from liaison.delivery import EmailSender, reports
from liaison.delivery.mailbox import MailboxError
from liaison.domain.vocabulary import Channel
from liaison.models import Database, DeliveryAttempt, Entry, Message, Order
from liaison.models.work import MessageState
from liaison.services import bounces as verbs
from liaison.services import canaries
from liaison.services.bounces import Verdict
from liaison.worker import Work, bounces, run_once
from tests.imap_sink import ImapSink
from tests.mail import RecordingSender, SmtpSink
from tests.returned import AWAY, EXIM, POSTFIX, QMAIL, letter
from tests.worker.looking import entries, open_calls
from tests.worker.looking import messages as notices
from tests.world import World

SPOC = "spoc@meridian.example"


@pytest.fixture
def mailbox() -> Iterator[ImapSink]:
    sink = ImapSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def reading(work: Work, mailbox: ImapSink) -> Work:
    """A worker that reads the mailbox."""
    return replace(work, settings=replace(work.settings, bounce_url=mailbox.url))


def sent_to_all_spocs(work: Work, world: World) -> tuple[Order, Message]:
    """The second rung wrote to every SPOC: the notice to the first one, whom no call is open to."""
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=15)
    run_once(work)
    deputies = [m for m in notices(world.database, order) if m.address != SPOC]
    return order, next(m for m in deputies if m.state is MessageState.SENT)


def anew(database: Database, message: Message) -> Message:
    with database.reading() as session:
        found = session.get_one(Message, message.id)
        _ = found.tries
        return found


def test_a_letter_that_came_back_is_found_by_its_own_message_id(
    work: Work, world: World, database: Database, smtp_sink: SmtpSink
) -> None:
    order = world.issue()
    real = replace(work, sender=EmailSender(smtp_sink.url, work.settings.mail_from))
    run_once(real)
    (notice,) = notices(database, order)
    (arrived,) = smtp_sink.letters
    assert arrived.message["Message-ID"] == f"<{notice.id}@police.example>"
    assert arrived.key == notice.idem
    quoted = str(arrived.message["Message-ID"])[1:].partition("@")[0]
    assert bounces.take(database, letter(QMAIL, quoted, SPOC), world.now) == [Verdict.FAILED]
    assert anew(database, notice).bounced_at == world.now


def test_a_bounce_in_the_mailbox_opens_a_call_and_is_told(
    reading: Work, world: World, database: Database, mailbox: ImapSink, sender: RecordingSender
) -> None:
    order, notice = sent_to_all_spocs(reading, world)
    before = open_calls(database, order)
    stranger = mailbox.put(letter(AWAY, notice.id, notice.address))
    kept = mailbox.put(letter(POSTFIX, notice.id, notice.address.upper()))
    world.clock.move(seconds=30)
    assert bounces.read_mailbox(reading)
    assert not bounces.read_mailbox(reading), "what was read is marked"
    assert kept.flags == stranger.flags == {"\\Seen"}
    found = anew(database, notice)
    assert (found.state, found.bounced_at) == (MessageState.FAILED, world.now)
    assert found.last_error is not None
    assert "No such user here" in found.last_error
    assert [t.ok for t in found.tries] == [True, False]
    assert found.sent_at is not None, "it left all the same"
    assert len(open_calls(database, order)) == len(before) + 1
    (entry,) = entries(database, order, "order.delivery_failed")
    assert entry["bounced"]
    run_once(reading)
    assert "could not be delivered" in sender.sent[-1].subject
    assert not any("LOGIN liaison" in asked for asked in mailbox.asked)


@pytest.mark.parametrize("charset", [b"idna", b"x\x00y"])
def test_a_bounce_counts_whatever_its_text_for_people_is_written_in(
    reading: Work, world: World, database: Database, mailbox: ImapSink, charset: bytes
) -> None:
    _, notice = sent_to_all_spocs(reading, world)
    raw = letter(POSTFIX, notice.id, notice.address).replace(b"us-ascii", charset)
    kept = mailbox.put(raw.replace(b"said:", b"a r\xe9pondu:"))
    assert bounces.read_mailbox(reading)
    assert kept.flags == {"\\Seen"}, "no person need look at it"
    assert anew(database, notice).state is MessageState.FAILED


def test_the_same_bounce_twice_changes_nothing_more(
    work: Work, world: World, database: Database
) -> None:
    order, notice = sent_to_all_spocs(work, world)
    raw = letter(EXIM, notice.id, notice.address)
    assert bounces.take(database, raw, world.now) == [Verdict.FAILED]
    once = (open_calls(database, order), len(anew(database, notice).tries))
    assert bounces.take(database, raw, world.now) == [Verdict.KNOWN]
    assert (open_calls(database, order), len(anew(database, notice).tries)) == once
    assert len(entries(database, order, "order.delivery_failed")) == 1


def test_a_worker_killed_before_it_marked_reads_again_and_doubles_nothing(
    reading: Work, world: World, database: Database, mailbox: ImapSink
) -> None:
    order, notice = sent_to_all_spocs(reading, world)
    kept = mailbox.put(letter(POSTFIX, notice.id, notice.address))
    mailbox.broken_store = True
    with pytest.raises(MailboxError):
        bounces.read_mailbox(reading)
    assert kept.flags == set()
    assert anew(database, notice).state is MessageState.FAILED, "committed before it is marked"
    mailbox.broken_store = False
    assert bounces.read_mailbox(reading)
    assert len(entries(database, order, "order.delivery_failed")) == 1


def test_nothing_is_marked_where_the_database_is_away(
    reading: Work, world: World, mailbox: ImapSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    _, notice = sent_to_all_spocs(reading, world)
    kept = mailbox.put(letter(POSTFIX, notice.id, notice.address))

    def away(*_: object) -> Verdict:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr(verbs, "take", away)
        with pytest.raises(OperationalError):
            bounces.read_mailbox(reading)
    assert kept.flags == set()
    assert bounces.read_mailbox(reading)
    assert kept.flags == {"\\Seen"}


def test_a_poisonous_letter_stops_none_behind_it(
    reading: Work,
    world: World,
    database: Database,
    mailbox: ImapSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, notice = sent_to_all_spocs(reading, world)
    poison = mailbox.put(b"Subject: poison\r\n\r\n")
    sound = mailbox.put(letter(POSTFIX, notice.id, notice.address))
    read = reports.read

    def choke(raw: bytes) -> object:
        if b"poison" in raw:
            raise RecursionError
        return read(raw)

    monkeypatch.setattr(reports, "read", choke)
    assert bounces.read_mailbox(reading)
    assert poison.flags == {"\\Seen", "\\Flagged"}, "a person can look at it"
    assert sound.flags == {"\\Seen"}
    assert anew(database, notice).state is MessageState.FAILED


def test_a_forged_bounce_needs_the_number_and_the_addressee(
    work: Work, world: World, database: Database
) -> None:
    order, notice = sent_to_all_spocs(work, world)
    before = open_calls(database, order)
    for raw in (
        letter(POSTFIX, uuid4(), notice.address),
        letter(POSTFIX, notice.id, "spoc@norvik.example"),
        letter(POSTFIX, order.id, notice.address),
    ):
        assert bounces.take(database, raw, world.now) == [Verdict.STRANGE]
    with database.transaction() as session:
        session.get_one(Message, notice.id).channel = Channel.TEXT
    raw = letter(POSTFIX, notice.id, notice.address)
    assert bounces.take(database, raw, world.now) == [Verdict.STRANGE], "only letters come back"
    assert anew(database, notice).state is MessageState.SENT
    assert open_calls(database, order) == before


def test_a_bounce_after_the_acknowledgement_stands_in_the_record_only(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order, notice = sent_to_all_spocs(work, world)
    world.acknowledge(order)
    run_once(work)
    calls, left = open_calls(database, order), len(sender.sent)
    raw = letter(POSTFIX, notice.id, notice.address)
    assert bounces.take(database, raw, world.now) == [Verdict.FAILED]
    run_once(work)
    found = anew(database, notice)
    assert (found.bounced_at, found.settled_at) == (world.now, world.now)
    assert open_calls(database, order) == calls
    assert len(sender.sent) == left, "nobody is written to about it"
    assert world.order(order.name).state == "acknowledged"


def test_a_delay_is_noted_once_and_a_flood_is_bounded(
    work: Work, world: World, database: Database
) -> None:
    order, notice = sent_to_all_spocs(work, world)
    raw = letter(POSTFIX, notice.id, notice.address, action="delayed", status="4.4.1")
    assert bounces.take(database, raw, world.now) == [Verdict.NOTED]
    assert bounces.take(database, raw, world.now) == [Verdict.KNOWN]
    found = anew(database, notice)
    assert (found.state, found.bounced_at) == (MessageState.SENT, None)
    assert [t.answer.partition(":")[0] for t in found.tries] == ["", "Delayed"]
    for number in range(verbs.MOST_NOTED + 5):
        status = f"4.4.{number}"
        more = letter(POSTFIX, notice.id, notice.address, action="delayed", status=status)
        bounces.take(database, more, world.now)
    with database.reading() as session:
        kept = session.scalars(
            select(DeliveryAttempt).where(DeliveryAttempt.message_id == notice.id)
        ).all()
    assert len(kept) == verbs.MOST_NOTED
    assert entries(database, order, "order.delivery_failed") == []


def test_one_that_waits_for_its_next_try_is_not_failed_by_an_old_copy(
    work: Work, world: World, database: Database
) -> None:
    _, notice = sent_to_all_spocs(work, world)
    with database.transaction() as session:
        session.get_one(Message, notice.id).state = MessageState.QUEUED
    raw = letter(POSTFIX, notice.id, notice.address)
    assert bounces.take(database, raw, world.now) == [Verdict.NOTED]
    assert anew(database, notice).state is MessageState.QUEUED


def test_a_letter_about_access_that_came_back_stands_in_the_portal_log(
    work: Work, world: World, database: Database
) -> None:
    from liaison.services import outbox

    with database.transaction() as session:
        params = {"name": "Somebody", "organisation": "x", "what": "y", "by": "z", "at": ""}
        outbox.queue_letter(
            session, "spoc@police.example", "access_changed", params, "k", world.now
        )
        message = session.scalars(select(Message)).one()
        message.state, message.attempts = MessageState.SENT, 1
    raw = letter(POSTFIX, message.id, "spoc@police.example")
    assert bounces.take(database, raw, world.now) == [Verdict.FAILED]
    with database.reading() as session:
        (entry,) = session.scalars(select(Entry).where(Entry.type == "portal.letter_failed"))
        assert '"bounced":true' in (entry.data or "")


def test_a_canary_that_came_back_to_the_mailbox_has_arrived(
    reading: Work, world: World, database: Database, mailbox: ImapSink
) -> None:
    from liaison.models import Canary

    token = "c" * 43
    with database.transaction() as session:
        session.add(Canary(channel=Channel.EMAIL, token=token, sent_at=world.now))
    mailbox.put(f"Subject: Liaison canary {token}\r\n\r\nchirp".encode())
    mailbox.put(f"Subject: Liaison canary {'d' * 43}\r\n\r\nchirp".encode())
    assert bounces.read_mailbox(reading)
    with database.reading() as session:
        assert canaries.last_arrived(session, Channel.EMAIL) is not None


def test_without_a_mailbox_nothing_is_read_and_a_silent_one_is_said(work: Work) -> None:
    assert not bounces.read_mailbox(work)
    nowhere = replace(work.settings, bounce_url="imap://u:secret@127.0.0.1:9/INBOX")
    with pytest.raises(MailboxError) as caught:
        bounces.read_mailbox(replace(work, settings=nowhere))
    assert "secret" not in caught.value.detail
