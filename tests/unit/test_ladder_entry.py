"""A ladder as people type it: read whole, or every fault named by its place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from liaison.domain.ladder import Rung, Whom
from liaison.domain.ladder_entry import MOST_RUNGS, read_ladder, read_what_can_be
from liaison.domain.vocabulary import Channel
from liaison.errors import Invalid

SOMEBODY = "0197f3a0-0000-7000-8000-000000000001"


def row(**changes: Any) -> dict[str, Any]:
    """A rung as the form sends it."""
    usual = {"after": "15", "whom": "every_spoc", "contact": "", "channels": ["email"]}
    return {**usual, "repeats": "0", "every": "", **changes}


def faults(*rows: dict[str, Any], page_every: str = "15") -> dict[str, str]:
    """What is said of rows that cannot be read, by place."""
    with pytest.raises(Invalid) as refused:
        read_ladder(rows, page_every)
    return {error.pointer: error.detail for error in refused.value.errors}


def test_rungs_stand_in_the_order_of_time_however_they_were_typed() -> None:
    """A rung that is entered last may call first."""
    read = read_ladder([row(), row(after=" 0 ", whom="on_duty", channels=["call", "email"])], "30")
    assert read.page_every == timedelta(minutes=30)
    assert read.rungs == (
        Rung(timedelta(0), Whom.ON_DUTY, (Channel.EMAIL, Channel.CALL)),
        Rung(timedelta(minutes=15), Whom.EVERY_SPOC, (Channel.EMAIL,)),
    )


def test_a_rung_repeats_at_its_interval() -> None:
    """Repeats and interval go together; without repeats the interval says nothing."""
    read = read_ladder([row(repeats="3", every="5"), row(repeats="", every="nonsense")], "15")
    assert [(r.repeats, r.every) for r in read.rungs] == [
        (3, timedelta(minutes=5)),
        (0, timedelta(0)),
    ]


def test_a_named_contact_is_kept_only_where_one_is_called() -> None:
    """What stood in the field of another rung is left aside."""
    read = read_ladder([row(whom="named", contact=SOMEBODY), row(contact=SOMEBODY)], "15")
    assert [r.contact for r in read.rungs] == [SOMEBODY, None]


def test_every_fault_is_named_at_once() -> None:
    """One look is enough to mend all of it."""
    found = faults(
        row(after="soon", channels=[]),
        row(whom="the mayor", repeats="21"),
        row(whom="named", contact="somebody", repeats="2", every="0"),
        page_every="4",
    )
    assert set(found) == {
        "/rungs/0/after",
        "/rungs/0/channels",
        "/rungs/1/whom",
        "/rungs/1/repeats",
        "/rungs/2/contact",
        "/rungs/2/every",
        "/page_every",
    }
    assert found["/page_every"] == "Enter a whole number from 5 to 1440."


@pytest.mark.parametrize("after", ["", "-1", "1.5", "٣", "1e3", "9" * 4000, "86401", None])
def test_what_is_no_number_of_minutes_is_refused(after: str | None) -> None:
    """Nor is one that no term can have."""
    assert set(faults(row(after=after))) == {"/rungs/0/after"}


@pytest.mark.parametrize("channels", [["email", "pigeon"], "email", None, ["email", ["call"]]])
def test_ways_are_of_the_list(channels: object) -> None:
    """A way that is not known is not left out silently."""
    assert set(faults(row(channels=channels))) == {"/rungs/0/channels"}


def test_a_ladder_has_at_least_one_rung_and_at_most_twenty() -> None:
    """None calls nobody; hundreds are nobody's agreement."""
    assert set(faults()) == {"/rungs"}
    assert "there are 21" in faults(*[row()] * (MOST_RUNGS + 1))["/rungs"]
    assert len(read_ladder([row()] * MOST_RUNGS, "15").rungs) == MOST_RUNGS


def test_a_ladder_calls_sixty_times_at_most_repeats_counted() -> None:
    """Twenty rungs with twenty repeats each would be four hundred."""
    often = row(repeats="19", every="1")
    assert len(read_ladder([often] * 3, "15").rungs) == 3
    assert "calls 61 times" in faults(*[often] * 3, row())["/rungs"]


def test_the_picture_is_drawn_of_what_can_be_read() -> None:
    """A row that is not finished does not hide the others."""
    seen = read_what_can_be([row(after=""), row(after="5")], "")
    assert [r.after for r in seen.rungs] == [timedelta(minutes=5)]
    assert seen.page_every == timedelta(minutes=15)
