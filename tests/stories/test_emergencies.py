"""Two emergencies: a child that was found, and a threat that was none."""

from __future__ import annotations

from datetime import timedelta

from tests.incoming import ADDRESSES, THREAT, asked
from tests.stories.desk import DUTY, OFFICER, SUPERVISOR, Desk

CHILD = "01-emergency-missing-child.json"
MERIDIAN, NORVIK = "Meridian Telecom", "Norvik Mobile"


def test_a_missing_child_is_found(desk: Desk) -> None:
    # One officer, one fresh code: served in the same minute, on one person's word.
    ref = desk.officer.issues_at_once(desk.officer.drafts(CHILD))
    served = desk.now
    post = desk.post()
    assert post.to("spoc@meridian.example") == [
        f"Emergency: preservation order {ref} waits for your acknowledgement"
    ]
    assert post.about("must be ratified by 24 Nov 2026, 00:00 UTC") == [DUTY, SUPERVISOR]
    for somebody in (desk.officer, desk.spoc):
        shown = somebody.sees(ref)
        assert "Waiting for acknowledgement" in shown
        assert "Not yet ratified" in shown
        assert "A second person must ratify it by 24 Nov 2026, 00:00 UTC" in shown
    assert "Can ratify: Davit Sahakyan, Mariam Grigoryan." in desk.officer.sees(ref)
    view = desk.view(MERIDIAN, ref)
    assert (view["state"], view["ratified"]) == ("issued", False)
    assert view["acknowledge_by"] == "2026-11-23T13:00:00Z"

    # Nobody answers. The ladder climbs: every SPOC, the fallback addressee, our own duty officer.
    desk.until(served + timedelta(minutes=46))
    assert [letter.address for letter in desk.post()] == [
        "spoc@meridian.example",
        "deputy@meridian.example",
        "fallback@meridian.example",
        DUTY,
    ]
    shown = desk.officer.sees(ref)
    assert "Every SPOC alerted, not acknowledged yet: SPOC at meridian.example (SPOC) and" in shown
    assert "Our duty officer alerted, not acknowledged yet: Duty officer at police.example" in shown
    assert shown.count("registered number") == 3, "the SPOC, the fallback, our duty officer"

    # The fallback addressee picks up the phone; the call stops the ladder.
    desk.officer.calls(ref, "+37410000203", "reached", acknowledged="y", note="Night shift.")
    shown = desk.spoc.sees(ref)
    assert "Fallback addressee at meridian.example: acknowledged by phone." in shown
    assert "Night shift." not in shown, "a call's note is the contact point's own"
    assert "+37410000203" not in shown
    desk.passes(hours=1)
    assert desk.post() == [], "nobody is woken any more"
    assert desk.view(MERIDIAN, ref)["acknowledged_at"] == "2026-11-23T12:46:00Z"

    # Another person stands behind it; whoever issued it cannot.
    assert "a second pair of eyes" in desk.officer.is_refused(
        f"/orders/{ref}", to=f"/orders/{ref}/ratify"
    )
    desk.supervisor.ratifies(ref)
    for somebody in (desk.officer, desk.spoc):
        assert "Ratified by a second person." in somebody.sees(ref)
        assert "Not yet ratified" not in somebody.sees(ref)

    # Kept. Nothing follows abroad, so no request is waited for; the child is found.
    desk.spoc.preserves(ref, reference="NOC-8812")
    kept = desk.now
    assert desk.post().about("preserved") == [DUTY]
    view = desk.view(MERIDIAN, ref)
    assert (view["state"], view["ratified"], view["reference"]) == ("preserved", True, "NOC-8812")
    assert view["mla"] == {"intended": False, "expected_by": None}
    assert "Preservation confirmed: Preserved, until 21 Feb 2027." in desk.officer.sees(ref)
    desk.until(kept + timedelta(days=9))
    assert desk.post().about(ref) == []
    desk.officer.releases(ref, "She is home.")
    post = desk.post()
    assert post.about("you need not keep the data any longer") == ["spoc@meridian.example"]
    assert "Confirm disposal" in desk.spoc.sees(ref)
    assert "She is home." in desk.spoc.sees(ref)

    # Nobody confirms that the data are gone: a reminder after two weeks. Then it is done.
    desk.passes(days=14)
    assert desk.post().about("please confirm disposal") == ["spoc@meridian.example"]
    desk.spoc.confirms_disposal(ref, "DEL-31")
    assert desk.post().about("disposal confirmed") == [OFFICER, DUTY]
    for somebody in (desk.officer, desk.spoc):
        shown = somebody.sees(ref)
        assert "Disposed of" in shown
        assert "DEL-31" in shown
    desk.passes(days=60)
    assert desk.post().about(ref) == [], "nothing is left to say about it"
    assert desk.stream(MERIDIAN) == [
        *("issued", "escalated", "fetched", "escalated", "escalated", "escalated"),
        "acknowledged",
        "ratified",
        "preserved",
        "released",
        "disposed",
    ]
    assert "No order of this period was preserved" in desk.supervisor.reads("/figures")
    desk.closes(CHILD)


def test_a_threat_that_the_provider_doubted_and_that_was_none(desk: Desk) -> None:
    # The United States ask; the order is made from their request, and issued at once.
    request = desk.officer.registers(asked(desk.world, THREAT))
    ref = desk.officer.issues_at_once(desk.officer.drafts_from(request, NORVIK))
    served = desk.now
    desk.post()

    # Forged emergencies exist: the SPOC doubts it, keeps the data, and calls the register's number.
    desk.passes(minutes=4)
    assert "I doubt this order" in desk.norvik_spoc.sees(ref)
    page = desk.norvik_spoc.reads(f"/orders/{ref}/doubt")
    assert "+37410000101" in page
    assert "+12025550143" not in page, "never a number that the order itself names"
    desk.norvik_spoc.doubts(ref, "Nobody at the number below the order knows of it.")
    doubted = desk.now
    view = desk.view(NORVIK, ref)
    assert view["state"] == "issued", "a doubt is no acknowledgement"
    assert view["doubt"]["vouches"] == 0
    assert "You doubt this order" in desk.norvik_spoc.sees(ref)
    assert "Norvik Mobile doubts this order" in desk.officer.sees(ref)

    # The contact point's own ladder: the duty officer at once, the supervisor after 15 minutes.
    assert desk.post().about("doubts order") == [DUTY]
    desk.until(doubted + timedelta(minutes=31))
    post = desk.post()
    assert post.about("doubts order") == [SUPERVISOR, SUPERVISOR]
    assert post.about("waits for acknowledgement"), "the provider's own ladder goes on"
    assert "Doubted, not vouched for in time" in desk.supervisor.reads("/orders")

    # Whoever issued it cannot vouch; two others do, after looking at the file.
    assert "cannot vouch for it" in desk.officer.reads(f"/orders/{ref}/vouch")
    desk.second_officer.vouches(ref, "I have called the embassy.")
    assert desk.view(NORVIK, ref)["doubt"]["vouches"] == 1
    assert "a second person must" in desk.second_officer.reads(f"/orders/{ref}/vouch")
    desk.supervisor.vouches(ref, "The file is here.")
    post = desk.post()
    assert post.about("is real: two people have vouched") == ["spoc@norvik.example"]
    assert desk.view(NORVIK, ref)["doubt"] is None
    shown = desk.norvik_spoc.sees(ref)
    assert "The doubt is over." in shown
    assert "I have called the embassy." in shown
    desk.norvik_spoc.acknowledges(ref)
    desk.norvik_spoc.preserves(ref)
    desk.post()

    # Vouching is not ratifying. Its time passes: both sides see it, the supervisor is called.
    desk.until(served + timedelta(hours=12, minutes=1))
    post = desk.post()
    assert post.about("is not ratified: a second person must act") == [SUPERVISOR]
    for somebody in (desk.officer, desk.norvik_spoc):
        shown = somebody.sees(ref)
        assert "Not ratified by 24 Nov 2026, 00:00 UTC: nobody stands behind it yet." in shown
    assert "+37410000102" in desk.officer.sees(ref), "a call to the supervisor's registered number"
    assert desk.view(NORVIK, ref)["ratified"] is False
    desk.until(served + timedelta(hours=14, minutes=1))
    assert desk.post().about("is not ratified") == [SUPERVISOR, SUPERVISOR], "every hour"

    # It was a false alarm: withdrawn, with the reason, and nobody is called any more.
    desk.supervisor.withdraws(ref, "False alarm: the caller was a pupil of the school.")
    post = desk.post()
    assert post.about(f"Order {ref} is withdrawn") == ["spoc@norvik.example"]
    view = desk.view(NORVIK, ref)
    assert (view["state"], view["ratified"]) == ("withdrawn", False)
    for somebody in (desk.officer, desk.norvik_spoc):
        shown = somebody.sees(ref)
        assert "Order withdrawn." in shown
        assert "False alarm: the caller was a pupil of the school." in shown
    desk.passes(days=100)
    assert desk.post().about(ref) == []
    assert "Not yet reported back" in desk.officer.reads(request)
    desk.officer.does(f"{request}/result", act="send")
    (result,) = desk.post()
    assert result.address == ADDRESSES[THREAT]
    assert f"Order {ref}: withdrawn on 2026-11-24" in result.text
    assert "pupil" not in result.text
    stream = desk.stream(NORVIK)
    assert [one for one in stream if one != "escalated"] == [
        "issued",
        "fetched",
        "doubted",
        "vouched",
        "vouched",
        "acknowledged",
        "preserved",
        "ratification_overdue",
        "withdrawn",
    ]
    desk.closes(THREAT)
