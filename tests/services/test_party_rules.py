"""The rules of the Parties: entered by administrators, read as help, applied to nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from liaison.errors import Forbidden, Invalid, NotFound, Stale, StaleFactor
from liaison.models import Entry, PartyRule
from liaison.queries import party_rules as queries
from liaison.services import party_rules
from tests.world import World

NORWAY: dict[str, Any] = {
    "name": "Norway",
    "countries": ["no"],
    "first_days": 90,
    "extension_days": 30,
    "extensions": 1,
    "retention": None,
    "note": "As agreed at the contact points' meeting.",
    "source": "Criminal Procedure Act, s. 215a",
    "review_on": "2027-06-30",
}
PRESETS = ["Budapest Convention", "Canada", "European Union", "Romania", "United States"]


def enter(world: World, **changes: Any) -> UUID:
    with world.database.transaction() as session:
        data = {**NORWAY, **changes}
        actor = world.actor("administrator")
        return party_rules.register(session, actor, data, world.now).id


def change(world: World, rule_id: UUID, seen: str, **changes: Any) -> None:
    with world.database.transaction() as session:
        data = {**NORWAY, **changes}
        party_rules.change(session, world.actor("administrator"), rule_id, data, seen, world.now)


def names(world: World, code: str) -> list[str]:
    with world.database.reading() as session:
        return [rule.name for rule in queries.for_country(session, code)]


def read(world: World, rule_id: UUID) -> PartyRule:
    with world.database.reading() as session:
        return queries.rule(session, world.actor("officer"), rule_id)


def last_entry(world: World) -> tuple[str, dict[str, Any]]:
    with world.database.reading() as session:
        query = select(Entry).where(Entry.stream == "portal").order_by(Entry.seq.desc())
        entry = session.scalars(query.limit(1)).one()
        return entry.type, json.loads(entry.data or "{}")


def test_the_presets_stand_in_a_new_register_each_with_its_source(world: World) -> None:
    with world.database.reading() as session:
        found = queries.rules(session, world.actor("auditor"))
    assert sorted(rule.name for rule in found) == PRESETS
    assert found[0].name == "Budapest Convention", "the general one comes first"
    assert all(rule.source and rule.review_on > world.now.date() for rule in found)
    by_name = {rule.name: rule for rule in found}
    assert by_name["United States"].extension_days == 90
    assert by_name["Canada"].first_days is None, "a stated date, no number of days"
    union = by_name["European Union"].countries
    assert len(union) == 26
    assert "DK" not in union


def test_the_nearest_rule_is_shown_first_and_the_general_one_always(world: World) -> None:
    assert names(world, "RO") == ["Romania", "European Union", "Budapest Convention"]
    assert names(world, "us") == ["United States", "Budapest Convention"]
    assert names(world, "DK") == ["Budapest Convention"]


def test_an_administrator_enters_a_rule_and_the_log_says_so(world: World) -> None:
    rule_id = enter(world)
    assert names(world, "NO") == ["Norway", "Budapest Convention"]
    assert read(world, rule_id).changed_by == "Sona Martirosyan"
    type_, data = last_entry(world)
    assert type_ == "portal.rule_registered"
    assert data["name"] == "Norway"


def test_every_fault_is_named_at_once(world: World) -> None:
    wrong = {
        "name": " ",
        "countries": ["NO", "UK", 7],
        "first_days": "ninety",
        "extension_days": None,
        "extensions": 2,
        "source": None,
        "review_on": world.now.date().isoformat(),
        "colour": "blue",
    }
    with pytest.raises(Invalid) as refused:
        enter(world, **wrong)
    pointers = [error.pointer for error in refused.value.errors]
    assert sorted(pointers) == [
        "/colour",
        "/countries",
        "/countries",
        "/extension_days",
        "/first_days",
        "/name",
        "/review_on",
        "/source",
    ]


def test_a_change_is_told_with_before_and_after(world: World) -> None:
    rule_id = enter(world)
    seen = party_rules.version(read(world, rule_id))
    world.clock.move(hours=1)
    change(world, rule_id, seen, first_days=60)
    assert read(world, rule_id).first_days == 60
    assert last_entry(world)[1]["changes"] == {"first_days": [90, 60]}


def test_whoever_read_an_older_wording_overwrites_nothing(world: World) -> None:
    rule_id = enter(world)
    seen = (world.now - timedelta(days=1)).isoformat()
    with pytest.raises(Stale, match="changed this rule"):
        change(world, rule_id, seen)


def test_two_rules_have_two_names(world: World) -> None:
    rule_id = enter(world)
    with pytest.raises(Invalid, match="1 field"):
        enter(world)
    seen = party_rules.version(read(world, rule_id))
    with pytest.raises(Invalid, match="1 field"):
        change(world, rule_id, seen, name="Canada")


def test_a_removed_rule_is_shown_no_more_and_can_come_back(world: World) -> None:
    rule_id = enter(world)
    with world.database.transaction() as session:
        party_rules.remove(session, world.actor("administrator"), rule_id, world.now)
    assert names(world, "NO") == ["Budapest Convention"]
    with pytest.raises(NotFound), world.database.transaction() as session:
        party_rules.remove(session, world.actor("administrator"), rule_id, world.now)
    assert enter(world, first_days=30) == rule_id
    assert read(world, rule_id).first_days == 30


def test_only_administrators_with_a_fresh_factor_keep_them(world: World) -> None:
    rule_id = enter(world)
    with world.database.writing() as session:
        for who in ("officer", "supervisor", "auditor", "spoc", "provider_administrator"):
            with pytest.raises(Forbidden):
                party_rules.register(session, world.actor(who), NORWAY, world.now)
            with pytest.raises(Forbidden):
                party_rules.remove(session, world.actor(who), rule_id, world.now)
        stale = world.actor("administrator", fresh=False)
        with pytest.raises(StaleFactor):
            party_rules.register(session, stale, NORWAY, world.now)
        with pytest.raises(StaleFactor):
            party_rules.change(session, stale, rule_id, NORWAY, "", world.now)
        with pytest.raises(StaleFactor):
            party_rules.remove(session, stale, rule_id, world.now)
        with pytest.raises(NotFound):
            party_rules.remove(session, stale, uuid4(), world.now)
        with pytest.raises(Forbidden):
            queries.rules(session, world.actor("spoc"))


def test_of_two_who_enter_one_rule_at_once_one_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(world)
    monkeypatch.setattr(party_rules, "_named", lambda *_: None)  # both looked before either wrote
    with pytest.raises(Invalid) as refused:
        enter(world)
    assert refused.value.errors[0].pointer == "/name"
    other = enter(world, name="Sweden")
    with pytest.raises(Invalid) as refused:
        change(world, other, party_rules.version(read(world, other)))
    assert refused.value.errors[0].pointer == "/name"
