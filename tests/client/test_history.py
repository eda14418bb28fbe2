"""A provider's program reads its stream; somebody on the other side changed the past."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from liaison.client import Client, Fault, Head, HistoryBroken, Unreadable
from tests.client.book import KEY, Clock, Json, Portal, entry, erased, written

Told = list[Json]


def client(portal: Portal, clock: Clock | None = None) -> Client:
    return Client(
        "https://liaison.example",
        KEY,
        transport=httpx.MockTransport(portal),
        time=(clock or Clock()).time,
    )


def place(told: Told, seq: int) -> Head:
    return Head(seq, told[seq - 1]["hash"])


def changed(told: Told, seq: int, **fields: Any) -> Told:
    told[seq - 1] |= fields
    return told


def rehashed(told: Told, seq: int) -> Told:
    """One entry written anew with its own hash right; those after it as they were."""
    prev = told[seq - 2]["hash"]
    told[seq - 1] = entry(seq, prev, {"n": "forged"})
    return told


def swapped(told: Told, one: int, other: int) -> Told:
    told[one - 1], told[other - 1] = told[other - 1], told[one - 1]
    return told


def exchanged(told: Told, one: int, other: int) -> Told:
    """The contents of two changed places, numbers and chain as they were."""
    first, second = told[one - 1], told[other - 1]
    for name in ("data", "salt", "digest", "at", "type", "actor"):
        first[name], second[name] = second[name], first[name]
    return told


def without(told: Told, *seqs: int) -> Told:
    return [found for found in told if found["seq"] not in seqs]


Tamper = Callable[[Told], Told]
CASES: dict[str, tuple[Tamper, Fault, int]] = {
    "data": (lambda t: changed(t, 7, data={"n": 7}), Fault.CHANGED, 7),
    "one letter of data": (
        lambda t: changed(t, 7, data={"n": 7, "é😀": "First"}),
        Fault.CHANGED,
        7,
    ),
    "a fraction": (lambda t: changed(t, 7, data={"n": 7.0, "é😀": "first"}), Fault.CHANGED, 7),
    "a salt": (lambda t: changed(t, 7, salt="00" * 16), Fault.CHANGED, 7),
    "a salt of no hex": (lambda t: changed(t, 7, salt="zz"), Fault.CHANGED, 7),
    "data without salt": (lambda t: changed(t, 7, salt=None), Fault.CHANGED, 7),
    "salt without data": (lambda t: changed(t, 7, data=None), Fault.CHANGED, 7),
    "type": (lambda t: changed(t, 7, type="order.issued"), Fault.CHANGED, 7),
    "moment": (lambda t: changed(t, 7, at="2026-11-23T12:00:08Z"), Fault.CHANGED, 7),
    "a moment that is none": (lambda t: changed(t, 7, at="noon"), Fault.CHANGED, 7),
    "actor": (lambda t: changed(t, 7, actor="p:2"), Fault.CHANGED, 7),
    "order": (lambda t: changed(t, 7, order={"id": "x", "ref": None}), Fault.CHANGED, 7),
    "id": (lambda t: changed(t, 7, id=t[5]["id"]), Fault.CHANGED, 7),
    "hash": (lambda t: changed(t, 7, hash="f" * 64), Fault.CHANGED, 7),
    "prev": (lambda t: changed(t, 7, prev="f" * 64), Fault.CHANGED, 7),
    "with its own hash": (lambda t: rehashed(t, 7), Fault.REWRITTEN, 8),
    "dropped": (lambda t: without(t, 7), Fault.DROPPED, 7),
    "three dropped": (lambda t: without(t, 7, 8, 9), Fault.DROPPED, 7),
    "swapped": (lambda t: swapped(t, 7, 8), Fault.SWAPPED, 7),
    "swapped far apart": (lambda t: swapped(t, 7, 10), Fault.SWAPPED, 7),
    "contents exchanged": (lambda t: exchanged(t, 7, 8), Fault.CHANGED, 7),
    "told twice": (lambda t: [*t[:7], t[6], *t[7:]], Fault.SWAPPED, 8),
    "gone without an entry that says so": (
        lambda t: changed(t, 7, data=None, salt=None),
        Fault.CHANGED,
        7,
    ),
}


@pytest.mark.parametrize("story", CASES)
@pytest.mark.parametrize("kept", [0, 5, 6])
def test_a_changed_entry_stops_the_program_and_is_named(story: str, kept: int) -> None:
    tamper, fault, seq = CASES[story]
    told = written(12)
    began = place(told, kept) if kept else None
    portal = Portal(tamper(copy.deepcopy(told)))
    seen = []
    given = iter(client(portal).stream(began))

    def read_on() -> None:
        for found in given:
            seen.append(found.seq)
            assert len(portal.pages) < 10, "it goes on"

    with pytest.raises(HistoryBroken) as broken:
        read_on()
    assert (broken.value.fault, broken.value.seq) == (fault, seq)
    assert f"entry {seq}" in str(broken.value) or f"of entry {seq}" in str(broken.value)
    if "gone without" not in story:  # only what comes after them tells
        assert seen == [], "nothing of a page that does not hold is given out"


OLD: dict[str, tuple[Tamper, Fault, int]] = {
    "the last one handled was changed": (lambda t: changed(t, 8, data={}), Fault.CHANGED, 8),
    "it is gone": (lambda t: without(t, 8), Fault.DROPPED, 8),
    "it changed places with the next": (lambda t: swapped(t, 8, 9), Fault.SWAPPED, 8),
    "all was written anew": (lambda _: written(12, word="forged"), Fault.REWRITTEN, 8),
    "an old backup came back": (lambda t: t[:6], Fault.SHORTER, 7),
    "an old backup, and new entries": (
        lambda t: [*t[:7], *written(12, word="forged")[7:]],
        Fault.REWRITTEN,
        8,
    ),
    "the stream is empty": (lambda _: [], Fault.SHORTER, 1),
    "what was told of, not yet read, was cut off": (lambda t: t[:11], Fault.SHORTER, 12),
    "what was told of was written anew, and went on": (
        lambda t: [
            *t[:11],
            forged := entry(12, t[10]["hash"], {"n": "forged"}),
            entry(13, forged["hash"], {"n": 13}),
        ],
        Fault.REWRITTEN,
        12,
    ),
    "what was told of was written anew": (
        lambda t: [*t[:11], entry(12, t[10]["hash"], {"n": "forged"})],
        Fault.REWRITTEN,
        12,
    ),
}


@pytest.mark.parametrize("story", OLD)
def test_a_program_that_begins_again_sees_what_was_done_meanwhile(story: str) -> None:
    tamper, fault, seq = OLD[story]
    told = written(12)
    portal = Portal(tamper(copy.deepcopy(told)))
    with pytest.raises(HistoryBroken) as broken:
        list(client(portal).stream(place(told, 8), place(told, 12), once=True))
    assert (broken.value.fault, broken.value.seq) == (fault, seq)


@pytest.mark.parametrize(
    ("head", "fault", "seq"),
    [
        ({"seq": 12, "hash": "e" * 64}, Fault.REWRITTEN, 12),
        ({"seq": 11, "hash": "e" * 64}, Fault.REWRITTEN, 11),
        ({"seq": 13, "hash": "e" * 64}, Fault.DROPPED, 13),
        ({"seq": 11, "hash": written(11)[-1]["hash"]}, Fault.REWRITTEN, 12),
    ],
)
def test_an_end_that_is_not_that_of_the_entries(head: Json, fault: Fault, seq: int) -> None:
    with pytest.raises(HistoryBroken) as broken:
        list(client(Portal(written(12), head=head)).stream(once=True))
    assert (broken.value.fault, broken.value.seq) == (fault, seq)


def test_the_end_moves_back_while_the_program_runs() -> None:
    portal, told = Portal(written(12)), written(12)
    given = client(portal).stream()
    assert [next(given).seq for _ in range(12)] == list(range(1, 13))
    portal.entries = [*told[:11], entry(12, told[10]["hash"], {"n": "forged"})]
    with pytest.raises(HistoryBroken, match="entry 12 is not the one that stood there before"):
        next(given)


def test_an_end_that_was_told_holds_until_it_is_reached_pages_later() -> None:
    told = written(30)
    anew = told[:12]
    for seq in range(13, 41):
        anew.append(entry(seq, anew[-1]["hash"], {"n": "forged"}))
    # Told of in an earlier run; and told of by the very page before the past was written anew.
    earlier = client(Portal(anew)).follow(place(told, 5), place(told, 20))
    running = Portal(told)
    reader = client(running).follow(place(told, 5))
    reader.page(limit=5)
    running.entries = anew
    for follower, seq in ((earlier, 20), (reader, 30)):
        with pytest.raises(HistoryBroken) as broken:
            [follower.page(limit=4) for _ in range(10)]
        assert (broken.value.fault, broken.value.seq) == (Fault.REWRITTEN, seq)


def test_erased_data_hold_and_are_told_as_gone() -> None:
    told = list(erased(written(12), 3, 7))
    for began in (None, place(told, 5), place(told, 7)):
        seen = {e.seq: e for e in client(Portal(told)).stream(began, once=True)}
        assert sorted(seen) == list(range(began.seq + 1 if began else 1, 14))
        assert 7 not in seen or (seen[7].data, seen[7].salt) == (None, None)
    small = client(Portal(told)).follow()
    while not (small.polls and small.chain.is_at_end):
        small.page(limit=2)  # named on another page than read
    assert small.polls == 7
    small.page()


def test_pages_are_read_at_once_and_then_the_portal_is_left_in_peace() -> None:
    portal, clock = Portal(written(12), interval="5"), Clock()
    reader = client(portal, clock).follow()
    assert [len(reader.page(limit=5)) for _ in range(3)] == [5, 5, 2]
    assert clock.slept == []
    assert reader.page(wait=25) == ()
    assert clock.slept == [5.0]
    assert reader.page(wait=25) == ()
    assert clock.slept == [5.0, 1.0], "who was let wait asks again at once"
    last = portal.pages[-1]
    assert last.url.params["wait"] == "25"
    assert "If-None-Match" in last.headers, "and a page without news comes without a body"
    for told, waits in {"": 30, "0": 1, "86400": 300, "-5": 30, "1e9": 30}.items():
        portal.interval = told
        reader.page()
        reader.page()
        assert clock.slept[-1] == waits, told
    portal.retry_after = "7"
    reader.page(wait=25)
    reader.page(wait=25)
    assert clock.slept[-1] == 30, "no place to wait was free: the interval counts"


@pytest.mark.parametrize(
    "wrong", [{"seq": True}, {"seq": -1}, {"type": "a\nb"}, {"data": []}, {"order": "x"}]
)
def test_what_is_no_entry_is_no_history(wrong: Json) -> None:
    told = written(1)
    page = {"events": [told[0] | wrong], "next": 1, "more": False, "head": {"seq": 1, "hash": ""}}
    portal = Portal(told, first=[lambda _: httpx.Response(200, json=page)])
    with pytest.raises(Unreadable):
        client(portal).events()
