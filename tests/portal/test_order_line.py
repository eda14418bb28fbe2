"""The line of rungs under an order's clock: every mark has its words, and none covers another's."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import combinations

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from liaison.models import Order
from liaison.portal.orders import timeline
from liaison.portal.orders.timeline import Mark
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn
from tests.portal.test_ladder_pages import REASON, send
from tests.world import World

pytestmark = pytest.mark.one_database


@pytest.fixture
def work(settings: Settings, world: World, sender: RecordingSender) -> Work:
    return Work(settings, world.database, world.clock, sender, name="worker-1")


def words(client: FlaskClient, order: Order) -> list[str]:
    """What stands on the line, the marks only."""
    svg = client.get(f"/orders/{order.name}").text.partition('<svg aria-hidden="true"')[2]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg.partition("</svg>")[0])
    assert svg.partition("</svg>")[0].count("<line") == len(texts) - 2, "a mark without words"
    assert texts[-2] == "Sent"
    return texts[:-2]


def test_every_rung_has_its_words_after_it_was_hastened(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order, client = world.issue(), signed_in("officer")
    run_once(work)
    planned = words(client, order)
    assert len(planned) >= 3
    assert "15 min Every SPOC" in planned
    for seconds in (20, 30):
        world.clock.move(seconds=seconds)
        assert send(client, order, "escalate", reason=REASON).status_code == 303
        run_once(work)
    shown = words(client, order)
    assert shown[:2] == ["✓ 20 s Every SPOC", "✓ 50 s Fallback addressee"]
    assert any(text.endswith("Our duty officer") for text in shown[2:])
    theirs = words(signed_in("spoc"), order)
    assert theirs == shown[:2], "what is to come is ours"


def test_the_rung_that_was_skipped_to_has_its_words(
    world: World, signed_in: SignedIn, work: Work
) -> None:
    order, client = world.issue(), signed_in("officer")
    run_once(work)
    world.clock.move(seconds=40)
    assert send(client, order, "skip", to="3", reason=REASON).status_code == 303
    run_once(work)
    (first, *_) = words(client, order)
    assert first == "✓ 40 s Our duty officer"
    theirs = words(signed_in("spoc"), order)
    assert theirs == ["✓ 40 s The contact point"]


places = st.lists(
    st.tuples(
        st.integers(1, 999), st.sampled_from(["1 min Every SPOC", "✓ 15 min Fallback addressee"])
    ),
    max_size=9,
)


@given(places)
def test_no_label_covers_another(given_: list[tuple[int, str]]) -> None:
    ends = [(0.0, 8.0), (80.0, 100.0)]
    placed = timeline._placed([Mark(str(x / 10), text, False) for x, text in given_], ends)
    assert len(placed) == len(given_)
    stretches = [(0, *end) for end in ends]
    for mark in placed:
        x, width = float(mark.x), timeline._width(mark.label)
        begin = {"start": x, "middle": x - width / 2, "end": x - width}[mark.anchor]
        assert begin >= -0.001
        assert begin + width <= 100.001
        stretches.append((mark.lane, begin, begin + width))
    for (lane, begin, end), (other, first, last) in combinations(stretches, 2):
        assert lane != other or end <= first + 0.001 or last <= begin + 0.001


def test_a_short_time_is_told_in_seconds() -> None:
    assert timeline._after(timedelta(seconds=59)) == "59 s"
    assert timeline._after(timedelta(seconds=60)) == "1 min"
