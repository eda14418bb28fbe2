"""The live part of an order's page: nothing that only we do shows in it, nor in its tag."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import CallOutcome
from liaison.models import CallTask, Contact, Database, Message, Order
from liaison.models.work import MessageState, Wanted
from liaison.services import call_tasks, calls, escalation
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn
from tests.world import MovableClock, World

pytestmark = pytest.mark.one_database


@pytest.fixture
def work(
    settings: Settings,
    world: World,
    database: Database,
    clock: MovableClock,
    sender: RecordingSender,
) -> Work:
    """A worker whose letters are kept."""
    return Work(settings, database, clock, sender, name="worker-1")


def ours(world: World, order: Order) -> dict[str, Callable[[Session], object]]:
    """What the contact point does, or fails to do, without the provider learning of it."""
    officer, now = world.actor("officer"), world.now

    def logged(session: Session) -> object:
        of_it = select(CallTask.id).where(CallTask.order_id == order.id)
        task = session.scalars(of_it).all()[0]
        return calls.log(session, officer, order.name, task, CallOutcome.VOICEMAIL, "Nobody.", now)

    def failed(session: Session) -> object:
        ours = Message.contact.has(Contact.authority_id == order.authority_id)
        of_it = select(Message).where(Message.order_id == order.id, ours)
        session.scalars(of_it).all()[0].state = MessageState.FAILED
        return None

    def called(session: Session) -> object:
        ours = Contact.authority_id == order.authority_id
        query = select(Contact).where(Contact.phone == "+37410000101", ours)
        colleague = session.scalars(query).one()
        stored, until = session.get_one(Order, order.id), Wanted.UNTIL_VOUCHED
        return call_tasks.open_task(session, stored, colleague, "Doubted.", "d", until, now)

    def closed(session: Session) -> object:
        return escalation.close(session, officer, order.name, "I call them myself.", now)

    return {"a call logged": logged, "a letter failed": failed, "a call": called, "closed": closed}


def test_a_notice_to_its_own_people_that_came_back_is_told_to_the_provider(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order = world.issue()
    run_once(work)
    spoc = signed_in("spoc")
    path = f"/orders/{order.name}?part=live"
    spoc.get(path)
    before = spoc.get(path)
    with world.database.transaction() as session:
        theirs = Message.contact.has(Contact.provider_id == order.provider_id)
        found = select(Message).where(Message.order_id == order.id, theirs)
        session.scalars(found).all()[0].state = MessageState.FAILED
    after = spoc.get(path)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "Not delivered" in after.text
    assert "Not delivered" not in before.text


def test_what_only_we_do_moves_nothing_of_the_providers(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order = world.issue(letters=True)
    run_once(work)
    spoc, officer = signed_in("spoc"), signed_in("officer")
    spoc.get(f"/orders/{order.name}")

    def seen(client: object) -> tuple[str | None, str]:
        answer = client.get(f"/orders/{order.name}?part=live")  # type: ignore[attr-defined]
        return answer.headers.get("ETag"), re.sub(r'value="[^"]*"', "", answer.text)

    for what, act in ours(world, order).items():
        before, of_ours = seen(spoc), seen(officer)
        with world.database.transaction() as session:
            act(session)
        assert seen(spoc) == before, what
        assert seen(officer) != of_ours, what


def test_an_alarm_of_the_ladder_is_shown_to_both(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order = world.issue()
    spoc = signed_in("spoc")
    spoc.get(f"/orders/{order.name}")
    path = f"/orders/{order.name}?part=live"
    before = spoc.get(path).headers["ETag"]
    assert run_once(work)
    assert spoc.get(path).headers["ETag"] != before
