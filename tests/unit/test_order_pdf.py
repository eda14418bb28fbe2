"""The order for people: its PDF holds the signed order, and no text breaks it or hides in it."""

from __future__ import annotations

import json
import re
import threading
import zlib
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from liaison import typesetting
from liaison.documents import order_pdf
from liaison.documents.glyphs import NARROW, WIDE, Shown
from liaison.typesetting import NotDrawn, first_that_sets

SIGNED = "eyJhbGciOiJFZERTQSJ9." + "e30" * 500 + ".c2ln"
SHA256 = "ab" * 32
CHECK_AT = "https://portal.example/verify"

TARGET = {
    "id": "019abc00-0000-7000-8000-000000000002",
    "type": "ip_address",
    "value": "198.51.100.24",
    "entered": "198.51.100.024",
    "port": 51820,
    "protocol": "udp",
    "service": None,
    "from": "2026-11-23T01:10:00Z",
    "to": "2026-11-23T01:40:00Z",
    "data": ["subscriber", "traffic"],
    "relation": "Address the last message came from",
}

ORDER: dict[str, Any] = {
    "id": "019abc00-0000-7000-8000-000000000001",
    "ref": "EM-2026-0412",
    "urgency": "emergency",
    "status": "follow-up-to-mla",
    "origin": {
        "kind": "foreign",
        "party": "NL",
        "authority": "24/7 contact point",
        "reference": "NL-1",
        "previous": [{"date": "2026-10-01", "reference": "NL-0"}],
    },
    "issued_at": "2026-11-23T12:00:00Z",
    "acknowledge_by": "2026-11-23T12:30:00Z",
    "preserve_by": "2026-11-23T16:00:00Z",
    "authority": {
        "name": "National 24/7 contact point",
        "officer": {"name": "A. Petrosyan", "phone": "+37410123456", "preferred_answer": "portal"},
        "contact": {"name": "Duty desk", "email": "desk@police.example"},
    },
    "investigating_authority": {"name": "Regional Police", "case_number": "MP-2026-0231"},
    "prosecution": None,
    "provider": {"id": "x", "name": "Meridian Telecom"},
    "legal_basis": [{"instrument": "budapest-convention", "articles": ["16", "29"]}],
    "memorandum": {"ref": "MoU-MER-2025", "version": 2},
    "offence": "Abduction of a minor",
    "facts": "A child is missing.",
    "necessity": "Logs are kept for a day.",
    "custodian": None,
    "targets": [TARGET],
    "duration_days": 90,
    "confidential_until": "2027-02-01",
    "no_user_notice": True,
    "partial_disclosure": True,
    "mla": {"intended": True, "expected_by": "2027-01-15"},
    "emergency_ground": "Risk to a life",
}


def made(*, tries: int = 2, **changes: Any) -> bytes:
    """The PDF of an order; of one try only where the first has to do."""
    return first_that_sets(
        order_pdf.TEMPLATE,
        islice(order_pdf.texts(ORDER | changes, SHA256, CHECK_AT), tries),
        {"jws": SIGNED},
        datetime(2026, 11, 23, 12, tzinfo=UTC),
    )


def data(**changes: Any) -> dict[str, Any]:
    """What the template is given first."""
    found: dict[str, Any] = json.loads(next(order_pdf.texts(ORDER | changes, SHA256, CHECK_AT)))
    return found


def said(told: dict[str, Any]) -> dict[str, str]:
    """Label and text of every row."""
    return {
        row["label"]: "\n".join("".join(line) for line in row["lines"])
        for section in told["sections"]
        for row in section["rows"]
    }


def attached(pdf: bytes) -> bytes:
    """The one file within it."""
    (found,) = re.findall(rb"<<([^\n]*)/Type/EmbeddedFile([^\n]*)>>\s*stream\r?\n", pdf) or [()]
    at = pdf.index(b"stream", pdf.index(b"/Type/EmbeddedFile")) + 6
    raw = pdf[at : pdf.index(b"endstream", at)].lstrip(b"\r\n")
    return zlib.decompress(raw) if b"FlateDecode" in b"".join(found) else raw.rstrip(b"\r\n")


def test_it_holds_the_signed_order_and_keeps_the_standards() -> None:
    pdf = made()
    assert attached(pdf).decode() == SIGNED
    assert b"(EM-2026-0412.jws)" in pdf
    assert b"/AFRelationship/Source" in pdf
    for mark in (b"<pdfaid:part>3</pdfaid:part>", b"<pdfuaid:part>1</pdfuaid:part>", b"/Lang(en)"):
        assert mark in pdf
    assert made() == pdf, "the same order gives the same file"


def test_it_says_all_that_was_served() -> None:
    told = data()
    rows = said(told)
    assert rows["From"] == "National 24/7 contact point"
    assert rows["Acknowledge by"] == "23 November 2026, 12:30:00 UTC (a term of the memorandum)"
    assert rows["Confidentiality"] == "Confidential until 2027-02-01. The user must not be told."
    assert rows["MLA request"] == "Will follow, expected by 2027-01-15."
    assert rows["Legal basis"] == "Budapest Convention (ETS 185), articles 16, 29"
    assert rows["Origin"] == "Foreign: NL, 24/7 contact point, reference NL-1"
    assert rows["Status"].endswith("\nNL-0 of 2026-10-01")
    assert "Prosecution" not in rows
    (target,) = told["targets"]
    assert target["beside"] == [["port 51820, udp, as typed: 198.51.100.024"]]
    assert (told["test"], told["coded"]) == (False, False)
    assert data(test=True)["test"] is True
    # Nothing of the order is left out: each text is a row, a target, or the head.
    everything = json.dumps(told, ensure_ascii=False)
    for text in ("MoU-MER-2025", "desk@police.example", "Risk to a life", "MP-2026-0231", SHA256):
        assert text in everything


def test_each_letter_that_is_promised_has_a_shape() -> None:
    for ranges in (NARROW, WIDE):
        pairs = (part.split("-") for part in ranges.split())
        letters = [chr(c) for a, b in pairs for c in range(int(a, 16), int(b, 16) + 1)]
        shown = Shown(ranges)
        assert shown.text("".join(letters)).startswith(" !")
        assert not shown.coded
    made(facts=" ".join(letters), necessity="".join(letters), tries=1)


def test_what_has_no_shape_hides_or_turns_stands_as_its_code() -> None:
    told = data(facts="a\u202eb\u200bc 中 \U0001f600\x07\ttab\r\nnext e\u0301 q\u0301 \ud800")
    assert said(told)["Facts"] == (
        "a[U+202E]b[U+200B]c [U+4E2D] [U+1F600][U+0007] tab\nnext é q[U+0301] [U+D800]"
    )
    assert told["coded"]
    # A long word is broken between pieces, and nothing is written there.
    value = "https://example.org/" + "a" * 100
    (lines,) = data(targets=[TARGET | {"value": value}])["targets"][0]["value"]
    assert "".join(lines) == value
    assert max(len(piece) for piece in lines) <= 24


HOSTILE = {
    "markup": '#panic("x") #{while true {}} $x$ @label *b* `r` = h\n// c /* <l> #pdf.attach("x")',
    "quotes": '"}] #sys.inputs {"sections": []} \\" \\\\',
    "bidi": "\u202e\u2066\u2067abc" * 300,
    "right to left": "שלום abc العربية 12 " * 400,
    "controls and marks": "".join(map(chr, range(0x700))) + "e\u0301\u0302\u0303" * 300,
    "one word": "x" * 10_000,
    "brackets": "([{" * 3_000,
    "lines": "\n" * 2_000,
}


def test_no_text_stops_it_or_is_a_command() -> None:
    """All of them in one order, in every field that people write."""
    everything = "\n".join(HOSTILE.values())
    pdf = made(
        tries=1,
        facts=everything,
        necessity=HOSTILE["markup"],
        provider={"id": "x", "name": HOSTILE["markup"]},
        targets=[
            TARGET | {"value": text[:500], "relation": text[:500]} for text in HOSTILE.values()
        ],
    )
    assert attached(pdf).decode() == SIGNED
    assert pdf.count(b"/Type/EmbeddedFile") == 1


def test_a_thousand_targets_are_set_in_time() -> None:
    targets = [TARGET | {"value": f"198.51.{n // 250}.{n % 250}"} for n in range(1000)]
    assert made(targets=targets).startswith(b"%PDF-")


def test_where_none_can_be_made_the_signed_order_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child, tried = tmp_path / "child.py", tmp_path / "tried"
    note = f"open({str(tried)!r}, 'a').write('x')\n"
    monkeypatch.setattr(typesetting, "_CHILD", child)
    monkeypatch.setattr(typesetting, "LIMIT", 1.0)
    for falls in (
        "raise SystemExit(1)",
        "import os; os.abort()",
        "print('no pdf')",
        "while True: 0",
    ):
        tried.unlink(missing_ok=True)
        child.write_text(note + falls)
        with pytest.raises(NotDrawn, match="Take the signed order") as refused:
            made()
        assert (refused.value.status, refused.value.slug) == (503, "busy")
        assert tried.read_text() == "xx", "fewer letters were tried, too"
    # One too large is not even begun, nor one for which no turn comes.
    tried.unlink()
    monkeypatch.setattr(typesetting, "LARGEST", 10)
    with pytest.raises(NotDrawn):
        made()
    monkeypatch.setattr(typesetting, "WAIT", 0.01)
    held = [typesetting._turns.acquire() for _ in range(typesetting.AT_ONCE)]
    try:
        with pytest.raises(NotDrawn):
            made()
    finally:
        for _ in held:
            typesetting._turns.release()
    assert not tried.exists()


def test_who_asks_for_many_at_once_does_not_take_every_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One key may ask as often as its limit allows; polls are answered by the same threads."""
    over, asks, refused = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

    class Busy:
        """Turns of which none comes until it is over."""

        def acquire(self, timeout: float) -> bool:
            asks.release()
            over.wait()
            return False

    def ask() -> None:
        with pytest.raises(NotDrawn):
            made()
        refused.release()

    monkeypatch.setattr(typesetting, "_turns", Busy())
    threads = [threading.Thread(target=ask) for _ in range(16)]
    try:
        for thread in threads:
            thread.start()
        places = typesetting.AT_ONCE + typesetting.WAITING
        got = [refused.acquire(timeout=1) for _ in range(16 - places)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert all(got), "who finds no place is answered at once"
    assert [asks.acquire(blocking=False) for _ in range(places + 1)] == [True] * places + [False]


def test_its_process_is_given_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child, seen = tmp_path / "child.py", tmp_path / "seen"
    child.write_text(
        f"import os, sys\nopen({str(seen)!r}, 'w').write(repr([*os.environ.values(), sys.argv]))"
    )
    monkeypatch.setattr(typesetting, "_CHILD", child)
    monkeypatch.setenv("LIAISON_SECRET_KEY", "very secret")
    with pytest.raises(NotDrawn):
        made()
    assert "secret" not in seen.read_text()
    assert "Meridian" not in seen.read_text()
