"""Whoever typed a text stays its writer, by whatever page it comes into an order."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from liaison.domain.lifecycle import OrderState
from liaison.errors import Forbidden
from liaison.models import Order, OrderWriter, Person, UnfinishedDraft
from liaison.services import orders, releases, reviews
from tests.incoming import register
from tests.portal.filled import SignedIn, fields, typed
from tests.portal.test_unfinished import ROUTINE, autosave, count, draft_of
from tests.world import World

pytestmark = pytest.mark.one_database

FILE = "03-cgnat-fraud-routine.json"
BOTH = {"officer", "supervisor"}


def writers(world: World) -> set[str]:
    """Who wrote the newest order."""
    with world.database.reading() as session:
        newest = session.scalars(select(Order).order_by(Order.id.desc())).first()
        assert newest is not None
        wrote = select(OrderWriter.person_id).where(OrderWriter.order_id == newest.id)
        ids = set(session.scalars(wrote))
    everybody = ("officer", "second_officer", "supervisor")
    return {who for who in everybody if world.person(who).id in ids}


def discard(client: FlaskClient, draft: object) -> None:
    page = client.get(f"/orders/drafts/{draft}/discard")
    client.post(f"/orders/drafts/{draft}/discard", data=fields(page.text))


def test_a_discarded_draft_that_a_colleague_still_has_open(
    world: World, signed_in: SignedIn
) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), ROUTINE)
    draft = draft_of(world).id
    page = supervisor.get(f"/orders/drafts/{draft}")
    discard(officer, draft)
    gone = supervisor.post(f"/orders/drafts/{draft}", data=typed(page.text, {}))
    assert gone.status_code == 404
    # A row more, and saved on the way: still the officer's text.
    more = supervisor.post("/orders/new", data=typed(gone.text, {}, "add-previous"))
    autosave(supervisor, more, {"necessity": "One word."})
    again = draft_of(world).id
    discard(officer, again)
    told = supervisor.post(
        "/orders/new", data=typed(more.text, {"unfinished": str(again), "saved": "1"})
    )
    assert told.status_code == 409
    assert supervisor.post("/orders/new", data=typed(told.text, {})).status_code == 303
    assert writers(world) == BOTH


def test_a_discarded_change_of_an_order_that_a_colleague_still_has_open(
    world: World, signed_in: SignedIn
) -> None:
    order = world.draft(FILE, by="supervisor")
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    edit = f"/orders/{order.name}/edit"
    autosave(officer, officer.get(edit), {"facts": "The officer's words"})
    page = supervisor.get(edit)
    discard(officer, draft_of(world).id)
    told = supervisor.post(edit, data=typed(page.text, {}))
    assert told.status_code == 409
    assert world.order(order.name).facts != "The officer's words"
    assert fields(told.text)["facts"] == "The officer's words"
    assert supervisor.post(edit, data=typed(told.text, {})).status_code == 303
    assert writers(world) == BOTH
    waiting = world.submit(world.order(order.name), by="supervisor")
    with pytest.raises(Forbidden, match="second pair of eyes"):
        world.authorise(waiting, by="officer")


def test_mine_in_the_place_of_a_change_that_replaced_the_one_i_read(
    world: World, signed_in: SignedIn
) -> None:
    order = world.draft(FILE, by="supervisor")
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    edit = f"/orders/{order.name}/edit"
    autosave(officer, officer.get(edit), {"facts": "The officer's words"})
    page = supervisor.get(edit)
    discard(officer, draft_of(world).id)
    second = signed_in("second_officer")
    autosave(second, second.get(edit), {"facts": "Another one"})
    told = supervisor.post(edit, data=typed(page.text, {}))
    assert told.status_code == 409
    assert fields(second.get(edit).text)["facts"] == "Another one"
    saved = supervisor.post(edit, data=typed(told.text, {}, "save-mine"))
    assert saved.status_code == 303
    assert supervisor.post(edit, data=typed(supervisor.get(edit).text, {})).status_code == 303
    assert world.order(order.name).facts == "The officer's words"
    assert writers(world) == {*BOTH, "second_officer"}


def test_a_draft_of_its_own_keeps_the_earlier_typists(world: World, signed_in: SignedIn) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), ROUTINE)
    path = f"/orders/drafts/{draft_of(world).id}"
    theirs, mine = officer.get(path), supervisor.get(path)
    autosave(officer, theirs, {"offence": "Newer"})
    told = supervisor.post(path, data=typed(mine.text, {"necessity": "One word."}))
    assert told.status_code == 409
    assert supervisor.post(path, data=typed(told.text, {}, "save-apart")).status_code == 303
    with world.database.reading() as session:
        own = session.scalars(select(UnfinishedDraft).order_by(UnfinishedDraft.id.desc())).all()
    (apart,) = (row for row in own if str(row.id) not in path)
    page = supervisor.get(f"/orders/drafts/{apart.id}")
    sent = supervisor.post(f"/orders/drafts/{apart.id}", data=typed(page.text, {}))
    assert sent.status_code == 303
    assert writers(world) == BOTH


def test_check_clicked_twice_makes_one_order(world: World, signed_in: SignedIn) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), ROUTINE)
    path = f"/orders/drafts/{draft_of(world).id}"
    form = typed(supervisor.get(path).text, {})
    assert supervisor.post(path, data=form).status_code == 303
    gone = supervisor.post(path, data=form)
    assert gone.status_code == 404
    assert count(world, Order) == 1
    # Whoever wants a second one has it, and it is not theirs alone.
    assert supervisor.post("/orders/new", data=typed(gone.text, {})).status_code == 303
    assert (count(world, Order), writers(world)) == (2, BOTH)


@pytest.mark.parametrize("how", ["check", "save", "autosave"])
def test_the_pending_change_of_an_order_is_not_reached_from_a_new_one(
    world: World, signed_in: SignedIn, how: str
) -> None:
    order = world.draft(FILE)
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    edit = f"/orders/{order.name}/edit"
    autosave(officer, officer.get(edit), {"facts": "The officer's words"})
    theirs: dict[str, Any] = {"unfinished": str(draft_of(world).id), "saved": "1"}
    page = supervisor.get("/orders/new")
    if how == "autosave":
        refused = autosave(supervisor, page, ROUTINE | theirs)
    else:
        refused = supervisor.post("/orders/new", data=typed(page.text, ROUTINE | theirs, how))
    assert refused.status_code == 404
    assert count(world, Order) == 1
    assert fields(officer.get(edit).text)["facts"] == "The officer's words"


def test_a_copy_has_the_writers_of_what_was_copied(world: World, signed_in: SignedIn) -> None:
    source = world.issue(FILE, by="officer")
    supervisor = signed_in("second_officer")
    page = supervisor.get(f"/orders/new?copy={source.name}")
    # Left unfinished and gone on with: what it began with is still known.
    autosave(supervisor, page, {})
    path = f"/orders/drafts/{draft_of(world).id}"
    sent = supervisor.post(path, data=typed(supervisor.get(path).text, {}))
    assert sent.status_code == 303
    assert writers(world) == {"officer", "second_officer"}


def test_a_copy_of_no_order_of_ours_is_a_new_order(world: World, signed_in: SignedIn) -> None:
    theirs = world.draft(FILE, by="foreign_officer")
    officer = signed_in("officer")
    for named in (str(theirs.id), "not an id"):
        form = typed(officer.get("/orders/new").text, ROUTINE | {"copied_from": named})
        assert officer.post("/orders/new", data=form).status_code == 303
        assert writers(world) == {"officer"}


def test_whoever_registered_the_request_has_written_the_order_made_from_it(
    world: World, signed_in: SignedIn
) -> None:
    request = register(world, by="officer")
    supervisor = signed_in("supervisor")
    page = supervisor.get(f"/orders/new?request={request.id}")
    form = typed(page.text, {"provider": "Sevan Hosting", "mla-expected_by": "2027-01-15"})
    assert supervisor.post("/orders/new", data=form).status_code == 303
    assert writers(world) == BOTH


def test_a_template_does_not_carry_which_order_was_copied(
    world: World, signed_in: SignedIn
) -> None:
    source = world.issue(FILE)
    second = signed_in("second_officer")
    page = second.get(f"/orders/new?copy={source.name}")
    form = typed(page.text, {"template_name": "Fraud"}, "save-template")
    assert second.post("/orders/new", data=form).status_code == 200
    used = second.get("/orders/new").text
    found = re.search(r"/orders/new\?template=[0-9a-f-]{36}", used)
    assert found is not None
    assert fields(second.get(found.group()).text)["copied_from"] == ""


# An order that somebody else changed meanwhile


def test_targets_that_were_changed_meanwhile_are_not_issued_unread(
    world: World, signed_in: SignedIn
) -> None:
    order = world.draft()
    officer = signed_in("officer")
    check = officer.get(f"/orders/{order.name}/issue")
    data = world.data()
    data["targets"] = data["targets"][:1]
    data["targets"][0] |= {"type": "ip_address", "value": "203.0.113.99"}
    with world.database.transaction() as session:
        second = world.actor("second_officer")
        orders.edit(session, second, order.name, data, order.version, world.now)
    form = fields(check.text).to_dict() | {"code": world.unused_code("officer")}
    assert officer.post(f"/orders/{order.name}/issue", data=form).status_code == 409
    assert world.order(order.name).state is OrderState.DRAFT


def test_two_who_change_targets_do_not_overwrite_each_other(
    world: World, signed_in: SignedIn
) -> None:
    order = world.draft(FILE)
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    path = f"/orders/{order.name}/edit"
    mine, theirs = officer.get(path), supervisor.get(path)
    changed = typed(theirs.text, {"targets-0-value": "203.0.113.99"})
    assert supervisor.post(path, data=changed).status_code == 303
    assert officer.post(path, data=typed(mine.text, {})).status_code == 409
    assert world.order(order.name).targets[0].value == "203.0.113.99"


# Whose access was ended


def listed_for(world: World, who: str) -> int:
    """How many orders another person must look at once this one is let go."""
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person(who).id)
        person.disabled_at = world.now
        return reviews.open_for(session, person, world.now)


def test_what_they_released_is_looked_at(world: World) -> None:
    order = world.preserve(world.issue())
    with world.database.transaction() as session:
        releases.release(session, world.actor("second_officer"), order.name, world.now)
    world.clock.move(minutes=10)
    assert listed_for(world, "second_officer") == 1


def test_what_they_typed_before_it_was_an_order_is_looked_at(
    world: World, signed_in: SignedIn
) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), ROUTINE)
    path = f"/orders/drafts/{draft_of(world).id}"
    sent = supervisor.post(path, data=typed(supervisor.get(path).text, {}))
    assert sent.status_code == 303
    assert listed_for(world, "officer") == 1


def test_a_draft_they_left_unfinished_is_marked(world: World, signed_in: SignedIn) -> None:
    officer, supervisor = signed_in("officer"), signed_in("supervisor")
    autosave(officer, officer.get("/orders/new"), ROUTINE)
    assert "whose access has been ended" not in supervisor.get("/orders/drafts").text
    listed_for(world, "officer")
    assert "whose access has been ended" in supervisor.get("/orders/drafts").text
