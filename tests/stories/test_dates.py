"""Two orders and their dates: one was kept as long as it could be, one that nobody came back to."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.incoming import ADDRESSES, FOLLOW_UP, asked
from tests.keeping import with_terms
from tests.stories.desk import DUTY, OFFICER, SUPERVISOR, Desk

NAMES = "05-names-from-everywhere.json"
HARBOUR, MERIDIAN = "Harbour Cable", "Meridian Telecom"
FR = ADDRESSES[FOLLOW_UP]
SPOC = "spoc@harbour.example"


def test_a_mailbox_that_was_kept_as_long_as_it_could_be(desk: Desk) -> None:
    with_terms(desk.world, HARBOUR, extensions=2)
    request = desk.officer.registers(asked(desk.world, FOLLOW_UP))
    draft = desk.officer.drafts_from(request, HARBOUR)
    desk.officer.submits(draft)
    ref = desk.supervisor.authorises(draft)
    desk.passes(days=1, hours=1)
    desk.harbour_spoc.acknowledges(ref)
    desk.harbour_spoc.preserves(ref, days="90")
    until = datetime.fromisoformat(desk.view(HARBOUR, ref)["preserved_until"])
    assert until == desk.now + timedelta(days=90)
    assert "FR-247-2026-1411" in desk.harbour_spoc.sees(ref), "the earlier preservation"
    desk.post()

    # No request came by the day it was announced for: the officers are asked about it.
    desk.until(datetime.fromisoformat("2026-12-22T00:00:00+00:00"))
    post = desk.post()
    assert post.about("an MLA request was announced for") == [OFFICER, DUTY]
    assert post.about("the MLA request that was announced is not recorded") == [OFFICER, DUTY]

    # Asked for once, twice, and confirmed; the old date counts until it is.
    for number in (1, 2):
        desk.until(until - timedelta(days=10))
        assert desk.post().about("kept for 14 more days") == [OFFICER, DUTY]
        desk.officer.asks_for_extension(ref, 90, f"La demande est à la signature ({number}).")
        assert desk.post().about("please keep the data longer") == [SPOC]
        assert desk.view(HARBOUR, ref)["preserved_until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
        assert f"à la signature ({number})" in desk.harbour_spoc.sees(ref)
        desk.harbour_spoc.confirms_extension(ref)
        until += timedelta(days=90)
        assert desk.view(HARBOUR, ref)["preserved_until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
        assert desk.post().about("extended") == [OFFICER, DUTY]
    assert len(desk.view(HARBOUR, ref)["extensions"]) == 2

    # A third time the memorandum says no, by its name, and what can be done instead.
    path = f"/orders/{ref}/extension"
    assert "Extended 2 times; none is left." in desk.officer.reads(path)
    said_no = desk.officer.is_refused(path, {"days": "30"})
    assert "Memorandum MoU-CP-Harbour, number of extensions: 2." in said_no
    assert "Record the MLA request" in said_no
    assert desk.view(HARBOUR, ref)["extension"] is None

    # Nobody records a request: reminders, then it expires at its minute.
    desk.until(until - timedelta(minutes=1))
    post = desk.post()
    assert post.about("kept for 14 more days") == [OFFICER, DUTY]
    assert post.about("kept for 7 more days") == [OFFICER, DUTY]
    assert post.about("kept for 2 more days") == [OFFICER, DUTY, SUPERVISOR]
    assert post.about("your promise ends in 2 days") == [SPOC]
    assert desk.view(HARBOUR, ref)["state"] == "preserved"
    desk.until(until)
    post = desk.post()
    assert post.about("the preservation has ended") == [DUTY]
    assert post.about("you need not keep the data any longer") == [SPOC]
    for somebody in (desk.officer, desk.harbour_spoc):
        assert f"The promised date {until:%-d %b %Y} has passed. Expired." in somebody.sees(ref)

    # Its provider forgets to confirm that the data are gone; two weeks later it is reminded.
    desk.until(until + timedelta(days=14))
    assert desk.post().about("please confirm disposal") == [SPOC]
    desk.until(until + timedelta(days=28))
    assert desk.post().about("disposal is not confirmed") == [OFFICER, DUTY]
    desk.harbour_spoc.confirms_disposal(ref, "Suppression 88-1")
    assert "Suppression 88-1" in desk.officer.sees(ref)
    assert desk.view(HARBOUR, ref)["state"] == "disposed"
    assert [one for one in desk.stream(HARBOUR) if one != "escalated"] == [
        *("issued", "fetched", "acknowledged", "preserved"),
        *("extension_requested", "extended", "extension_requested", "extended"),
        *("expired", "disposed"),
    ]

    # France reads it in French, and nothing of the case.
    desk.post()
    desk.officer.does(f"{request}/result", act="send")
    (result,) = desk.post()
    assert result.address == FR
    assert "FR-247-2026-1902" in result.text
    assert ref in result.text
    assert "demande" in result.text
    desk.closes(FOLLOW_UP)


def test_an_order_that_nobody_came_back_to(desk: Desk) -> None:
    # A routine order of a memorandum under which a question stops the clock.
    with_terms(desk.world, MERIDIAN, clock_stops=True)
    draft = desk.officer.drafts(NAMES, urgency="routine")
    desk.officer.submits(draft)
    ref = desk.supervisor.authorises(draft)
    served = desk.now
    for somebody in (desk.officer, desk.spoc):
        shown = somebody.sees(ref)
        assert "星河_2026" in shown
        assert "საქართველოს 24/7 საკონტაქტო პუნქტი" in shown
        assert "Նարե Հակոբյան" in shown
        assert "تدخل في النظام" in shown
    assert desk.view(MERIDIAN, ref)["targets"][1]["value"].startswith("аdmin@"), "a Cyrillic а"
    desk.post()

    # A question after 20 hours. While it is open nobody is called and nothing is late.
    desk.until(served + timedelta(hours=20))
    desk.spoc.asks(ref, "Which 星河: there are two. Кириллица?")
    assert desk.post().about("the provider has asked you a question") == [DUTY]
    for somebody in (desk.officer, desk.spoc):
        assert "The clock is stopped since 24 Nov 2026, 08:00 UTC by a question." in somebody.sees(
            ref
        )
    assert desk.view(MERIDIAN, ref)["clock_stopped_since"] == "2026-11-24T08:00:00Z"
    desk.until(served + timedelta(hours=20, days=3))
    post = desk.post()
    assert {letter.address for letter in post} == {DUTY, SUPERVISOR}, "nobody at the provider"
    assert post.about("a question waits for your answer since") == [
        *[DUTY] * 3,
        *[SUPERVISOR] * 3,
    ]
    assert "Overdue" not in desk.officer.sees(ref)

    # Answered after three days: both deadlines are later by three days.
    desk.officer.writes(ref, "The one with the underscore, star first: 星河_2026.")
    assert desk.post().about("the contact point has written to you") == ["spoc@meridian.example"]
    view = desk.view(MERIDIAN, ref)
    assert view["clock_stopped_since"] is None
    assert view["acknowledge_by"] == f"{served + timedelta(days=5):%Y-%m-%dT%H:%M:%SZ}"
    assert view["preserve_by"] == f"{served + timedelta(days=8):%Y-%m-%dT%H:%M:%SZ}"
    assert [message["text"] for message in view["thread"]] == [
        "Which 星河: there are two. Кириллица?",
        "The one with the underscore, star first: 星河_2026.",
    ]

    # Preserved in time. Then nobody acts; the officers are told at 14, 7 and 2 days.
    desk.spoc.preserves(ref, days="60")
    until = desk.now + timedelta(days=60)
    desk.post()
    for days, people in ((14, [OFFICER, DUTY]), (7, [OFFICER, DUTY])):
        desk.until(until - timedelta(days=days, minutes=1))
        assert desk.post().about("the data are kept for") == []
        desk.passes(minutes=1)
        assert desk.post().about(f"the data are kept for {days} more days") == people
    desk.until(until - timedelta(days=2))
    post = desk.post()
    assert post.about("kept for 2 more days") == [OFFICER, DUTY, SUPERVISOR]
    assert post.about("your promise ends in 2 days") == ["spoc@meridian.example"]
    assert "0 can be judged" in desk.supervisor.reads("/figures?period=2026")
    desk.until(until)
    assert desk.post().about("the preservation has ended") == [DUTY]
    assert desk.view(MERIDIAN, ref)["state"] == "expired"
    assert "Expired" in desk.spoc.sees(ref)

    # It is what the figures are for: preserved, announced, and no request followed.
    figures = desk.supervisor.reads("/figures?period=2026")
    assert "GE 1 0 1 of 1 (100 %)" in figures
    assert "კიბერდანაშაულის დეპარტამენტი 1 0 1 of 1 (100 %)" in figures
    file = desk.auditor.opens("/figures.csv?period=2026").text
    assert '"party","GE","1","1","1"' in file
    assert "No order of this period" in desk.foreign_supervisor.reads("/figures?period=2026")
    stream = [one for one in desk.stream(MERIDIAN) if one != "escalated"]
    assert stream == ["issued", "fetched", "message", "message", "preserved", "expired"]
    desk.closes(NAMES)
