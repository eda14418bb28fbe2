"""Counterparts' requests: registered, completed, made into orders, refused, closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from liaison.domain.request import LetterKind, missing
from liaison.domain.vocabulary import RequestState
from liaison.errors import Forbidden, Invalid, InvalidTransition, NotFound, StaleFactor
from liaison.models import CounterpartRequest, Entry, Stream
from liaison.queries import requests as queries
from liaison.services import ledger_check, orders, request_letters, requests
from liaison.services.requests import RegisteredBefore, RequestChanged
from tests.incoming import (
    ADDRESSES,
    FOLLOW_UP,
    RANSOMWARE,
    THREAT,
    asked,
    made,
    mail,
    register,
    row,
    served,
    write,
)
from tests.world import World


def entries(world: World, request: CounterpartRequest) -> list[str]:
    with world.database.reading() as session:
        return [item.type for item in queries.history(session, request)][::-1]


def waiting(world: World, who: str = "officer") -> int:
    with world.database.reading() as session:
        return queries.waiting(session, world.actor(who))


def test_requests_are_numbered_per_authority_and_year(world: World) -> None:
    numbers = [register(world, file).number for file in (RANSOMWARE, FOLLOW_UP, THREAT)]
    assert numbers == ["CP-IN-2026-0001", "CP-IN-2026-0002", "CP-IN-2026-0003"]
    theirs = register(world, FOLLOW_UP, by="foreign_officer")
    assert theirs.number == "NL-IN-2026-0001"
    world.clock.move(days=60)
    assert register(world, THREAT).number == "CP-IN-2027-0001"


def test_a_refused_registration_takes_no_number(world: World) -> None:
    register(world)
    with pytest.raises(Invalid):
        register(world, FOLLOW_UP, reference="")
    assert register(world, FOLLOW_UP).number == "CP-IN-2026-0002"


def test_eight_at_once_get_eight_numbers(world: World) -> None:
    start = Barrier(8)

    def act(number: int) -> str:
        start.wait(30)
        return register(world, reference=f"NL-{number}").number

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(pool.map(act, range(8)))
    assert numbers == [f"CP-IN-2026-{n:04d}" for n in range(1, 9)]


def test_the_same_reference_is_registered_once_by_eight_at_once(world: World) -> None:
    start = Barrier(8)

    def act(_: int) -> str:
        start.wait(30)
        try:
            with world.database.transaction() as session:
                actor = world.actor("officer")
                return requests.register(session, actor, asked(world), world.now).number
        except RegisteredBefore as error:
            return f"known as {error.detail.partition('registered as ')[2][:15]}"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(act, range(8)))
    assert answers == ["CP-IN-2026-0001"] + ["known as CP-IN-2026-0001"] * 7


def test_a_reference_that_is_known_is_confirmed_first(world: World) -> None:
    first = register(world)
    again = asked(world, reference=" nl-247-2026-0417")
    with pytest.raises(RegisteredBefore) as caught, world.database.transaction() as session:
        requests.register(session, world.actor("officer"), again, world.now)
    assert caught.value.known == [first.id]
    with world.database.transaction() as session:
        actor = world.actor("officer")
        second = requests.register(session, actor, again, world.now, confirmed=True)
        assert second.number == "CP-IN-2026-0002"
    other = asked(world, party="BE")
    with world.database.transaction() as session:
        # Another Party's reference may read alike.
        requests.register(session, world.actor("officer"), other, world.now)


def test_our_own_country_is_no_counterpart(world: World) -> None:
    with pytest.raises(Invalid, match="1 field") as caught:
        register(world, party="AM")
    assert caught.value.errors[0].pointer == "/party"


def test_the_follow_up_names_an_earlier_request_that_is_found(world: World) -> None:
    earlier = register(world, FOLLOW_UP, reference="FR-247-2026-1411", previous=[], status="new")
    follow_up = register(world, FOLLOW_UP)
    with world.database.reading() as session:
        held = session.get_one(CounterpartRequest, follow_up.id)
        found = queries.earlier(session, held)
    assert {text: known.id for text, known in found.items()} == {"FR-247-2026-1411": earlier.id}


def test_what_is_missing_is_completed_later(world: World) -> None:
    request = register(world, FOLLOW_UP, necessity=None, mla=None)
    assert [letter for letter, _ in missing(request, world.now)] == ["d", "e", "f"]
    whole = asked(world, FOLLOW_UP, custodian="Harbour Cable, Lisbon")
    with world.database.transaction() as session:
        actor = world.actor("second_officer")
        requests.change(session, actor, request.id, whole, request.version, world.now)
    assert missing(row(world, request), world.now) == []
    assert entries(world, request) == ["request.registered", "request.changed"]
    with pytest.raises(RequestChanged), world.database.transaction() as session:
        requests.change(session, actor, request.id, whole, request.version, world.now)


def test_changing_nothing_leaves_no_trace(world: World) -> None:
    request = register(world)
    with world.database.transaction() as session:
        actor = world.actor("officer")
        requests.change(session, actor, request.id, asked(world), request.version, world.now)
    assert row(world, request).version == request.version
    assert entries(world, request) == ["request.registered"]


def test_another_address_after_the_receipt_needs_a_fresh_code_and_is_noted(world: World) -> None:
    request = register(world)
    write(world, request, LetterKind.RECEIPT)
    moved = asked(world, contact={"email": "desk@elsewhere.example"})
    version = row(world, request).version
    stale = world.actor("officer", fresh=False)
    with pytest.raises(StaleFactor), world.database.transaction() as session:
        requests.change(session, stale, request.id, moved, version, world.now)
    with world.database.transaction() as session:
        requests.change(session, world.actor("officer"), request.id, moved, version, world.now)
    with world.database.reading() as session:
        last = queries.history(session, row(world, request))[0]
    assert last.data["address"] == [ADDRESSES[RANSOMWARE], "desk@elsewhere.example"]
    write(world, request, LetterKind.PROGRESS)
    assert [m.address for m in mail(world, request.id)] == [
        ADDRESSES[RANSOMWARE],
        "desk@elsewhere.example",
    ]


@pytest.mark.parametrize("who", ["auditor", "administrator", "spoc", "provider_administrator"])
def test_who_may_not_register(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        register(world, by=who)


def test_another_authoritys_request_is_absent(world: World) -> None:
    request = register(world)
    data, now = asked(world), world.now
    with world.database.transaction() as session:
        theirs = world.actor("foreign_officer")
        for request_id in (request.id, uuid4()):
            for act in (
                lambda i: queries.find(session, theirs, i),
                lambda i: requests.change(session, theirs, i, data, 1, now),
                lambda i: requests.close(session, theirs, i, "x", 1, now),
                lambda i: request_letters.confirm_receipt(session, theirs, i, "", now),
                lambda i: request_letters.refuse(session, theirs, i, [], "", "", now),
            ):
                with pytest.raises(NotFound) as caught:
                    act(request_id)
                assert caught.value.detail == NotFound().detail
        with pytest.raises(NotFound):
            orders.draft(session, theirs, world.data(RANSOMWARE), now, request_id=request.id)
        found = queries.listed(session, theirs, queries.Shown.ALL)
        assert found.rows == []
    with world.database.reading() as session, pytest.raises(Forbidden):
        queries.find(session, world.actor("spoc"), request.id)


def test_orders_are_made_from_it_and_are_its_own(world: World) -> None:
    request = register(world)
    order = made(world, request, RANSOMWARE)
    assert order.request_id == request.id
    wrong = world.data(RANSOMWARE) | {"origin": world.data(FOLLOW_UP)["origin"], "status": "new"}
    with pytest.raises(Invalid) as caught, world.database.transaction() as session:
        orders.draft(session, world.actor("officer"), wrong, world.now, request_id=request.id)
    assert {e.pointer for e in caught.value.errors} == {"/origin/party", "/origin/reference"}
    officer = world.actor("officer")
    with pytest.raises(Invalid), world.database.transaction() as session:
        orders.edit(session, officer, order.name, wrong, order.version, world.now)
    moved = asked(world, reference="NL-OTHER")
    version = row(world, request).version
    with pytest.raises(Invalid) as refused, world.database.transaction() as session:
        requests.change(session, officer, request.id, moved, version, world.now)
    assert refused.value.errors[0].pointer == "/reference"


def test_no_order_is_made_from_a_closed_request(world: World) -> None:
    request = register(world)
    with world.database.transaction() as session:
        actor = world.actor("officer")
        requests.close(session, actor, request.id, "Taken back.", request.version, world.now)
    with pytest.raises(Invalid) as caught:
        made(world, request, RANSOMWARE)
    assert caught.value.errors[0].pointer == "/request_id"


def test_it_is_not_closed_over_orders_under_way(world: World) -> None:
    request = register(world)
    made(world, request, RANSOMWARE)
    actor = world.actor("officer")
    with pytest.raises(InvalidTransition, match="a draft"), world.database.transaction() as session:
        requests.close(session, actor, request.id, "Taken back.", request.version, world.now)


def test_news_counts_until_it_is_reported_back(world: World) -> None:
    request = register(world)
    assert waiting(world) == 1, "no receipt was sent"
    write(world, request, LetterKind.RECEIPT)
    assert waiting(world) == 0
    order = served(world, request, RANSOMWARE)
    assert waiting(world) == 0, "that an order was served is nothing to hear of by itself"
    world.preserve(order, by="sevan_spoc")
    assert waiting(world) == 1
    assert waiting(world, "foreign_officer") == 0
    write(world, request, LetterKind.PROGRESS)
    assert waiting(world) == 0
    world.clock.move(hours=1)
    world.preserve(order, by="sevan_spoc", days=80)  # amended: another date
    assert waiting(world) == 1
    write(world, request, LetterKind.RESULT)
    assert row(world, request).state is RequestState.CLOSED
    assert waiting(world) == 0
    world.clock.move(hours=1)
    world.preserve(order, by="sevan_spoc", days=85)
    assert waiting(world) == 1, "what moves on after the result is reported, too"
    write(world, request, LetterKind.PROGRESS)
    assert waiting(world) == 0
    assert entries(world, request) == [
        "request.registered",
        "request.letter",
        "request.letter",
        "request.letter",
        "request.closed",
        "request.letter",
    ]


def test_of_eight_clicks_at_once_one_letter_comes(world: World) -> None:
    request = register(world)
    start = Barrier(8)

    def act(_: int) -> str:
        with world.database.reading() as session:
            held = session.get_one(CounterpartRequest, request.id)
            seen = request_letters.prepare(session, held, LetterKind.RECEIPT, world.now).shown
        start.wait(30)
        try:
            with world.database.transaction() as session:
                actor = world.actor("officer")
                request_letters.confirm_receipt(session, actor, request.id, seen, world.now)
        except RequestChanged:
            return "stale"
        return "sent"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(act, range(8))) == ["sent"] + ["stale"] * 7
    assert len(mail(world, request.id)) == 1


def test_the_page_and_the_count_agree_on_what_is_news(world: World) -> None:
    request = register(world)
    order = served(world, request, RANSOMWARE)
    world.preserve(order, by="sevan_spoc")
    with world.database.reading() as session:
        (held,) = queries.orders_of(session, row(world, request))
        assert queries.is_news(held, queries.told_of(session, [held]).get(held.id))
        (found,) = queries.listed(session, world.actor("auditor"), queries.Shown.WAITING).rows
        assert (found.orders, found.news) == (1, True)


def test_there_is_no_result_before_every_order_has_one(world: World) -> None:
    request = register(world)
    with pytest.raises(InvalidTransition, match="No order was made"):
        write(world, request, LetterKind.RESULT)
    order = served(world, request, RANSOMWARE)
    with pytest.raises(InvalidTransition, match=str(order.ref)):
        write(world, request, LetterKind.RESULT)
    world.preserve(order, by="sevan_spoc")
    write(world, request, LetterKind.RESULT)


def test_a_request_is_refused_on_a_ground_of_the_closed_list(world: World) -> None:
    request = register(world, FOLLOW_UP)

    def refuse(grounds: list[str], why: str = "It is about a pamphlet.") -> Any:
        with world.database.transaction() as session:
            held = session.get_one(CounterpartRequest, request.id)
            seen = request_letters.prepare(
                session, held, LetterKind.REFUSAL, world.now, grounds=grounds
            )
            return request_letters.refuse(
                session, world.actor("supervisor"), request.id, grounds, why, seen.shown, world.now
            )

    for wrong in ([], ["incomplete"], ["send an MLA request"], ["sovereignty", "incomplete"]):
        with pytest.raises(Invalid):
            refuse(wrong)
    with pytest.raises(Invalid):
        refuse(["political_offence"], "  ")
    letter = refuse(["political_offence"])
    assert letter.told == {"grounds": ["political_offence"]}
    held = row(world, request)
    assert held.state is RequestState.REFUSED
    assert held.refusal == {
        "grounds": ["political_offence"],
        "explanation": "It is about a pamphlet.",
    }
    assert "pamphlet" not in str(mail(world, request.id)[0].params)
    assert entries(world, request)[-1] == "request.refused"
    with pytest.raises(InvalidTransition):
        refuse(["political_offence"])
    with pytest.raises(InvalidTransition):
        write(world, request, LetterKind.PROGRESS)


def test_a_request_with_orders_under_way_is_not_refused(world: World) -> None:
    request = register(world)
    served(world, request, RANSOMWARE)
    with pytest.raises(InvalidTransition), world.database.transaction() as session:
        request_letters.refuse(
            session,
            world.actor("officer"),
            request.id,
            ["sovereignty"],
            "It is.",
            "",
            world.now,
        )


def test_lists_are_narrowed_by_state_and_by_what_is_typed(world: World) -> None:
    first, second = register(world), register(world, FOLLOW_UP)
    with world.database.transaction() as session:
        actor = world.actor("officer")
        requests.close(session, actor, first.id, "Taken back.", first.version, world.now)

    def numbers(shown: queries.Shown, text: str = "") -> list[str]:
        with world.database.reading() as session:
            found = queries.listed(session, world.actor("auditor"), shown, text)
            return [r.request.number for r in found.rows]

    assert numbers(queries.Shown.OPEN) == [second.number]
    assert numbers(queries.Shown.CLOSED) == [first.number]
    assert numbers(queries.Shown.ALL) == [second.number, first.number]
    assert numbers(queries.Shown.ALL, "nl-247") == [first.number]
    assert numbers(queries.Shown.ALL, "in-2026-0002") == [second.number]
    assert numbers(queries.Shown.ALL, "point de contact") == [second.number]
    for hostile in ("%", "_", "' OR 1=1 --", "\x00"):
        assert numbers(queries.Shown.ALL, hostile) == []


def test_the_entries_stand_in_the_authoritys_stream_and_the_chain_holds(world: World) -> None:
    request = register(world)
    write(world, request, LetterKind.RECEIPT)
    with world.database.reading() as session:
        stream = f"authority:{request.authority_id}"
        found = session.scalars(select(Entry).where(Entry.stream == stream)).all()
        assert [e.type for e in found] == ["request.registered", "request.letter"]
        assert all(e.order_id is None for e in found)
        (whole,) = ledger_check.verify(session, stream)
        assert isinstance(whole, Stream)
