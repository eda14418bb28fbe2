"""A provider's keys: made, rolled over, revoked, used from where they may be."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select

from liaison.errors import Forbidden, Invalid, NotFound, Unauthenticated
from liaison.models import ApiKey, Database, Entry, Person, Provider
from liaison.services import keyring, keys
from liaison.services.keyring import KeyEnded, Wanted
from liaison.services.keys import KnownKey
from tests.world import ADDRESS, World

ADMIN = "provider_administrator"


def make(world: World, name: str = "Test", by: str = ADMIN, **wanted: Any) -> tuple[UUID, str]:
    asked = Wanted(**{"name": name, "scopes": ["read"], **wanted})
    with world.database.transaction() as session:
        row, shown = keyring.make(session, world.actor(by), asked, world.now)
        return row.id, shown


def roll(world: World, key_id: UUID, overlap: int = 7, by: str = ADMIN) -> tuple[UUID, str]:
    with world.database.transaction() as session:
        row, shown = keyring.roll(session, world.actor(by), key_id, overlap, world.now)
        return row.id, shown


def revoke(world: World, key_id: UUID, reason: str = "Lost laptop", by: str = ADMIN) -> None:
    with world.database.transaction() as session:
        keyring.revoke(session, world.actor(by), key_id, reason, world.now)


def use(world: World, shown: str, address: str = ADDRESS) -> KnownKey:
    with world.database.reading() as session:
        return keys.actor_for_key(session, shown, address, world.now)[0]


def row_of(world: World, key_id: UUID) -> ApiKey:
    with world.database.reading() as session:
        return session.get_one(ApiKey, key_id)


def log(world: World, type_: str) -> list[dict[str, Any]]:
    with world.database.reading() as session:
        query = select(Entry).where(Entry.stream == "portal", Entry.type == f"portal.{type_}")
        return [json.loads(e.data or "{}") for e in session.scalars(query.order_by(Entry.seq))]


def number(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(ApiKey)) or 0


def test_a_key_is_made_for_a_year_and_only_its_hash_is_stored(world: World) -> None:
    key_id, shown = make(world, "  Case   system 2 ", scopes=["respond", "read"])
    row = row_of(world, key_id)
    assert shown.startswith("lsn_")
    assert shown not in json.dumps([str(v) for v in vars(row).values()])
    assert (row.name, row.scopes, row.networks) == ("Case system 2", ["read", "respond"], [])
    assert row.expires_at == world.now + timedelta(days=365)
    assert row.created_by_id == world.person(ADMIN).id
    assert use(world, shown).id == key_id
    (told,) = log(world, "key_made")
    assert (told["key"], told["name"]) == (str(key_id), "Case system 2")
    assert told["by"] == {"name": "Tigran Avagyan", "organisation": "Meridian Telecom"}
    assert told["organisation"] == f"provider:{row.provider_id}"
    assert shown not in json.dumps(told)


@pytest.mark.parametrize("who", ["spoc", "officer", "auditor", "supervisor", "program"])
def test_nobody_else_keeps_keys(world: World, who: str) -> None:
    key_id, _ = make(world)
    before = number(world)
    for act in (
        lambda: make(world, "Other", by=who),
        lambda: roll(world, key_id, by=who),
        lambda: revoke(world, key_id, by=who),
    ):
        with pytest.raises(Forbidden):
            act()
    assert number(world) == before
    assert row_of(world, key_id).revoked_at is None


def test_an_old_factor_keeps_no_keys(world: World) -> None:
    key_id, _ = make(world)
    actor = world.actor(ADMIN, fresh=False)
    for act in (
        lambda s: keyring.make(s, actor, Wanted("Other", ["read"]), world.now),
        lambda s: keyring.roll(s, actor, key_id, 7, world.now),
        lambda s: keyring.revoke(s, actor, key_id, "why", world.now),
    ):
        with pytest.raises(Forbidden), world.database.transaction() as session:
            act(session)


def test_who_is_disabled_at_this_moment_makes_no_key(world: World) -> None:
    actor = world.actor(ADMIN)
    with world.database.transaction() as session:
        session.get_one(Person, world.person(ADMIN).id).disabled_at = world.now
    with pytest.raises(Forbidden), world.database.transaction() as session:
        keyring.make(session, actor, Wanted("Late", ["read"]), world.now)


def test_another_providers_key_is_absent(world: World) -> None:
    with world.database.reading() as session:
        norvik = world.register.providers["Norvik Mobile"]
        theirs = session.scalars(select(ApiKey.id).where(ApiKey.provider_id == norvik)).one()
    with pytest.raises(NotFound):
        roll(world, theirs)
    with pytest.raises(NotFound):
        revoke(world, theirs)
    assert row_of(world, theirs).revoked_at is None


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"name": "Case system"}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["read", "write"]}, "/scopes"),
        ({"days": 0}, "/days"),
        ({"days": 731}, "/days"),
        ({"networks": ["198.51.100.0/33"]}, "/networks/0"),
        ({"networks": ["198.51.100.7", "our office"]}, "/networks/1"),
        ({"networks": ["0.0.0.0/0"]}, "/networks/0"),
        ({"networks": ["128.0.0.0/1"]}, "/networks/0"),
        ({"networks": ["8000::/1"]}, "/networks/0"),
        ({"networks": ["::ffff:0:0/96"]}, "/networks/0"),
        ({"networks": [f"198.51.100.{n}" for n in range(21)]}, "/networks"),
    ],
)
def test_what_no_key_can_be(world: World, wanted: dict[str, Any], pointer: str) -> None:
    before = number(world)
    with pytest.raises(Invalid) as refused:
        make(world, **wanted)
    assert [fault.pointer for fault in refused.value.errors] == [pointer]
    assert number(world) == before


def test_every_fault_is_told_at_once(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        make(world, "", scopes=[], days=0, networks=["x"])
    pointers = {fault.pointer for fault in refused.value.errors}
    assert pointers == {"/name", "/scopes", "/days", "/networks/0"}


def test_a_name_is_free_again_when_its_key_counts_no_longer(world: World) -> None:
    first, _ = make(world, "Nightly")
    with pytest.raises(Invalid):
        make(world, "Nightly")
    revoke(world, first)
    make(world, "Nightly", days=1)
    world.clock.move(days=1)
    make(world, "Nightly")


@pytest.mark.one_database
def test_networks_are_kept_in_their_shortest_form() -> None:
    given = ["198.51.100.7/24", "198.51.100.0/24", "2001:db8:0::1", "::ffff:192.0.2.0/120"]
    kept, faults = keyring.read_networks(given)
    assert kept == ["198.51.100.0/24", "2001:db8::1/128", "192.0.2.0/24"]
    assert faults == []


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("198.51.100.0", True),
        ("198.51.100.255", True),
        ("::ffff:198.51.100.9", True),
        ("2001:db8::5", True),
        ("198.51.101.0", False),
        ("2001:db9::5", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_a_key_counts_from_its_networks_only(world: World, address: str, counts: bool) -> None:
    _, shown = make(world, networks=["198.51.100.0/24", "2001:db8::/32"])
    if counts:
        use(world, shown, address)
        return
    with pytest.raises(Unauthenticated, match="does not count from"):
        use(world, shown, address)


def test_after_a_roll_both_count_until_the_overlap_ends(world: World) -> None:
    old, old_shown = make(world, networks=["198.51.100.0/24"], scopes=["respond"])
    new, new_shown = roll(world, old)
    assert old_shown != new_shown
    row = row_of(world, new)
    assert (row.name, row.scopes, row.networks) == ("Test", ["respond"], ["198.51.100.0/24"])
    assert row_of(world, old).successor_id == new
    world.clock.move(days=7, seconds=-1)
    assert use(world, old_shown).id == old
    assert use(world, new_shown).id == new
    world.clock.move(seconds=1)
    with pytest.raises(Unauthenticated, match="expired"):
        use(world, old_shown)
    assert use(world, new_shown).id == new
    (told,) = log(world, "key_rolled")
    assert (told["key"], told["successor"]) == (str(old), str(new))


def test_an_overlap_of_nothing_ends_the_older_key_at_once(world: World) -> None:
    old, shown = make(world)
    roll(world, old, overlap=0)
    with pytest.raises(Unauthenticated):
        use(world, shown)


def test_an_overlap_makes_no_key_count_longer(world: World) -> None:
    old, _ = make(world, days=3)
    before = row_of(world, old).expires_at
    roll(world, old, overlap=30)
    assert row_of(world, old).expires_at == before


@pytest.mark.parametrize("overlap", [-1, 31])
def test_an_overlap_has_its_limits(world: World, overlap: int) -> None:
    old, _ = make(world)
    with pytest.raises(Invalid):
        roll(world, old, overlap=overlap)


def test_a_key_that_ended_stays_as_it_is(world: World) -> None:
    revoked, _ = make(world, "Revoked")
    revoke(world, revoked)
    rolled, _ = make(world, "Rolled")
    roll(world, rolled)
    expired, _ = make(world, "Expired", days=1)
    world.clock.move(days=1)
    for key_id in (revoked, rolled, expired):
        with pytest.raises(KeyEnded):
            roll(world, key_id)
    for key_id in (revoked, expired):
        with pytest.raises(KeyEnded):
            revoke(world, key_id)
    revoke(world, rolled)


def test_a_revoked_key_opens_nothing_and_the_log_says_why(world: World) -> None:
    key_id, shown = make(world)
    revoke(world, key_id)
    with pytest.raises(Unauthenticated, match="revoked"):
        use(world, shown)
    assert row_of(world, key_id).revoked_by_id == world.person(ADMIN).id
    (told,) = log(world, "key_revoked")
    assert told["reason"] == "Lost laptop"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_revocation_says_why(world: World, reason: str) -> None:
    key_id, _ = make(world)
    with pytest.raises(Invalid):
        revoke(world, key_id, reason)
    assert row_of(world, key_id).revoked_at is None


def test_of_two_who_roll_a_key_over_one_wins(world: World) -> None:
    key_id, _ = make(world)
    start = threading.Barrier(4)
    results: list[UUID | None] = []

    def race() -> None:
        start.wait()
        try:
            results.append(roll(world, key_id)[0])
        except KeyEnded:
            results.append(None)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [found for found in results if found is not None]
    assert len(results) == 4
    assert len(winners) == 1
    assert row_of(world, key_id).successor_id == winners[0]


def test_of_two_who_make_a_key_of_one_name_one_wins(world: World) -> None:
    start = threading.Barrier(4)
    results: list[UUID | None] = []

    def race() -> None:
        start.wait()
        try:
            results.append(make(world, "Racing")[0])
        except Invalid:
            results.append(None)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([found for found in results if found is not None]) == 1
    assert len(results) == 4


def test_letting_a_person_go_takes_their_keys_back_and_no_others(world: World) -> None:
    theirs, shown = make(world)
    ended, _ = make(world, "Ended", days=1)
    world.clock.move(days=1)
    with world.database.transaction() as session:
        revoked = keys.revoke_of(session, world.person(ADMIN).id, world.now)
        assert [row.id for row in revoked] == [theirs]
    with pytest.raises(Unauthenticated, match="revoked"):
        use(world, shown)
    assert use(world, world.key("Meridian Telecom"))
    assert row_of(world, ended).revoked_at is None


def test_checking_a_key_is_one_read_by_index(world: World, database: Database) -> None:
    said: list[str] = []
    shown = world.key("Meridian Telecom")

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        use(world, shown)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    reads = [s for s in said if s.lstrip().upper().startswith("SELECT")]
    assert len(reads) == 1
    assert "api_key.key_hash = " in reads[0]
    with database.reading() as session:
        provider = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        assert provider is not None


def test_use_is_noted_once_a_minute(world: World) -> None:
    key_id, _ = make(world)

    def note(address: str) -> None:
        with world.database.transaction() as session:
            keys.note_use(session, key_id, address, world.now)

    assert keys.is_use_due(row_of(world, key_id), world.now)
    first = world.now
    note("192.0.2.1")
    world.clock.move(seconds=59)
    assert not keys.is_use_due(row_of(world, key_id), world.now)
    note("192.0.2.2")
    row = row_of(world, key_id)
    assert (row.last_used_at, row.last_address) == (first, "192.0.2.1")
    world.clock.move(seconds=1)
    assert keys.is_use_due(row, world.now)
    note("192.0.2.3")
    assert row_of(world, key_id).last_address == "192.0.2.3"
