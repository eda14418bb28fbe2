"""Cases tie orders of one matter; templates begin them. Each is its own authority's."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from liaison.errors import Forbidden, Invalid, NotFound
from liaison.models import CaseFile, Order, OrderTemplate
from liaison.queries import cases as queries
from liaison.services import cases, order_templates
from liaison.services.order_templates import TemplateChanged, without_case
from tests.world import World


def count(world: World, table: type) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def tie(world: World, order: Order, other: Order, by: str = "officer") -> CaseFile:
    with world.database.transaction() as session:
        return cases.add(session, world.actor(by), order.name, other.name, world.now)


def case_of(world: World, order: Order) -> object:
    return world.order(order.name).case_id


def test_three_drafts_in_one_transaction_or_none(world: World) -> None:
    data = [world.data(provider=name) for name in ("Meridian Telecom", "Norvik Mobile")]
    with world.database.transaction() as session:
        made = cases.draft_together(session, world.actor("officer"), data, world.now)
        assert len({order.case_id for order in made}) == 1
    data.append(world.data(provider="Nobody's Network"))
    with pytest.raises(Invalid) as caught, world.database.transaction() as session:
        cases.draft_together(session, world.actor("officer"), data, world.now)
    (fault,) = caught.value.errors
    assert fault.pointer == "/further"
    assert fault.detail.startswith("Nobody's Network: ")
    assert count(world, Order) == 2


def test_one_draft_alone_opens_no_case(world: World) -> None:
    with world.database.transaction() as session:
        cases.draft_together(session, world.actor("officer"), [world.data()], world.now)
    assert count(world, CaseFile) == 0


def test_more_providers_than_one_form_writes_to_are_refused(world: World) -> None:
    many = [world.data(provider=f"P{n}") for n in range(cases.MOST_TOGETHER + 1)]
    with world.database.transaction() as session, pytest.raises(Invalid) as caught:
        cases.draft_together(session, world.actor("officer"), many, world.now)
    assert "at most 20 providers" in caught.value.errors[0].detail
    assert count(world, Order) == 0


def test_a_second_and_a_third_join_the_case_and_none_changes_version(world: World) -> None:
    first, second, third = world.issue(), world.draft(), world.draft()
    case = tie(world, second, first)
    assert case.name == first.investigating_authority["case_number"]
    assert tie(world, first, third).id == case.id
    assert tie(world, first, third).id == case.id
    for order in (first, second, third):
        found = world.order(order.name)
        assert (found.case_id, found.version) == (case.id, order.version)
    with world.database.reading() as session:
        actor = world.actor("auditor")
        row = queries.case(session, actor, case.id)
        assert [o.id for o in queries.orders_of(session, actor, row)] == sorted(
            o.id for o in (first, second, third)
        )


def test_an_order_stands_in_one_case_at_a_time(world: World) -> None:
    first, second, third, fourth = (world.draft() for _ in range(4))
    one, two = tie(world, first, second), tie(world, third, fourth)
    with pytest.raises(Invalid):
        tie(world, first, third)
    with world.database.transaction() as session, pytest.raises(Invalid):
        cases.add_to(session, world.actor("officer"), first.name, two.id, world.now)
    with pytest.raises(Invalid):
        tie(world, first, first)
    with world.database.transaction() as session:
        cases.take_out(session, world.actor("officer"), first.name, world.now)
        cases.take_out(session, world.actor("officer"), first.name, world.now)
    with world.database.transaction() as session:
        cases.add_to(session, world.actor("officer"), first.name, two.id, world.now)
    assert (case_of(world, first), case_of(world, second)) == (two.id, one.id)


def test_another_authoritys_orders_and_cases_are_none(world: World) -> None:
    mine, theirs = world.issue(), world.draft(by="foreign_officer", provider="Norvik Mobile")
    with pytest.raises(NotFound):
        tie(world, mine, theirs)
    case = tie(world, mine, world.draft())
    stranger = world.actor("foreign_officer")
    for wanted in (case.id, uuid4()):
        with world.database.transaction() as session, pytest.raises(NotFound):
            queries.case(session, stranger, wanted)
        with world.database.transaction() as session, pytest.raises(NotFound):
            cases.add_to(session, stranger, theirs.name, wanted, world.now)
    for who in ("auditor", "spoc"):
        with world.database.transaction() as session, pytest.raises(Forbidden):
            cases.take_out(session, world.actor(who), mine.name, world.now)
    with world.database.reading() as session, pytest.raises(Forbidden):
        queries.case(session, world.actor("spoc"), case.id)
    with world.database.reading() as session:
        order = session.get_one(Order, mine.id)
        assert queries.of_order(session, world.actor("spoc"), order) is None
        assert queries.latest(session, stranger) == []


# Templates


def keep(world: World, name: str, by: str = "officer") -> OrderTemplate:
    with world.database.transaction() as session:
        fields = (("offence", "Fraud"),)
        return order_templates.save(session, world.vault, world.actor(by), name, fields, world.now)


def test_no_two_templates_of_an_authority_are_called_alike(world: World) -> None:
    keep(world, "Fraud")
    for name in ("  FRAUD ", "Ｆｒａｕｄ", "", "x" * 81, "a\x00"):
        with pytest.raises(Invalid):
            keep(world, name)
    keep(world, "Fraud", by="foreign_officer")
    assert count(world, OrderTemplate) == 2


def test_a_template_is_another_authoritys_or_an_older_one(world: World) -> None:
    row = keep(world, "Fraud")
    for who in ("foreign_officer",):
        with world.database.transaction() as session, pytest.raises(NotFound):
            order_templates.remove(session, world.actor(who), row.id)
    for who in ("auditor", "spoc", "administrator"):
        with world.database.transaction() as session, pytest.raises(Forbidden):
            order_templates.find(session, world.actor(who), row.id)
    with world.database.transaction() as session:
        change = order_templates.change(
            session, world.vault, world.actor("supervisor"), row.id, "Theft", (), 1, world.now
        )
        assert change.edit == 2
    with world.database.transaction() as session, pytest.raises(TemplateChanged):
        order_templates.change(
            session, world.vault, world.actor("officer"), row.id, "Fraud", (), 1, world.now
        )


def test_what_belongs_to_a_case_stays_out_of_a_template() -> None:
    case = {
        "facts",
        "emergency_ground",
        "investigating_authority-case_number",
        "prosecution-case_number",
        "origin-reference",
        "origin-previous-0-reference",
        "targets-0-value",
        "targets-0-port",
        "targets-0-start",
        "targets-0-end",
        "targets-0-service",
        "targets-1-relation",
        "targets-12-value",
        "paste-text",
        "confidential_until",
        "mla-expected_by",
        "issuing_officer-name",
        "request_id",
        "version",
        "further",
    }
    usual = {"offence", "necessity", "targets-0-categories", "targets-0-relation", "provider"}
    usual |= {"confirmation_contact-phone", "legal_basis-0-articles", "custodian", "mla-intended"}
    kept = without_case(tuple((name, "x") for name in case | usual))
    assert {name for name, _ in kept} == usual
