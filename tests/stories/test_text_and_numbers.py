"""Two orders that are hard on pages: text that means harm, and 240 targets."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import timedelta

from icalendar import Calendar

from tests.portal.filled import as_form
from tests.stories.desk import DUTY, Desk, Somebody, words

HOSTILE, BOTNET = "06-hostile-text.json", "07-botnet-240-targets.json"
SEVAN, MERIDIAN = "Sevan Hosting", "Meridian Telecom"
LARGEST_PAGE = 1_500_000
"""Bytes of a page with 240 targets, at most."""


def test_text_that_means_harm_goes_the_whole_way(desk: Desk) -> None:
    draft = desk.officer.drafts(HOSTILE)
    desk.officer.submits(draft)
    ref = desk.supervisor.authorises(draft)
    desk.passes(minutes=5)

    # The program gets every byte as it was typed.
    data, view = desk.world.data(HOSTILE), desk.view(SEVAN, ref)
    for name in ("offence", "facts", "necessity", "legal_basis", "investigating_authority"):
        assert view[name] == data[name], name
    for name, value in data["confirmation_contact"].items():
        assert view["authority"]["contact"][name] == value
    (target,) = view["targets"]
    assert (target["value"], target["relation"]) == (
        data["targets"][0]["value"],
        data["targets"][0]["relation"],
    )

    formula = '=HYPERLINK("http://evil.example")'
    desk.sevan_spoc.does(f"/orders/{ref}/acknowledge", {"reference": formula})
    assert desk.view(SEVAN, ref)["reference"] == formula

    # Pages and papers show it as text on both sides: nothing of it is a tag, nothing is reckoned.
    desk.sevan_spoc.asks(ref, "<script>parent.x()</script> =1+1 {{ 7*7 }}")
    desk.officer.writes(ref, '"><img src=x onerror=alert(2)>\r\nBcc: b@evil.example')
    sides = (desk.officer, desk.auditor, desk.sevan_spoc)
    for somebody in sides:
        reads_it_as_text(desk, somebody, ref)

    # Files: no cell is a formula, no line of the calendar is its own, no case data in it.
    for somebody in sides:
        takes_safe_files(somebody, ref, formula)

    # Found by its case number, whatever stands in it; and the table is still there.
    found = desk.officer.reads("/orders?view=all&q=%27%3B%20DROP%20TABLE%20orders%3B--")
    assert ref in found

    # Declined, on grounds of the closed list; an MLA request first is not among them.
    assert "MLA" not in desk.sevan_spoc.reads(f"/orders/{ref}/decline").partition("Grounds")[2]
    because = "=cmd|' /C calc'!A0 <script>alert(3)</script>"
    desk.sevan_spoc.declines(ref, "not_enough_information", "manifest_error", because=because)
    view = desk.view(SEVAN, ref)
    assert view["state"] == "declined"
    assert view["refusal"] == {
        "grounds": ["not_enough_information", "manifest_error"],
        "explanation": because,
        "preserved_meanwhile": False,
    }
    for somebody in sides:
        assert because in somebody.sees(ref)
        assert "<script>alert(3)" not in somebody.opens(f"/orders/{ref}").text
    post = desk.post()
    assert post.about("declined") == [DUTY]
    for letter in desk.sender.sent:
        assert "evil.example" not in f"{letter.subject} {letter.text} {letter.html}"
    assert desk.stream(SEVAN) == [
        *("issued", "fetched", "acknowledged", "message", "message", "declined"),
    ]
    desk.closes(HOSTILE)


def test_a_botnet_of_240_machines(desk: Desk) -> None:
    # 240 targets come out of a spreadsheet, by one paste.
    data = desk.world.data(BOTNET)
    lines = ["value;port;protocol;from;to;data;relation"]
    lines += [
        ";".join(
            str(t[name]) if name != "data" else "+".join(t["data"])
            for name in ("value", "port", "protocol", "from", "to", "data", "relation")
        )
        for t in data["targets"]
    ]
    rest = as_form({name: value for name, value in data.items() if name != "targets"})
    typed = {**rest, "paste-text": "\n".join(lines)}
    pasted = desk.officer.presses("/orders/new", typed, act="paste-targets")
    assert "240 targets added: 240 × IP address." in words(pasted)
    name = desk.officer.does("/orders/new", act="check", page=pasted).split("/")[2]
    stored = desk.world.order(name)
    assert [(t.value, t.port, t.relation) for t in stored.targets] == [
        (t["value"], t["port"], t["relation"]) for t in data["targets"]
    ]
    desk.officer.submits(name)
    ref = desk.supervisor.authorises(name)
    desk.passes(hours=1)
    desk.post()
    for somebody in (desk.officer, desk.spoc):
        page = somebody.opens(f"/orders/{ref}")
        assert len(page.data) < LARGEST_PAGE
        assert "240 targets" in somebody.sees(ref)
    assert len(desk.view(MERIDIAN, ref)["targets"]) == 240

    # The SPOC takes the table away, fills it in, and sends it back; it is shown before it is sent.
    file = filled(desk.spoc.opens(f"/orders/{ref}/targets.csv").text)
    path = f"/orders/{ref}/preserve"
    looked = desk.spoc.presses(path, act="read", files={"file": ("answer.csv", file)})
    assert looked.status_code == 200, words(looked)
    assert "212 preserved, 20 partly preserved, 8 nothing held" in words(looked)
    assert desk.view(MERIDIAN, ref)["state"] == "issued", "nothing is sent by looking"
    desk.spoc.does(path, act="send", page=looked)
    until = desk.now + timedelta(days=60)
    assert desk.post().about("preserved") == [DUTY]
    assert outcomes(desk, ref) == {"preserved": 212, "partial": 20, "nothing_held": 8}
    for somebody in (desk.officer, desk.spoc):
        assert "212 preserved, 20 partly preserved, 8 nothing held" in somebody.sees(ref)
        missing = somebody.sees(f"{ref}?found=nothing_held")
        assert "Bot 240 of 240" in missing
        assert "Bot 1 of 240" not in missing

    # Two of the eight turn up in a backup: the report is amended by two pasted lines.
    desk.passes(days=2)
    lines_again = "number,outcome\n239,preserved\n240,preserved"
    looked = desk.spoc.presses(path, {"pasted": lines_again}, act="read")
    assert "214 preserved, 20 partly preserved, 6 nothing held" in words(looked)
    desk.spoc.does(path, act="send", page=looked)
    view = desk.view(MERIDIAN, ref)
    assert outcomes(desk, ref) == {"preserved": 214, "partial": 20, "nothing_held": 6}
    assert view["preserved_until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
    shown = desk.officer.sees(ref)
    assert "Preservation report amended" in shown
    assert "nothing held → preserved" in shown

    # A second order, copied from the first: here the program answers target by target.
    copy = desk.second_officer.opens(f"/orders/new?copy={ref}")
    again = desk.second_officer.does("/orders/new", act="check", page=copy).split("/")[2]
    desk.second_officer.submits(again)
    second = desk.supervisor.authorises(again)
    ids = [target["id"] for target in desk.view(MERIDIAN, second)["targets"]]
    assert len(ids) == 240
    answer = desk.program(MERIDIAN).post(
        f"/orders/{second}/preservation",
        {
            "days": 60,
            "targets": [
                {"id": id_, "outcome": "nothing_held" if number % 3 == 0 else "preserved"}
                for number, id_ in enumerate(ids)
            ],
        },
        Idempotency_Key="answer-2",
    )
    assert answer.status_code == 200, answer.text
    assert outcomes(desk, second) == {"preserved": 160, "nothing_held": 80}
    assert "160 preserved, 80 nothing held" in desk.officer.sees(second)

    # Both are needed no longer.
    desk.post()
    for one in (ref, second):
        desk.officer.releases(one)
        desk.spoc.confirms_disposal(one)
        assert desk.view(MERIDIAN, one)["state"] == "disposed"
    desk.passes(days=90)
    assert desk.post().about("more days") == [], "nobody is reminded of a date that is gone"
    assert Counter(desk.stream(MERIDIAN)) == {
        "issued": 2,
        "fetched": 2,
        "preserved": 2,
        "released": 2,
        "disposed": 2,
        "preservation_amended": 1,
    }
    desk.closes(BOTNET)


def reads_it_as_text(desk: Desk, somebody: Somebody, ref: str) -> None:
    """Page, papers and queue show what was typed, and none of it is a tag."""
    data = desk.world.data(HOSTILE)
    for path in (f"/orders/{ref}", f"/orders/{ref}/print", f"/orders/{ref}/record"):
        page = somebody.opens(path).text
        shown = somebody.reads(path)
        assert data["offence"] in shown, path
        assert data["targets"][0]["relation"] in shown, path
        assert "Bcc: someone@evil.example Line two #set page(fill: red) $ x^2 $" in shown
        assert "{{ 7*7 }}" in shown
        assert not re.search(r"<script>|<svg/onload|<img src=x|<[a-z]+[^>]*\son\w+=", page), path
    for path in ("/orders?view=all", f"/orders?view=all&q={ref}"):
        assert ref in somebody.reads(path)
        assert "<img src=x" not in somebody.opens(path).text


def takes_safe_files(somebody: Somebody, ref: str, formula: str) -> None:
    """The queue, the targets and the deadlines as files; a formula becomes a word."""
    for path in ("/orders.csv?view=all", f"/orders/{ref}/targets.csv"):
        answer = somebody.opens(path)
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@", "\t"))]
        if path.startswith("/orders.csv"):
            assert f"'{formula}" in rows[1], "a word, with an apostrophe before it"
    assert "attachment" in answer.headers["Content-Disposition"]
    dates = somebody.opens(f"/orders/{ref}/deadlines.ics")
    plain = re.sub(r"\r\n ", "", dates.text)
    assert "evil.example" not in plain
    assert {str(e["STATUS"]) for e in Calendar.from_ical(dates.data).walk("VEVENT")} <= {
        *("CONFIRMED", "TENTATIVE", "CANCELLED"),
    }


def filled(table: str) -> bytes:
    """The file that was taken away, with 212, 20 and 8 answers."""
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    for number, row in enumerate(rows):
        row["outcome"] = (
            "preserved" if number < 212 else "partial" if number < 232 else "nothing_held"
        )
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def outcomes(desk: Desk, ref: str) -> dict[str, int]:
    """How many targets of each outcome the endpoint tells."""
    return dict(Counter(t["outcome"] for t in desk.view(MERIDIAN, ref)["preservation"]["targets"]))
