"""Who counts as an order's writer where its text came from elsewhere, and whom it names."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from liaison.domain.answer import Refusal
from liaison.domain.request import LetterKind
from liaison.domain.vocabulary import Ground, PartyGround, RequestState
from liaison.errors import Forbidden
from liaison.models import CounterpartRequest, Order, OrderWriter
from liaison.services import answers, follow_on, orders, requests, routes
from liaison.services import request_letters as letters
from tests.incoming import RANSOMWARE, asked, register, row, write
from tests.world import World

ROUTINE = "03-cgnat-fraud-routine.json"


def writers(world: World, order: Order) -> set[str]:
    with world.database.reading() as session:
        wrote = select(OrderWriter.person_id).where(OrderWriter.order_id == order.id)
        ids = set(session.scalars(wrote))
    everybody = ("officer", "second_officer", "supervisor")
    return {who for who in everybody if world.person(who).id in ids}


def change(world: World, request: CounterpartRequest, by: str, **changes: Any) -> None:
    version = row(world, request).version
    with world.database.transaction() as session:
        given = asked(world, **changes)
        requests.change(session, world.actor(by), request.id, given, version, world.now)


def drafted(world: World, request: CounterpartRequest, by: str, **changes: Any) -> Order:
    with world.database.transaction() as session:
        data = world.data(RANSOMWARE, **changes)
        return orders.draft(session, world.actor(by), data, world.now, request_id=request.id)


def followed(world: World, order: Order, by: str = "supervisor") -> Order:
    """The order that follows on another provider's answer."""
    with world.database.transaction() as session:
        spoc = world.actor("spoc")
        named = routes.report(session, spoc, order.name, "Norvik Mobile", "Port 25", world.now)
        route = named.routes[-1].id
    with world.database.transaction() as session:
        return follow_on.make(session, world.actor(by), order.name, route, world.now)


def decline(world: World, order: Order) -> None:
    refusal = Refusal(
        grounds=(Ground.NOT_STORED,), explanation="Not here.", preserved_meanwhile=False
    )
    with world.database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, refusal, world.now)


def test_whoever_registered_or_changed_the_request_cannot_authorise_its_order(
    world: World,
) -> None:
    request = register(world, by="officer")
    change(world, request, "second_officer", facts="Other facts.")
    order = drafted(world, request, "supervisor")
    assert writers(world, order) == {"officer", "second_officer", "supervisor"}
    waiting = world.submit(order, by="supervisor")
    for who in ("officer", "second_officer"):
        with pytest.raises(Forbidden, match="second pair of eyes"):
            world.authorise(waiting, by=who)


def test_whoever_changes_where_its_letters_go_has_written_no_order(world: World) -> None:
    request = register(world, by="officer")
    change(world, request, "second_officer", language="en")
    order = drafted(world, request, "supervisor")
    assert writers(world, order) == {"officer", "supervisor"}


def test_a_follow_on_order_has_the_writers_of_the_one_it_follows(world: World) -> None:
    order = followed(world, world.issue(by="officer"))
    assert writers(world, order) == {"officer", "supervisor"}


# The request that a follow-on order belongs to


def declined(world: World, request: CounterpartRequest) -> Order:
    draft = drafted(world, request, "officer", provider="Meridian Telecom")
    served = world.authorise(world.submit(draft), by="supervisor")
    decline(world, served)
    return served


def refuse(world: World, request: CounterpartRequest) -> None:
    grounds = [PartyGround.SOVEREIGNTY.value]
    with world.database.transaction() as session:
        held, now = session.get_one(CounterpartRequest, request.id), world.now
        seen = letters.prepare(session, held, LetterKind.REFUSAL, now, grounds=grounds)
        actor = world.actor("supervisor")
        letters.refuse(session, actor, request.id, grounds, "Ours.", seen.shown, now)


def close(world: World, request: CounterpartRequest) -> None:
    version = row(world, request).version
    with world.database.transaction() as session:
        actor = world.actor("supervisor")
        requests.close(session, actor, request.id, "Taken back.", version, world.now)


def report(world: World, request: CounterpartRequest) -> None:
    write(world, request, LetterKind.RESULT)


def test_a_follow_on_order_joins_an_open_request(world: World) -> None:
    request = register(world, by="officer")
    assert followed(world, declined(world, request)).request_id == request.id


def test_after_a_result_it_still_joins_for_it_is_reported_on(world: World) -> None:
    request = register(world, by="officer")
    order = declined(world, request)
    report(world, request)
    assert row(world, request).state is RequestState.CLOSED
    assert followed(world, order).request_id == request.id


@pytest.mark.parametrize("end", [refuse, close])
def test_a_request_that_ended_without_a_result_gets_no_further_order(
    world: World, end: Any
) -> None:
    request = register(world, by="officer")
    order = declined(world, request)
    end(world, request)
    made = followed(world, order)
    assert (made.request_id, made.follows_id) == (None, order.id)


# Whom the order names


@pytest.mark.parametrize("file", [ROUTINE, "01-emergency-missing-child.json"])
def test_the_order_names_the_person_in_charge_whatever_was_typed(world: World, file: str) -> None:
    typed = {"name": "Mariam Grigoryan", "email": "m@police.example", "phone": "+37410000100"}
    served = world.issue(file, by="officer", issuing_officer=typed)
    officer = world.person("officer")
    named = served.issuing_officer
    assert (named["name"], named["email"]) == (officer.name, officer.email)
    assert named["phone"] == "+37410000100"


def test_whoever_authorises_reads_who_will_be_named(world: World) -> None:
    draft = world.draft(ROUTINE, issuing_officer={"name": "Mariam Grigoryan"})
    waiting = world.submit(draft, by="second_officer")
    second = world.person("second_officer")
    assert waiting.issuing_officer == {"name": second.name, "email": second.email}
