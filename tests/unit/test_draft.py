"""Drafts as contact points export them: good ones are read whole, bad ones told apart by place."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.draft import parse_draft
from liaison.domain.vocabulary import DataCategory, TargetType, Urgency
from liaison.errors import Invalid
from tests.world import ORDERS, START

VALID = sorted(ORDERS.glob("*.json"))
INVALID = sorted((ORDERS / "invalid").glob("*.json"))


def load(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ORDERS / name).read_text(encoding="utf-8"))
    return data


def pointers(data: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        parse_draft(data, START)
    return [fault.pointer for fault in caught.value.errors]


def changed(**fields: Any) -> dict[str, Any]:
    return {**load("03-cgnat-fraud-routine.json"), **fields}


@pytest.mark.parametrize("path", VALID, ids=lambda p: p.stem)
def test_every_order_a_contact_point_exports_is_read(path: Any) -> None:
    draft = parse_draft(json.loads(path.read_text(encoding="utf-8")), START)
    assert draft.targets


@pytest.mark.parametrize("path", INVALID, ids=lambda p: p.stem)
def test_every_faulty_order_is_refused_at_the_places_it_names(path: Any) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    expected = set(case["expect_pointers"]) - {"/provider"}  # the register knows providers
    if expected:
        assert set(pointers(case["order"])) == expected


def test_all_240_bots_are_read_with_their_ports_and_seconds() -> None:
    draft = parse_draft(load("07-botnet-240-targets.json"), START)
    assert len(draft.targets) == 240
    assert draft.targets[1].port == 1031
    assert draft.targets[1].protocol == "tcp"
    assert draft.targets[1].data == (DataCategory.SUBSCRIBER,)


def test_a_local_period_is_kept_in_utc_with_the_zone_it_was_given_in() -> None:
    target = parse_draft(load("03-cgnat-fraud-routine.json"), START).targets[0]
    assert target.start == datetime(2026, 11, 18, 17, 3, 11, tzinfo=UTC)
    assert target.start_offset == 240


def test_milliseconds_survive_because_shared_addresses_need_the_exact_moment() -> None:
    target = parse_draft(load("03-cgnat-fraud-routine.json"), START).targets[1]
    assert target.end - target.start == timedelta(seconds=7.5)


def test_hostile_text_is_kept_to_the_letter() -> None:
    data = load("06-hostile-text.json")
    draft = parse_draft(data, START)
    assert draft.facts == data["facts"]
    assert draft.offence == data["offence"]
    assert draft.targets[0].identifier.value == data["targets"][0]["value"]
    assert draft.confirmation_contact["name"] == data["confirmation_contact"]["name"]


def test_faults_of_all_kinds_are_told_in_one_round() -> None:
    data = changed(duration_days=0, offence="", targets=[{"type": "email", "value": "nobody"}])
    found = pointers(data)
    for pointer in ("/duration_days", "/offence", "/targets/0/value", "/targets/0/from"):
        assert pointer in found


@pytest.mark.parametrize("data", [None, [], "order", 7, True])
def test_what_is_no_object_is_refused_as_such(data: object) -> None:
    assert "" in pointers(data)


@pytest.mark.parametrize("text", ["a\x00b", "half a pair \ud83d"])
def test_characters_no_database_keeps_are_refused_by_name(text: str) -> None:
    assert pointers(changed(facts=text)) == ["/facts"]


@pytest.mark.parametrize(
    ("name", "moment"),
    [("to", "9999-12-31T23:59:59Z"), ("from", "1969-12-31T23:59:59Z")],
)
def test_a_period_lies_within_living_memory_and_next_year(name: str, moment: str) -> None:
    data = changed()
    data["targets"][0][name] = moment
    assert pointers(data) == [f"/targets/0/{name}"]


def test_a_misspelt_field_deep_inside_is_named() -> None:
    data = changed()
    data["targets"][2]["prot"] = 1
    assert pointers(data) == ["/targets/2/prot"]


def test_true_is_no_number_of_days() -> None:
    assert pointers(changed(duration_days=True)) == ["/duration_days"]


def test_a_foreign_request_is_kept_for_sixty_days_at_least() -> None:
    data = load("02-foreign-ransomware-hosting.json")
    assert pointers({**data, "duration_days": 59}) == ["/duration_days"]
    assert parse_draft({**data, "duration_days": 60}, START).duration_days == 60


def test_a_follow_up_names_what_it_follows() -> None:
    assert pointers(changed(status="follow-up-to-mla")) == ["/origin/previous"]


def test_only_an_emergency_carries_a_ground() -> None:
    assert pointers(changed(emergency_ground="A risk to life")) == ["/emergency_ground"]


def test_an_mla_date_without_the_intention_is_a_contradiction() -> None:
    data = changed(mla={"intended": False, "expected_by": "2027-01-01"})
    assert pointers(data) == ["/mla/expected_by"]


def test_a_domestic_request_has_no_party() -> None:
    assert pointers(changed(origin={"kind": "domestic", "party": "NL"})) == ["/origin/party"]


@pytest.mark.parametrize("address", ["a@gmail.com", "a@mail.yahoo.com", "a@GMX.de"])
def test_free_mail_is_refused_in_any_spelling(address: str) -> None:
    contact = {**load("03-cgnat-fraud-routine.json")["confirmation_contact"], "email": address}
    assert pointers(changed(confirmation_contact=contact)) == ["/confirmation_contact/email"]


def test_a_port_belongs_to_an_address_only() -> None:
    data = changed()
    data["targets"][2]["port"] = 80
    assert pointers(data) == ["/targets/2/port"]


def test_a_period_may_begin_this_second_but_not_the_next() -> None:
    data = changed()
    data["targets"] = [data["targets"][0]]
    data["targets"][0] |= {"from": "2026-11-23T12:00:00Z", "to": "2026-11-23T12:00:00Z"}
    assert parse_draft(data, START).urgency is Urgency.ROUTINE
    data["targets"][0] |= {"from": "2026-11-23T12:00:01Z", "to": "2026-11-23T12:00:01Z"}
    assert pointers(data) == ["/targets/0/from"]


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-02-30T00:00:00Z"]
)
def test_moments_that_do_not_exist_are_refused(moment: str) -> None:
    data = changed()
    data["targets"][0]["from"] = moment
    assert "/targets/0/from" in pointers(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_whatever_a_field_holds_the_answer_is_a_draft_or_its_faults(data: st.DataObject) -> None:
    order = copy.deepcopy(load("03-cgnat-fraud-routine.json"))
    order["targets"] = order["targets"][:1]
    places = [order, order["targets"][0], order["origin"], order["mla"]]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(_JSON)
    with suppress(Invalid):
        draft = parse_draft(order, START)
        assert draft.targets[0].identifier.type in TargetType
