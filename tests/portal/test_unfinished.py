"""Drafts saved as they are typed, pasted targets, templates, copies, cases: their pages."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from liaison.domain.lifecycle import OrderState
from liaison.models import (
    CaseFile,
    Entry,
    KeptForm,
    Order,
    OrderTemplate,
    OrderWriter,
    SignIn,
    UnfinishedDraft,
)
from tests.portal.filled import SignedIn, fields, typed
from tests.portal.test_drafting import SEVEN
from tests.world import ORDERS, World

pytestmark = pytest.mark.one_database

ROUTINE = {name: text for name, text in SEVEN.items() if name != "emergency_ground"}


def count(world: World, table: type) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def autosave(client: FlaskClient, page: TestResponse, changes: dict[str, Any]) -> TestResponse:
    """What the page's script sends: the form, to the address the page names."""
    found = re.search(r'data-autosave="([^"]+)"', page.text)
    assert found is not None
    form = typed(page.text, changes)
    del form["act"]
    return client.post(found.group(1), data=form)


def draft_of(world: World) -> UnfinishedDraft:
    with world.database.reading() as session:
        return session.scalars(select(UnfinishedDraft)).one()


def paste(client: FlaskClient, text: str, path: str = "/orders/new", **more: str) -> TestResponse:
    given = {f"paste-{name}": value for name, value in {"text": text, **more}.items()}
    return client.post(path, data=typed(client.get(path).text, given, "paste-targets"))


# Saved as it is typed


def test_typed_saved_left_found_and_made_an_order(world: World, signed_in: SignedIn) -> None:
    officer = signed_in("officer")
    page = officer.get("/orders/new")
    world.clock.move(seconds=12)
    answer = autosave(officer, page, {"offence": "Fraud", "facts": "The first lines"})
    assert answer.status_code == 200
    assert (answer.get_json()["edit"], answer.get_json()["at"]) == (1, f"{world.now:%H:%M:%S}")
    assert count(world, Order) == 0
    draft = draft_of(world)

    supervisor = signed_in("supervisor")
    for listed in ("/orders/drafts", "/orders?view=drafts"):
        assert f"/orders/drafts/{draft.id}" in supervisor.get(listed).text
    page = supervisor.get(f"/orders/drafts/{draft.id}")
    assert fields(page.text)["facts"] == "The first lines"
    assert f"by <bdi>{world.person('officer').name}</bdi>" in page.text
    sent = supervisor.post(f"/orders/drafts/{draft.id}", data=typed(page.text, ROUTINE))
    assert sent.status_code == 303
    assert count(world, UnfinishedDraft) == 0
    with world.database.reading() as session:
        order = session.scalars(select(Order)).one()
        assert order.facts == ROUTINE["facts"]
        people = set(session.scalars(select(OrderWriter.person_id)))
        assert people == {world.person(who).id for who in ("officer", "supervisor")}


def test_the_button_saves_without_the_script_and_a_second_click_makes_no_second(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    form = typed(client.get("/orders/new").text, {"offence": "Fraud"}, "save")
    for _ in range(2):
        answer = client.post("/orders/new", data=form)
        assert answer.status_code == 303
    assert "The draft is saved" in client.get(answer.location).text
    assert count(world, UnfinishedDraft) == 1
    draft = draft_of(world)
    asked = client.get(f"/orders/drafts/{draft.id}/discard")
    assert "gone for good" in asked.text
    client.post(f"/orders/drafts/{draft.id}/discard", data=fields(asked.text))
    assert count(world, UnfinishedDraft) == 0


def test_two_people_at_one_draft_and_both_versions_can_be_read(
    world: World, signed_in: SignedIn
) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), {"offence": "Fraud"})
    draft = draft_of(world)
    mine = officer.get(f"/orders/drafts/{draft.id}")
    theirs = supervisor.get(f"/orders/drafts/{draft.id}")
    assert autosave(supervisor, theirs, {"facts": "Theirs"}).status_code == 200
    refused = autosave(officer, mine, {"facts": "Mine"})
    assert refused.status_code == 409
    assert world.person("supervisor").name in refused.get_json()["detail"]
    assert fields(officer.get(refused.get_json()["theirs"]).text)["facts"] == "Theirs"
    kept = officer.get(refused.get_json()["mine"])
    assert fields(kept.text)["facts"] == "Mine"
    assert "this is yours" in kept.text
    assert fields(supervisor.get(refused.get_json()["mine"]).text)["facts"] == "Theirs"

    page = officer.post(f"/orders/drafts/{draft.id}", data=typed(mine.text, {"facts": "Mine"}))
    assert page.status_code == 409
    assert "Somebody else saved this draft meanwhile" in page.text
    assert fields(page.text)["facts"] == "Mine"
    assert count(world, Order) == 0
    apart = officer.post(f"/orders/drafts/{draft.id}", data=typed(page.text, {}, "save-apart"))
    assert apart.status_code == 303
    assert count(world, UnfinishedDraft) == 2
    over = officer.post(f"/orders/drafts/{draft.id}", data=typed(page.text, {}, "save-mine"))
    assert over.status_code == 303
    again = supervisor.get(f"/orders/drafts/{draft.id}")
    assert fields(again.text)["facts"] == "Mine"


def test_a_draft_that_was_discarded_meanwhile_costs_nothing_typed(
    world: World, signed_in: SignedIn
) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), {"offence": "Fraud"})
    draft = draft_of(world)
    page = officer.get(f"/orders/drafts/{draft.id}")
    asked = supervisor.get(f"/orders/drafts/{draft.id}/discard")
    supervisor.post(f"/orders/drafts/{draft.id}/discard", data=fields(asked.text))

    assert autosave(officer, page, {"facts": "Mine"}).status_code == 404
    gone = officer.post(f"/orders/drafts/{draft.id}", data=typed(page.text, {"facts": "Mine"}))
    assert gone.status_code == 404
    assert "This draft is not there any more" in gone.text
    assert 'action="/orders/new"' in gone.text
    sent = officer.post("/orders/new", data=typed(gone.text, ROUTINE | {"facts": "Mine"}))
    assert sent.status_code == 303
    with world.database.reading() as session:
        assert session.scalars(select(Order)).one().facts == "Mine"


def test_changes_to_a_draft_order_wait_at_its_edit_page(world: World, signed_in: SignedIn) -> None:
    order = world.draft()
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    page = officer.get(f"/orders/{order.name}/edit")
    assert autosave(officer, page, {"facts": "Half a sen"}).status_code == 200
    assert world.order(order.name).facts != "Half a sen"
    page = supervisor.get(f"/orders/{order.name}/edit")
    assert fields(page.text)["facts"] == "Half a sen"
    assert "left unfinished" in page.text
    assert supervisor.get(f"/orders/drafts/{draft_of(world).id}").status_code == 303
    sent = supervisor.post(f"/orders/{order.name}/edit", data=typed(page.text, {"facts": "Whole"}))
    assert sent.status_code == 303
    assert world.order(order.name).facts == "Whole"
    assert count(world, UnfinishedDraft) == 0


def test_more_than_is_kept_is_told_and_stands_in_the_form(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new")
    answer = autosave(client, page, {"facts": "x" * 600_000})
    assert answer.status_code == 422
    assert "too long to be saved" in answer.get_json()["detail"]
    assert count(world, UnfinishedDraft) == 0


def test_signed_out_the_script_is_sent_to_the_sign_in_and_the_button_keeps_the_form(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = client.get("/orders/new")
    world.clock.move(hours=2)
    answer = autosave(client, page, {"facts": "Mine"})
    assert (answer.status_code, answer.location) == (303, "/login")
    answer = client.post("/orders/new", data=typed(page.text, {"facts": "Mine"}, "save"))
    assert "kept%3D" in answer.location
    assert count(world, KeptForm) == 1


# Who else is looking


def test_colleagues_are_named_and_a_page_that_stands_open_is_nobody_at_work(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    officer, supervisor, spoc = (signed_in(who) for who in ("officer", "supervisor", "spoc"))
    page = officer.get(f"/orders/{order.name}")
    address = f"/orders/{order.name}/presence?part=live"
    assert f'data-presence="{address}"' in page.text
    token = {"csrf_token": fields(page.text)["csrf_token"]}
    assert officer.post(address, data={**token, "writing": "1"}).json == {"words": ""}
    token["csrf_token"] = fields(supervisor.get(f"/orders/{order.name}").text)["csrf_token"]
    said = supervisor.post(address, data=token).get_json()["words"]
    assert said == f"Also here: {world.person('officer').name} (writing)"
    assert said in supervisor.get(f"/orders/{order.name}").text
    assert "Also here" not in spoc.get(f"/orders/{order.name}").text

    with world.database.reading() as session:
        query = select(SignIn.last_seen_at).where(SignIn.person_id == world.person("officer").id)
        before = session.scalars(query).one()
        world.clock.move(minutes=10)
        token["csrf_token"] = fields(page.text)["csrf_token"]
        officer.post(address, data=token)
    with world.database.reading() as session:
        assert session.scalars(query).one() == before


# Copy, template


def test_an_earlier_order_is_copied_without_what_has_passed(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue(
        confidential_until="2026-11-30", mla={"intended": True, "expected_by": "2026-11-25"}
    )
    client = signed_in("officer")
    assert f"/orders/new?copy={order.name}" in client.get(f"/orders/{order.name}").text
    world.clock.move(days=10)
    client = signed_in("officer")
    found = fields(client.get(f"/orders/new?copy={order.name}").text)
    assert found["targets-0-value"] == order.targets[0].entered
    assert (found["facts"], found["urgency"]) == (order.facts, "emergency")
    assert found["emergency_ground"] == ""
    assert found["mla-expected_by"] == ""
    assert date.fromisoformat(found["confidential_until"]) > world.now.date()
    assert found["version"] == ""
    assert found["issuing_officer-name"] == ""
    stranger = signed_in("foreign_officer")
    assert stranger.get(f"/orders/new?copy={order.name}").status_code == 404
    assert signed_in("spoc").get(f"/orders/new?copy={order.name}").status_code == 403


def test_a_template_from_a_form_holds_nothing_of_the_case(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    told = ROUTINE | {"template_name": "Fraud,  usual", "targets-0-categories": ["traffic"]}
    told |= {"necessity": "Kept for 14 days.", "targets-0-relation": "The session"}
    page = client.post(
        "/orders/new", data=typed(client.get("/orders/new").text, told, "save-template")
    )
    assert page.status_code == 200
    assert fields(page.text)["facts"] == ROUTINE["facts"]
    with world.database.reading() as session:
        row = session.scalars(select(OrderTemplate)).one()
        kept = world.vault.open(row.sealed)
    for text in ("198.51.100.24", "MP-2026-0231", ROUTINE["facts"], "2026-11-23 01:10"):
        assert text not in kept
    assert row.name == "Fraud, usual"
    assert f"/orders/new?template={row.id}" in client.get("/orders/new").text
    new = fields(client.get(f"/orders/new?template={row.id}").text)
    assert (new["offence"], new["necessity"]) == (ROUTINE["offence"], "Kept for 14 days.")
    assert (new["targets-0-relation"], new["targets-0-value"]) == ("The session", "")
    assert new.getlist("targets-0-categories") == ["traffic"]
    assert new["targets-0-end"] != ""
    assert signed_in("foreign_officer").get(f"/orders/new?template={row.id}").status_code == 404


def test_a_template_is_written_named_changed_and_deleted(world: World, signed_in: SignedIn) -> None:
    client, other = signed_in("officer"), signed_in("supervisor")
    given = {"template_name": "Ransom", "offence": "Extortion", "targets-0-value": "192.0.2.9"}
    form = typed(client.get("/templates/new").text, given)
    assert client.post("/templates/new", data=form).status_code == 303
    again = client.post("/templates/new", data=typed(client.get("/templates/new").text, given))
    assert again.status_code == 422
    assert "of this name is there already" in again.text
    with world.database.reading() as session:
        row = session.scalars(select(OrderTemplate)).one()
    first = client.get(f"/templates/{row.id}/edit")
    assert fields(first.text)["targets-0-value"] == "192.0.2.9"  # typed there on purpose
    theirs = typed(other.get(f"/templates/{row.id}/edit").text, {"template_name": "Ransomware"})
    assert other.post(f"/templates/{row.id}/edit", data=theirs).status_code == 303
    mine = client.post(f"/templates/{row.id}/edit", data=typed(first.text, {"offence": "Mine"}))
    assert mine.status_code == 409
    assert fields(mine.text)["offence"] == "Mine"
    assert "Ransomware" in client.get("/templates").text
    asked = client.get(f"/templates/{row.id}/delete")
    client.post(f"/templates/{row.id}/delete", data=fields(asked.text))
    assert count(world, OrderTemplate) == 0


# Pasted targets


def test_two_hundred_and_forty_targets_are_pasted_checked_and_changed(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    data = json.loads((ORDERS / "07-botnet-240-targets.json").read_text())["targets"]
    lines = [f"{t['value']};{t['port']};{t['protocol']};{t['from']};{t['to']}" for t in data]
    started = time.process_time()
    page = paste(client, "\n".join(lines), categories="subscriber", relation="A bot")
    assert page.status_code == 200
    assert time.process_time() - started < 3  # two pages and reading 240 lines
    assert "240 targets added: 240 × IP address." in page.text
    assert "240 complete targets" in page.text
    assert fields(page.text)["paste-text"] == ""
    opened = client.post("/orders/new", data=typed(page.text, {}, "open-target-16"))
    assert "239 complete targets" in opened.text
    form = typed(opened.text, {**ROUTINE, "targets-16-port": "70000"})
    form["targets-0-value"], form["targets-0-start"] = data[0]["value"], data[0]["from"]
    wrong = client.post("/orders/new", data=form)
    assert wrong.status_code == 422
    assert 'id="targets-16-port-e"' in wrong.text
    right = client.post("/orders/new", data=typed(wrong.text, {"targets-16-port": "1"}))
    assert right.status_code == 303
    with world.database.reading() as session:
        order = session.scalars(select(Order)).one()
        assert [t.value for t in order.targets] == [t["value"] for t in data]
        assert (order.targets[16].port, order.targets[17].port) == (1, data[17]["port"])
        assert order.targets[239].data == ["subscriber"]


def test_a_wrong_line_is_named_and_nothing_is_half_added(world: World, signed_in: SignedIn) -> None:
    client = signed_in("officer")
    text = "\n".join([*(f"192.0.2.{n}" for n in range(1, 17)), "192.0.2.999"])
    page = paste(client, text, start="2026-11-20 01:00")
    assert page.status_code == 422
    assert "Line 17: This is no IP address" in page.text
    found = fields(page.text)
    assert found["paste-text"].splitlines() == text.splitlines()
    assert found["paste-start"] == "2026-11-20 01:00"
    assert found["targets-0-value"] == ""
    assert "targets-1-value" not in found


def test_pasted_moments_are_read_in_the_zone_that_was_chosen(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    page = paste(
        client, "192.0.2.1", start="2026-11-20 01:00", end="2026-11-20 02:00", zone="Asia/Yerevan"
    )
    sent = client.post(
        "/orders/new",
        data=typed(
            page.text,
            {n: v for n, v in ROUTINE.items() if not n.startswith("targets")},
        ),
    )
    assert sent.status_code == 303
    with world.database.reading() as session:
        (target,) = session.scalars(select(Order)).one().targets
        assert f"{target.start:%H:%M}" == "21:00"
        assert target.start_offset == 240


# Several providers, cases


def test_the_same_order_to_three_providers_is_three_drafts_of_one_case(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    told = ROUTINE | {"further": ["Norvik Mobile", "Sevan Hosting"]}
    new = client.get("/orders/new")
    autosave(client, new, told)
    sent = client.post("/orders/new", data=typed(new.text, told))
    assert sent.status_code == 303, fields(sent.text)
    page = client.get(sent.location)
    assert "Case <bdi>MP-2026-0231</bdi>" in page.text
    with world.database.reading() as session:
        orders = session.scalars(select(Order)).all()
        assert {o.provider.name for o in orders} == {"Meridian Telecom", *told["further"]}
        assert {(o.state, o.version, len(o.targets)) for o in orders} == {(OrderState.DRAFT, 1, 1)}
        assert len({o.case_id for o in orders}) == 1
        assert session.scalars(select(CaseFile)).one().name == "MP-2026-0231"
    for order in orders:
        assert order.name in page.text
    assert "(3 orders)" in client.get(f"/orders/{orders[0].name}").text
    assert count(world, UnfinishedDraft) == 0


def test_a_provider_that_is_chosen_twice_is_told_and_nothing_is_written(
    world: World, signed_in: SignedIn
) -> None:
    client = signed_in("officer")
    told = ROUTINE | {"further": ["Meridian Telecom"]}
    page = client.post("/orders/new", data=typed(client.get("/orders/new").text, told))
    assert page.status_code == 422
    assert "another one than the first" in page.text
    assert fields(page.text).getlist("further") == ["Meridian Telecom"]
    assert count(world, Order) == 0
    told["further"] = ["Norvik Mobile", "No such provider"]
    page = client.post("/orders/new", data=typed(client.get("/orders/new").text, told))
    assert page.status_code == 422
    assert "No such provider: No provider of this name" in page.text
    assert count(world, Order) == 0


def test_a_served_order_is_put_into_a_case_and_its_provider_learns_nothing(
    world: World, signed_in: SignedIn
) -> None:
    first, second = world.issue(), world.draft("03-cgnat-fraud-routine.json")
    client = signed_in("officer")
    page = client.get(f"/orders/{first.name}/case")
    unknown = client.post(f"/orders/{first.name}/case", data=typed(page.text, {"other": "CP-1"}))
    assert unknown.status_code == 422
    assert fields(unknown.text)["other"] == "CP-1"
    done = client.post(f"/orders/{first.name}/case", data=typed(page.text, {"other": second.name}))
    assert done.status_code == 303
    assert world.order(first.name).version == first.version
    assert "Put into the case" in client.get(f"/orders/{first.name}").text
    spoc = signed_in("spoc").get(f"/orders/{first.name}")
    assert "CD-26-8812" not in spoc.text
    assert "case-h" not in spoc.text
    case = world.order(first.name).case_id
    assert signed_in("spoc").get(f"/cases/{case}").status_code == 403
    with world.database.reading() as session:
        streams = session.scalars(select(Entry.stream).where(Entry.type == "order.tied")).all()
        assert len(streams) == 2
        assert all(stream.startswith("authority:") for stream in streams)
    third = world.draft()
    page = client.get(f"/orders/{third.name}/case")
    client.post(f"/orders/{third.name}/case", data=typed(page.text, {"case": str(case)}))
    assert "(3 orders)" in client.get(f"/orders/{third.name}").text
    page = client.get(f"/orders/{first.name}/case")
    client.post(f"/orders/{first.name}/case", data=typed(page.text, {}, "take-out"))
    assert world.order(first.name).case_id is None
