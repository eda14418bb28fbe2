"""Drafting, checking and issuing: what a person at the contact point types and sends."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from liaison.domain.draft import parse_draft
from liaison.domain.lifecycle import OrderState
from liaison.models import Order, Person
from liaison.portal.orders import draft_data
from liaison.portal.orders.draft_form import DraftForm
from tests.portal.filled import SignedIn, as_form, fields, typed
from tests.world import ORDERS, World, csrf_token, submit

pytestmark = pytest.mark.one_database

VALID = sorted(ORDERS.glob("0*.json"))
INVALID = sorted((ORDERS / "invalid").glob("*.json"))
UNTYPABLE = {"unknown-field", "unknown-provider", "wrong-types", "no-targets", "no-time-zone"}
"""Faults of a file that no form can hold: it has no such field, choice or type, always one target,
and a zone beside every moment."""

SEVEN = {
    "provider": "Meridian Telecom",
    "investigating_authority-case_number": "MP-2026-0231",
    "offence": "Abduction of a minor",
    "facts": "The last message was sent from this address at 01:22 UTC.",
    "emergency_ground": "Risk to the life of a child, missing for 19 hours.",
    "targets-0-value": "198.51.100.24",
    "targets-0-start": "2026-11-23 01:10",
}


def stored(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Order)) or 0


def state_of(world: World, order: Order) -> OrderState:
    return world.order(order.name).state


def test_an_emergency_takes_three_clicks_seven_fields_and_a_code(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    world.clock.move(minutes=6)  # the code of the sign-in is fresh no longer
    assert 'href="/orders/new?urgency=emergency"' in client.get("/orders").text

    new = client.get("/orders/new?urgency=emergency")
    check = client.post("/orders/new", data=typed(new.text, SEVEN))
    assert check.status_code == 303
    page = client.get(check.location)
    assert "SPOC at meridian.example" in page.text
    assert "23 Nov 2026, 13:06 UTC" in page.text  # 60 minutes after it would be issued
    form = fields(page.text)
    form["code"] = world.unused_code("officer")
    issued = client.post(check.location, data=form)

    assert issued.status_code == 303
    order = world.order(issued.location.rsplit("/", 1)[-1])
    assert order.state is OrderState.ISSUED
    assert order.targets[0].type.value == "ip_address"
    assert order.duration_days == 90  # the memorandum's
    assert order.targets[0].data == ["subscriber", "traffic"]
    assert "Waiting for acknowledgement" in client.get(issued.location).text


def test_a_fresh_factor_needs_no_second_code(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    order = world.draft()
    page = client.get(f"/orders/{order.name}/issue")
    assert "may stay empty" in page.text
    assert client.post(f"/orders/{order.name}/issue", data=fields(page.text)).status_code == 303
    assert state_of(world, order) is OrderState.ISSUED


@pytest.mark.parametrize("code", ["", "000000", "abc"])
def test_without_the_right_code_nothing_is_sent(
    world: World, signed_in: SignedIn, code: str
) -> None:
    client = signed_in("officer")
    world.clock.move(minutes=6)
    order = world.draft()
    answer = submit(client, f"/orders/{order.name}/issue", {"code": code, "version": "1"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert state_of(world, order) is OrderState.DRAFT
    with world.database.reading() as session:
        person = session.get_one(Person, world.person("officer").id)
        assert person.factor_failures == (0 if code == "" else 1)


def test_a_code_serves_one_order_only(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    world.clock.move(minutes=6)
    first, second = world.draft(), world.draft()
    code = world.unused_code("officer")
    path = f"/orders/{first.name}/issue"
    assert submit(client, path, {"code": code, "version": "1"}).status_code == 303
    path = f"/orders/{second.name}/issue"
    replayed = submit(client, path, {"code": code, "version": "1"})
    assert replayed.status_code == 422
    assert state_of(world, second) is OrderState.DRAFT


def test_outside_the_terms_the_page_says_which_and_offers_no_issue(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    order = world.draft("03-cgnat-fraud-routine.json", provider="Harbour Cable", duration_days=91)
    path = f"/orders/{order.name}/submit"
    page = client.get(path)
    assert "longest duration: 90 days" in page.text
    assert "data categories: Location data not covered" in page.text
    assert 'name="code"' not in page.text
    posted = client.post(path, data={"csrf_token": csrf_token(page), "version": "1"})
    assert posted.status_code == 422
    assert state_of(world, order) is OrderState.DRAFT


@pytest.mark.parametrize(
    "file", [f for f in INVALID if f.stem not in UNTYPABLE], ids=lambda f: f.stem
)
def test_the_form_refuses_what_the_import_refuses(
    world: World, signed_in: SignedIn, file: Path
) -> None:
    client = signed_in("officer")
    case = json.loads(file.read_text(encoding="utf-8"))
    before = stored(world)
    page = client.get("/orders/new")
    answer = client.post("/orders/new", data=typed(page.text, as_form(case["order"])))
    assert answer.status_code == 422
    assert stored(world) == before
    for pointer in case["expect_pointers"]:
        name = pointer[1:].replace("/", "-")
        name = name.replace("0-from", "0-start").replace("0-to", "0-end")
        assert f'id="{name}-e"' in answer.text, f"no error beside {name}"
        assert f'href="#{name}"' in answer.text, f"the summary does not lead to {name}"


def test_what_is_wrong_is_told_in_the_order_of_the_page(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new?urgency=emergency").text
    answer = client.post("/orders/new", data=typed(page, {})).text
    summary = answer.partition('id="errors"')[2].partition("</ul>")[0]
    led_to = re.findall(r'href="#([^"]+)"', summary)
    assert led_to[:2] == ["provider", "emergency_ground"]
    assert led_to == sorted(led_to, key=lambda name: answer.index(f' id="{name}"'))


@pytest.mark.parametrize("file", VALID, ids=lambda f: f.stem)
def test_the_form_holds_every_field_of_an_order(app: Flask, world: World, file: Path) -> None:
    order = world.draft(file.name)
    with app.test_request_context():
        form = DraftForm(formdata=None, data=draft_data.of_order(order))
        again = parse_draft(draft_data.to_json(form.data, 90), world.now)
    assert again == parse_draft(world.data(file.name), world.now)


def test_an_edited_draft_is_the_same_where_nothing_was_changed(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    order = world.draft("02-foreign-ransomware-hosting.json")
    page = client.get(f"/orders/{order.name}/edit")
    answer = client.post(f"/orders/{order.name}/edit", data=typed(page.text, {}))
    assert answer.status_code == 303
    after = world.order(order.name)
    for name in ("offence", "facts", "legal_basis", "origin", "mla_expected_by", "prosecution"):
        assert getattr(after, name) == getattr(order, name), name
    assert [(t.value, t.start, t.start_offset, t.data) for t in after.targets] == [
        (t.value, t.start, t.start_offset, t.data) for t in order.targets
    ]


def test_another_target_is_added_and_removed_and_nothing_typed_is_lost(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new?urgency=emergency")
    more = client.post("/orders/new", data=typed(page.text, SEVEN, "add-target"))
    assert more.status_code == 200
    held = fields(more.text)
    assert {name: held[name] for name in SEVEN} == SEVEN
    second = {"targets-1-value": "+37491000118", "targets-1-start": "2026-11-23 05:10"}
    more = client.post("/orders/new", data=typed(more.text, second, "add-target"))
    assert "targets-2-value" in fields(more.text)
    less = client.post("/orders/new", data=typed(more.text, {}, "remove-target-0"))
    held = fields(less.text)
    assert held["targets-0-value"] == "+37491000118"
    assert "targets-2-value" not in held
    assert stored(world) == 0


def test_a_time_of_day_is_never_invented(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new?urgency=emergency")
    answer = client.post(
        "/orders/new", data=typed(page.text, SEVEN | {"targets-0-start": "2026-11-23"})
    )
    assert answer.status_code == 422
    assert "Enter date and time, like 2026-11-23 01:10" in answer.text
    assert fields(answer.text)["targets-0-start"] == "2026-11-23"
    assert stored(world) == 0


def test_a_zone_goes_with_the_moment(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new?urgency=emergency")
    local = {"targets-0-start": "2026-11-23 05:10:30.250", "targets-0-start_zone": "Asia/Yerevan"}
    answer = client.post("/orders/new", data=typed(page.text, SEVEN | local))
    (target,) = world.order(answer.location.split("/")[2]).targets
    assert target.start == datetime.fromisoformat("2026-11-23T01:10:30.250+00:00")
    assert target.start_offset == 240


def test_who_was_overtaken_keeps_what_they_typed(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    order = world.draft()
    path = f"/orders/{order.name}/edit"
    mine = client.get(path)
    other = signed_in("second_officer")
    assert (
        other.post(path, data=typed(other.get(path).text, {"offence": "Theirs"})).status_code == 303
    )

    answer = client.post(path, data=typed(mine.text, {"offence": "Mine"}))

    assert answer.status_code == 409
    assert "Somebody else changed this draft meanwhile" in answer.text
    assert fields(answer.text)["offence"] == "Mine"
    assert world.order(order.name).offence == "Theirs"
    assert client.post(path, data=typed(answer.text, {})).status_code == 303
    assert world.order(order.name).offence == "Mine"


def test_only_the_contact_point_drafts(signed_in: SignedIn) -> None:
    for who in ("spoc", "auditor", "administrator"):
        assert signed_in(who).get("/orders/new").status_code == 403, who
