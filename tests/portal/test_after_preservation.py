"""What follows a preservation, on the pages: asked, given, kept for a request, let go."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from tests.keeping import DAY, ask, extend, record_mla, release, with_terms
from tests.portal.filled import SignedIn, fields, typed
from tests.world import World

pytestmark = pytest.mark.one_database


def kept(world: World, **changes: Any) -> Order:
    return world.preserve(world.issue(**changes))


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


# Extension


def test_asked_for_on_one_side_and_confirmed_on_the_other(
    world: World, signed_in: SignedIn
) -> None:
    order = kept(world)
    officer, spoc = signed_in("officer"), signed_in("spoc")
    path = f"/orders/{order.name}/extension"
    assert path in officer.get(f"/orders/{order.name}").text
    assert path not in spoc.get(f"/orders/{order.name}").text
    aside = text_of(officer, path)
    assert "Kept until 21 Feb 2027, 12:00 UTC" in aside
    assert "Due 21 Feb" not in aside
    form = fields(officer.get(path).text)
    assert form["days"] == "90"
    form["days"], form["reason"] = "60", "Still at the <court>."
    assert officer.post(path, data=form).status_code == 303
    shown = spoc.get(f"/orders/{order.name}").text
    assert "Extension asked for" in shown
    assert "Still at the &lt;court&gt;." in shown
    assert path in shown
    form = fields(spoc.get(path).text)
    assert form["which"] == "asked"
    assert spoc.post(path, data=form).status_code == 303
    assert world.order(order.name).preserved_until == world.now + 150 * DAY
    for client in (officer, spoc):
        shown = text_of(client, f"/orders/{order.name}")
        said = "(the report of 23 Nov 2026, 12:00 UTC said 21 Feb 2027, 12:00 UTC)"
        assert shown.count("extended to 22 Apr 2027") == shown.count(said) > 1, "targets, too"
        assert "What is kept" in shown


def test_another_date_is_marked_for_whoever_asked(world: World, signed_in: SignedIn) -> None:
    order = kept(world)
    ask(world, order, days=60)
    spoc, path = signed_in("spoc"), f"/orders/{order.name}/extension"
    page = spoc.get(path).text
    bad = typed(page, {"which": "other", "until": "next spring"})
    answer = spoc.post(path, data=bad)
    assert answer.status_code == 422
    assert 'id="until-e"' in answer.text
    assert fields(answer.text)["until"] == "next spring"
    good = typed(page, {"which": "other", "until": "2027-03-01 12:00"})
    assert spoc.post(path, data=good).status_code == 303
    assert "Less than asked" in text_of(signed_in("officer"), f"/orders/{order.name}")


def test_a_third_extension_is_refused_with_the_term_and_the_ways_out(
    world: World, signed_in: SignedIn
) -> None:
    with_terms(world, extensions=2)
    order = kept(world)
    for _ in range(2):
        ask(world, order)
        extend(world, order)
    client, path = signed_in("officer"), f"/orders/{order.name}/extension"
    page = client.get(path)
    assert "Extended 2 times; none is left." in text_of(client, path)
    answer = client.post(path, data=fields(page.text))
    assert answer.status_code == 422
    assert "MoU-CP-Meridian, number of extensions: 2" in answer.text
    assert "Record the MLA request" in answer.text


def test_who_asks_for_what_is_asked_for_already_is_told_before_typing(
    world: World, signed_in: SignedIn
) -> None:
    order = kept(world)
    spoc = signed_in("spoc").get(f"/orders/{order.name}/extension")
    assert spoc.status_code == 409
    assert "No extension is asked for" in spoc.text
    ask(world, order)
    officer = signed_in("officer").get(f"/orders/{order.name}/extension")
    assert officer.status_code == 409
    assert "waits for Meridian Telecom" in officer.text


@pytest.mark.parametrize("days", ["0", "-1", "9o", "", "99999999999999999999"])
def test_days_that_cannot_be_are_named_and_kept(
    world: World, signed_in: SignedIn, days: str
) -> None:
    order = kept(world)
    client, path = signed_in("officer"), f"/orders/{order.name}/extension"
    answer = client.post(path, data=typed(client.get(path).text, {"days": days}))
    assert answer.status_code == 422
    assert 'id="days-e"' in answer.text
    assert fields(answer.text)["days"] == days


# Kept for a request


def test_a_recorded_request_is_shown_to_both_sides(world: World, signed_in: SignedIn) -> None:
    order = kept(world)
    client, path = signed_in("officer"), f"/orders/{order.name}/mla"
    form = typed(client.get(path).text, {"reference": "MLA <118>", "note": "Via the ministry."})
    assert form["sent_on"] == "2026-11-23"
    assert client.post(path, data=form).status_code == 303
    for who in ("officer", "spoc"):
        shown = text_of(signed_in(who), f"/orders/{order.name}")
        assert "Kept until it is decided" in shown
        assert "MLA &lt;118&gt;" in shown
        assert "No end date: kept until the MLA request is decided" in shown
        assert "Promised before that: 21 Feb 2027, 12:00 UTC" in shown
        assert "Kept until 21 Feb 2027" not in shown
    assert "No end date" in text_of(client, f"/orders/{order.name}/release")
    assert f"/orders/{order.name}/extension" not in client.get(f"/orders/{order.name}").text
    assert "Kept until it is decided" in client.get("/orders?view=all").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("reference", ""), ("sent_on", "2026-13-40"), ("sent_on", "2026-11-25"), ("kind", "letter")],
)
def test_what_is_missing_in_a_request_is_named(
    world: World, signed_in: SignedIn, field: str, value: str
) -> None:
    order = kept(world)
    client, path = signed_in("officer"), f"/orders/{order.name}/mla"
    given = {"reference": "MLA-1", field: value}
    answer = client.post(path, data=typed(client.get(path).text, given))
    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text


def test_a_double_click_records_one_request(world: World, signed_in: SignedIn) -> None:
    order = kept(world)
    client, path = signed_in("officer"), f"/orders/{order.name}/mla"
    form = typed(client.get(path).text, {"reference": "MLA-1"})
    assert [client.post(path, data=form).status_code for _ in range(2)] == [303, 303]
    assert text_of(client, f"/orders/{order.name}").count("MLA request of 23 Nov 2026") == 1


# Let go


def test_released_and_disposed_of(world: World, signed_in: SignedIn) -> None:
    order = kept(world, mla={"intended": True, "expected_by": "2027-01-15"})
    officer, spoc = signed_in("officer"), signed_in("spoc")
    path = f"/orders/{order.name}/release"
    page = officer.get(path)
    assert "An MLA request was announced and none is recorded." in page.text
    assert officer.post(path, data=typed(page.text, {"note": "Found."})).status_code == 303
    shown = text_of(spoc, f"/orders/{order.name}")
    assert "Confirm disposal" in shown
    assert "Nothing is asked of you" not in shown
    assert "You need not keep the data any longer." in shown
    assert "What was kept" in shown
    assert "promised until 21 Feb 2027" in shown
    path = f"/orders/{order.name}/disposal"
    form = typed(spoc.get(path).text, {"reference": "DEL-1"})
    assert spoc.post(path, data=form).status_code == 303
    assert world.order(order.name).state is OrderState.DISPOSED
    for client in (officer, spoc):
        shown = text_of(client, f"/orders/{order.name}")
        assert "DEL-1" in shown
        assert "Disposed of" in shown


def test_a_stolen_session_releases_nothing(world: World, signed_in: SignedIn) -> None:
    order = kept(world)
    client, path = signed_in("officer"), f"/orders/{order.name}/release"
    world.clock.move(minutes=6)
    page = client.get(path).text
    assert 'name="code"' in page
    for code in ("", "000000"):
        answer = client.post(path, data=typed(page, {"note": "Found her.", "code": code}))
        assert answer.status_code == 422
        assert 'id="code-e"' in answer.text
        assert "Found her." in answer.text, "what was typed stays"
    assert world.order(order.name).state is OrderState.PRESERVED
    code = world.unused_code("officer")
    form = typed(answer.text, {"code": code})
    assert client.post(path, data=form).status_code == 303
    assert client.post(path, data=form).status_code == 303, "a double click"
    assert world.order(order.name).state is OrderState.RELEASED


def test_the_note_to_the_provider_stands_in_its_record(world: World, signed_in: SignedIn) -> None:
    order = kept(world)
    record_mla(world, order, note="Sent by the central authority.")
    for who in ("officer", "spoc"):
        record = signed_in(who).get(f"/orders/{order.name}/record").text
        (followed,) = re.findall(r"<h2>What followed</h2>(.*?)<h2>", record, re.DOTALL)
        assert "Sent by the central authority." in followed
        assert "Only we" not in followed


def test_a_drill_offers_nothing_of_this(world: World, signed_in: SignedIn) -> None:
    from sqlalchemy import update

    order = kept(world)
    with world.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(test=True))
    client = signed_in("officer")
    shown = client.get(f"/orders/{order.name}").text
    assert "How long it is kept" not in shown
    for act in ("extension", "mla"):
        assert f"/orders/{order.name}/{act}" not in shown
        assert client.get(f"/orders/{order.name}/{act}").status_code == 409


def test_whoever_was_overtaken_keeps_what_they_typed(world: World, signed_in: SignedIn) -> None:
    order = kept(world)
    client, path = signed_in("officer"), f"/orders/{order.name}/release"
    page = client.get(path)
    record_mla(world, order, by="supervisor")
    answer = client.post(path, data=typed(page.text, {"note": "Not needed."}))
    assert answer.status_code == 409
    assert "Not needed." in answer.text
    assert world.order(order.name).state is OrderState.PRESERVED
    release(world, order, by="supervisor")
    assert client.post(path, data=fields(answer.text)).status_code == 409
