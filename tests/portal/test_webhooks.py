"""The pages of webhooks: a provider's own, its secret shown once, and nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from uuid6 import uuid7
from werkzeug.test import TestResponse

from liaison.models import Message, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.models.work import MessageState
from liaison.worker import run_once
from liaison.worker.work import Work
from tests.hooks import KEEPER, endpoint, made, of_norvik, queued
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn, fields
from tests.world import World, csrf_token, submit

URL = "https://hooks.meridian.example/liaison?key=of-their-own"

pytestmark = pytest.mark.one_database


def press(browser: FlaskClient, path: str, **fields: str) -> int:
    """Sends a form as the page's own button does."""
    return sent(browser, path, **fields).status_code


def test_a_keeper_adds_one_and_sees_its_secret_once(signed_in: SignedIn, world: World) -> None:
    browser = signed_in(KEEPER)
    fields = {"url": f" {URL} ", "description": "Case system", "events": ["order.issued"]}
    page = submit(browser, "/webhooks/new", fields)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    found = re.search(r"whsec_[A-Za-z0-9+/=]{32,}", page.text)
    assert found is not None
    listed = browser.get("/webhooks").text
    assert URL.replace("&", "&amp;") in listed
    assert "1 type of event" in listed
    (place,) = re.findall(r'href="(/webhooks/[0-9a-f-]{36})"', listed)
    for path in ("/webhooks", place, f"{place}/edit", "/portal-log"):
        assert found.group() not in browser.get(path).text
    row = endpoint(world, UUID(place.rpartition("/")[2]))
    assert row.sealed_secret != found.group()
    assert world.vault.open(row.sealed_secret) == found.group()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": ""}, "Enter where events are to be sent"),
        ({"url": "http://hooks.meridian.example/"}, "must begin with https"),
        ({"url": "https://10.0.0.1/"}, "public internet only"),
        ({"url": "https://0x7f.1/"}, "four numbers"),
        ({"url": "https://a:b@hooks.example/"}, "each request is signed"),
        ({"description": "x" * 101}, "at most 100 characters"),
        ({"events": ["order.everything"]}, "events that are listed"),
        ({"url": "https://<script>alert(1)</script>/"}, "none of the DNS"),
    ],
)
def test_a_fault_stands_at_its_field(
    signed_in: SignedIn, world: World, fields: dict[str, object], said: str
) -> None:
    page = submit(signed_in(KEEPER), "/webhooks/new", {"url": URL, **fields})
    assert page.status_code == 422
    assert said in page.text
    assert "<script>alert" not in page.text
    with world.database.reading() as session:
        assert session.query(WebhookEndpoint).count() == 0


def test_ten_are_enough_and_none_stands_twice(signed_in: SignedIn, world: World) -> None:
    for number in range(10):
        made(world, f"https://hooks.meridian.example/{number}")
    browser = signed_in(KEEPER)
    page = submit(browser, "/webhooks/new", {"url": URL})
    assert (page.status_code, "at most 10 webhooks" in page.text) == (422, True)
    row = queued_ids(world)[0]
    page = submit(
        browser,
        f"/webhooks/{row}/edit",
        {"url": "https://hooks.meridian.example/5", "version": "1"},
    )
    assert (page.status_code, "with this address already" in page.text) == (422, True)


def queued_ids(world: World) -> list[UUID]:
    with world.database.reading() as session:
        return [row.id for row in session.query(WebhookEndpoint).order_by(WebhookEndpoint.id)]


def test_changed_rolled_over_disabled_enabled_and_removed(
    signed_in: SignedIn, world: World
) -> None:
    hook, secret = made(world, URL)
    browser = signed_in(KEEPER)
    place = f"/webhooks/{hook}"
    form = browser.get(f"{place}/edit").text
    version = re.search(r'name="version"[^>]*value="(\d+)"', form)
    assert version is not None
    changed = {"url": "https://new.meridian.example/", "version": version.group(1)}
    assert submit(browser, f"{place}/edit", changed).status_code == 303
    assert submit(browser, f"{place}/edit", changed).status_code == 409, "an older version"
    assert endpoint(world, hook).url == "https://new.meridian.example/"
    page = submit(browser, f"{place}/roll", {"overlap": "169"})
    assert (page.status_code, "Enter 0 to 168 hours" in page.text) == (422, True)
    page = submit(browser, f"{place}/roll", {"overlap": "24"})
    assert "whsec_" in page.text
    assert secret not in page.text
    assert "signs too until" in page.text
    assert press(browser, f"{place}/disable") == 303
    assert "Disabled" in browser.get(place).text
    assert press(browser, f"{place}/disable") == 409
    assert press(browser, f"{place}/test") == 409
    assert press(browser, f"{place}/enable") == 303
    assert submit(browser, f"{place}/remove", {}).status_code == 303
    row = endpoint(world, hook)
    assert (row.state, row.sealed_secret, row.sealed_old_secret) == (
        EndpointState.REMOVED,
        "",
        None,
    )
    assert browser.get(place).status_code == 404
    log = signed_in("auditor").get("/portal-log?group=webhooks").text
    assert "The webhook at new.meridian.example got a new secret." in log
    assert "key=of-their-own" not in log


def test_deliveries_show_each_try_and_can_be_sent_again(
    signed_in: SignedIn, world: World, work_: Work
) -> None:
    hook, _ = made(world, URL, ["order.issued"])
    order = world.issue()
    run_once(work_)
    browser = signed_in(KEEPER)
    page = browser.get(f"/webhooks/{hook}").text
    assert order.ref is not None
    assert order.ref in page
    assert "Taken" in page
    (message,) = queued(world, hook)
    assert press(browser, f"/webhooks/{hook}/deliveries/{message.id}/replay") == 303
    assert press(browser, f"/webhooks/{hook}/deliveries/{message.id}/replay") == 303
    first, again = queued(world, hook)
    assert (first.state, again.state) == (MessageState.SENT, MessageState.QUEUED)
    assert again.params == first.params
    page_ = submit(
        browser, f"/webhooks/{hook}", {"since": "yesterday"}, to=f"/webhooks/{hook}/replay"
    )
    assert (page_.status_code, "Write it like" in page_.text) == (422, True)
    since = {"since": "2026-11-23 00:00"}
    asked = sent(browser, f"/webhooks/{hook}/replay", **since)
    assert asked.status_code == 200
    assert "0 events" in asked.text, "the only one waits already"
    run_once(work_)
    assert "1 event" in sent(browser, f"/webhooks/{hook}/replay", **since).text
    assert len(queued(world, hook)) == 2, "nothing is sent before it was said how many"
    done = sent(browser, f"/webhooks/{hook}/replay", **since, sure="1")
    assert done.status_code == 303
    assert "1 event is sent again" in browser.get(done.location.partition("#")[0]).text
    assert len(queued(world, hook)) == 3
    # Others have come since it was said how many: it is said anew.
    world.issue()
    run_once(work_)
    more = sent(browser, f"/webhooks/{hook}/replay", **since, sure="1")
    assert (more.status_code, "2 events" in more.text) == (200, True)


def test_a_single_event_that_waits_already_is_not_said_to_be_sent_again(
    signed_in: SignedIn, world: World
) -> None:
    hook, _ = made(world, URL, ["order.issued"])
    world.issue()
    (message,) = queued(world, hook)
    browser = signed_in(KEEPER)
    done = sent(browser, f"/webhooks/{hook}/deliveries/{message.id}/replay")
    assert "waits already" in browser.get(done.location.partition("#")[0]).text


def test_it_works_only_where_something_was_taken_since(
    signed_in: SignedIn, world: World, work_: Work
) -> None:
    hook, _ = made(world, URL)
    browser, place = signed_in(KEEPER), f"/webhooks/{hook}"
    assert state(browser, place) == "Not tried yet"
    assert press(browser, f"{place}/test") == 303
    run_once(work_)
    assert state(browser, place) == "Works"
    world.clock.move(seconds=10)
    assert press(browser, f"{place}/disable") == 303
    assert press(browser, f"{place}/enable") == 303
    assert state(browser, place) == "Not tried since it was enabled"
    assert "Not tried since it was enabled" in signed_in("supervisor").get("/webhooks").text
    world.clock.move(seconds=10)
    assert press(browser, f"{place}/test") == 303
    run_once(work_)
    assert state(browser, place) == "Works", "within a minute of the last success, too"
    world.clock.move(seconds=10)
    form = fields(browser.get(f"{place}/edit").text)
    form["url"] = "https://new.meridian.example/"
    assert browser.post(f"{place}/edit", data=form).status_code == 303
    assert state(browser, place) == "Not tried since it was changed"


def test_a_test_event_that_waits_for_its_retry_is_tried_now(
    signed_in: SignedIn, world: World
) -> None:
    hook, _ = made(world, URL)
    browser, place = signed_in(KEEPER), f"/webhooks/{hook}"
    first = sent(browser, f"{place}/test")
    assert "A test event is on its way" in browser.get(first.location.partition("#")[0]).text
    later = world.now + timedelta(minutes=5)
    with world.database.transaction() as session:
        waits = update(Message).where(Message.endpoint_id == hook)
        session.execute(waits.values(next_at=later, attempts=2))
    again = sent(browser, f"{place}/test")
    assert again.status_code == 303
    assert "is tried again now" in browser.get(again.location.partition("#")[0]).text
    (ping,) = queued(world, hook)
    assert (ping.next_at, ping.attempts) == (world.now, 2)
    with world.database.transaction() as session:
        waits = update(Message).where(Message.endpoint_id == hook)
        session.execute(waits.values(state=MessageState.SENDING))
    under_way = sent(browser, f"{place}/test")
    assert under_way.status_code == 409
    assert "on its way already" in under_way.text


def test_a_refusal_stands_on_the_webhooks_own_page(signed_in: SignedIn, world: World) -> None:
    hook, _ = made(world, URL)
    browser, place = signed_in(KEEPER), f"/webhooks/{hook}"
    for act, said in (
        ("enable", "active already"),
        ("disable", None),
        ("disable", "disabled already"),
        ("test", "Enable it first"),
        ("replay", "Enable it first"),
    ):
        answer = sent(browser, f"{place}/{act}", since="2026-11-23 00:00", sure="0")
        if said is None:
            assert answer.status_code == 303
            continue
        assert answer.status_code == 409, act
        assert said in answer.text
        assert "<h1>Webhook</h1>" in answer.text
        assert "log the call" not in answer.text


def test_after_a_fresh_code_one_is_led_back_to_what_was_pressed(
    signed_in: SignedIn, world: World
) -> None:
    hook, _ = made(world, URL)
    browser = signed_in(KEEPER)
    for act, state_ in (("disable", EndpointState.DISABLED), ("enable", EndpointState.ACTIVE)):
        world.clock.move(minutes=6)
        asked = sent(browser, f"/webhooks/{hook}/{act}")
        assert asked.location.startswith("/account/fresh?")
        form = fields(browser.get(asked.location).text)
        form["code"] = world.unused_code(KEEPER)
        back = browser.post(asked.location, data=form)
        assert f"/webhooks/{hook}/{act}" in back.location
        page = browser.get(back.location)
        assert page.status_code == 200
        assert "Nothing was done yet" in page.text
        assert browser.post(back.location, data=fields(page.text)).status_code == 303
        assert endpoint(world, hook).state is state_


def test_where_this_machine_counts_as_an_address_the_form_says_so(
    signed_in: SignedIn, world: World
) -> None:
    page = signed_in(KEEPER).get("/webhooks/new").text
    assert "http://127.0.0.1" in page
    assert "not in production" in page


def sent(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Sends a form as the page's own button does."""
    token = csrf_token(browser.get("/account"))
    return browser.post(path, data={"csrf_token": token, **fields})


def state(browser: FlaskClient, place: str) -> str:
    """What the page says of it beside its heading."""
    head = browser.get(place).text.partition("<h1>Webhook</h1>")[2].partition("</div>")[0]
    return re.sub(r"<[^>]+>", "", head).strip()


@pytest.fixture
def work_(settings: object, world: World, sender: RecordingSender) -> Work:
    """A worker whose senders keep everything."""
    return Work(settings, world.database, world.clock, sender, name="w")  # type: ignore[arg-type]


def test_a_spoc_looks_and_keeps_nothing(signed_in: SignedIn, world: World) -> None:
    hook, _ = made(world, URL)
    browser = signed_in("spoc")
    for path in ("/webhooks", f"/webhooks/{hook}"):
        page = browser.get(path)
        assert page.status_code == 200
        main = page.text.partition("<main")[2]
        for act in ("/new", "/edit", "/roll", "/remove", "/disable", "/test", "/replay"):
            assert f'{act}"' not in main
    for act in ("disable", "test", "replay", "remove", "roll", "edit"):
        assert press(browser, f"/webhooks/{hook}/{act}") == 403
    assert endpoint(world, hook).state is EndpointState.ACTIVE


def test_anothers_webhook_and_an_absent_one_are_answered_alike(
    signed_in: SignedIn, world: World
) -> None:
    theirs, browser = of_norvik(world, "https://hooks.norvik.example/"), signed_in(KEEPER)
    for act in ("", "/edit", "/roll", "/remove"):
        said = [browser.get(f"/webhooks/{id}{act}").status_code for id in (theirs, uuid7())]
        assert said == [404, 404]
    for act in ("disable", "enable", "test", "replay", f"deliveries/{uuid7()}/replay"):
        for id in (theirs, uuid7()):
            fields = {"since": "2026-11-23 00:00"}
            assert press(browser, f"/webhooks/{id}/{act}", **fields) == 404
    assert "norvik" not in browser.get("/webhooks").text
    assert endpoint(world, theirs).state is EndpointState.ACTIVE


def test_nobody_sends_anothers_delivery_to_an_own_webhook(
    signed_in: SignedIn, world: World
) -> None:
    mine, _ = made(world, URL)
    theirs = of_norvik(world, "https://hooks.norvik.example/")
    world.issue("03-cgnat-fraud-routine.json", provider="Norvik Mobile")
    message = queued(world, theirs)[0]
    browser = signed_in(KEEPER)
    assert press(browser, f"/webhooks/{mine}/deliveries/{message.id}/replay") == 404
    assert queued(world, mine) == []


def test_the_contact_point_sees_health_and_neither_path_nor_secret(
    signed_in: SignedIn, world: World
) -> None:
    hook, _ = made(world, URL)
    for who in ("supervisor", "administrator"):
        page = signed_in(who).get("/webhooks").text
        assert "Meridian Telecom" in page
        assert "hooks.meridian.example" in page
        assert "of-their-own" not in page
        assert str(hook) not in page
    for who in ("officer", "auditor"):
        assert signed_in(who).get("/webhooks").status_code == 403
    assert signed_in("supervisor").get(f"/webhooks/{hook}").status_code == 403


def test_without_a_fresh_factor_nothing_is_kept(signed_in: SignedIn, world: World) -> None:
    hook, _ = made(world, URL)
    browser = signed_in(KEEPER)
    token = csrf_token(browser.get("/account"))
    world.clock.move(minutes=5, seconds=1)
    before = endpoint(world, hook)
    for path in ("/new", *(f"/{hook}/{act}" for act in ("edit", "roll", "remove"))):
        assert browser.get(f"/webhooks{path}").location.startswith("/account/fresh?")
    for path in ("/new", *(f"/{hook}/{a}" for a in ("edit", "roll", "remove", "disable"))):
        fields = {"csrf_token": token, "url": "https://evil.example/", "overlap": "0"}
        answer = browser.post(f"/webhooks{path}", data=fields)
        assert (answer.location or "").startswith("/account/fresh"), path
    after = endpoint(world, hook)
    assert (after.url, after.sealed_secret, after.state) == (
        before.url,
        before.sealed_secret,
        before.state,
    )
    assert browser.get(f"/webhooks/{hook}").status_code == 200


def test_a_form_without_its_token_does_nothing(signed_in: SignedIn, world: World) -> None:
    hook, _ = made(world, URL)
    browser = signed_in(KEEPER)
    for act in ("disable", "remove", "test", "roll", "edit"):
        assert browser.post(f"/webhooks/{hook}/{act}", data={"overlap": "0"}).status_code == 400
    row = endpoint(world, hook)
    assert (row.state, row.old_secret_until) == (EndpointState.ACTIVE, None)
    assert queued(world, hook) == []


def test_what_a_server_says_cannot_write_on_our_page(
    signed_in: SignedIn, world: World, work_: Work, sender: RecordingSender
) -> None:
    from liaison.delivery import DeliveryError

    hook, _ = made(world, URL, ["order.issued"])
    sender.fail(*[DeliveryError("500 <script>alert(1)</script>", status=500)] * 3)
    world.issue()
    run_once(work_)
    page = signed_in(KEEPER).get(f"/webhooks/{hook}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
