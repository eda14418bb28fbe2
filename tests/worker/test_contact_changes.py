"""Changes of contacts come into use: after the cooling-off, verified, once, and told of."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Rung, Whom
from liaison.domain.terms import terms_json
from liaison.domain.vocabulary import Channel, Function, Urgency
from liaison.errors import InvalidTransition
from liaison.models import Contact, ContactChange, Memorandum, Message, Verification
from liaison.queries import contact_rungs
from liaison.services import contact_changes, contacts, verifications
from liaison.worker import Work, run_once
from tests.contact_steps import (
    BOTH_SIDES,
    DUTY,
    NEW_NUMBER,
    SPOC_MAIL,
    change,
    contact,
    logged,
    read,
    the_change,
    verify,
    written,
)
from tests.mail import RecordingSender
from tests.register import terms
from tests.world import World


def test_a_change_comes_into_use_to_the_minute(world: World, work: Work) -> None:
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER)
    assert waits is not None
    assert verify(world, spoc.id, "phone") is None
    verified = world.now
    world.clock.set(waits.due_at)
    world.clock.move(minutes=-1)
    run_once(work)
    assert read(world, spoc.id).phone == spoc.phone
    world.clock.move(minutes=1)
    run_once(work)
    after = read(world, spoc.id)
    assert (after.phone, after.phone_verified_at) == (NEW_NUMBER, verified)
    assert the_change(world, waits.id).applied_at == world.now
    assert set(written(world, "contact_applied")) == BOTH_SIDES
    assert logged(world)[-1] == "contact_changed"
    run_once(work)
    assert logged(world).count("contact_changed") == 1


def test_nothing_of_a_change_counts_before_all_of_it_is_verified(
    world: World, work: Work, sender: RecordingSender
) -> None:
    spoc = contact(world)
    waits = change(world, spoc, email="new@meridian.example", phone=NEW_NUMBER)
    assert waits is not None
    verify(world, spoc.id, "phone")
    world.clock.move(days=10)
    run_once(work)
    assert (read(world, spoc.id).phone, read(world, spoc.id).email) == (spoc.phone, SPOC_MAIL)
    assert verify(world, spoc.id, "email") is None
    run_once(work)
    after = read(world, spoc.id)
    assert (after.phone, after.email) == (NEW_NUMBER, "new@meridian.example")
    assert after.email_verified_at == world.now
    told = set(written(world, "contact_applied"))
    assert {SPOC_MAIL, "new@meridian.example", DUTY} <= told, "old and new address, and both sides"


def test_a_removal_comes_into_use(world: World, work: Work, sender: RecordingSender) -> None:
    deputy = contact(world, Function.DEPUTY)
    with world.database.transaction() as session:
        keeper = world.actor("provider_administrator")
        contacts.remove(session, keeper, deputy.id, world.now)
    world.clock.move(hours=72)
    run_once(work)
    assert read(world, deputy.id).removed_at == world.now
    assert logged(world)[-1] == "contact_removed"
    told = [sent for sent in sender.sent if "was removed: " in sent.subject]
    assert {sent.address for sent in told} >= {"deputy@meridian.example", DUTY}
    assert "No order, notice or call" in told[0].text


def test_a_stopped_change_never_comes_into_use(world: World, work: Work) -> None:
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER)
    assert waits is not None
    verify(world, spoc.id, "phone")
    with world.database.transaction() as session:
        contacts.cancel_change(session, world.actor("supervisor"), waits.id, world.now)
    world.clock.move(days=30)
    run_once(work)
    assert read(world, spoc.id).phone == spoc.phone
    assert the_change(world, waits.id).applied_at is None
    assert written(world, "contact_applied") == {}


def test_a_change_that_would_leave_a_rung_empty_meanwhile_is_called_off(
    world: World, work: Work
) -> None:
    """A memorandum that names the contact was agreed while its removal waited."""
    deputy = contact(world, Function.DEPUTY)
    with world.database.transaction() as session:
        keeper = world.actor("provider_administrator")
        waits = contacts.remove(session, keeper, deputy.id, world.now)
        assert waits is not None
        cp = world.register.authorities["CP"]
        query = select(Memorandum).where(
            Memorandum.authority_id == cp, Memorandum.provider_id == deputy.provider_id
        )
        agreed = terms()
        first = agreed.ladders[Urgency.EMERGENCY].rungs[0]
        named = Rung(first.after, Whom.NAMED, (Channel.CALL,), contact=str(deputy.id))
        ladder = agreed.ladders[Urgency.EMERGENCY]
        ladder = type(ladder)((named, *ladder.rungs), ladder.page_every)
        ladders = {**agreed.ladders, Urgency.EMERGENCY: ladder}
        changed = type(agreed)(**{**vars(agreed), "ladders": ladders})
        session.scalars(query).one().terms = terms_json(changed)
    world.clock.move(hours=72)
    run_once(work)
    assert read(world, deputy.id).removed_at is None
    assert the_change(world, waits.id).cancelled_by == contact_changes.BY_ITSELF
    assert "Named contact" in written(world, "contact_stopped")[DUTY]["why"]
    assert not written(world, "contact_applied")
    with world.database.reading() as session:
        assert not contact_changes.is_due(session, world.now)


def test_two_workers_put_a_change_in_use_once(world: World) -> None:
    spoc = contact(world)
    change(world, spoc, phone=NEW_NUMBER)
    verify(world, spoc.id, "phone")
    world.clock.move(hours=72)
    gate, counts = threading.Barrier(2), []

    def work_on() -> None:
        gate.wait()
        with world.database.transaction() as session:
            counts.append(contact_changes.run(session, world.now, ""))

    threads = [threading.Thread(target=work_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 1]
    assert logged(world).count("contact_changed") == 1


def test_a_worker_that_dies_on_the_way_leaves_nothing_half_done(world: World) -> None:
    spoc = contact(world)
    change(world, spoc, phone=NEW_NUMBER)
    verify(world, spoc.id, "phone")
    world.clock.move(hours=72)
    with world.database.writing() as session:
        assert contact_changes.run(session, world.now, "") == 1
        session.rollback()  # what a killed process leaves
    assert read(world, spoc.id).phone == spoc.phone
    with world.database.transaction() as session:
        assert contact_changes.is_due(session, world.now)
        assert contact_changes.run(session, world.now, "") == 1
    assert read(world, spoc.id).phone == NEW_NUMBER


def test_a_change_that_fails_holds_up_no_other(
    world: World, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terms that nobody can read any more, say: the worker says so, and goes on."""
    monkeypatch.setattr(contact_changes, "_AT_ONCE", 1)
    first, second = contact(world), contact(world, of="Norvik Mobile")
    change(world, first, phone=NEW_NUMBER)
    verify(world, first.id, "phone")
    world.clock.move(minutes=1)
    change(world, second, by="administrator", phone="+31701230011")
    verify(world, second.id, "phone", by="administrator")
    world.clock.move(hours=73)
    real = contact_rungs.lost

    def lost(session: Session, of: Contact, after: dict[str, Any], now: datetime) -> str | None:
        if of.id == first.id:
            raise KeyError("ladders")
        return real(session, of, after, now)

    with monkeypatch.context() as broken:
        broken.setattr(contact_rungs, "lost", lost)
        run_once(work)
    assert read(world, second.id).phone == "+31701230011"
    assert read(world, first.id).phone == first.phone
    with world.database.reading() as session:
        assert contact_changes.is_due(session, world.now), "tried again"
    run_once(work)
    assert read(world, first.id).phone == NEW_NUMBER


def test_a_change_that_nobody_verifies_lapses(world: World, work: Work) -> None:
    """A code given a year later would put it in use within the minute."""
    spoc = contact(world)
    waits = change(world, spoc, phone=NEW_NUMBER)
    assert waits is not None
    world.clock.move(days=13, hours=23)
    run_once(work)
    assert the_change(world, waits.id).is_open
    world.clock.move(hours=1)
    run_once(work)
    assert the_change(world, waits.id).cancelled_by == contact_changes.BY_ITSELF
    told = written(world, "contact_stopped")
    assert set(told) == BOTH_SIDES
    assert "within 14 days" in told[DUTY]["why"]
    assert logged(world)[-1] == "contact_change_stopped"
    with pytest.raises(InvalidTransition):
        verify(world, spoc.id, "phone")


@pytest.mark.one_database
def test_many_that_wait_cost_one_question(world: World) -> None:
    spoc = contact(world)
    with world.database.transaction() as session:
        for _ in range(100):
            waits = ContactChange(
                contact_id=spoc.id,
                values={"phone": NEW_NUMBER},
                old={"phone": spoc.phone},
                asked_by="",
                asked_at=world.now,
                due_at=world.now,
            )
            session.add(waits)
    asked: list[str] = []
    with world.database.reading() as session:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert not contact_changes.is_due(session, world.now)
    assert sum("contact_change" in statement for statement in asked) == 1


def test_the_code_is_in_the_letter_and_forgotten_once_it_was_sent(
    world: World, work: Work, sender: RecordingSender
) -> None:
    spoc = contact(world)
    change(world, spoc, email="new@meridian.example")
    with world.database.transaction() as session:
        actor = world.actor("provider_administrator")
        verifications.ask(session, world.vault, actor, spoc.id, "email", world.now)
    run_once(work)
    with world.database.reading() as session:
        code = world.vault.open(session.scalars(select(Verification.sealed_code)).one())
        query = select(Message).where(Message.letter == "register/contact_code")
        assert session.scalars(query).one().sealed_link is None
    carried = [sent for sent in sender.sent if code in sent.text]
    assert [sent.address for sent in carried] == ["new@meridian.example"]
    assert f"http://localhost/contacts/{spoc.id}/verify/email" in carried[0].text
    assert code not in carried[0].subject
