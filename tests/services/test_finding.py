"""Orders are found by the words that people have: refs, identifiers, numbers, names."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from liaison.domain.answer import Preservation
from liaison.domain.order_keys import LONGEST, bounded
from liaison.models import OrderKey
from liaison.queries import finding
from liaison.queries.queue import queue
from liaison.services import answers, orders
from tests.world import World

ROUTINE = "03-cgnat-fraud-routine.json"
FOREIGN = "04-foreign-followup-mail.json"


def names(world: World, text: str, who: str = "officer") -> set[str]:
    with world.database.reading() as session:
        found = queue(session, world.actor(who), world.now, view="all", text=text)
        return {row.order.name for row in found.rows}


def target(value: str, kind: str, **more: object) -> dict[str, object]:
    return {
        "type": kind,
        "value": value,
        "from": "2026-11-20T00:00:00Z",
        "to": "2026-11-21T00:00:00Z",
        "data": ["subscriber"],
        "relation": "Used by the suspect.",
        **more,
    }


def test_the_beginning_of_any_word_of_a_ref_is_enough(world: World) -> None:
    first, second = world.issue(), world.issue()
    number = second.name.rpartition("-")[2]
    for typed in (second.name, second.name.lower(), f"  {second.name} ", number, second.name[:-1]):
        assert second.name in names(world, typed), typed
    assert names(world, second.name) == {second.name}
    assert names(world, first.name[:4]) == {first.name, second.name}
    assert names(world, number[1:]) == set(), (
        "what stands in the middle of a word is not looked for"
    )


def test_identifiers_are_found_in_any_spelling_and_only_whole(world: World) -> None:
    order = world.issue(
        ROUTINE,
        targets=[
            target("user@example.org", "email"),
            target("2001:db8::17", "ip_address"),
            target("Some.Body", "account", service="Forum"),
        ],
    )
    for typed in ("USER@Example.ORG", "2001:0DB8:0::0017", "some.body"):
        assert names(world, typed) == {order.name}, typed
    for typed in ("user@example", "2001:db8::1", "ip_address:", "email:user@example.org"):
        assert names(world, typed) == set(), typed


def test_numbers_and_references_of_both_sides(world: World) -> None:
    order = world.issue(FOREIGN)
    with world.database.transaction() as session:
        spoc = world.actor("harbour_spoc")
        answers.acknowledge(session, spoc, order.name, world.now, reference="ＴＫ  77/b")
    for typed in (
        order.investigating_authority["case_number"].lower(),
        order.origin["reference"],
        "tk 77/B",
        "77",
    ):
        assert order.name in names(world, typed), typed
        assert order.name in names(world, typed, "harbour_spoc"), typed


def test_the_provider_finds_nothing_before_it_is_served(world: World) -> None:
    draft = world.draft(ROUTINE)
    case = draft.investigating_authority["case_number"]
    assert names(world, case) == {draft.name}
    assert names(world, case, "norvik_spoc") == set()
    with world.database.reading() as session:
        assert set(session.scalars(select(OrderKey.provider_id))) == {None}
    served = world.issue(ROUTINE)
    assert names(world, case, "norvik_spoc") == {served.name}
    assert names(world, case, "spoc") == set()
    assert names(world, case, "foreign_officer") == set()
    assert names(world, "norvik", "foreign_officer") == set()


def test_what_is_edited_away_is_not_found_any_more(world: World) -> None:
    draft = world.draft(ROUTINE)
    data = world.data(ROUTINE, targets=[target("gone@example.org", "email")])
    with world.database.transaction() as session:
        actor = world.actor("officer")
        orders.edit(session, actor, draft.name, data, draft.version, world.now)
    assert names(world, "+374 91 000118") == set()
    assert names(world, "gone@example.org") == {draft.name}


def test_a_later_reference_takes_the_place_of_an_earlier_one(world: World) -> None:
    order = world.issue(ROUTINE)
    spoc = world.actor("norvik_spoc")
    for reference in ("FIRST-1", "SECOND-2"):
        answer = Preservation(
            days=30,
            until=None,
            targets=(),
            preserved_at=None,
            reference=reference,
            sha256=None,
            risk=None,
            note=None,
        )
        with world.database.transaction() as session:
            answers.preserve(session, spoc, order.name, answer, world.now)
    assert names(world, "second") == {order.name}
    assert names(world, "first") == set()


@pytest.mark.parametrize(
    "typed",
    [
        "%",
        "_",
        "%%",
        "\\",
        "'",
        '"',
        "' OR 1=1 --",
        "\x00",
        "half\ud800",
        "x" * 10_000,
        "*",
        "\U0010ffff",
    ],
)
def test_hostile_words_find_nothing_and_break_nothing(world: World, typed: str) -> None:
    world.issue()
    assert names(world, typed) == set()
    assert names(world, typed, "spoc") == set()


def test_a_long_identifier_is_stored_and_found(world: World) -> None:
    long = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(1900))
    order = world.draft(ROUTINE, targets=[target(long, "other")])
    assert names(world, long) == {order.name}
    assert names(world, long[:-1]) == set()
    assert len(bounded(long)) <= LONGEST


def test_a_provider_is_named_by_a_part_of_its_name(world: World) -> None:
    meridian, norvik = world.issue(), world.issue(ROUTINE)
    assert names(world, "ridian") == {meridian.name}
    assert names(world, "NORVIK") == {norvik.name}


def test_of_very_many_that_fit_some_are_looked_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [world.issue() for _ in range(4)]
    monkeypatch.setattr(finding, "MOST", 2)
    with world.database.reading() as session:
        found = queue(session, world.actor("officer"), world.now, view="all", text="cp")
        assert found.more_match
        assert {row.order.name for row in found.rows} == {made[2].name, made[3].name}
        # The whole word is not lost among those that begin with it.
        whole = queue(session, world.actor("officer"), world.now, view="all", text=made[0].name)
        assert [row.order.name for row in whole.rows] == [made[0].name]
        assert not whole.more_match
