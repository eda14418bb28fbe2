"""Notices for a telephone: short enough, plain enough, and what they say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.documents.short_notices import fits, short_notice
from liaison.domain.vocabulary import Channel, Urgency

BASE = "https://liaison.police.example"
PARAMS: dict[str, Any] = {
    "ref": "CP-2026-0001",
    "urgency": "emergency",
    "provider": "Meridian Telecom",
    "authority": "National 24/7 Contact Point",
    "name": "Ruben",
    "test": False,
    "climb": "acknowledge",
    "due": "2026-11-23T17:00:00+04:00",
    "reply": True,
}


def text(letter: str = "escalation", env: str = "production", **changes: Any) -> str:
    return short_notice(Channel.TEXT, letter, PARAMS | changes, BASE, env)


def test_a_text_has_marker_ref_provider_deadline_and_place() -> None:
    assert text() == (
        "EMERGENCY CP-2026-0001 Meridian Telecom: not acknowledged. By 23 Nov 13:00 UTC. "
        "https://liaison.police.example Reply 1 to confirm receipt."
    )
    assert text(reply=False).endswith("police.example")
    assert text(urgency="routine").startswith("CP-2026-0001")
    assert text(test=True, env="demo").startswith("DEMO TEST EMERGENCY CP-2026-0001 Mer")


def test_a_long_name_is_shortened_before_anything_else() -> None:
    long = text(provider="The Honourable Society of Telephones, Telegraphs and Wireless of Yerevan")
    assert long.startswith("EMERGENCY CP-2026-0001 The Honourable Society of Telepho")
    assert long.endswith("Reply 1 to confirm receipt.")
    assert len(long) == 160
    assert text(provider="{" * 60).count("{") < 30, "some letters take the room of two"


def test_another_script_has_less_room() -> None:
    armenian = text(provider="Մերիդիան Տելեկոմ ընկերություն, Երևան" * 3)
    assert "Մ" in armenian
    assert len(armenian) <= 134
    assert not fits("Մ" * 135)
    assert fits("€" * 80)
    assert not fits("€" * 81)


@given(
    provider=st.text(min_size=1, max_size=200),
    ref=st.from_regex(r"[A-Z]{2,8}(-TEST)?-20[0-9]{2}-[0-9]{4,6}", fullmatch=True),
    urgency=st.sampled_from([u.value for u in Urgency]),
    letter=st.sampled_from(["escalation", "supervisor_page", "order_doubted", "anything"]),
    base=st.sampled_from(
        ["http://localhost", BASE, "https://" + "very-long-name." * 9 + "example"]
    ),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_it_always_fits_and_always_names_the_order(
    provider: str, ref: str, urgency: str, letter: str, base: str, flags: tuple[bool, bool]
) -> None:
    test, reply = flags
    changes = {"provider": provider, "ref": ref, "urgency": urgency, "test": test, "reply": reply}
    said = short_notice(Channel.TEXT, letter, PARAMS | changes, base, "demo")
    assert fits(said)
    assert ref in said
    assert "\n" not in said
    assert said.endswith("Reply 1 to confirm receipt.") is reply
    assert ("TEST" in said.split(ref)[0]) is test


def test_a_call_is_read_out_in_words() -> None:
    said = short_notice(Channel.VOICE, "order_issued", PARAMS | {"test": True}, BASE, "production")
    assert said == (
        "This is an automatic call of National 24/7 Contact Point. This is a test, a drill. "
        "Emergency. A preservation order waits for your acknowledgement. "
        "Provider: Meridian Telecom. Order number: C P, 2 0 2 6, 0 0 0 1. "
        "The time ends on 23 November at 13:00 UTC. Please sign in to the portal. "
        "To confirm receipt, press 1."
    )


@pytest.mark.parametrize("channel", [Channel.TEXT, Channel.VOICE])
def test_a_letter_without_short_words_still_says_where_to_look(channel: Channel) -> None:
    said = short_notice(channel, "new_letter", {**PARAMS, "reply": False}, BASE, "production")
    assert "portal" in said
