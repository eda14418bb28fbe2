"""How much a form takes, and what becomes of numbers, moments and zones that no page offers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import encode_multipart

import liaison
from liaison.domain.draft_targets import MOST_TARGETS
from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from liaison.portal import filters, limits
from liaison.portal.orders import moments
from liaison.portal.orders.answer_forms import PreserveForm
from liaison.portal.orders.draft_form import DraftForm, TargetForm
from tests.portal.filled import SignedIn, fields, typed
from tests.portal.test_drafting import SEVEN
from tests.world import World, csrf_token

pytestmark = pytest.mark.one_database


def stored(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Order)) or 0


def rows(name: str, number: int, field: str) -> dict[str, str]:
    return {f"{name}-{index}-{field}": "x" for index in range(number)}


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building a form with rows is an error: the refusal must come before."""

    def build(*_args: Any, **_more: Any) -> None:
        raise AssertionError("the form was built")

    for form in (PreserveForm, DraftForm):
        monkeypatch.setattr(form, "__init__", build)


# Rows and fields


@pytest.mark.usefixtures("unbuilt")
@pytest.mark.parametrize("number", [2, 900])
def test_a_report_with_more_rows_than_targets_is_refused_unbuilt(
    world: World, signed_in: SignedIn, number: int
) -> None:
    order = world.issue()
    client = signed_in("spoc")
    token = csrf_token(client.get(f"/orders/{order.name}/decline"))
    body = {"csrf_token": token, "found": "part", **rows("targets", number, "id")}
    answer = client.post(f"/orders/{order.name}/preserve", data=body)
    assert answer.status_code == 422
    assert f"The order has 1 targets. Open the page again. There are {number}." in answer.text
    assert world.order(order.name).state is OrderState.ISSUED


@pytest.mark.usefixtures("unbuilt")
@pytest.mark.parametrize(
    ("name", "number", "field", "said"),
    [
        ("targets", MOST_TARGETS + 1, "value", "An order has at most 1000 targets."),
        ("legal_basis", 21, "articles", "Name at most 20 bases."),
        ("origin-previous", 51, "date", "Name at most 50 earlier requests."),
    ],
)
def test_a_draft_with_more_rows_than_an_order_can_have_is_refused_unbuilt(
    world: World, signed_in: SignedIn, name: str, number: int, field: str, said: str
) -> None:
    order = world.draft()
    client = signed_in("officer")
    token = csrf_token(client.get("/account"))
    for path in ("/orders/new", f"/orders/{order.name}/edit"):
        answer = client.post(path, data={"csrf_token": token, **rows(name, number, field)})
        assert answer.status_code == 422
        assert f"{said} There are {number}." in answer.text


@pytest.mark.parametrize("place", ["²", "٣", "1" * 10, "9" * 5000])
def test_a_row_number_that_no_page_writes_is_refused(
    world: World, signed_in: SignedIn, place: str
) -> None:
    order = world.issue()
    spoc, officer = signed_in("spoc"), signed_in("officer")
    for client, path in ((spoc, f"/orders/{order.name}/preserve"), (officer, "/orders/new")):
        form = fields(client.get(path).text)
        form[f"targets-{place}-note"] = "x"
        assert client.post(path, data=form).status_code == 422, path


@pytest.mark.parametrize("multipart", [False, True])
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/orders/new", limits.MOST_FIELDS["orders.new"]),
        ("/orders/{ref}/preserve", limits.MOST_FIELDS["orders.preserve"]),
        ("/orders/{ref}/decline", limits.FEW_FIELDS),
        ("/login", limits.FEW_FIELDS),
    ],
)
def test_more_fields_than_the_form_has_are_refused_unread(
    world: World, signed_in: SignedIn, path: str, most: int, multipart: bool
) -> None:
    order = world.issue()
    client = signed_in("officer" if path == "/orders/new" else "spoc")
    body = {"csrf_token": csrf_token(client.get("/account")), **rows("a", most, "b")}
    kind, sent = "application/x-www-form-urlencoded", urlencode(body).encode()
    if multipart:
        boundary, sent = encode_multipart(body)
        kind = f"multipart/form-data; boundary={boundary}"
    answer = client.post(path.format(ref=order.name), data=sent, content_type=kind)
    assert answer.status_code == 413
    assert "That is too much at once" in answer.text
    assert "Nothing was stored" in answer.text


@pytest.mark.parametrize("verb", ["acknowledge", "decline", "doubt"])
def test_a_small_form_takes_no_large_text(world: World, signed_in: SignedIn, verb: str) -> None:
    order = world.issue()
    client = signed_in("spoc")
    form = fields(client.get(f"/orders/{order.name}/{verb}").text)
    form["note"] = "x" * limits.SMALL_FORM
    answer = client.post(f"/orders/{order.name}/{verb}", data=form)
    assert answer.status_code == 413
    assert world.order(order.name).state is OrderState.ISSUED


def test_a_draft_with_240_targets_is_written_and_edited(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    form = typed(client.get("/orders/new?urgency=emergency").text, SEVEN)
    first = {name: given for name, given in form.lists() if name.startswith("targets-0-")}
    for index in range(240):
        for name, given in first.items():
            form.setlist(name.replace("-0-", f"-{index}-", 1), given)
        form[f"targets-{index}-value"] = f"198.51.100.{index + 1}"
    answer = client.post("/orders/new", data=form)
    assert answer.status_code == 303
    name = answer.location.split("/")[2]
    assert len(world.order(name).targets) == 240
    path = f"/orders/{name}/edit"
    assert client.post(path, data=typed(client.get(path).text, {})).status_code == 303
    assert len(world.order(name).targets) == 240


def test_the_form_of_the_largest_order_is_within_the_bound(app: Flask) -> None:
    with app.test_request_context():
        of_a_target = len(list(TargetForm())) - 1 + len(list(TargetForm().categories))
        form = DraftForm(formdata=None, data={})
        others = [f for f in form if f.type not in ("FieldList", "FormField")]
        inner = [f for group in form if group.type == "FormField" for f in group.form]
    number = MOST_TARGETS * of_a_target + 20 * 2 + 50 * 2 + len(others) + len(inner) + len(["act"])
    assert number <= limits.MOST_FIELDS["orders.new"] <= number + limits.FEW_FIELDS


def test_no_row_is_added_beyond_the_most(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    form = typed(client.get("/orders/new").text, SEVEN, "add-basis")
    for index in range(limits.MOST_BASES):
        form[f"legal_basis-{index}-instrument"] = "domestic"
        form[f"legal_basis-{index}-articles"] = "1"
    answer = client.post("/orders/new", data=form)
    assert answer.status_code == 422
    assert "Name at most 20 bases." in answer.text
    assert fields(answer.text)["facts"] == SEVEN["facts"]


# Texts


@pytest.mark.parametrize(
    ("who", "verb", "field", "longest"),
    [
        ("spoc", "acknowledge", "reference", 200),
        ("spoc", "acknowledge", "note", 5000),
        ("spoc", "preserve", "reference", 200),
        ("spoc", "preserve", "note", 5000),
        ("spoc", "preserve", "risk", 5000),
        ("spoc", "preserve", "targets-0-note", 5000),
        ("spoc", "decline", "explanation", 5000),
        ("spoc", "question", "text", 10_000),
        ("officer", "message", "text", 10_000),
        ("officer", "withdraw", "reason", 2000),
        ("officer", "close-escalation", "reason", 2000),
        ("officer", "escalate", "reason", 2000),
        ("officer", "skip", "reason", 2000),
        ("officer", "pause-escalation", "reason", 2000),
    ],
)
def test_a_text_that_is_too_long_is_named_beside_its_field_and_kept(
    world: World, signed_in: SignedIn, who: str, verb: str, field: str, longest: int
) -> None:
    order = world.issue()
    client = signed_in(who)
    path = f"/orders/{order.name}/{verb}"
    page = client.get(path)
    assert f'maxlength="{longest}"' in page.text
    form = fields(page.text)
    form[field] = "ж" * (longest + 1)
    answer = client.post(path, data=form)
    assert answer.status_code == 422
    said = f"Write at most {longest} characters."
    assert re.search(rf'href="#{field}">[^<]+: {said}', answer.text), "the summary names the field"
    assert answer.text.count(said) == 2, "once in the summary, once beside the field"
    assert f'id="{field}-e"' in answer.text
    assert fields(answer.text)[field] == form[field]
    assert world.order(order.name).version == order.version


def test_what_the_verb_finds_stands_beside_the_field(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()
    client = signed_in("spoc")
    monkeypatch.setattr("liaison.portal.orders.pointers.own_faults", lambda _form: [])
    path = f"/orders/{order.name}/acknowledge"
    form = fields(client.get(path).text)
    form["note"] = "x" * 5001
    answer = client.post(path, data=form)
    assert answer.status_code == 422
    assert 'id="note-e"' in answer.text


# Moments and zones


@pytest.mark.parametrize("zone", ["Europe", "America", "../etc", "/etc/passwd", "x" * 5000, "é"])
def test_a_zone_that_was_not_offered_is_named(world: World, signed_in: SignedIn, zone: str) -> None:
    client = signed_in("officer")
    before = stored(world)
    changes = SEVEN | {"targets-0-start_zone": zone}
    answer = client.post("/orders/new", data=typed(client.get("/orders/new").text, changes))
    assert answer.status_code == 422
    assert "Choose the time zone from the list." in answer.text
    assert stored(world) == before


@pytest.mark.parametrize("moment", ["0001-01-01 00:00+14:00", "9999-12-31 23:59-14:00"])
@pytest.mark.parametrize("field", ["preserved_at", "targets-0-until"])
def test_an_hour_that_the_calendar_lacks_is_named(
    world: World, signed_in: SignedIn, field: str, moment: str
) -> None:
    order = world.issue()
    client = signed_in("spoc")
    path = f"/orders/{order.name}/preserve"
    form = fields(client.get(path).text)
    form["found"], form[field] = "part", moment
    answer = client.post(path, data=form)
    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert answer.text.count(moments.HOW) == 2, "once in the summary, once beside the field"
    assert world.order(order.name).state is OrderState.ISSUED


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, 0, 0, 30, 250_000, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    ids=["first", "first-minute", "last"],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Yerevan", "America/New_York", "Pacific/Kiritimati"])
def test_every_stored_moment_can_be_shown(app: Flask, at: datetime, zone: str) -> None:
    with app.test_request_context():
        for shown in (filters.utc(at), filters.hm(at), filters.iso(at), filters.left(at)):
            assert shown
        assert filters.ago(at)
        assert filters.in_zone(at, zone, near=at)
        assert filters.exact(at, zone).startswith(filters.iso(at)[:10])
    for offset in (-840, 0, 840):
        assert moments.as_typed(at, offset)
        assert moments.for_form(at, offset, zone)


def test_what_people_wrote_does_not_turn_what_stands_beside_it() -> None:
    style = (Path(liaison.__file__).parent / "static/liaison.css").read_text(encoding="utf-8")
    for selector in (".said{", "bdi,.who .name{"):
        assert "unicode-bidi:isolate" in style.partition(selector)[2].partition("}")[0], selector
