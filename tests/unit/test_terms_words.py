"""Terms in plain words, and what differs between two versions."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import Clocks, Terms, Window
from liaison.domain.terms_words import Change, Names, compare, said, span, unchanged, ways
from liaison.domain.vocabulary import Channel, DataCategory, Role, TargetType, Urgency
from tests.register import terms

HOUR = timedelta(hours=1)

OTHER: dict[str, Any] = {
    "clocks": {u: Clocks(timedelta(minutes=7), 2 * HOUR) for u in Urgency},
    "ladders": {u: Ladder((Rung(HOUR, Whom.FALLBACK, (Channel.CALL,)),)) for u in Urgency},
    "answer": 3 * HOUR,
    "clock_stops": True,
    "default_days": 60,
    "longest_days": 180,
    "extensions": 2,
    "categories": frozenset({DataCategory.TRAFFIC}),
    "target_types": frozenset({TargetType.PHONE, TargetType.IMSI}),
    "emergency_windows": (
        Window((0, 1, 2, 3, 4), "08:00", "20:00"),
        Window((5,), "09:00", "12:00"),
    ),
    "languages": ("en", "fr"),
    "issuers": frozenset({Role.SUPERVISOR}),
    "ratification": 2 * HOUR,
    "drills_a_year": 12,
    "disposal_confirmation": False,
    "office_hours": (Window((0, 1, 2, 3, 4), "09:00", "18:00"),),
    "observes_holidays": True,
    "reply_acknowledges": True,
}
"""Another value for each term: whoever adds a term adds it here, and to the words."""


def test_every_term_has_another_value_here() -> None:
    """A new term breaks this until it is thought of."""
    assert set(OTHER) == {field.name for field in fields(Terms)}


@pytest.mark.parametrize("name", sorted(OTHER))
def test_no_term_is_left_out_of_the_words(name: str) -> None:
    """Each field is told, and a change of it alone is told as a change of it alone."""
    before = terms()
    after = replace(before, **{name: OTHER[name]})
    assert any(line.key.partition("/")[0] == name for line in said(before))
    changed = compare(before, after)
    assert changed
    theirs = {line.label for line in said(before) + said(after) if line.key.startswith(name)}
    assert {change.label for change in changed} <= theirs
    assert not {change.label for change in compare(before, before)}


def test_lines_have_keys_of_their_own_and_say_something() -> None:
    """No line is empty, and none takes another's place."""
    lines = said(terms())
    assert len({line.key for line in lines}) == len(lines)
    assert all(line.label and line.value and line.explanation for line in lines)


def test_no_clock_is_called_law() -> None:
    """Each time to acknowledge and to preserve says whose it is."""
    for line in said(terms()):
        if line.key.startswith("clocks/"):
            assert "no law sets hours" in line.explanation


def test_terms_read_as_people_say_them() -> None:
    """Spans, lists, windows and rungs."""
    words = {line.key: line.value for line in said(replace(terms(), **OTHER))}
    assert words["clocks/emergency/acknowledge"] == "within 7 min of issue"
    assert words["emergency_windows"] == (
        "Monday to Friday, 08:00 to 20:00; Saturday, 09:00 to 12:00"
    )
    assert words["target_types"] == "Phone number, IMSI"
    assert words["default_days"] == "60 days, unless the order says otherwise"
    assert words["ladders/urgent/0"] == "after 1 h, fallback addressee by phone call"
    assert words["ladders/urgent/page_every"] == "the contact point’s supervisor, every 15 min"


def test_a_rung_that_repeats_and_one_that_names_somebody() -> None:
    """Who it is is told by name."""
    rungs = (
        Rung(timedelta(0), Whom.NAMED, (Channel.EMAIL, Channel.CALL), "an id", 1, 5 * HOUR),
        Rung(HOUR, Whom.DUTY_OFFICER, (Channel.EMAIL,), None, 2, timedelta(minutes=5)),
    )
    with_names = replace(terms(), ladders={u: Ladder(rungs) for u in Urgency})
    words = {x.key: x.value for x in said(with_names, Names(contact=lambda _: "Ani Petrosyan"))}
    assert words["ladders/routine/0"] == (
        "at once, Ani Petrosyan by e-mail and phone call, 1 more time every 5 h"
    )
    assert words["ladders/routine/1"] == (
        "after 1 h, the contact point’s duty officer by e-mail, 2 more times every 5 min"
    )


def test_ways_are_told_in_their_own_order_with_one_and() -> None:
    every = (Channel.CALL, Channel.EMAIL, Channel.VOICE, Channel.TEXT)
    assert ways(every) == "e-mail, text message, automatic call and phone call"
    assert ways(every[:2], "or") == "e-mail or phone call"
    assert (ways((Channel.TEXT,)), ways(())) == ("text message", "no way")


def test_one_rung_more_is_one_change() -> None:
    """Those behind it moved, and are the same."""
    before = terms()
    ladder = before.ladders[Urgency.EMERGENCY]
    more = Rung(timedelta(minutes=20), Whom.FALLBACK, (Channel.CALL,))
    longer = Ladder((*ladder.rungs[:2], more, *ladder.rungs[2:]), ladder.page_every)
    after = replace(before, ladders={**before.ladders, Urgency.EMERGENCY: longer})
    told = "after 20 min, fallback addressee by phone call"
    assert compare(before, after) == [Change("Emergency: ladder, rung 3", "", told)]
    assert compare(after, before) == [Change("Emergency: ladder, rung 3", told, "")]
    assert len(unchanged(before, after)) == len(said(before))


def test_what_changed_and_what_did_not_are_all_there_is() -> None:
    """No line falls between the two."""
    before, after = terms(), replace(terms(), answer=2 * HOUR, extensions=4)
    assert [(c.label, c.before, c.after) for c in compare(before, after)] == [
        (
            "Questions of the provider",
            "answered by the contact point within 24 h",
            "answered by the contact point within 2 h",
        ),
        ("Extensions", "1 extension", "4 extensions"),
    ]
    assert len(unchanged(before, after)) == len(said(after)) - 2


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0 min"),
        (45, "45 min"),
        (90, "1 h 30 min"),
        (26 * 60, "26 h"),
        (48 * 60, "2 days"),
        (10 * 1440 + 61, "10 days 1 h 1 min"),
    ],
)
def test_no_minute_of_a_span_is_rounded_away(minutes: int, words: str) -> None:
    """Two versions that differ by a minute must not read alike."""
    assert span(timedelta(minutes=minutes)) == words
