"""Calendars given out and read in: every kind of time, and files that mean harm."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from liaison.documents import calendar
from liaison.documents.calendar import CalendarFile, Entry

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZONE = "Asia/Yerevan"


def file(*events: str) -> bytes:
    """A calendar of these events, each given by its lines."""
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def read(*events: str) -> CalendarFile:
    return calendar.read(file(*events), ZONE, NOW)


def spans(found: CalendarFile) -> list[tuple[str, str]]:
    return [(f"{o.start:%m-%d %H:%M}", f"{o.end:%m-%d %H:%M}") for o in found.occurrences]


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        ("DTSTART:20261124T080000Z\nDTEND:20261124T200000Z", "11-24 08:00", "11-24 20:00"),
        # Floating, and whole days: in the organisation's own zone.
        ("DTSTART:20261124T080000\nDURATION:PT12H", "11-24 04:00", "11-24 16:00"),
        ("DTSTART;VALUE=DATE:20261124", "11-23 20:00", "11-24 20:00"),
        ("DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261126", "11-23 20:00", "11-25 20:00"),
        (
            "DTSTART;TZID=Europe/Amsterdam:20261124T080000\n"
            "DTEND;TZID=Europe/Amsterdam:20261124T200000",
            "11-24 07:00",
            "11-24 19:00",
        ),
        (
            "DTSTART;TZID=W. Europe Standard Time:20261124T080000\nDURATION:PT1H",
            "11-24 07:00",
            "11-24 08:00",
        ),
        (
            "DTSTART;TZID=Europe/Amsterdam:20261124T220000\nDTEND:20261125T070000Z",
            "11-24 21:00",
            "11-25 07:00",
        ),
    ],
)
def test_every_kind_of_time(lines: str, start: str, end: str) -> None:
    found = read(f"UID:1\nSUMMARY:Ani\n{lines}")
    assert found.unread == ()
    assert spans(found) == [(start, end)]


def test_a_weekly_shift_without_one_week_and_with_one_moved() -> None:
    master = (
        "UID:1\nSUMMARY:Ani\nDTSTART;TZID=Asia/Yerevan:20261124T080000\nDURATION:PT4H\n"
        "RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Asia/Yerevan:20261201T080000\n"
        "RDATE;TZID=Asia/Yerevan:20261203T080000"
    )
    moved = (
        "UID:1\nSUMMARY:Ani\nRECURRENCE-ID;TZID=Asia/Yerevan:20261208T080000\n"
        "DTSTART;TZID=Asia/Yerevan:20261209T100000\nDURATION:PT4H"
    )
    off = (
        "UID:1\nSTATUS:CANCELLED\nRECURRENCE-ID;TZID=Asia/Yerevan:20261215T080000\n"
        "DTSTART;TZID=Asia/Yerevan:20261215T080000\nDURATION:PT4H"
    )
    begins = [start for start, _ in spans(read(master, moved, off))]
    assert begins == ["11-24 04:00", "12-03 04:00", "12-09 06:00", "12-22 04:00"]


def test_a_night_shift_across_the_change_keeps_its_hours_on_the_wall() -> None:
    found = calendar.read(
        file(
            "UID:1\nSUMMARY:Ani\nDTSTART;TZID=Europe/Amsterdam:20270327T200000\n"
            "DTEND;TZID=Europe/Amsterdam:20270328T080000\nRRULE:FREQ=DAILY;COUNT=2"
        ),
        ZONE,
        NOW,
    )
    assert spans(found) == [("03-27 19:00", "03-28 06:00"), ("03-28 18:00", "03-29 06:00")]


def test_only_the_coming_year_is_read_and_what_runs_now() -> None:
    daily = "UID:1\nSUMMARY:Ani\nDTSTART:20200101T110000Z\nDURATION:PT2H\nRRULE:FREQ=DAILY"
    found = read(daily).occurrences
    assert found[0].start == datetime(2026, 11, 23, 11, tzinfo=UTC), "it runs"
    assert found[-1].start <= NOW + calendar.AHEAD
    assert len(found) == 367


def test_an_until_in_utc_ends_with_the_last_that_begins_by_then() -> None:
    rule = "RRULE:FREQ=DAILY;UNTIL=20261126T035959Z"
    event = f"UID:1\nSUMMARY:Ani\nDTSTART;TZID=Asia/Yerevan:20261124T080000\nDURATION:PT1H\n{rule}"
    assert [start for start, _ in spans(read(event))] == ["11-24 04:00", "11-25 04:00"]


def test_who_attends_and_folded_lines() -> None:
    found = read(
        "UID:1\nSUMMARY:Night\n  shift\nDTSTART:20261124T080000Z\nDURATION:PT1H\n"
        "ATTENDEE;CN=Ani:mailto:Ani@Police.example\nATTENDEE:MAILTO:b@police.example"
    )
    (one,) = found.occurrences
    assert one.summary == "Night shift"
    assert one.people == ("ani@police.example", "b@police.example")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("SUMMARY:x\nDTSTART:20261124T080000Z\nDURATION:PT1H", "no UID"),
        ("UID:1\nSUMMARY:x", "when it begins"),
        ("UID:1\nDTSTART;TZID=Nowhere/Else:20261124T080000\nDURATION:PT1H", "no time zone"),
        ("UID:1\nDTSTART:20261124T080000Z\nDTEND:20261124T070000Z", "end after"),
        ("UID:1\nDTSTART:20261124T080000Z", "end after"),
        ("UID:1\nDTSTART:20261124T080000Z\nDURATION:P900D", "longer than"),
        ("UID:1\nDTSTART:99991231T230000Z\nDTEND:99991231T235900Z\nRRULE:FREQ=HOURLY", "often"),
        ("UID:1\nDTSTART:hello", "broken"),
        ("UID:1\nDTSTART:20261124T080000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY", "often"),
        ("UID:1\nDTSTART:00010101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY", "ten years"),
        ("UID:1\nDTSTART:20261124T080000Z\nDTSTART:20261124T090000Z\nDURATION:PT1H", "once"),
    ],
)
def test_an_event_that_cannot_be_used_is_named_and_spoils_no_other(lines: str, why: str) -> None:
    found = read(lines, "UID:2\nSUMMARY:Ani\nDTSTART:20261124T080000Z\nDURATION:PT1H")
    assert [why in one.why for one in found.unread] == [True], found.unread
    assert len(found.occurrences) == 1


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART;VALUE=PERIOD:20261124T000000Z/PT1H\nDURATION:PT1H",
        "DTSTART;VALUE=TIME:100000\nDURATION:PT1H",
        "DTSTART;VALUE=TEXT:foo",
        "DTSTART;TZID=America:20261124T100000\nDURATION:PT1H",
        "DTSTART:20261124T100000\nDTEND;VALUE=TEXT:foo",
        "DTSTART:20261124T100000\nDURATION;VALUE=TEXT:foo",
        "DTSTART:20261124T100000\nDURATION:PT1H\nRRULE;VALUE=TEXT:FREQ=DAILY",
        "DTSTART:20261124T100000\nDURATION:PT1H\nRECURRENCE-ID;VALUE=TEXT:foo",
        "DTSTART:20261124T100000\nDURATION:PT1H\nRDATE;VALUE=TEXT:foo",
        "DTSTART;TZID=Asia/Tokyo:00010101T000000\nDTEND:00010102T000000Z",
    ],
)
def test_a_line_of_an_odd_kind_is_named_and_spoils_no_other_event(lines: str) -> None:
    found = read(f"UID:1\nSUMMARY:Odd\n{lines}", GOOD.format(2))
    assert [(one.summary, one.why[-1]) for one in found.unread] == [("Odd", ".")]
    assert [one.uid for one in found.occurrences] == ["2"]


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        # Programs write an end without an end like this.
        ("DTSTART;TZID=Asia/Tokyo:20261124T080000\nRRULE:FREQ=DAILY;UNTIL=99991231T235959Z", 366),
        ("DTSTART;TZID=America/New_York:20261124T080000\nRRULE:FREQ=DAILY;UNTIL=00010101T000000Z",
         0),
        ("DTSTART:20261124T080000Z\nRDATE:99991231T080000Z", 1),
        ("DTSTART:99991231T080000", 0),
        ("DTSTART:99991231T080000Z", 0),
        ("DTSTART:00010101T000000Z", 0),
    ],
)  # fmt: skip
def test_times_at_the_edge_of_the_calendar_are_read(lines: str, count: int) -> None:
    found = read(f"UID:1\nSUMMARY:Ani\n{lines}\nDURATION:P1DT6H")
    assert found.unread == ()
    assert len(found.occurrences) == count


GOOD = "UID:{0}\nSUMMARY:Ani\nDTSTART:20261124T080000Z\nDURATION:PT1H"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no calendar"),
        (b"%PDF-1.7", "no calendar"),
        (file(GOOD.format("a\x00b")), "NUL"),
        (file(GOOD).replace(b"Ani", b"\xff\xfe"), "UTF-8"),
        (file(), "no event"),
        (b"x" * 200_001, "too large"),
        (file(*["UID:1"] * 1001), "1001 events"),
        (file(*[GOOD.format(n) + "\nRRULE:FREQ=DAILY;COUNT=100000" for n in range(101)]), "repeat"),
        (file(*[GOOD.format(n) + "\nRRULE:FREQ=DAILY" for n in range(3)]), "1000 shifts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_means_harm_is_refused_in_words(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        calendar.read(content, ZONE, NOW)


LONG = "UID:{0}\nSUMMARY:Ani\nDTSTART:20161201T100000\nDURATION:PT1H\nRRULE:"

HARMFUL = [
    # Searched for by a library until the year 9999.
    [GOOD.format(n) + "\nRRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO;BYMONTHDAY=31;COUNT=100000;"
     "BYMONTH=2" for n in range(100)],
    ["UID:1\n" + "\n".join(f"ATTENDEE:mailto:{n}@x.example" for n in range(4000))
     + "\nDTSTART:20261124T080000Z\nDURATION:PT1H"],
    [GOOD + "\nEXDATE:" + ",".join(["20261124T080000Z"] * 8000)],
    ["BEGIN:VEVENT\n" * 900 + GOOD],
    [GOOD + "\nRRULE:" + "FREQ=DAILY;" * 8000],
    [GOOD + "\nRRULE:FREQ=MONTHLY;BYMONTHDAY=" + ",".join(["31"] * 30_000)],
    [LONG.format(n) + "FREQ=MONTHLY;COUNT=9999;BYDAY=" + ",".join(["5MO"] * 450)
     for n in range(100)],
    [LONG.format(n) + "FREQ=MONTHLY;COUNT=9999;BYMONTHDAY=" + ",".join(["31"] * 600)
     for n in range(100)],
]  # fmt: skip


@pytest.mark.parametrize("events", HARMFUL, ids=range(len(HARMFUL)))
def test_a_file_that_means_harm_is_read_in_seconds(events: list[str]) -> None:
    begun = time.process_time()  # work, whatever else the machine does
    with contextlib.suppress(ValueError):
        calendar.read(file(*events), ZONE, NOW)
    assert time.process_time() - begun < 20


def test_rules_that_ask_for_too_many_days_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="too many years"):
        calendar.read(file(*HARMFUL[-1]), ZONE, NOW)


def test_a_files_own_zones_are_not_run() -> None:
    """A definition of a zone with a rule that repeats each second would never end."""
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        "RRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0100\nEND:STANDARD\n"
        "END:VTIMEZONE\n"
    ).replace("\n", "\r\n")
    event = "UID:1\nDTSTART;TZID=Mine:20261124T080000\nDURATION:PT1H"
    content = file(event).replace(b"BEGIN:VEVENT", zone.encode() + b"BEGIN:VEVENT", 1)
    (unread,) = calendar.read(content, ZONE, NOW).unread
    assert unread.why == "There is no time zone Mine."


# Given out


def test_what_is_given_out_is_a_calendar_with_stable_names() -> None:
    start = datetime(2026, 11, 23, 20, tzinfo=UTC)
    hostile = "Ani\r\nEND:VEVENT\r\nBEGIN:VEVENT; \\, ünï"
    entries = [Entry(hostile, "SPOC", "c-1", start, start + timedelta(hours=12))]
    first = calendar.write("Meridian, Ltd", entries, NOW, "cp.example")
    second = calendar.write("Meridian, Ltd", entries, NOW + timedelta(days=1), "cp.example")
    (event,) = Calendar.from_ical(first).walk("VEVENT")
    (again,) = Calendar.from_ical(second).walk("VEVENT")
    assert event["UID"] == again["UID"] and str(event["UID"]).endswith("@cp.example")
    assert b"DTSTART:20261123T200000Z" in first
    assert "SPOC" in str(event["SUMMARY"])
    assert all(len(line) <= 75 for line in first.split(b"\r\n"))
