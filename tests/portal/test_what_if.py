"""The page that says what an order would set going, by name and minute."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from liaison.domain.vocabulary import MemorandumState
from liaison.models import CallTask, Entry, Memorandum, Message
from tests.keeping import with_terms
from tests.portal.filled import SignedIn
from tests.portal.test_memoranda import words
from tests.world import World

pytestmark = pytest.mark.one_database


def of_meridian(world: World) -> UUID:
    """The memorandum in force between the contact point and Meridian Telecom."""
    with world.database.reading() as session:
        return session.scalars(
            select(Memorandum.id).where(
                Memorandum.authority_id == world.register.authorities["CP"],
                Memorandum.provider_id == world.register.providers["Meridian Telecom"],
            )
        ).one()


def page(world: World) -> str:
    return f"/memoranda/{of_meridian(world)}/what-if"


def rows(html: str) -> list[str]:
    """The steps, each in one line."""
    body = html.partition("Each step of the ladder")[2].partition("</table>")[0]
    return [words(f"<main {row}") for row in body.split("<tr>")[2:]]


def test_an_emergency_at_night(world: World, signed_in: SignedIn) -> None:
    """Due times, people, ways and clock times on both sides' clocks."""
    answer = signed_in("officer").get(f"{page(world)}?urgency=emergency&at=2026-11-25+02:14")
    assert answer.status_code == 200
    told = words(answer.text)
    assert "An emergency order issued then (Wed 25 Nov 2026 02:14 UTC, 06:14 Yerevan)" in told
    assert "to be acknowledged by 25 Nov 2026, 03:14 UTC (07:14 Yerevan)" in told
    assert "to be preserved by 25 Nov 2026, 06:14 UTC (10:14 Yerevan)" in told
    assert "after a late acknowledgement not before 3 h have passed since it" in told
    steps = rows(answer.text)
    assert [row[:18] for row in steps] == ["25 Nov 2026, 02:14"] * 2 + [
        f"25 Nov 2026, {at}" for at in ("02:29", "02:44", "02:59", "03:14", "03:29", "03:44")
    ]
    assert "At issue SPOC at meridian.example (SPOC) : phone call" in steps[0]
    assert "SPOC at meridian.example (SPOC) : e-mail ; the call to them is still open" in steps[1]
    assert (
        "Fallback addressee at meridian.example (Fallback addressee) : e-mail and phone call"
        in (steps[3])
    )
    assert "At the top, page 1 Supervisor at police.example" in steps[5]


def test_a_routine_order_waits_for_the_provider_to_open(world: World, signed_in: SignedIn) -> None:
    """Asked on a Saturday: theirs on Monday, in their own time; ours when the ladder says so."""
    hours = [{"days": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "18:00"}]
    with_terms(world, office_hours=hours)
    ask = f"{page(world)}?urgency=routine&at=2026-11-28+10:00"
    answer = signed_in("spoc").get(ask)
    steps = rows(answer.text)
    assert "29 Nov 2026" not in " ".join(steps[1:])
    assert "30 Nov 2026, 05:00 UTC" in steps[1]
    assert "SPOC on duty waits until Monday 09:00 (provider’s hours)" in steps[1]
    # The fallback addressee’s is due when they have opened, and our duty officer does not wait.
    assert [n for n, row in enumerate(steps) if "waits until" in row] == [1, 2]
    assert "in its hours only" in words(answer.text)
    urgent = signed_in("spoc").get(ask.replace("routine", "urgent"))
    assert "waits until" not in urgent.text


def test_without_a_moment_it_is_now_and_an_emergency(world: World, signed_in: SignedIn) -> None:
    """The question of somebody at three in the morning needs no field."""
    told = words(signed_in("spoc").get(page(world)).text)
    assert "An emergency order issued now (Mon 23 Nov 2026 12:00 UTC, 16:00 Yerevan)" in told


def test_a_moment_is_typed_on_a_clock_of_ones_own(world: World, signed_in: SignedIn) -> None:
    """The zone beside it counts, unless the text has its own."""
    client = signed_in("officer")
    here = client.get(f"{page(world)}?at=2026-11-25+06:14&zone=Asia/Yerevan&urgency=routine")
    assert "A routine order issued then (Wed 25 Nov 2026 02:14 UTC" in words(here.text)
    own = client.get(f"{page(world)}?at=2026-11-25+06:14Z&zone=Asia/Yerevan&urgency=urgent")
    assert "An urgent order issued then (Wed 25 Nov 2026 06:14 UTC" in words(own.text)


@pytest.mark.parametrize(
    "query",
    [
        "at=tomorrow",
        "at=2026-13-45+10:00Z",
        "at=2026-02-30+10:00",
        "at=9999-12-31+23:59",
        "at=0001-01-01+00:00%2B14:00",
        "at=2040-01-01+00:00",
        "urgency=whenever",
        "zone=Europe/../../etc/passwd",
        "zone=Mars/Olympus",
        "at=%00",
    ],
)
def test_what_cannot_be_asked_is_said(world: World, signed_in: SignedIn, query: str) -> None:
    """What was typed stays, and nothing is told of another moment instead."""
    answer = signed_in("officer").get(f"{page(world)}?{query}")
    assert answer.status_code == 422
    assert "There is a problem" in words(answer.text)
    assert rows(answer.text) == []


def test_a_draft_says_that_it_is_one(world: World, signed_in: SignedIn) -> None:
    """It works for what is not agreed yet, and does not pretend."""
    assert "This is a draft" not in signed_in("officer").get(page(world)).text
    with world.database.transaction() as session:
        session.get_one(Memorandum, of_meridian(world)).state = MemorandumState.DRAFT
    assert "This is a draft: it binds nobody" in words(signed_in("spoc").get(page(world)).text)


def test_on_a_day_outside_its_dates_it_says_that_others_hold(
    world: World, signed_in: SignedIn
) -> None:
    """These would not be the terms."""
    told = words(signed_in("officer").get(f"{page(world)}?at=2029-01-01+00:00").text)
    assert "would not be under these terms" in told


def test_numbers_stand_on_the_contacts_page_and_not_here(world: World, signed_in: SignedIn) -> None:
    """Names, functions and ways; no phone number, no address."""
    html = signed_in("spoc").get(page(world)).text.partition("<main")[2]
    assert "+374" not in html
    assert not re.search(r"[\w.]+@(meridian|police)\.example", html)


def test_asking_changes_nothing(world: World, signed_in: SignedIn) -> None:
    """No notice, no call, no entry: it is only a question."""

    def counts() -> list[int]:
        with world.database.reading() as session:
            return [len(session.scalars(select(t)).all()) for t in (Message, CallTask, Entry)]

    client = signed_in("officer")
    before = counts()
    client.get(page(world))
    assert counts() == before


def test_others_memoranda_are_not_there(world: World, signed_in: SignedIn) -> None:
    """Another authority's officer and another provider's SPOC alike."""
    for who in ("foreign_officer", "norvik_spoc"):
        assert signed_in(who).get(page(world)).status_code == 404


def test_daylight_saving_time_on_a_providers_clock(world: World, signed_in: SignedIn) -> None:
    """A time that comes twice is asked back; with its offset it is taken."""
    with world.database.transaction() as session:
        found = session.get_one(Memorandum, of_meridian(world))
        found.provider.time_zone = "Europe/Oslo"
    client = signed_in("officer")
    twice = client.get(f"{page(world)}?at=2026-10-25+02:30&zone=Europe/Oslo")
    assert twice.status_code == 422
    assert "comes twice or not at all" in words(twice.text)
    once = client.get(f"{page(world)}?at=2026-10-25+02:30%2B02:00&zone=Europe/Oslo")
    assert "Sun 25 Oct 2026 00:30 UTC" in words(once.text)
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC).isoformat()[:16] in once.text
