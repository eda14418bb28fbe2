"""The stream: pages, ETags, waiting."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import rfc8785
from flask import Flask
from sqlalchemy import event

from liaison.api.blueprint import MOST_WAITERS, Waiting
from liaison.models import Database, Entry
from liaison.models.looks import Look, Looking
from liaison.queries.feed import LOOK
from tests.api.program import Program, faults
from tests.world import MovableClock, World

STRANGE: dict[str, Any] = {
    "by": {"name": 'Zoë “Quote” \\ "\u2028\U0001f600\x01</script>'},
    "n": [1.5, -0.0, 10**15],
}


@dataclass
class Statements:
    """What went another way than by a look."""

    others: list[str] = field(default_factory=list)


@contextmanager
def counting(database: Database) -> Iterator[Statements]:
    found = Statements()

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        found.others.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield found
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def naps(app: Flask) -> list[float]:
    """How long polls slept: no time passes."""
    slept: list[float] = []
    app.extensions["liaison_waiting"] = Waiting(hook=slept.append)
    return slept


def test_an_empty_stream(program: Program) -> None:
    assert program.get("/events").get_json() == {
        "events": [],
        "next": 0,
        "more": False,
        "head": {"seq": 0, "hash": "0" * 64},
    }


def test_pages_join_without_gap_or_repeat(program: Program, world: World) -> None:
    orders = [world.issue() for _ in range(3)]
    for order in orders:
        world.acknowledge(order)
    seen, after, more = [], 0, True
    while more:
        page = program.get(f"/events?after={after}&limit=4").get_json()
        seen += [event["seq"] for event in page["events"]]
        assert page["next"] == seen[-1]
        after, more = page["next"], page["more"]
    assert seen == [1, 2, 3, 4, 5, 6]
    assert page["head"]["seq"] == 6


def test_a_cursor_behind_the_head_stays_where_it_is(program: Program, world: World) -> None:
    world.issue()
    page = program.get("/events?after=99").get_json()
    assert (page["events"], page["next"], page["more"]) == ([], 99, False)
    assert page["head"]["seq"] == 1


def test_the_etag_follows_head_and_place(program: Program, world: World) -> None:
    world.issue()
    tags = {
        program.get(f"/events?{query}").headers["ETag"]
        for query in ("", "after=1", "limit=2", "after=1&limit=2")
    }
    assert len(tags) == 4
    old = program.get("/events").headers["ETag"]
    weak = program.get("/events", If_None_Match=f'"x", W/{old}')
    assert weak.status_code == 304
    world.issue()
    assert program.get("/events", If_None_Match=old).status_code == 200


def test_the_interval_is_short_only_while_an_emergency_waits(
    program: Program, norvik: Program, world: World
) -> None:
    def interval(of: Program) -> str:
        return of.get("/events").headers["X-Poll-Interval"]

    assert interval(program) == "30"
    world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    assert interval(program) == "30"
    order = world.issue()
    assert (interval(program), interval(norvik)) == ("5", "30")
    world.acknowledge(order)
    assert interval(program) == "5"
    world.preserve(order)
    assert interval(program) == "30"
    asked = program.post(f"/orders/{order.ref}/messages", {"text": "Which of the two?"})
    assert (asked.status_code, interval(program)) == (200, "30"), "our answer is waited for"


def test_waiting_ends_when_the_time_is_over(program: Program, naps: list[float]) -> None:
    answer = program.get("/events?wait=2")
    assert (answer.status_code, answer.get_json()["events"]) == (200, [])
    assert sum(naps) == 2


def test_waiting_ends_with_304_where_the_asker_has_it(
    program: Program, world: World, naps: list[float]
) -> None:
    world.issue()
    tag = program.get("/events").headers["ETag"]
    assert program.get("/events?wait=1", If_None_Match=tag).status_code == 304
    assert sum(naps) == 1


def test_waiting_ends_as_soon_as_something_is_new(
    app: Flask, program: Program, world: World
) -> None:
    naps: list[float] = []

    def hook(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            world.issue()

    app.extensions["liaison_waiting"] = Waiting(hook=hook)
    answer = program.get("/events?wait=25")
    assert [e["type"] for e in answer.get_json()["events"]] == ["order.issued"]
    assert answer.headers["X-Poll-Interval"] == "5"
    assert len(naps) == 3


def test_what_is_there_already_is_not_waited_for(
    program: Program, world: World, naps: list[float]
) -> None:
    world.issue()
    assert len(program.get("/events?wait=25").get_json()["events"]) == 1
    assert naps == []


def test_who_finds_no_place_to_wait_is_answered_at_once(
    app: Flask, program: Program, world: World, naps: list[float]
) -> None:
    places = app.extensions["liaison_waiting"].places
    for _ in range(MOST_WAITERS):
        assert places.acquire(blocking=False)
    turned_away = program.get("/events?wait=25")
    assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (200, "30")
    world.issue()
    tag = program.get("/events").headers["ETag"]
    turned_away = program.get("/events?wait=25", If_None_Match=tag)
    assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (304, "5")
    assert naps == []
    places.release()
    assert "Retry-After" not in program.get("/events?after=1&wait=1").headers
    assert naps
    assert places.acquire(blocking=False), "the place was given back"


def test_one_providers_programs_leave_places_to_the_others(
    app: Flask, program: Program, norvik: Program, world: World, naps: list[float]
) -> None:
    """However many keys and connections they have: the others hear of an emergency at once, too."""
    waiting: Waiting = app.extensions["liaison_waiting"]
    meridian = world.register.providers["Meridian Telecom"]
    with ExitStack() as held:
        got = [held.enter_context(waiting.place(meridian)) for _ in range(MOST_WAITERS)]
        assert sum(got) < MOST_WAITERS
        assert program.get("/events?wait=1").headers["Retry-After"] == "30"
        assert naps == []
        assert "Retry-After" not in norvik.get("/events?wait=1").headers
        assert naps
    assert "Retry-After" not in program.get("/events?wait=1").headers, "places are given back"


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("after=-1", ["/after"]),
        ("after=x", ["/after"]),
        ("after=9007199254740992", ["/after"]),
        ("limit=0", ["/limit"]),
        ("limit=501", ["/limit"]),
        ("wait=26", ["/wait"]),
        ("wait=1.5", ["/wait"]),
        ("since=1", ["/since"]),
        ("after=1&after=2", ["/after"]),
        ("limit=0&after=x", ["/after", "/limit"]),
        ("a%2Fb~=1", ["/a~1b~0"]),
    ],
)
@pytest.mark.one_database
def test_a_query_that_cannot_be_meant(program: Program, query: str, pointers: list[str]) -> None:
    assert sorted(faults(program.get(f"/events?{query}"))) == pointers


def test_an_empty_parameter_is_an_absent_one(program: Program) -> None:
    assert program.get("/events?after=&limit=&wait=").status_code == 200
    assert program.get("/orders?state=&urgency=&after=&limit=").status_code == 200


def test_times_are_given_as_they_were_hashed(
    program: Program, world: World, clock: MovableClock
) -> None:
    clock.move(microseconds=120300)
    world.issue()
    assert program.events()[0]["at"] == "2026-11-23T12:00:00.120300Z"


def test_a_poll_is_one_statement_and_tells_what_was_written(
    app: Flask, program: Program, world: World
) -> None:
    """Strange texts, an erased entry and one about no order go out as they are stored."""
    order = world.issue()
    world.acknowledge(order)
    with world.database.transaction() as session:
        stream = f"provider:{order.provider_id}"
        first = session.get_one(Entry, (stream, 1))
        first.data = first.salt = None
        second = session.get_one(Entry, (stream, 2))
        second.data = rfc8785.dumps(STRANGE).decode()
        second.actor, second.order_id = 'a"b\\\u2028\x01é', None
    asked: list[str] = []
    shared = app.extensions["liaison"].database
    take = Looking.all

    def noted(looking: Looking, look: Look[Any], **given: Any) -> list[Any]:
        asked.append("page" if "stream" in given else "look")
        return take(looking, look, **given)

    assert program.get("/whoami").status_code == 200  # its use is noted for this minute
    with pytest.MonkeyPatch.context() as patch, counting(shared) as written:
        patch.setattr(Looking, "all", noted)
        answer = program.get("/events")
        assert program.get("/events", If_None_Match=answer.headers["ETag"]).status_code == 304
    erased, told = answer.get_json()["events"]
    assert asked == ["look", "page", "look"]
    assert written.others == []
    assert (erased["data"], erased["salt"]) == (None, None)
    assert erased["order"] == {"id": str(order.id), "ref": order.ref}
    assert (told["data"], told["order"]) == (STRANGE, None)
    assert told["actor"] == second.actor
    assert (told["id"], told["hash"]) == (str(second.id), second.hash)


def test_a_page_is_packed_where_that_is_asked_for(program: Program, world: World) -> None:
    for _ in range(3):
        world.issue()
    plain = program.get("/events")
    tag = plain.headers["ETag"]
    assert ("Content-Encoding" in plain.headers, plain.vary.as_set()) == (
        False,
        {"accept-encoding"},
    )
    packed = program.client.get(
        "/api/v1/events", headers=program.headers | {"Accept-Encoding": "br, gzip;q=0.5"}
    )
    assert (packed.headers["Content-Encoding"], packed.headers["ETag"]) == ("gzip", tag)
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert gzip.decompress(packed.data) == plain.data
    for refused in ("gzip;q=0", "br", "identity", "*;q=0"):
        assert "Content-Encoding" not in program.get("/events", Accept_Encoding=refused).headers
    short = program.get("/events?after=3", Accept_Encoding="gzip")
    assert "Content-Encoding" not in short.headers
    seen = program.get("/events", Accept_Encoding="gzip", If_None_Match=tag)
    assert (seen.status_code, seen.headers["Vary"], seen.data) == (304, "Accept-Encoding", b"")


def test_what_the_driver_says_never_reaches_the_asker(program: Program, database_kind: str) -> None:
    """And its connection works on afterwards."""
    assert program.get("/events").status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LOOK, "asked", lambda *_: ("SELECT nothing FROM nowhere", ()))
        answer = program.get("/events")
    # SQLite tells every fault of its own as one of its operation, PostgreSQL as what it is.
    assert answer.status_code == (503 if database_kind == "sqlite" else 500)
    assert "nowhere" not in answer.text
    assert program.get("/events").status_code == 200
