"""What orders say must stand in the ledger: an end that was cut off names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from liaison.domain.answer import Refusal
from liaison.domain.vocabulary import CallOutcome, Ground
from liaison.models import CallTask, Entry, Order, Stream, ThreadMessage, Timer
from liaison.models.ledger import GENESIS
from liaison.models.work import TimerKind
from liaison.services import answers, calls, keeping, ledger, ledger_check, ledger_orders, orders
from liaison.services.ledger_check import Break
from tests import keeping as after
from tests.world import World


def breaks(session: Session, stream: str | None = None) -> list[tuple[str, str | None, str]]:
    """Where verification finds what wrong, by stream and order."""
    session.expire_all()
    found = ledger_check.verify(session, stream)
    return [(b.stream, b.order, b.reason) for b in found if isinstance(b, Break)]


def streams(order: Order) -> tuple[str, str]:
    """The provider's and the authority's."""
    provider = ledger.provider_stream(order.provider_id)
    return provider, ledger.authority_stream(order.authority_id)


def cut(session: Session, stream: str, keep: int) -> None:
    """Takes the stream's end away and sets its head back: the chain by itself holds."""
    session.execute(sa.delete(Entry).where(Entry.stream == stream, Entry.seq > keep))
    last = session.get(Entry, (stream, keep))
    moved = update(Stream).where(Stream.id == stream)
    session.execute(moved.values(seq=keep, head=last.hash if last else GENESIS))


def cut_from(session: Session, order: Order, type_: str) -> None:
    """Cuts both streams off where the act stands in them."""
    for stream in streams(order):
        first = session.scalar(
            select(sa.func.min(Entry.seq)).where(
                Entry.stream == stream,
                Entry.order_id == order.id,
                sa.or_(Entry.type == type_, Entry.data.startswith(f'{{"act":"{type_}"')),
            )
        )
        if first is not None:
            cut(session, stream, first - 1)


def fetched(world: World) -> Order:
    order = world.issue()
    with world.database.transaction() as session:
        orders.note_fetched(session, world.actor("spoc"), order.name, world.now)
    return order


def declined(world: World) -> Order:
    order = world.issue()
    refusal = Refusal((Ground.OVERBROAD,), "All of Yerevan.", preserved_meanwhile=False)
    with world.database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, refusal, world.now)
    return order


def withdrawn(world: World, order: Order) -> Order:
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found safe.", world.now)
    return order


def expired(world: World) -> Order:
    order = world.preserve(world.acknowledge(world.issue()), days=30)
    world.clock.move(days=31)
    with world.database.transaction() as session:
        timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.EXPIRY)).one()
        keeping.expire(session, timer, session.get_one(Order, order.id), world.now)
    return order


def kept(world: World, *acts: Callable[[World, Order], None]) -> Order:
    """A preserved order, and what followed."""
    order = world.preserve(world.issue())
    for act in acts:
        act(world, order)
    return order


def acknowledged_by_phone(world: World) -> Order:
    order = world.issue()
    with world.database.transaction() as session:
        task = session.scalars(select(CallTask).where(CallTask.order_id == order.id)).first()
        assert task is not None
        calls.log(
            session,
            world.actor("officer"),
            order.name,
            task.id,
            CallOutcome.REACHED,
            "",
            world.now,
            acknowledged=True,
        )
    return order


def told(world: World, *texts: str) -> Order:
    """An order in whose thread the officer wrote, all at one moment."""
    order = world.issue()
    for text in texts:
        with world.database.transaction() as session:
            answers.answer(session, world.actor("officer"), order.name, text, world.now)
    return order


Act = Callable[[World], Order]

ACTS: dict[str, tuple[Act, str, str]] = {
    "issued": (World.issue, "order.issued", "order.issued"),
    "fetched": (fetched, "order.fetched", "order.fetched"),
    "acknowledged": (
        lambda w: w.acknowledge(w.issue()),
        "order.acknowledged",
        "order.acknowledged or order.preserved",
    ),
    "acknowledged by phone": (
        acknowledged_by_phone,
        "order.acknowledged",
        "order.acknowledged or order.preserved",
    ),
    "preserved at once": (
        lambda w: w.preserve(w.issue()),
        "order.preserved",
        "order.acknowledged or order.preserved",
    ),
    "preserved": (
        lambda w: w.preserve(w.acknowledge(w.issue())),
        "order.preserved",
        "order.preserved",
    ),
    "declined": (declined, "order.declined", "order.declined"),
    "withdrawn": (lambda w: withdrawn(w, w.issue()), "order.withdrawn", "order.withdrawn"),
    "expired": (expired, "order.expired", "order.expired"),
    "asked to be extended": (
        lambda w: kept(w, after.ask),
        "order.extension_requested",
        "order.extension_requested",
    ),
    "extended": (
        lambda w: kept(w, after.ask, after.extend),
        "order.extended",
        "order.extended",
    ),
    "kept for a request": (
        lambda w: kept(w, after.record_mla),
        "order.mla_recorded",
        "order.mla_recorded",
    ),
    "released": (lambda w: kept(w, after.release), "order.released", "order.released"),
    "disposed of": (
        lambda w: kept(w, after.release, after.dispose),
        "order.disposed",
        "order.disposed",
    ),
    "drafted": (World.draft, "order.drafted", "order.drafted"),
    "discarded": (lambda w: withdrawn(w, w.draft()), "order.discarded", "order.discarded"),
}


@pytest.mark.parametrize("what", ACTS)
def test_an_end_cut_off_with_its_head_set_back_names_the_order(world: World, what: str) -> None:
    act, type_, missing = ACTS[what]
    world.issue()  # another order of both streams keeps its entries
    order = act(world)
    in_authority = type_ in ("order.drafted", "order.discarded")
    with world.database.writing() as session:
        assert breaks(session) == []
        cut_from(session, order, type_)
        assert breaks(session) == [
            (streams(order)[in_authority], order.name, f"its {missing} is missing")
        ]


@pytest.mark.parametrize("what", ACTS)
def test_what_was_done_by_the_book_is_no_break(world: World, what: str) -> None:
    ACTS[what][0](world)
    with world.database.reading() as session:
        assert breaks(session) == []


def test_an_act_that_only_the_authoritys_stream_knows_of_is_found(world: World) -> None:
    order = told(world, "The port is 443.")
    provider, authority = streams(order)
    with world.database.writing() as session:
        cut(session, provider, 1)
        session.execute(sa.delete(ThreadMessage))  # nor does the order say so any more
        ((stream, named, reason),) = breaks(session)
        assert (stream, named) == (provider, order.ref)
        assert reason == f"the act that entry 3 of {authority} attributes is missing"


def test_of_two_like_acts_at_one_moment_both_must_stand(world: World) -> None:
    order = told(world, "The port is 443.", "And 8443.")
    with world.database.writing() as session:
        assert breaks(session) == []
        cut(session, streams(order)[0], 2)
        assert [(s, o) for s, o, _ in breaks(session)] == [(streams(order)[0], order.ref)]


def test_a_like_act_of_another_order_is_no_twin(world: World) -> None:
    first, second = told(world), told(world)
    with world.database.transaction() as session:
        for order in (first, second):
            answers.answer(session, world.actor("officer"), order.name, "Soon.", world.now)
    with world.database.writing() as session:
        cut(session, streams(second)[0], 3)
        assert [o for _, o, _ in breaks(session)] == [second.ref]


def test_an_erased_attribution_asks_for_nothing(world: World) -> None:
    order = told(world, "The port is 443.")
    authority = streams(order)[1]
    with world.database.transaction() as session:
        session.execute(update(Entry).where(Entry.stream == authority).values(data=None, salt=None))
        record = ledger.Record(authority, ledger.ERASED, "clock", {"seqs": [1, 2, 3]})
        ledger.record(session, world.now + timedelta(days=400), record)
    with world.database.reading() as session:
        assert breaks(session) == []


def test_an_entry_in_another_providers_stream_does_not_stand_for_the_right_one(
    world: World,
) -> None:
    order = world.issue()
    elsewhere = world.issue("02-foreign-ransomware-hosting.json")
    assert elsewhere.provider_id != order.provider_id
    with world.database.writing() as session:
        cut_from(session, order, "order.issued")
        wrong = ledger.Record(streams(elsewhere)[0], "order.issued", "person:7", {}, order.id)
        ledger.record(session, world.now, wrong)
        found = [(s, o) for s, o, _ in breaks(session)]
        assert (streams(order)[0], order.ref) in found


@pytest.mark.parametrize("whose", ["provider", "authority"])
def test_a_stream_removed_with_its_row_is_found_by_its_orders(world: World, whose: str) -> None:
    first, second = world.issue(), world.issue()
    stream = streams(first)[whose == "authority"]
    with world.database.writing() as session:
        session.execute(sa.delete(Entry).where(Entry.stream == stream))
        session.execute(sa.delete(Stream).where(Stream.id == stream))
        found = breaks(session)
        assert {(s, o) for s, o, _ in found} == {(stream, first.ref), (stream, second.ref)}
        assert len(found) == 2
        assert (stream, None, "there is no such stream") in breaks(session, stream)


def test_an_order_removed_while_its_entries_stand_is_found(world: World) -> None:
    """PostgreSQL refuses it; whoever opens SQLite's file by hand has nothing to stop them."""
    order = world.issue()
    provider, authority = streams(order)
    if not world.database.is_sqlite:
        with world.database.engine.begin() as connection, pytest.raises(IntegrityError):
            connection.execute(sa.delete(Order).where(Order.id == order.id))
        return
    with world.database.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        connection.execute(sa.delete(Order).where(Order.id == order.id))
        connection.execute(sa.delete(Entry).where(Entry.stream == provider))
        connection.execute(sa.delete(Stream).where(Stream.id == provider))
        connection.commit()
    with world.database.reading() as session:
        assert breaks(session) == [
            (authority, str(order.id), "it is gone, and entry 2 tells of it")
        ]


def test_one_stream_is_verified_by_its_own_orders_only(world: World) -> None:
    order = world.issue()
    provider, authority = streams(order)
    with world.database.writing() as session:
        cut_from(session, order, "order.issued")
        assert breaks(session, authority) == []
        assert [o for _, o, _ in breaks(session, provider)] == [order.ref]


def test_the_number_of_questions_does_not_grow_with_the_orders(world: World) -> None:
    asked: list[str] = []

    @sa.event.listens_for(world.database.engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    numbers = []
    for _ in range(2):
        for _ in range(2):
            told(world, "The port is 443.")
        asked.clear()
        with world.database.reading() as session:
            assert list(ledger_orders.missing(session)) == []
        numbers.append(len([s for s in asked if s.startswith("SELECT")]))
    assert numbers[0] == numbers[1] < 15
