"""Orders of many targets: the list is fetched as CSV, filled in, and sent back as the report."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest

from liaison.domain.draft_targets import MOST_TARGETS
from tests.api.program import Program, faults, slug
from tests.world import World

MANY = "07-botnet-240-targets.json"
CSV = "text/csv; charset=utf-8"

Lines = list[dict[str, str]]


def fetched(program: Program, ref: str) -> Lines:
    """The file of the order's targets, read."""
    answer = program.get(f"/orders/{ref}/targets.csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{ref}-targets.csv"'
    text = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def written(lines: Lines) -> bytes:
    """The file as it is sent back."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def told(order: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """What the order says of each target now."""
    return [(t["outcome"], t["until"], t["note"]) for t in order["preservation"]["targets"]]


def test_the_file_comes_filled_in_and_stands_as_the_report(program: Program, world: World) -> None:
    order = world.issue(MANY)
    path = f"/orders/{order.ref}"
    lines = fetched(program, order.name)
    assert len(lines) == 240
    assert [e["type"] for e in program.events()] == ["order.issued", "order.fetched"]
    for line in lines:
        line["outcome"] = "preserved"
    lines[3] |= {"outcome": "partial", "note": "=The log; begins\nat 03:00", "until": ""}
    lines[4] |= {"outcome": "nothing_held"}
    lines[5] |= {"until": "2027-01-05 12:00"}
    report = f"{path}/preservation?days=60&reference=NOC-8812"
    sent = program.send(report, written(lines), CSV, Idempotency_Key="csv-1")
    assert sent.status_code == 200, sent.text
    view = sent.get_json()
    assert view["state"] == "preserved"
    assert view["preservation"]["reference"] == "NOC-8812"
    whole = "2027-01-22T12:00:00Z"
    assert told(view)[:3] == [("preserved", whole, None)] * 3
    assert told(view)[3] == ("partial", whole, "=The log; begins\nat 03:00")
    assert told(view)[4] == ("nothing_held", None, None)
    assert told(view)[5] == ("preserved", "2027-01-05T12:00:00Z", None)

    # The same as JSON would say; a repeat acts once, and other days are another request.
    again = program.send(report, written(lines), CSV, Idempotency_Key="csv-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == sent.data
    other = report.replace("60", "61")
    assert faults(program.send(other, written(lines), CSV, Idempotency_Key="csv-1")) == [""]

    # What was reported stands in the file, to be amended; a formula's apostrophe may stay.
    lines = fetched(program, order.name)
    assert lines[3]["note"].startswith("'=")
    assert (lines[4]["outcome"], lines[5]["until"]) == ("nothing_held", "2027-01-05 12:00:00")
    lines[4] |= {"outcome": "preserved"}
    amended = program.send(f"{path}/preservation?days=60", written(lines), CSV)
    assert told(amended.get_json())[3:5] == [told(view)[3], ("preserved", whole, None)]
    assert [e["type"] for e in program.events()][-1] == "order.preservation_amended"


@pytest.mark.one_database
def test_each_fault_names_its_line_and_column(program: Program, world: World) -> None:
    order = world.issue(MANY)
    path = f"/orders/{order.ref}/preservation"
    lines = fetched(program, order.name)
    for line in lines:
        line["outcome"] = "preserved"

    def refused(query: str = "?days=60", kind: str = CSV, **changes: str) -> list[str]:
        changed = [dict(line) for line in lines]
        for place, value in changes.items():
            number, _, column = place[1:].partition("_")
            changed[int(number) - 2][column] = value
        return faults(program.send(path + query, written(changed), kind))

    assert refused(_3_outcome="kept", _4_until="soon", _4_note="x" * 5001, _9_id="nothing") == [
        "/3/outcome",
        "/4/until",
        "/4/note",
        "/9/id",
    ]
    assert refused(_241_until="2026-01-01 00:00") == ["/241/until"], "after it was read, too"
    assert refused(_7_value="198.51.100.1") == ["/7/value"]
    assert refused(_8_id=lines[0]["id"], _8_number="1", _8_value="") == ["/8/id"]
    assert refused(_5_outcome="") == [""], "239 of 240 are no whole answer"
    assert refused(query="") == ["/days"]
    assert refused(query="?days=x&note=secret") == ["/note"]
    assert refused(query="?days=60&until=2027-01-01T00:00:00Z") == ["/until"]
    assert refused(query="?until=2027-01-01") == ["/until"]
    assert len(refused(**{f"_{n}_outcome": "kept" for n in range(2, 202)})) == 51
    sent = program.send(f"{path}?days=60", b"", CSV)
    assert faults(sent) == [""]
    for body in (b"id,outcome\n\xff\xfe,preserved\n", b"PK\x03\x04", b'id,outcome\n"open'):
        assert program.send(f"{path}?days=60", body, CSV).status_code == 422
    assert faults(program.send(f"{path}?days=60", b"value\nx\n", CSV)) == ["/1/outcome", "/1/id"]
    # Beside JSON the query has no place, and other types are still refused.
    assert faults(program.post(f"{path}?days=30&reference=A", {"days": 60})) == [
        "/days",
        "/reference",
    ]
    joined = program.send(f"{path}?days=60", b"number,outcome,until,note1,preserved,,", CSV)
    assert "keep the line breaks" in joined.text, "curl -d takes them away"
    other = program.send(path, b"id,outcome\n", "text/plain")
    assert other.status_code == 415
    assert "text/csv" in other.text
    assert program.send(f"/orders/{order.ref}/acknowledgement", b"a", CSV).status_code == 415
    assert slug(program.send(path, b"x" * 5_000_000, CSV)) == "too-large"
    assert [e["type"] for e in program.events()] == ["order.issued", "order.fetched"]


@pytest.mark.one_database
def test_anothers_order_has_no_file_and_takes_none(
    program: Program, norvik: Program, world: World
) -> None:
    order = world.issue()
    assert norvik.get(f"/orders/{order.ref}/targets.csv").status_code == 404
    body = written([{**line, "outcome": "preserved"} for line in fetched(program, order.name)])
    answer = norvik.send(f"/orders/{order.ref}/preservation?days=60", body, CSV)
    absent = norvik.send("/orders/CP-2026-0999/preservation?days=60", body, CSV)
    assert (answer.status_code, answer.get_json()["detail"]) == (
        404,
        absent.get_json()["detail"],
    )


def test_a_thousand_targets_take_their_time_once(program: Program, world: World) -> None:
    """As many as an order may have: what is spent on each stays below two milliseconds."""
    data = world.data()
    target = data["targets"][0]
    many = [
        {**target, "value": f"198.51.{n // 250}.{n % 250 + 1}", "port": 1024 + n}
        for n in range(MOST_TARGETS)
    ]
    order = world.issue(targets=many)
    lines = fetched(program, order.name)
    assert len(lines) == MOST_TARGETS
    body = written([{**line, "outcome": "preserved"} for line in lines])
    began = time.process_time()
    sent = program.send(f"/orders/{order.ref}/preservation?days=60", body, CSV)
    spent = time.process_time() - began
    assert sent.status_code == 200, sent.text
    assert len(sent.get_json()["preservation"]["targets"]) == MOST_TARGETS
    assert spent / MOST_TARGETS < 0.002, f"{spent:.2f} s for {MOST_TARGETS} targets"
