"""Another provider is named (arts 17, 30), and one order follows on it."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from liaison.domain.answer import Refusal
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Ground, OrderStatus
from liaison.errors import Forbidden, Invalid, InvalidTransition, NotFound
from liaison.models import CaseFile, Entry, Message, Order, Route
from liaison.queries import follow_ons
from liaison.queries.views import order_view
from liaison.services import answers, follow_on, orders, routes
from liaison.services.ledger_orders import missing
from tests.world import World

PATH = "Handed over at 198.51.100.1 port 51820, 2026-11-23 01:10:30 UTC."


def name(
    world: World, order: Order, provider: str = "Norvik Mobile", by: str = "spoc", **more: Any
) -> UUID:
    with world.database.transaction() as session:
        named = routes.report(
            session, world.actor(by), order.name, provider, PATH, world.now, **more
        )
        return named.routes[-1].id


def make(world: World, order: Order, route: UUID, by: str = "officer", **more: Any) -> Order:
    with world.database.transaction() as session:
        made = follow_on.make(session, world.actor(by), order.name, route, world.now, **more)
        _ = made.targets, made.provider
        return made


def count(world: World, what: Any, *where: Any) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(what).where(*where)) or 0


def route_of(world: World, id_: UUID) -> Route:
    with world.database.reading() as session:
        return session.get_one(Route, id_)


def test_the_contact_point_is_told_and_both_sides_read_it(world: World) -> None:
    order = world.issue()
    id_ = name(world, order, "  norvik   MOBILE ")
    assert route_of(world, id_).provider_id == world.register.providers["Norvik Mobile"]
    assert route_of(world, id_).named == "norvik MOBILE"
    assert count(world, Message, Message.letter == "route_reported") >= 1
    assert count(world, Entry, Entry.type == "order.route_reported") == 1
    after = world.order(order.name)
    assert after.version > order.version
    with world.database.reading() as session:
        view = order_view(session.get_one(Order, order.id))
        assert [r["provider"] for r in view["routes"]] == ["norvik MOBILE"]
        assert "provider_id" not in str(view["routes"])
        assert list(missing(session)) == []


def test_the_same_once_more_changes_nothing(world: World) -> None:
    order = world.issue()
    assert name(world, order) == name(world, order)
    assert count(world, Route) == 1
    assert count(world, Entry, Entry.type == "order.route_reported") == 1


def test_after_a_refusal_another_can_still_be_named(world: World) -> None:
    order = world.issue()
    refusal = Refusal((Ground.NOT_STORED,), "Not our customer.", preserved_meanwhile=False)
    with world.database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, refusal, world.now)
    name(world, order)
    assert count(world, Route) == 1


def test_who_may_not_name_one(world: World) -> None:
    order = world.issue()
    with pytest.raises(Forbidden):
        name(world, order, by="officer")
    with pytest.raises(NotFound):
        name(world, order, by="norvik_spoc")
    with pytest.raises(Invalid):
        name(world, order, provider="  ")
    with pytest.raises(Invalid):
        name(world, order, target=uuid4())
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Wrong.", world.now)
    with pytest.raises(InvalidTransition):
        name(world, order)


def test_its_own_name_leads_nowhere(world: World) -> None:
    order = world.issue()
    id_ = name(world, order, "Meridian Telecom")
    assert route_of(world, id_).provider_id is None
    with pytest.raises(Invalid):
        make(world, order, id_)


def test_the_follow_on_order_has_the_same_content(world: World) -> None:
    order = world.issue("05-names-from-everywhere.json")
    made = make(world, order, name(world, order))
    assert made.state is OrderState.DRAFT
    assert made.provider.name == "Norvik Mobile"
    assert made.status is OrderStatus.FOLLOW_UP_PRESERVATION
    assert made.origin["previous"][-1] == {"date": "2026-11-23", "reference": order.ref}
    assert made.follows_id == order.id
    for field in ("offence", "facts", "necessity", "legal_basis", "duration_days", "urgency"):
        assert getattr(made, field) == getattr(order, field), field
    assert [(t.value, t.start, t.end, t.start_offset, t.data) for t in made.targets] == [
        (t.value, t.start, t.end, t.start_offset, t.data) for t in order.targets
    ]
    assert made.custodian is None
    assert made.case_id is not None
    with world.database.reading() as session:
        first = session.get_one(Order, order.id)
        assert first.case_id == made.case_id
        case = session.get_one(CaseFile, made.case_id)
        assert case.name == order.investigating_authority["case_number"]
        links = follow_ons.linked(session, world.actor("auditor"), first)
        assert [one.id for one in links.made.values()] == [made.id]
        back = follow_ons.linked(session, world.actor("auditor"), session.get_one(Order, made.id))
        assert back.follows is not None
        assert back.follows.id == order.id
        assert follow_ons.linked(session, world.actor("spoc"), first) == follow_ons.NOTHING
        assert list(missing(session)) == []


@pytest.mark.parametrize(
    "file",
    ["01-emergency-missing-child.json", "04-foreign-followup-mail.json", "06-hostile-text.json"],
)
def test_any_order_can_be_followed(world: World, file: str) -> None:
    order = world.issue(file)
    spoc = {"Meridian Telecom": "spoc", "Harbour Cable": "harbour_spoc"}
    by = spoc.get(order.provider.name, "sevan_spoc")
    made = make(world, order, name(world, order, "norvik.example", by=by))
    assert made.emergency_ground == order.emergency_ground
    assert made.origin_kind is order.origin_kind
    earlier = order.origin.get("previous") or []
    assert made.origin["previous"][:-1] == earlier


def test_only_the_target_that_was_named(world: World) -> None:
    order = world.issue("02-foreign-ransomware-hosting.json")
    wanted = order.targets[-1]
    made = make(world, order, name(world, order, by="sevan_spoc", target=wanted.id))
    assert [target.value for target in made.targets] == [wanted.value]


def test_asked_twice_there_is_one(world: World) -> None:
    order = world.issue()
    id_ = name(world, order)
    first = make(world, order, id_)
    world.clock.move(minutes=1)
    assert make(world, order, id_, by="supervisor").id == first.id
    assert count(world, Order, Order.follows_id == order.id) == 1
    assert count(world, Entry, Entry.type == "order.followed_on") == 1


def test_two_at_the_same_moment_make_one(world: World) -> None:
    order = world.issue()
    id_ = name(world, order)
    made: list[UUID] = []
    gate = threading.Barrier(2)

    def click(by: str) -> None:
        gate.wait()
        made.append(make(world, order, id_, by=by).id)

    threads = [threading.Thread(target=click, args=(by,)) for by in ("officer", "supervisor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert len(set(made)) == 1


def test_after_the_draft_is_discarded_another_can_be_made(world: World) -> None:
    order = world.issue()
    id_ = name(world, order)
    first = make(world, order, id_)
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), first.name, "", world.now)
    world.clock.move(minutes=1)
    assert make(world, order, id_).id != first.id


def test_a_provider_that_is_not_registered_must_be_chosen(world: World) -> None:
    order = world.issue()
    id_ = name(world, order, "Somebody Else Ltd")
    with pytest.raises(Invalid, match="problem") as caught:
        make(world, order, id_)
    assert "Choose the provider" in caught.value.errors[0].detail
    made = make(world, order, id_, provider="Sevan Hosting")
    assert made.provider.name == "Sevan Hosting"


def test_nobody_else_makes_one(world: World) -> None:
    order = world.issue()
    id_ = name(world, order)
    for by, refusal in (
        ("spoc", Forbidden),
        ("auditor", Forbidden),
        ("foreign_officer", NotFound),
        ("norvik_spoc", NotFound),
    ):
        with pytest.raises(refusal):
            make(world, order, id_, by=by)
    with pytest.raises(NotFound):
        make(world, order, uuid4())
    assert count(world, Order, Order.follows_id == order.id) == 0


def test_making_one_is_nothing_the_first_provider_can_see(world: World) -> None:
    order = world.issue()
    id_ = name(world, order)
    before = world.order(order.name).version
    make(world, order, id_)
    assert world.order(order.name).version == before
