"""Two cases that one provider alone cannot settle: rented servers, and a shared address."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from liaison.models import CounterpartRequest
from tests.incoming import ADDRESSES, RANSOMWARE, asked
from tests.stories.desk import DUTY, OFFICER, SUPERVISOR, Desk

FRAUD = "03-cgnat-fraud-routine.json"
SEVAN, HARBOUR, NORVIK, MERIDIAN = (
    "Sevan Hosting",
    "Harbour Cable",
    "Norvik Mobile",
    "Meridian Telecom",
)
NL = ADDRESSES[RANSOMWARE]


def test_ransomware_at_a_host_for_a_counterpart_abroad(desk: Desk) -> None:
    # The request of the Netherlands is registered as it stands, and its receipt is confirmed.
    request = desk.officer.registers(asked(desk.world, RANSOMWARE))
    assert "CP-IN-2026-0001" in desk.officer.reads(request)
    desk.officer.does(f"{request}/receipt", act="send")
    (receipt,) = desk.post()
    assert receipt.address == NL
    assert "NL-247-2026-0417" in receipt.text

    # One form, two providers: an order to the host of the server and one to that of the name.
    case = f"/cases/{desk.officer.drafts_from(request, SEVAN, further=[HARBOUR])}"
    assert "26-HTC-118" in desk.officer.reads(case)
    drafts = dict.fromkeys(
        re.findall(r'href="/orders/([0-9a-f-]{36})"', desk.officer.opens(case).text)
    )
    assert len(drafts) == 2
    refs = {}
    for draft in drafts:
        provider = SEVAN if SEVAN in desk.officer.sees(draft) else HARBOUR
        desk.officer.submits(draft)
        refs[provider] = desk.supervisor.authorises(draft)
    sevan, harbour = refs[SEVAN], refs[HARBOUR]
    post = desk.post()
    assert post.about("waits for authorisation") == [], "it was done before anybody was asked"
    assert post.about("was authorised and issued") == [OFFICER, OFFICER]
    for ref in refs.values():
        assert ref in desk.officer.reads(case)

    # Each provider sees its own order: no request, no case, nothing of the other one.
    desk.passes(hours=4)
    assert "spoc@sevan.example" in desk.post().about("waits for")
    shown = desk.sevan_spoc.sees(sevan)
    assert "CP-IN-2026" not in shown
    assert HARBOUR not in shown
    assert harbour not in desk.sevan_spoc.reads("/orders?view=all")
    assert desk.program(SEVAN).get(f"/orders/{harbour}").status_code == 404

    # Kept in part: the disk and the name, but nothing is held of the payment.
    desk.sevan_spoc.preserves(
        sevan,
        found="part",
        targets__2__outcome="nothing_held",
        targets__2__note="Rent is paid through a reseller.",
    )
    desk.harbour_spoc.preserves(harbour)
    desk.post()
    report = desk.view(SEVAN, sevan)["preservation"]
    assert report["outcome"] == "partial"
    assert [t["outcome"] for t in report["targets"]] == ["preserved", "preserved", "nothing_held"]
    assert "Rent is paid through a reseller." in desk.officer.sees(sevan)

    # Reported back to the Netherlands, with one click: refs, states and dates, no provider.
    assert "Not yet reported back" in desk.officer.reads(request)
    desk.officer.does(f"{request}/result", act="send")
    (result,) = (letter for letter in desk.post() if letter.address == NL)
    assert f"Order {sevan}: preserved in part, until" in result.text
    assert f"Order {harbour}: preserved until" in result.text
    assert SEVAN not in result.text
    assert HARBOUR not in result.text

    # The MLA request comes: the data stay until it is decided, for years where it takes years.
    desk.until(desk.now + timedelta(days=40))
    desk.officer.records_mla(sevan, "LP-2026-3391/MLA")
    assert desk.post().about("keep the data until the MLA request is decided") == [
        "spoc@sevan.example"
    ]
    desk.passes(days=730)
    post = desk.post()
    assert post.about(f"Order {sevan}") == [], "nobody is nagged about it"
    view = desk.view(SEVAN, sevan)
    assert (view["state"], view["kept_until_decided"]) == ("preserved", True)
    for somebody in (desk.officer, desk.sevan_spoc):
        assert "Kept until it is decided" in somebody.sees(sevan)
    # The other one had no request: it expired at its date, two years ago.
    assert f"Order {harbour}: the preservation has ended" in post.to(DUTY)
    assert desk.view(HARBOUR, harbour)["state"] == "expired"
    assert "not yet reported back" in desk.officer.reads(request).lower()

    # Decided. Released, told to the counterpart as progress, and gone.
    desk.officer.releases(sevan)
    desk.sevan_spoc.confirms_disposal(sevan)
    desk.officer.does(f"{request}/progress", act="send")
    (progress,) = (letter for letter in desk.post() if letter.address == NL)
    assert f"Order {sevan}: " in progress.text
    assert "not yet reported back" not in desk.officer.reads(request).lower()
    assert [one for one in desk.stream(SEVAN) if one != "escalated"] == [
        *("issued", "fetched", "preserved", "mla_recorded", "released", "disposed"),
    ]
    with desk.world.database.reading() as session:
        (stored,) = session.scalars(select(CounterpartRequest))
        assert stored.state == "closed"
    desk.closes(RANSOMWARE)


def test_a_shared_address_that_another_provider_holds(desk: Desk) -> None:
    # Written, handed over, and sent back: the exact second of a session is not clear.
    draft = desk.officer.drafts(FRAUD)
    desk.officer.submits(draft)
    assert desk.post().about("waits for authorisation") == [DUTY, SUPERVISOR]
    assert "a second pair of eyes" in desk.officer.is_refused(
        f"/orders/{draft}", to=f"/orders/{draft}/authorise"
    )
    desk.supervisor.returns(draft, "Session 2: which port?")
    assert desk.post().about("was returned to you") == [OFFICER]
    assert "Session 2: which port?" in desk.officer.sees(draft)
    desk.officer.changes(draft, targets__1__port="40113")
    desk.officer.submits(draft)
    ref = desk.supervisor.authorises(draft)
    served = desk.now
    desk.post()
    view = desk.view(NORVIK, ref)
    assert view["targets"][1]["port"] == 40113
    assert view["acknowledge_by"] == "2026-11-25T12:00:00Z"
    assert "Which port" not in desk.norvik_spoc.sees(ref), "what was said among us stays with us"
    assert "Authorised by a second person." in desk.officer.sees(ref)

    # The program answers: not ours any more, the address was handed over. Arts 17, 30.
    desk.passes(hours=5)
    target = view["targets"][1]["id"]
    program = desk.program(NORVIK)
    named = program.post(
        f"/orders/{ref}/route",
        {
            "provider": "meridian.example",
            "path": "192.0.2.144:40113 was handed over at 198.51.100.9, 17:05:02 UTC.",
            "target": target,
        },
    )
    assert named.status_code == 200, named.text
    assert desk.post().about("another provider was named") == [DUTY]
    declined = program.post(
        f"/orders/{ref}/refusal",
        {
            "grounds": ["not_stored"],
            "explanation": "The range is leased to the provider we have named.",
            "preserved_meanwhile": False,
        },
    )
    assert declined.get_json()["state"] == "declined"
    post = desk.post()
    assert post.about("declined") == [DUTY]
    shown = desk.officer.sees(ref)
    assert "Declined: Not stored by this provider." in shown
    assert "The data are not kept meanwhile." in shown
    assert f"Registered as {MERIDIAN}." in shown
    assert "Registered as" not in desk.norvik_spoc.sees(ref)

    # One click makes the order to the provider that was named; two clicks make no second one.
    page = desk.officer.opens(f"/orders/{ref}")
    (path,) = set(re.findall(rf'action="(/orders/{ref}/routes/[^"]+/follow-on)"', page.text))
    first = desk.officer.does(f"/orders/{ref}", to=path, page=page)
    assert desk.officer.does(f"/orders/{ref}", to=path, page=page) == first
    follow = first.split("/")[2]
    shown = desk.officer.sees(follow)
    assert f"Follows on {ref}" in re.sub(r"Only we see this ", "", shown)
    assert "Follow-up to an earlier preservation" in shown
    stored = desk.world.order(follow)
    assert [t.value for t in stored.targets] == ["192.0.2.144"], "only the target that was named"

    # Checked and authorised like any other; preserved there.
    desk.officer.submits(follow)
    second = desk.supervisor.authorises(follow)
    desk.post()
    view = desk.view(MERIDIAN, second)
    assert view["status"] == "follow-up-to-preservation"
    assert ref in str(view["origin"])
    assert NORVIK not in desk.spoc.sees(second)
    kept = desk.program(MERIDIAN).post(f"/orders/{second}/preservation", {"days": 60})
    assert kept.get_json()["state"] == "preserved"
    assert desk.post().about("preserved") == [DUTY]
    for here, there in ((ref, second), (second, ref)):
        assert there in desk.officer.sees(here)
    assert second not in desk.norvik_spoc.sees(ref)
    case = re.search(r'href="(/cases/[^"]+)"', desk.officer.opens(f"/orders/{ref}").text)
    assert case is not None
    told = desk.officer.reads(case[1])
    assert ref in told
    assert second in told
    assert desk.now < served + timedelta(days=2)
    assert desk.stream(NORVIK) == ["issued", "fetched", "route_reported", "declined"]
    assert desk.stream(MERIDIAN) == ["issued", "fetched", "preserved"]
    desk.closes(FRAUD)
