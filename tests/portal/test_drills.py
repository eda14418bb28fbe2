"""Drills through the pages: planned, seen, broken off; and TEST wherever an order is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from liaison.domain.vocabulary import DrillState
from liaison.models import CallTask
from tests.drills import begin, every, look, plan, seen
from tests.portal.filled import SignedIn
from tests.services.test_queries import climb
from tests.world import World, csrf_token, submit

pytestmark = pytest.mark.one_database

MARK = "TEST: a drill"


def form(world: World, **changes: object) -> dict[str, object]:
    return {
        "provider": str(world.register.providers["Meridian Telecom"]),
        "urgency": "emergency",
        "when": "later",
        "planned_at": "2026-11-25 03:10",
        "zone": "Asia/Yerevan",
        **changes,
    }


def test_planned_seen_begun_and_broken_off(world: World, signed_in: SignedIn) -> None:
    supervisor = signed_in("supervisor")
    answer = submit(supervisor, "/drills/new", form(world, announced="y"))
    assert answer.status_code == 303, answer.text
    (drill,) = every(world)
    page = supervisor.get("/drills").text
    assert "24 Nov 2026, 23:10 UTC" in page
    assert "by night" in page
    assert "24 hours before" in page
    assert f"/drills/{drill.id}/cancel" in page
    assert "/cancel" not in signed_in("officer").get("/drills").text
    world.clock.set(drill.planned_at - timedelta(hours=24))
    look(world)
    assert "24 Nov 2026, 23:10 UTC" in signed_in("spoc").get("/drills").text
    world.clock.set(drill.planned_at)
    look(world)
    supervisor = signed_in("supervisor")
    path = f"/drills/{drill.id}/cancel"
    assert "the provider reads the reason" in supervisor.get(path).text
    empty = submit(supervisor, path, {"reason": " "})
    assert empty.status_code == 422
    assert "Say why" in empty.text
    assert submit(supervisor, path, {"reason": "Enough."}).status_code == 303
    assert seen(world, drill).state is DrillState.CANCELLED
    assert "Enough." in supervisor.get("/drills").text
    again = supervisor.get(path)
    assert again.status_code == 409
    assert "nothing is left to cancel" in again.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"provider": ""}, "Choose with whom"),
        ({"provider": "x"}, "Choose with whom"),
        ({"when": ""}, "Say when"),
        ({"planned_at": ""}, "Enter date and time"),
        ({"planned_at": "2026-02-30 10:00", "zone": "UTC"}, "Enter date and time"),
        ({"planned_at": "2026-11-25 03:10+99:00"}, "Enter date and time"),
        ({"planned_at": "2026-11-25 03:10", "zone": "Nowhere/Land"}, "Choose the time zone"),
        ({"planned_at": "2026-11-23 10:00", "zone": "UTC"}, "at least 5 minutes ahead"),
        ({"urgency": "x"}, "Choose how urgent"),
        ({"when": "now", "announced": "y"}, "told 24 hours before"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    world: World, signed_in: SignedIn, changes: dict[str, object], said: str
) -> None:
    answer = submit(signed_in("supervisor"), "/drills/new", form(world, **changes))
    assert answer.status_code == 422
    assert said in answer.text
    assert "Traceback" not in answer.text
    assert every(world) == []


def test_a_stale_session_is_asked_for_a_code_and_the_form_is_kept(
    world: World, signed_in: SignedIn
) -> None:
    supervisor = signed_in("supervisor")
    token = csrf_token(supervisor.get("/drills/new"))
    world.clock.move(minutes=6)
    answer = supervisor.post("/drills/new", data={"csrf_token": token, **form(world)})
    assert answer.status_code == 303
    assert answer.location.startswith("/account/fresh")
    assert every(world) == []
    back = submit(supervisor, answer.location, {"code": world.unused_code("supervisor")})
    assert back.status_code == 303
    page = supervisor.get(back.location).text
    assert "2026-11-25 03:10" in page
    assert "Your code counts now" in page


def test_at_once(world: World, signed_in: SignedIn) -> None:
    supervisor = signed_in("supervisor")
    answer = submit(supervisor, "/drills/new", form(world, when="now", planned_at=""))
    assert answer.status_code == 303
    look(world)
    assert every(world)[0].state is DrillState.RUNNING
    page = supervisor.get("/drills").text
    assert "CP-TEST-2026-0001" in page
    assert "Break off" in page


def test_an_order_says_test_on_each_of_its_pages(world: World, signed_in: SignedIn) -> None:
    order = begin(world)
    with world.database.reading() as session:
        task = session.scalars(select(CallTask.id)).one()
    officer, spoc = signed_in("officer"), signed_in("spoc")
    for verb in ("", "/withdraw", "/close-escalation", "/message", f"/calls/{task}"):
        page = officer.get(f"/orders/{order.ref}{verb}")
        assert page.status_code == 200
        assert MARK in page.text, verb
    assert (
        "TEST, a drill: An emergency order was issued"
        in officer.get(f"/orders/{order.ref}/calls/{task}").text
    )
    for verb in ("", "?part=live", "/acknowledge", "/preserve", "/decline", "/question"):
        page = spoc.get(f"/orders/{order.ref}{verb}")
        assert page.status_code == 200
        assert MARK in page.text, verb
    for reader in (officer, spoc):
        queue = reader.get("/orders").text
        assert MARK in queue
        assert 'class="hot"' not in queue, "red is for what is real"
        assert '<span class="count">' not in queue
        assert order.name in reader.get("/orders?view=drills").text
        assert order.name not in reader.get("/orders?view=emergencies").text
    real = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    assert MARK not in officer.get(f"/orders/{real.ref}").text


def test_a_drill_at_the_top_of_its_ladder_has_a_page(world: World, signed_in: SignedIn) -> None:
    order = begin(world)
    world.clock.move(hours=5)
    climb(world)
    page = signed_in("officer").get(f"/orders/{order.ref}")
    assert page.status_code == 200
    assert "due now" not in page.text


def test_whoever_reads_no_orders_gets_no_link_to_one(world: World, signed_in: SignedIn) -> None:
    order = begin(world)
    page = signed_in("provider_administrator").get("/drills").text
    assert order.name in page
    assert f'href="/orders/{order.ref}"' not in page


def test_the_log_tells_of_planning_and_cancelling(world: World, signed_in: SignedIn) -> None:
    drill = plan(world, world.now + timedelta(hours=30), announced=True)
    path = f"/drills/{drill.id}/cancel"
    assert submit(signed_in("supervisor"), path, {"reason": "A holiday."}).status_code == 303
    page = signed_in("auditor").get("/portal-log").text
    assert "A drill with Meridian Telecom for 24 Nov 2026, 18:00 UTC was planned." in page
    assert "was taken back. Reason: A holiday." in page


def test_the_log_keeps_the_hour_of_an_unannounced_one(world: World, signed_in: SignedIn) -> None:
    plan(world, world.now + timedelta(hours=30))
    auditor = signed_in("auditor")
    page = auditor.get("/portal-log").text
    assert "A drill with Meridian Telecom was planned." in page
    assert "18:00" not in page
    assert "18:00" not in auditor.get("/drills").text


def test_what_was_answered_is_no_open_work(world: World, signed_in: SignedIn) -> None:
    order = begin(world)
    world.preserve(order, days=1)
    spoc = signed_in("spoc")
    assert order.name not in spoc.get("/orders").text
    for view in ("drills", "all"):
        assert order.name in spoc.get(f"/orders?view={view}").text


def test_faults_of_typing_and_of_the_rules_are_told_in_one_round(
    world: World, signed_in: SignedIn
) -> None:
    wrong = form(world, provider="", urgency="x", planned_at="2026-11-23 10:00", announced="y")
    page = submit(signed_in("supervisor"), "/drills/new", wrong).text
    for said in ("Choose with whom", "Choose how urgent", "5 minutes ahead", "told 24 hours"):
        assert said in page, said
    unread = form(world, planned_at="soon", announced="y", urgency="x")
    page = submit(signed_in("supervisor"), "/drills/new", unread).text
    assert "Enter date and time" in page
    assert "Choose how urgent" in page
    assert "The provider is told 24 hours before: choose" not in page


def test_the_scorecard_page(world: World, signed_in: SignedIn) -> None:
    order = begin(world)
    world.clock.move(minutes=70)
    world.acknowledge(order)
    provider = world.register.providers["Meridian Telecom"]
    officer = signed_in("officer")
    path = f"/providers/{provider}/scorecard"
    assert path in officer.get(f"/providers/{provider}").text
    page = officer.get(path).text
    assert "1 h 10 min" in page
    assert page.count('<rect class="track"') == 1
    assert "style=" not in page
    for months in ("3", "36", "7", "x", "99999999999999999999"):
        assert officer.get(f"{path}?months={months}").status_code == 200
    assert signed_in("norvik_spoc").get(path).status_code == 404
    assert path not in signed_in("administrator").get(f"/providers/{provider}").text


def test_pages_with_nothing_to_show(world: World, signed_in: SignedIn) -> None:
    for who in ("supervisor", "spoc"):
        assert "None yet." in signed_in(who).get("/drills").text
    provider = world.register.providers["Meridian Telecom"]
    page = signed_in("spoc").get(f"/providers/{provider}/scorecard").text
    assert "Nothing to judge in this time." in page
