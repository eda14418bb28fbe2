"""What reached nobody: whose it is to see, sending it again, saying it is dealt with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden, Invalid, NotFound
from liaison.models import Contact, Database, DeliveryAttempt, Entry, Message, Order
from liaison.models.work import MessageState, Wanted
from liaison.queries import deliveries, lag
from liaison.queries.deliveries import Stand
from liaison.services import escalation, outbox, undelivered
from liaison.services.organisations import AlreadyDone
from tests.world import World

NOTE = "Reached by telephone."


def failed(world: World, order: Order, *, how_many: int = 1, **changes: object) -> list[Message]:
    """Notices of an order that used up their tries, to a contact of its provider."""
    with world.database.transaction() as session:
        contact = session.scalars(
            select(Contact).where(Contact.provider_id == order.provider_id).limit(1)
        ).one()
        kept = session.get_one(Order, order.id)
        for number in range(how_many):
            wanted = Wanted.UNTIL_ACKNOWLEDGED
            notice = outbox.Notice("order_issued", wanted, f"failed {number}", {})
            outbox.queue(session, kept, contact, notice, world.now + timedelta(seconds=number))
        found = session.scalars(
            select(Message).where(Message.order_id == order.id, Message.idem.contains(":failed "))
        ).all()
        for message in found:
            message.state, message.attempts, message.fence = MessageState.FAILED, 5, 5
            message.last_error = "550 no such user"
            for name, value in changes.items():
                setattr(message, name, value)
        return sorted(found, key=lambda m: m.created_at)


def letter(world: World, address: str) -> Message:
    """A letter about access that failed."""
    with world.database.transaction() as session:
        outbox.queue_letter(session, address, "access_changed", {}, "k", world.now)
        idem = outbox.letter_idem(address, "k")
        message = session.scalars(select(Message).where(Message.idem == idem)).one()
        message.state = MessageState.FAILED
        return message


def listed(world: World, who: str, **how: object) -> list[str]:
    with world.database.reading() as session:
        found = deliveries.undelivered(session, world.actor(who), world.now, **how)  # type: ignore[arg-type]
        return [str(one.message.id) for one in found.failed]


def own_acts(world: World, type_: str) -> list[Entry]:
    with world.database.reading() as session:
        return list(session.scalars(select(Entry).where(Entry.type == type_)))


def test_each_authority_sees_its_own_and_no_provider_sees_any(world: World) -> None:
    (ours,) = failed(world, world.issue())
    for who in ("officer", "supervisor", "auditor"):
        assert listed(world, who) == [str(ours.id)]
    for who in ("foreign_officer", "administrator"):
        assert listed(world, who) == []
    for who in ("spoc", "provider_administrator"):
        with pytest.raises(Forbidden):
            listed(world, who)
    with world.database.reading() as session:
        assert deliveries.count(session, world.actor("officer")) == 1
        assert deliveries.count(session, world.actor("foreign_officer")) == 0
        assert deliveries.count(session, world.actor("spoc")) == 0
        assert deliveries.find(session, world.actor("officer"), ours.id, world.now).order
        for who, id_ in (("foreign_officer", ours.id), ("officer", uuid4())):
            with pytest.raises(NotFound):
                deliveries.find(session, world.actor(who), id_, world.now)


def test_letters_about_access_are_an_administrators_of_the_same_authority(world: World) -> None:
    ours = letter(world, world.person("officer").email)
    theirs = letter(world, world.person("foreign_officer").email)
    providers = letter(world, world.person("spoc").email)
    letter(world, "nobody@nowhere.example")
    assert set(listed(world, "administrator")) == {str(ours.id), str(providers.id)}
    assert listed(world, "officer") == []
    foreign = Actor(
        id="person:x",
        name="Somebody",
        roles=frozenset({Role.ADMINISTRATOR}),
        authority_id=world.register.authorities["NL"],
    )
    with world.database.reading() as session:
        found = deliveries.undelivered(session, foreign, world.now)
    assert {one.message.id for one in found.failed} == {theirs.id, providers.id}


def test_pages_are_walked_without_gap_or_repeat(world: World) -> None:
    messages = failed(world, world.issue(), how_many=deliveries.PAGE + 7)
    newest = [str(m.id) for m in reversed(messages)]
    first = listed(world, "officer")
    assert first == newest[: deliveries.PAGE]
    with world.database.reading() as session:
        place = deliveries.undelivered(session, world.actor("officer"), world.now).older
    assert listed(world, "officer", before=place) == newest[deliveries.PAGE :]
    assert listed(world, "officer", before=uuid4()) == first, "no place at all is the first page"


def test_what_is_queued_too_long_is_marked(world: World) -> None:
    order = world.issue()
    failed(world, order, state=MessageState.QUEUED, attempts=1, urgent=True)

    def late() -> list[Stand]:
        with world.database.reading() as session:
            found = deliveries.undelivered(session, world.actor("officer"), world.now)
            return [one.stand for one in found.late]

    world.clock.move(seconds=29)
    assert late() == []
    world.clock.move(seconds=1)
    assert late() == [Stand.LATE]
    with world.database.transaction() as session:
        session.get_one(Order, order.id).clock_stopped_at = world.now
    assert late() == [], "a question holds it back: nothing is late"
    with world.database.transaction() as session:
        session.get_one(Order, order.id).clock_stopped_at = None
        for message in session.scalars(select(Message)):
            message.urgent = False
    assert late() == []
    world.clock.move(minutes=5)
    assert late() == [Stand.LATE]


def test_a_retry_is_the_same_row_under_the_same_key(world: World, database: Database) -> None:
    (message,) = failed(world, world.issue(), bounced_at=world.now, sent_at=world.now)
    world.clock.move(minutes=10)
    with database.transaction() as session:
        undelivered.retry(session, world.actor("officer"), message.id, world.now)
    with database.reading() as session:
        again = session.get_one(Message, message.id)
    assert (again.idem, again.state, again.attempts) == (message.idem, MessageState.QUEUED, 0)
    assert (again.next_at, again.bounced_at, again.sent_at) == (world.now, None, None)
    assert again.fence == message.fence, "an old claim must not confirm it"
    assert listed(world, "officer") == []
    (entry,) = own_acts(world, "order.delivery_retried")
    assert entry.stream.startswith("authority:")


def test_a_retry_that_fails_again_is_told_again(world: World, database: Database) -> None:
    order = world.issue()
    (message,) = failed(world, order)
    for _ in range(2):
        with database.transaction() as session:
            undelivered.tell(session, session.get_one(Message, message.id), world.now)
    with database.transaction() as session:
        undelivered.retry(session, world.actor("officer"), message.id, world.now)
    with database.transaction() as session:
        again = session.get_one(Message, message.id)
        again.state, again.fence = MessageState.FAILED, again.fence + 1
        undelivered.tell(session, again, world.now)
    with database.reading() as session:
        told = session.scalars(select(Message).where(Message.letter == "delivery_failed")).all()
    assert len({m.idem for m in told}) == 2, "once for each row of tries that was used up"


def test_what_is_wanted_no_more_or_went_elsewhere_is_not_sent_again(
    world: World, database: Database
) -> None:
    order = world.issue()
    (message,) = failed(world, order)

    def refusal() -> str:
        with database.writing() as session, pytest.raises(AlreadyDone) as caught:
            undelivered.retry(session, world.actor("officer"), message.id, world.now)
        return caught.value.detail

    with database.transaction() as session:
        session.get_one(Message, message.id).address = "old@meridian.example"
    assert "has another address now" in refusal()
    with database.transaction() as session:
        assert message.contact_id is not None
        session.get_one(Contact, message.contact_id).removed_at = world.now
    assert "not registered any more" in refusal()
    world.acknowledge(order)
    assert "the order is acknowledged" in refusal()
    with database.reading() as session:
        assert session.get_one(Message, message.id).state is MessageState.FAILED
    assert own_acts(world, "order.delivery_retried") == []


def test_while_the_escalation_is_closed_nothing_of_it_is_sent_again(
    world: World, database: Database
) -> None:
    """It would wait for ever, and the worker seem to be behind."""
    order = world.issue()
    (message,) = failed(world, order)
    with database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "I drive there.", world.now)
    with database.writing() as session, pytest.raises(AlreadyDone) as caught:
        undelivered.retry(session, world.actor("officer"), message.id, world.now)
    assert "open it again first" in caught.value.detail
    with database.transaction() as session:  # however it came to wait
        session.execute(update(Message).values(state=MessageState.SENT))
        session.get_one(Message, message.id).state = MessageState.QUEUED
    world.clock.move(hours=10)
    with database.reading() as session:
        assert lag.lag(session, world.now).oldest_message is None
        found = deliveries.undelivered(session, world.actor("officer"), world.now)
    assert [one.message.id for one in found.late] == []


def test_a_letter_whose_secret_is_forgotten_is_made_anew_where_it_was_made(
    world: World, database: Database
) -> None:
    message = letter(world, world.person("officer").email)
    with database.transaction() as session:
        undelivered.retry(session, world.actor("administrator"), message.id, world.now)
    (entry,) = own_acts(world, "portal.letter_retried")
    assert "@" not in (entry.data or ""), "the log holds no address"
    with database.transaction() as session:
        again = session.get_one(Message, message.id)
        again.state, again.letter = MessageState.FAILED, "invitation"
    with database.writing() as session, pytest.raises(AlreadyDone) as caught:
        undelivered.retry(session, world.actor("administrator"), message.id, world.now)
    assert "make a new one" in caught.value.detail


def test_whoever_settles_it_says_how(world: World, database: Database) -> None:
    (message,) = failed(world, world.issue())
    for note in ("", "  ", "x" * 6000, "\x00"):
        with database.writing() as session, pytest.raises(Invalid):
            undelivered.settle(session, world.actor("officer"), message.id, note, world.now)
    with database.transaction() as session:
        undelivered.settle(session, world.actor("officer"), message.id, NOTE, world.now)
    with database.reading() as session:
        settled = session.get_one(Message, message.id)
    assert (settled.settled_at, settled.settled_by) == (world.now, world.person("officer").name)
    assert listed(world, "officer") == []
    (entry,) = own_acts(world, "order.delivery_settled")
    assert NOTE in (entry.data or "")
    officer = world.actor("officer")
    with database.writing() as session, pytest.raises(AlreadyDone) as caught:
        undelivered.settle(session, officer, message.id, NOTE, world.now)
    assert officer.name in caught.value.detail
    with database.writing() as session, pytest.raises(AlreadyDone):
        undelivered.retry(session, officer, message.id, world.now)


def test_nobody_acts_on_anothers_nor_with_the_wrong_role(world: World, database: Database) -> None:
    (message,) = failed(world, world.issue())
    refusals = {
        "foreign_officer": NotFound,
        "administrator": NotFound,
        "auditor": Forbidden,
        "spoc": Forbidden,
        "program": Forbidden,
    }
    for who, error in refusals.items():
        with database.writing() as session, pytest.raises(error):
            undelivered.retry(session, world.actor(who), message.id, world.now)
        with database.writing() as session, pytest.raises(error):
            undelivered.settle(session, world.actor(who), message.id, NOTE, world.now)
    assert listed(world, "officer") == [str(message.id)]


def test_two_who_send_it_again_at_once_send_it_once(world: World, database: Database) -> None:
    (message,) = failed(world, world.issue())

    def press(who: str) -> bool:
        try:
            with database.transaction() as session:
                undelivered.retry(session, world.actor(who), message.id, world.now)
        except AlreadyDone:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        pressed = list(pool.map(press, ["officer", "supervisor"] * 4))
    assert sum(pressed) == 1
    assert len(own_acts(world, "order.delivery_retried")) == 1


def test_a_provider_sees_what_went_to_its_own_people_and_nothing_of_ours(
    world: World, database: Database
) -> None:
    order = world.issue()
    (message,) = failed(world, order)
    with database.transaction() as session:
        ours = session.scalars(
            select(Contact).where(Contact.authority_id == order.authority_id).limit(1)
        ).one()
        kept = session.get_one(Order, order.id)
        notice = outbox.Notice("escalation", Wanted.UNTIL_ACKNOWLEDGED, "ours", {})
        outbox.queue(session, kept, ours, notice, world.now)
        session.add(
            DeliveryAttempt(
                message_id=message.id, number=1, at=world.now, took_ms=3, ok=False, answer="secret"
            )
        )
    with database.reading() as session:
        kept = session.get_one(Order, order.id)
        theirs = deliveries.of_order(session, world.actor("spoc"), kept, world.now)
        all_ = deliveries.of_order(session, world.actor("officer"), kept, world.now)
        contact = session.get_one(Contact, message.contact_id)
        at_contact = deliveries.of_contact(session, world.actor("spoc"), contact, world.now)
        abroad = deliveries.of_contact(session, world.actor("foreign_officer"), contact, world.now)
    assert [one.message.id for one in theirs] == [message.id]
    assert [one.message.id for one in at_contact] == [message.id]
    assert not any(one.tries for one in (*theirs, *at_contact))
    assert len(all_) >= 2
    assert abroad == [], "another authority's order is none of theirs"


def test_the_page_is_read_from_the_index_of_what_failed(world: World, database: Database) -> None:
    actor = world.actor("officer")
    asked = {
        "ix_message_failed": deliveries._seen(actor)
        .where(deliveries.UNSETTLED)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(50),
        "ix_message_": deliveries._seen(actor).where(*deliveries._late(world.now)).limit(50),
        "ix_message_contact": select(Message.id)
        .where(Message.contact_id == uuid4())
        .order_by(Message.id.desc())
        .limit(20),
    }
    # A bound value is unknown when SQLite plans: the condition of the index stands there as text.
    sent = {name: str(question.compile(database.engine)) for name, question in asked.items()}
    assert "message.state = 'failed' AND message.settled_at IS NULL" in sent["ix_message_failed"]
    assert "message.state IN ('queued', 'sending')" in sent["ix_message_"]
    for index, question in asked.items():
        sql = question.compile(database.engine, compile_kwargs={"literal_binds": True})
        with database.reading() as session:
            if not database.is_sqlite:
                session.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
            plan = str(session.execute(text(f"{explain} {sql}")).all())
        assert index in plan
        assert "SCAN message" not in plan.replace("SCAN message USING INDEX", "")
