"""The report in the portal: two clicks, target by target, and 240 of them by a file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Outcome
from liaison.models import Order
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World

pytestmark = pytest.mark.one_database

FORM, MARK = "multipart/form-data", "----WebKitFormBoundary7MA4YWxkTrZu0gW"
MANY = "07-botnet-240-targets.json"
SUMMARY = "212 preserved, 20 partly preserved, 8 nothing held"


def send(
    client: FlaskClient, order: Order, changes: dict[str, Any], act: str = "", page: str = ""
) -> TestResponse:
    """Types into the report's form, as it stands or as ``page`` shows it, and presses a button."""
    path = f"/orders/{order.name}/preserve"
    file = changes.pop("file", None)
    form = typed(page or client.get(path).text, changes, act)
    form.poplist("file")
    return client.post(path, data=encoded(form, file), content_type=f"{FORM}; boundary={MARK}")


def encoded(form: MultiDict[str, str], file: bytes | None) -> bytes:
    """As a browser encodes a form; the test client leaves out a line break where it is empty."""
    parts = [(f'name="{name}"', text.encode()) for name, text in form.items(multi=True)]
    named = 'name="file"; filename="{}"'.format("" if file is None else "targets.csv")
    parts.append((f"{named}\r\nContent-Type: text/csv", file or b""))
    whole = b"".join(
        f"--{MARK}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"
        for head, body in parts
    )
    return whole + f"--{MARK}--\r\n".encode()


def table(client: FlaskClient, order: Order) -> list[dict[str, str]]:
    answer = client.get(f"/orders/{order.name}/targets.csv")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def filled(rows: list[dict[str, str]]) -> bytes:
    """The 240 lines with 212, 20 and 8 outcomes, and one date of its own."""
    kinds = ["preserved"] * 212 + ["partial"] * 20 + ["nothing_held"] * 8
    for row, kind in zip(rows, kinds, strict=True):
        row["outcome"] = kind
        row["note"] = "The log begins at 03:00, not before." if kind == "partial" else ""
    rows[0]["until"] = "2027-01-20 12:00"
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def outcomes(world: World, order: Order) -> Counter[Outcome]:
    report = world.order(order.name).report
    return Counter(t.outcome for t in report.targets) if report else Counter()


def test_240_targets_by_a_file_that_is_checked_before_it_is_sent(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    file = filled(table(spoc, order))
    looked = send(spoc, order, {"days": "60", "file": file, "reference": "NOC-1"}, act="read")
    assert looked.status_code == 200
    assert SUMMARY in looked.text
    assert "240 targets read" in looked.text
    assert "1 target with an earlier date" in looked.text
    assert outcomes(world, order) == {}, "nothing is sent by looking"
    held = fields(looked.text)
    assert held["reference"] == "NOC-1"
    assert held["targets-0-until"] == "2027-01-20 12:00:00"
    answer = send(spoc, order, {}, act="send", page=looked.text)
    assert answer.status_code == 303
    assert outcomes(world, order) == {
        Outcome.PRESERVED: 212,
        Outcome.PARTIAL: 20,
        Outcome.NOTHING_HELD: 8,
    }
    kept = world.order(order.name)
    assert kept.preserved_until == world.now + timedelta(days=60)
    officer = signed_in("officer")
    page = officer.get(f"/orders/{order.name}").text
    assert SUMMARY in page
    assert f"partly preserved, of 240 targets {SUMMARY}" in page, "the sentence at the top"
    for shown in (page, officer.get("/orders?view=all").text):
        assert "Partly preserved until 22 Jan 2027" in shown
        assert ">Preserved until" not in shown


def test_what_was_changed_after_the_check_is_checked_again(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    looked = send(spoc, order, {"found": "part", "targets-3-outcome": "nothing_held"})
    assert "239 preserved, 1 nothing held" in looked.text
    again = send(spoc, order, {"targets-4-outcome": "nothing_held"}, act="send", page=looked.text)
    assert again.status_code == 200
    assert "238 preserved, 2 nothing held" in again.text
    assert outcomes(world, order) == {}
    assert send(spoc, order, {}, act="send", page=again.text).status_code == 303
    assert outcomes(world, order)[Outcome.NOTHING_HELD] == 2


def test_a_few_lines_pasted_leave_the_rest_as_it_stands(world: World, signed_in: SignedIn) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    lines = "number\toutcome\tnote\r\n17\tnothing held\t\r\n18\tpartly\tOnly the night"
    looked = send(spoc, order, {"pasted": lines})
    assert "238 preserved, 1 partly preserved, 1 nothing held" in looked.text
    assert "the other 238 as they stand" in looked.text
    assert fields(looked.text)["targets-17-note"] == "Only the night"
    assert fields(looked.text)["pasted"] == ""


def test_one_wrong_line_and_nothing_is_taken_and_nothing_lost(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    lines = "number,outcome\n1,nothing_held\n241,preserved\n3,lost"
    answer = send(spoc, order, {"pasted": lines, "note": "By hand."}, act="read")
    assert answer.status_code == 422
    assert "Line 3: " in answer.text
    assert "Line 4: " in answer.text
    held = fields(answer.text)
    assert held["pasted"].replace("\r\n", "\n") == lines
    assert held["note"] == "By hand."
    assert held["targets-0-outcome"] == "preserved"


def test_targets_are_marked_without_a_script(world: World, signed_in: SignedIn) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    everything = send(spoc, order, {"listed_as": "nothing_held"}, act="mark-all")
    assert "240 nothing held" in everything.text
    some = f"1\n{order.targets[4].value}\n{order.targets[7].id}"
    back = send(
        spoc, order, {"listed": some, "listed_as": "preserved"}, act="mark", page=everything.text
    )
    assert "3 preserved, 237 nothing held" in back.text
    assert send(spoc, order, {"listed": "x"}, act="mark", page=back.text).status_code == 422
    assert send(spoc, order, {}, act="mark", page=back.text).status_code == 422


@pytest.mark.parametrize("file", [b"", b"PK\x03\x04", b"number,outcome\n1,\xff", b"a,b\n1,2"])
def test_a_file_that_cannot_be_read_changes_nothing(
    world: World, signed_in: SignedIn, file: bytes
) -> None:
    order = world.issue("05-names-from-everywhere.json")
    spoc = signed_in("spoc")
    answer = send(spoc, order, {"file": file, "reference": "kept"}, act="read")
    assert answer.status_code == 422
    assert fields(answer.text)["reference"] == "kept"
    assert world.order(order.name).state is OrderState.ISSUED


def test_two_targets_need_no_check(world: World, signed_in: SignedIn) -> None:
    order = world.issue("05-names-from-everywhere.json")
    spoc = signed_in("spoc")
    answer = send(spoc, order, {"found": "part", "targets-0-outcome": "partial"})
    assert answer.status_code == 303
    assert outcomes(world, order)[Outcome.PARTIAL] == 1


def test_all_of_240_still_takes_two_clicks(world: World, signed_in: SignedIn) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    assert f'href="/orders/{order.name}/preserve"' in spoc.get(f"/orders/{order.name}").text
    assert send(spoc, order, {}).status_code == 303
    assert outcomes(world, order) == {Outcome.PRESERVED: 240}


def test_an_amendment_that_is_sent_as_it_opens_changes_nothing(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    looked = send(spoc, order, {"days": "60", "file": filled(table(spoc, order))}, act="read")
    send(spoc, order, {}, act="send", page=looked.text)
    before = world.order(order.name)
    world.clock.move(days=3)
    spoc = signed_in("spoc")
    again = send(spoc, order, {})
    assert "Nothing is different from your last report" in again.text
    assert send(spoc, order, {}, act="send", page=again.text).status_code == 303
    after = world.order(order.name)
    assert after.preserved_until == before.preserved_until
    assert len(after.reports) == 2
    assert "Nothing is different from the report before" in spoc.get(f"/orders/{order.name}").text
    rows = table(spoc, order)
    assert Counter(row["outcome"] for row in rows) == {
        "preserved": 212,
        "partial": 20,
        "nothing_held": 8,
    }
    assert [row["until"] for row in rows[:2]] == ["2027-01-20 12:00:00", ""]


def test_the_order_shows_what_an_amendment_took_back(world: World, signed_in: SignedIn) -> None:
    order = world.issue("05-names-from-everywhere.json")
    world.preserve(order)
    world.clock.move(hours=1)
    spoc = signed_in("spoc")
    changed = {"found": "part", "targets-0-outcome": "nothing_held", "risk": "It may be wiped."}
    assert send(spoc, order, changed).status_code == 303
    officer = signed_in("officer")
    page = officer.get(f"/orders/{order.name}").text
    assert "Less is kept than before" in page
    assert "preserved until" in page
    assert "→ nothing held" in page
    assert page.index("Amended</strong>") < page.index("First report</strong>")
    assert "Risk reported (art. 29(6))" in page
    assert page.index("It may be wiped.") < page.index("What changed")
    assert "Risk reported" in officer.get("/orders?view=all").text


def test_a_double_click_on_the_report_is_no_conflict(world: World, signed_in: SignedIn) -> None:
    order = world.issue("05-names-from-everywhere.json")
    spoc = signed_in("spoc")
    page = spoc.get(f"/orders/{order.name}/preserve").text
    for _ in range(2):
        assert send(spoc, order, {}, page=page).status_code == 303
    assert len(world.order(order.name).reports) == 1
    other = send(spoc, order, {"note": "Another one."}, page=page)
    assert other.status_code == 409, "another answer to an older order is not the same click"
    assert "Another one." in other.text


def test_the_filter_shows_what_was_not_found(world: World, signed_in: SignedIn) -> None:
    order = world.issue(MANY)
    spoc = signed_in("spoc")
    looked = send(spoc, order, {"pasted": "number,outcome\n5,nothing_held\n200,partial"})
    send(spoc, order, {}, act="send", page=looked.text)
    page = signed_in("officer").get(f"/orders/{order.name}?found=nothing_held").text
    shown = page[page.index('id="what-h"') : page.index('id="why-h"')]
    assert order.targets[4].value in shown
    assert order.targets[5].value not in shown
    assert re.search(r"Nothing held <strong>1</strong>", shown)
    assert "found=nothing_held" in page[page.index("data-live=") :][:200], "a poll keeps it"


def test_the_table_is_safe_to_open_and_notes_who_has_read(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue("06-hostile-text.json")
    assert signed_in("officer").get(f"/orders/{order.name}/targets.csv").status_code == 200
    assert world.order(order.name).fetched_at is None
    rows = table(signed_in("sevan_spoc"), order)
    assert world.order(order.name).fetched_at == world.now
    assert not [c for row in rows for c in row.values() if c[:1] in ("=", "+", "-", "@", "\t")]


def test_days_and_a_date_are_one_too_many(world: World, signed_in: SignedIn) -> None:
    order = world.issue("05-names-from-everywhere.json")
    spoc = signed_in("spoc")
    both = send(spoc, order, {"days": "30", "until": "2027-01-01 12:00"})
    assert both.status_code == 422
    assert "not both" in both.text
    one = send(spoc, order, {"days": "", "until": "2027-01-01 12:00"})
    assert one.status_code == 303


def test_declining_can_name_who_holds_it(world: World, signed_in: SignedIn) -> None:
    order = world.issue()
    spoc = signed_in("spoc")
    path = f"/orders/{order.name}/decline"
    form = fields(spoc.get(path).text)
    form.setlist("grounds", ["not_stored"])
    form["explanation"], form["preserved_meanwhile"] = "Not our customer.", "no"
    form["other_provider"] = "Norvik Mobile"
    half = spoc.post(path, data=form)
    assert half.status_code == 422
    assert fields(half.text)["other_provider"] == "Norvik Mobile"
    assert world.order(order.name).state is OrderState.ISSUED, "both, or neither"
    form["other_path"] = "Handed over at 198.51.100.1."
    assert spoc.post(path, data=form).status_code == 303
    page = signed_in("officer").get(f"/orders/{order.name}").text
    assert "Norvik Mobile" in page
    assert "Make the follow-on order" in page
