"""Somebody of ours stands at the top of every ladder, or nothing is issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from liaison import checks
from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import Terms, terms_json
from liaison.domain.vocabulary import Function, Urgency
from liaison.errors import OutsideTerms
from liaison.models import Authority, Contact, Database, Memorandum
from liaison.queries.issue import preview
from liaison.services import orders
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.register import EMAIL, terms
from tests.world import World

SAID = (
    "The ladder would reach nobody: register a duty officer and a supervisor "
    "for National 24/7 Contact Point."
)


def dismiss(world: World, *functions: Function) -> None:
    """The contact point has nobody of these functions any more."""
    with world.database.transaction() as session:
        session.execute(
            delete(Contact).where(
                Contact.authority_id == world.register.authorities["CP"],
                Contact.function.in_(functions),
            )
        )


def contacts_line(settings: Settings, world: World) -> tuple[bool, str]:
    """What `liaison check` says of the contacts."""
    found = checks.run(settings, world.database, world.clock)
    line = next(f for f in found if f.name == "contacts")
    return line.ok, line.detail


def test_an_order_that_would_reach_nobody_of_ours_is_not_issued(
    world: World, database: Database, settings: Settings
) -> None:
    draft = world.draft()
    assert contacts_line(settings, world)[0] is True
    dismiss(world, Function.DUTY_OFFICER, Function.SUPERVISOR)
    with database.reading() as session:
        check = preview(session, world.actor("officer"), draft.name, world.now)
    assert [(b.pointer, b.detail) for b in check.breaches] == [("", SAID)]
    assert [people for _, people in check.steps][-1] == []
    with pytest.raises(OutsideTerms) as refused, database.transaction() as session:
        orders.issue(session, world.actor("officer"), draft.name, draft.version, world.now)
    assert SAID in [e.detail for e in refused.value.errors]
    assert world.order(draft.name).state is OrderState.DRAFT
    ok, said = contacts_line(settings, world)
    assert not ok
    assert "National 24/7 Contact Point" in said
    assert "Landelijk" not in said


@pytest.mark.parametrize("gone", [Function.DUTY_OFFICER, Function.SUPERVISOR])
def test_either_of_them_is_enough(world: World, settings: Settings, gone: Function) -> None:
    dismiss(world, gone)
    assert world.issue().state is OrderState.ISSUED
    assert contacts_line(settings, world)[0] is True


def test_an_authority_without_a_memorandum_needs_nobody_yet(
    world: World, database: Database, settings: Settings
) -> None:
    dismiss(world, Function.DUTY_OFFICER, Function.SUPERVISOR)
    with database.transaction() as session:
        session.execute(
            delete(Memorandum).where(
                Memorandum.authority_id == world.register.authorities["CP"],
            )
        )
    assert contacts_line(settings, world)[0] is True


def test_the_check_page_says_so_and_offers_no_button(world: World, client: FlaskClient) -> None:
    draft = world.draft()
    dismiss(world, Function.DUTY_OFFICER, Function.SUPERVISOR)
    world.sign_in(client, "officer")
    page = client.get(f"/orders/{draft.name}/issue").text
    assert f"<li>{SAID}</li>" in page, "no link: no field of the form can mend it"
    assert "Issue to Meridian Telecom" not in page


def test_a_named_contact_of_another_authority_is_not_called(
    world: World, database: Database, settings: Settings, sender: RecordingSender
) -> None:
    with database.transaction() as session:
        theirs = session.scalars(
            select(Contact)
            .join(Authority, Authority.id == Contact.authority_id)
            .where(Authority.code == "NL", Contact.function == Function.SUPERVISOR)
        ).one()
        session.execute(update(Memorandum).values(terms=terms_json(_naming(theirs))))
    order = world.issue()
    run_once(Work(settings, database, world.clock, sender))
    assert "supervisor@politie.example" not in sender.addresses
    assert sender.addresses == ["duty@police.example", "supervisor@police.example"]
    with database.transaction() as session:
        ours = session.scalars(
            select(Contact).where(
                Contact.authority_id == order.authority_id,
                Contact.function == Function.SUPERVISOR,
            )
        ).one()
        session.execute(update(Memorandum).values(terms=terms_json(_naming(ours))))
    sender.sent.clear()
    world.issue()
    run_once(Work(settings, database, world.clock, sender))
    assert sender.addresses == ["supervisor@police.example"], "our own may be named"


def _naming(contact: Contact) -> Terms:
    """Terms whose emergency ladder begins with one named contact, at once."""
    agreed = terms()
    first = Rung(timedelta(0), Whom.NAMED, (EMAIL,), contact=str(contact.id))
    return replace(agreed, ladders={**agreed.ladders, Urgency.EMERGENCY: Ladder((first,))})
