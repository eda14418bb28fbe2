"""The requests' pages: registering, drafting orders, writing to the counterpart with one click."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from liaison.domain.request import LetterKind
from liaison.domain.vocabulary import RequestState
from liaison.models import CounterpartRequest, Order, RequestLetter
from tests.incoming import (
    ADDRESSES,
    FOLLOW_UP,
    RANSOMWARE,
    THREAT,
    made,
    register,
    row,
    served,
    write,
)
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World, csrf_token, submit

pytestmark = pytest.mark.one_database

LEAST = {
    "party": "fr",
    "reference": "FR-247-2026-1902",
    "received_at": "2026-11-23 11:30",
    "contact-email": ADDRESSES[FOLLOW_UP],
    "language": "fr",
}


def requests_of(world: World) -> list[CounterpartRequest]:
    with world.database.reading() as session:
        return list(session.scalars(select(CounterpartRequest).order_by(CounterpartRequest.id)))


def letters(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(RequestLetter)) or 0


def test_five_fields_register_a_request_and_what_is_missing_is_listed(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = client.get("/requests/new")
    assert fields(page.text)["received_at"] == "2026-11-23 12:00"
    sent = client.post("/requests/new", data=typed(page.text, LEAST, "write"))
    assert sent.status_code == 303
    (made_,) = requests_of(world)
    assert (made_.number, made_.party, made_.registered_by) == (
        "CP-IN-2026-0001",
        "FR",
        "Anahit Petrosyan",
    )
    shown = client.get(sent.location)
    for letter in "abcdef":
        assert f"<strong>{letter})</strong>" in shown.text
    assert "It names no data to be preserved." in shown.text
    assert "Registered as CP-IN-2026-0001." in shown.text
    assert "Requests (1)" in shown.text, "no receipt was sent yet"
    assert "CP-IN-2026-0001" in client.get("/requests?q=1902").text


def test_a_whole_request_goes_through_the_form_and_back(world: World, signed_in: SignedIn) -> None:
    request = register(world, RANSOMWARE)
    client = signed_in("officer")
    path = f"/requests/{request.id}/edit"
    page = client.get(path)
    assert client.post(path, data=typed(page.text, {}, "write")).status_code == 303
    after = row(world, request)
    assert after.version == request.version, "nothing was changed on the way"
    assert len(after.targets) == 3


def test_nothing_typed_is_lost_by_an_error(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    page = client.get("/requests/new")
    wrong = LEAST | {"contact-email": "desk@gmail.com", "facts": "<b>A</b> bank", "party": "zz"}
    sent = client.post("/requests/new", data=typed(page.text, wrong, "write"))
    assert sent.status_code == 422
    assert "E-mail: gmail.com is open to anybody." in sent.text
    held = fields(sent.text)
    assert (held["facts"], held["reference"]) == ("<b>A</b> bank", LEAST["reference"])
    assert "<b>A</b>" not in sent.text
    assert requests_of(world) == []


def test_rows_come_and_go_and_faults_stand_at_theirs(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    page = client.get("/requests/new")
    more = client.post("/requests/new", data=typed(page.text, LEAST, "add-previous"))
    assert more.status_code == 200
    assert fields(more.text)["reference"] == LEAST["reference"]
    wrong = {"previous-1-date": "yesterday", "previous-1-reference": "FR-1"}
    sent = client.post("/requests/new", data=typed(more.text, wrong, "write"))
    assert sent.status_code == 422
    assert 'href="#previous-1-date"' in sent.text
    gone = client.post("/requests/new", data=typed(sent.text, {}, "remove-previous-0"))
    assert fields(gone.text)["previous-0-reference"] == "FR-1"


def test_a_known_reference_is_shown_and_can_be_confirmed(world: World, signed_in: SignedIn) -> None:
    first = register(world, FOLLOW_UP)
    client = signed_in("officer")
    page = client.get("/requests/new")
    sent = client.post("/requests/new", data=typed(page.text, LEAST, "write"))
    assert sent.status_code == 409
    assert f"/requests/{first.id}" in sent.text
    assert fields(sent.text)["reference"] == LEAST["reference"]
    again = client.post("/requests/new", data=typed(sent.text, {"confirmed": "y"}, "write"))
    assert again.status_code == 303
    assert len(requests_of(world)) == 2
    assert first.number in client.get(again.location).text


def test_whoever_was_overtaken_keeps_what_they_typed(world: World, signed_in: SignedIn) -> None:
    request = register(world, FOLLOW_UP)
    client = signed_in("officer")
    path = f"/requests/{request.id}/edit"
    page = client.get(path)
    first = typed(page.text, {"custodian": "Harbour"}, "write")
    assert client.post(path, data=first).status_code == 303
    late = client.post(path, data=typed(page.text, {"custodian": "Lisbon"}, "write"))
    assert late.status_code == 409
    assert "changed since you read it" in late.text
    assert fields(late.text)["custodian"] == "Lisbon"
    assert row(world, request).custodian == "Harbour"


def test_the_receipt_is_shown_then_sent_with_one_click(world: World, signed_in: SignedIn) -> None:
    request = register(world, FOLLOW_UP)
    client = signed_in("officer")
    path = f"/requests/{request.id}/receipt"
    page = client.get(path)
    assert "votre demande FR-247-2026-1902 a été reçue" in page.text
    assert ADDRESSES[FOLLOW_UP] in page.text
    assert "Escroquerie" not in page.text, "a letter carries no case data"
    form = typed(page.text, {}, "send")
    assert client.post(path, data=form).status_code == 303
    assert client.post(path, data=form).status_code == 303, "a double click is no conflict"
    assert letters(world) == 1
    shown = client.get(f"/requests/{request.id}").text
    assert "On its way" in shown
    assert "Requests (" not in shown


def test_a_letter_that_was_not_looked_at_is_not_sent(world: World, signed_in: SignedIn) -> None:
    request = register(world)
    client = signed_in("officer")
    path = f"/requests/{request.id}/progress"
    page = client.get(path)
    order = served(world, request, RANSOMWARE)
    sent = client.post(path, data=typed(page.text, {}, "send"))
    assert sent.status_code == 409
    assert letters(world) == 0
    assert str(order.ref) in sent.text, "the letter as it would be now"
    assert client.post(path, data=typed(sent.text, {}, "send")).status_code == 303
    assert letters(world) == 1


def test_what_is_missing_is_chosen_and_asked_for(world: World, signed_in: SignedIn) -> None:
    request = register(world, FOLLOW_UP, necessity=None, mla=None)
    client = signed_in("officer")
    path = f"/requests/{request.id}/missing"
    page = client.get(path)
    assert fields(page.text).getlist("items") == ["d", "e", "f"]
    assert "la nécessité de la mesure" in page.text
    fewer = client.post(path, data=typed(page.text, {"items": ["f"]}, "look"))
    assert "la nécessité de la mesure" not in fewer.text
    unseen = client.post(path, data=typed(page.text, {"items": ["e"]}, "send"))
    assert unseen.status_code == 409, "other things were ticked than the letter shown asked for"
    assert client.post(path, data=typed(fewer.text, {}, "send")).status_code == 303
    assert "It asks for f of art. 29(2)." in client.get(f"/requests/{request.id}").text


def test_an_order_is_drafted_from_the_request(world: World, signed_in: SignedIn) -> None:
    request = register(world, RANSOMWARE)
    client = signed_in("officer")
    assert f"/orders/new?request={request.id}" in client.get(f"/requests/{request.id}").text
    page = client.get(f"/orders/new?request={request.id}")
    held = fields(page.text)
    assert held["origin-kind"] == "foreign"
    assert held["origin-reference"] == "NL-247-2026-0417"
    assert held["targets-2-value"].startswith("bc1q")
    assert held["duration_days"] == "90"
    assert request.number in page.text
    sent = client.post("/orders/new", data=typed(page.text, {"provider": "Sevan Hosting"}, "check"))
    assert sent.status_code == 303, sent.text
    with world.database.reading() as session:
        order = session.scalars(select(Order)).one()
        data = world.data(RANSOMWARE)
        assert order.request_id == request.id
        assert (order.offence, order.facts) == (data["offence"], data["facts"])
        assert (order.mla_intended, str(order.mla_expected_by)) == (True, "2027-01-15")
        assert [t.data for t in order.targets] == [t["data"] for t in data["targets"]]
        assert order.targets[0].start_offset == 60
    assert request.number in client.get(f"/orders/{order.id}").text
    assert f"/orders/{order.id}" in client.get(f"/requests/{request.id}").text


def test_the_follow_up_and_the_emergency_fill_the_form_too(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    provider = {FOLLOW_UP: "Harbour Cable", THREAT: "Norvik Mobile"}
    for file, name in provider.items():
        request = register(world, file)
        page = client.get(f"/orders/new?request={request.id}")
        sent = client.post("/orders/new", data=typed(page.text, {"provider": name}, "check"))
        assert sent.status_code == 303
        with world.database.reading() as session:
            query = select(Order).where(Order.request_id == request.id)
            order = session.scalars(query).one()
            data = world.data(file)
            assert order.status.value == data["status"]
            assert order.urgency.value == data["urgency"]
            assert order.origin == {k: v for k, v in data["origin"].items() if k != "kind"}
            assert order.emergency_ground == data.get("emergency_ground")


def test_the_provider_never_hears_of_the_request(world: World, signed_in: SignedIn) -> None:
    request = register(world, RANSOMWARE)
    order = served(world, request, RANSOMWARE)
    assert request.number in signed_in("officer").get(f"/orders/{order.ref}").text
    spoc = signed_in("sevan_spoc")
    assert request.number not in spoc.get(f"/orders/{order.ref}").text
    assert spoc.get(f"/requests/{request.id}").status_code == 403
    assert spoc.get("/requests").status_code == 403


def test_the_result_is_reported_and_closes_it(world: World, signed_in: SignedIn) -> None:
    request = register(world, RANSOMWARE)
    write(world, request, LetterKind.RECEIPT)
    order = served(world, request, RANSOMWARE)
    client = signed_in("officer")
    early = client.get(f"/requests/{request.id}/result")
    assert early.status_code == 409
    assert "no result yet" in early.text
    world.preserve(order, by="sevan_spoc")
    page = client.get(f"/requests/{request.id}").text
    assert "Not yet reported back" in page
    assert "Requests (1)" in page
    path = f"/requests/{request.id}/result"
    letter = client.get(path)
    assert f"Order {order.ref}: preserved until 2027-02-21 12:00 UTC." in letter.text
    assert client.post(path, data=typed(letter.text, {}, "send")).status_code == 303
    after = client.get(f"/requests/{request.id}").text
    assert "Not yet reported back" not in after
    assert "Closed: the result was reported." in after
    assert row(world, request).state is RequestState.CLOSED


def test_a_refusal_is_explained_looked_at_then_sent(world: World, signed_in: SignedIn) -> None:
    request = register(world, THREAT)
    client = signed_in("supervisor")
    path = f"/requests/{request.id}/refuse"
    page = client.get(path)
    assert "Refuse and send" not in page.text
    chosen: dict[str, Any] = {"grounds": ["sovereignty"]}
    unexplained = client.post(path, data=typed(page.text, chosen, "look"))
    assert unexplained.status_code == 422
    chosen["explanation"] = "A <i>base</i> of ours is named."
    looked = client.post(path, data=typed(page.text, chosen, "look"))
    assert "article 29, paragraph 5, letter b" in looked.text
    sent = client.post(path, data=typed(looked.text, {}, "send"))
    assert sent.status_code == 303
    shown = client.get(f"/requests/{request.id}").text
    assert "A &lt;i&gt;base&lt;/i&gt; of ours is named." in shown
    assert client.get(path).status_code == 409


def test_a_request_is_closed_with_a_reason(world: World, signed_in: SignedIn) -> None:
    request = register(world)
    client = signed_in("officer")
    path = f"/requests/{request.id}/close"
    assert submit(client, path, {"version": str(request.version)}).status_code == 422
    page = client.get(path)
    form = typed(page.text, {"reason": "They took it back."})
    assert client.post(path, data=form).status_code == 303
    assert "They took it back." in client.get(f"/requests/{request.id}").text
    drafted = client.get(f"/orders/new?request={request.id}")
    assert drafted.status_code in (200, 409)


def test_drafting_from_a_request_that_was_closed_meanwhile_loses_nothing(
    world: World, signed_in: SignedIn
) -> None:
    request = register(world, RANSOMWARE)
    client = signed_in("officer")
    page = client.get(f"/orders/new?request={request.id}")
    submit(
        client,
        f"/requests/{request.id}/close",
        {"version": str(request.version), "reason": "Taken back."},
    )
    typed_ = typed(page.text, {"provider": "Sevan Hosting", "facts": "Typed."}, "check")
    sent = client.post("/orders/new", data=typed_)
    assert sent.status_code == 422
    assert "no order is made from it any more" in sent.text
    assert fields(sent.text)["facts"] == "Typed."


def test_hostile_text_is_only_ever_text(world: World, signed_in: SignedIn) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}\u202e"
    request = register(
        world,
        RANSOMWARE,
        reference=hostile,
        requesting_authority=hostile,
        facts=hostile,
        contact={"email": ADDRESSES[RANSOMWARE], "name": hostile},
        targets=[{"value": hostile, "service": hostile, "relation": hostile, "type": hostile}],
        previous=[{"reference": hostile}],
    )
    client = signed_in("officer")
    pages = ["", "/edit", "/receipt", "/missing", "/progress", "/refuse"]
    for path in ("/requests", *(f"/requests/{request.id}{end}" for end in pages)):
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text
        assert "49" not in re.findall(r"alert\(1\)&lt;/script&gt;(\d*)", page.text)
    assert client.get(f"/orders/new?request={request.id}").status_code == 200
    assert client.get("/requests?q=%00").status_code == 422


def test_a_form_token_is_needed(world: World, signed_in: SignedIn) -> None:
    request = register(world)
    client = signed_in("officer")
    page = client.get(f"/requests/{request.id}/receipt")
    form = typed(page.text, {}, "send")
    form["csrf_token"] = "nothing"
    assert client.post(f"/requests/{request.id}/receipt", data=form).status_code == 400
    assert csrf_token(page)
    assert letters(world) == 0


def test_an_auditor_reads_and_changes_nothing(world: World, signed_in: SignedIn) -> None:
    request = register(world)
    made(world, request, RANSOMWARE)
    client = signed_in("auditor")
    page = client.get(f"/requests/{request.id}")
    assert page.status_code == 200
    assert "you read this request and change nothing" in page.text
    assert "Register a request" not in client.get("/requests").text
    for end in ("edit", "receipt", "missing", "progress", "result", "refuse", "close"):
        assert client.get(f"/requests/{request.id}/{end}").status_code == 403
