"""The letters: what they say, and what they never say."""

from __future__ import annotations

import re

import pytest

from liaison.documents.letters import FOLDER, compose

PARAMS = {
    "ref": "CP-2026-0001",
    "urgency": "emergency",
    "provider": "Meridian <Telecom> & Co",
    "authority": "Republic Contact Point",
    "name": "Karen Hovsepyan",
    "due": "2026-11-23T13:00:00+00:00",
    "climb": "acknowledge",
    "rung": "SPOC on duty",
    "answer": "acknowledged",
    "said": "acknowledged",
    "addressee": "Lilit Sargsyan",
    "days": 2,
    "day": "15 Jan 2027",
    "shorter": True,
    "how": "released",
    "disposal": True,
    "kind": "mla",
    "by": "Mariam Grigoryan",
    "asked": "2026-11-22T13:00:00+00:00",
    "since": "2026-11-23T12:30:00+00:00",
    "needed": 2,
    "what": "nobody was told that a question waits",
    "vouches": 1,
}

LETTERS = sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem != "letter")


def test_every_letter_that_verbs_queue_is_there() -> None:
    named = set()
    for path in FOLDER.parents[1].glob("liaison/**/*.py"):
        source = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'Notice\(\s*"(\w+)"', source))
        named |= set(re.findall(r'letter = "(\w+)"', source))
    assert named >= {"order_withdrawn", "answer", "order_expired", "delivery_failed"}
    assert named <= set(LETTERS)


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("climb", ["acknowledge", "preserve"])
@pytest.mark.parametrize("answer", ["acknowledged", "preserved", "declined"])
def test_a_letter_says_where_to_look(letter: str, climb: str, answer: str) -> None:
    made = compose(
        letter, {**PARAMS, "climb": climb, "answer": answer}, "https://cp.example/", "production"
    )
    assert "CP-2026-0001" in made.subject
    assert "\n" not in made.subject
    assert "DEMO" not in made.subject + made.text + made.html
    for part in (made.text, made.html):
        assert "https://cp.example/orders/CP-2026-0001" in part
        assert "Look in the portal" in part
        assert "Karen Hovsepyan" in part
        assert "{{" not in part
    assert "Meridian <Telecom>" not in made.html


@pytest.mark.parametrize("letter", ["order_issued", "escalation", "supervisor_page"])
def test_times_are_in_utc(letter: str) -> None:
    params = {**PARAMS, "due": "2026-11-23T17:00:00+04:00"}
    made = compose(letter, params, "https://cp.example", "production")
    assert "23 Nov 2026, 13:00 UTC" in made.text
    assert "Emergency" in made.text


@pytest.mark.parametrize("letter", LETTERS)
def test_the_demo_says_so(letter: str) -> None:
    made = compose(letter, PARAMS, "http://127.0.0.1:8000", "demo")
    assert made.subject.startswith("[DEMO] ")
    assert "DEMO: nothing here is real." in made.text
    assert "DEMO: nothing here is real." in made.html


def test_a_line_break_in_a_name_stays_out_of_the_subject() -> None:
    made = compose("answer", {**PARAMS, "ref": "CP\r\nBcc: x"}, "https://cp.example", "test")
    assert made.subject == "Order CP Bcc: x: the contact point has written to you"


def test_there_is_no_other_letter() -> None:
    for name in ("no_such", "../mail/answer", "letter.html"):
        with pytest.raises(ValueError, match="There is no letter"):
            compose(name, PARAMS, "https://cp.example", "test")


def test_an_invitation_says_who_invites_to_what_and_leads_by_its_own_link() -> None:
    params = {
        "name": "Zara <Ghukasyan>",
        "inviter": "Davit\r\nBcc: x",
        "organisation": "Republic Contact Point",
        "roles": "Officer, Auditor",
        "until": "2026-11-26T16:00:00+04:00",
        "link": "https://cp.example/invitation/signed",
    }
    made = compose("invitation", params, "https://cp.example/", "demo")
    assert made.subject == "[DEMO] You are invited to the portal of Republic Contact Point"
    for part in (made.text, made.html):
        assert "https://cp.example/invitation/signed" in part
        assert "26 Nov 2026, 12:00 UTC" in part
        assert "Davit Bcc: x invites you" in part
        assert "Officer, Auditor" in part
        assert "DEMO: nothing here is real." in part
    assert "<Ghukasyan>" not in made.html
