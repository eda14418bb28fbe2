"""A provider's program keeps its webhooks, and nobody else's."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from uuid6 import uuid7

from liaison.delivery import DeliveryError
from liaison.errors import Forbidden, Unauthenticated
from liaison.models import ApiKey, Entry, IdempotentAnswer, Message, Provider, WebhookEndpoint
from liaison.services import (
    keyring,
    keys,
    ledger,
    webhook_keepers,
    webhook_keeping,
    webhook_replays,
)
from liaison.services.vault import Vault
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.api.program import Program, faults, slug
from tests.hooks import endpoint, made, of_norvik, queued
from tests.mail import RecordingSender
from tests.world import ADDRESS, World

URL = "https://hooks.meridian.example/liaison?key=of-their-own"


def keeper(app: Flask, world: World, *scopes: str, provider: str = "Meridian Telecom") -> Program:
    """A program whose key has these scopes, ``webhooks`` where none is named."""
    with world.database.transaction() as session:
        row = session.get_one(Provider, world.register.providers[provider])
        name = " ".join(scopes) or "Hook keeper"
        _, shown = keys.make_key(session, row, name, scopes or ("webhooks",), world.now)
    return Program(app.test_client(), {"Authorization": f"Bearer {shown}"})


def letters(world: World) -> list[str]:
    """What people were written of webhooks, oldest first: ``act at host``."""
    with world.database.reading() as session:
        rows = session.scalars(
            select(Message).where(Message.letter == "webhook_by_key").order_by(Message.id)
        )
        return [f"{row.params['act']} {row.params['host']}" for row in rows]


@pytest.fixture
def work_(settings: Settings, world: World, sender: RecordingSender) -> Work:
    """A worker that keeps what it sends, webhooks too."""
    return Work(settings, world.database, world.clock, sender, name="worker-1")


def test_a_program_keeps_a_webhook_through_its_life(
    app: Flask, world: World, work_: Work, sender: RecordingSender
) -> None:
    program = keeper(app, world)
    assert program.get("/webhooks").get_json() == {"webhooks": []}
    body = {"url": f" {URL} ", "description": "Case system", "events": ["order.issued"]}
    first = program.post("/webhooks", body, Idempotency_Key="make-1")
    assert first.status_code == 201
    hook = first.get_json()
    place = first.headers["Location"].removeprefix("/api/v1")
    assert place == f"/webhooks/{hook['id']}"
    assert hook["url"] == URL
    secret = hook.pop("secret")
    row = endpoint(world, UUID(hook["id"]))
    assert world.vault.open(row.sealed_secret) == secret
    assert row.created_by == "the key Hook keeper"

    # A repeat makes no other one, and the secret was kept nowhere in clear.
    again = program.post("/webhooks", body, Idempotency_Key="make-1")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.get_json() == {**hook, "secret": None}
    assert again.headers["ETag"] == first.headers["ETag"]
    with world.database.reading() as session:
        for kept in session.scalars(select(IdempotentAnswer.body)):
            assert secret not in kept
    assert program.get("/webhooks").get_json() == {"webhooks": [hook]}

    # Changed only in the version that was read.
    stale = program.ask("PATCH", place, {"events": []}, If_Match='"99"')
    assert (stale.status_code, slug(stale)) == (412, "stale")
    tag = program.get(place).headers["ETag"]
    changed = program.ask("PATCH", place, {"events": ["order.withdrawn"]}, If_Match=tag)
    assert changed.get_json()["events"] == ["order.withdrawn"]
    assert changed.get_json()["url"] == URL, "what was not named stays"
    off = program.ask("PATCH", place, {"state": "disabled", "events": []})
    assert (off.get_json()["state"], off.get_json()["events"]) == ("disabled", [])
    assert off.get_json()["disabled_why"] == "By the key Hook keeper."
    refused = program.post(f"{place}/test", {})
    assert (refused.status_code, slug(refused)) == (409, "invalid-transition")
    assert program.ask("PATCH", place, {"state": "active"}).get_json()["state"] == "active"
    assert program.ask("PATCH", place, {"state": "active"}).status_code == 200, "it is already"

    # A new secret; the older one signs for as long as was said.
    rolled = program.post(f"{place}/rotate", {"overlap": 2}, Idempotency_Key="roll-1")
    newer = rolled.get_json()["secret"]
    assert newer not in (None, secret)
    assert rolled.get_json()["older_secret_until"] == "2026-11-23T14:00:00Z"
    again = program.post(f"{place}/rotate", {"overlap": 2}, Idempotency_Key="roll-1")
    assert again.get_json() == {**rolled.get_json(), "secret": None}
    row = endpoint(world, UUID(hook["id"]))
    assert world.vault.open(row.sealed_secret) == newer, "the repeat took no third one"
    assert faults(program.post(f"{place}/rotate", {"overlap": 169})) == ["/overlap"]

    # Its deliveries, and what is sent again.
    assert program.ask("PATCH", place, {"events": ["order.issued"]}).status_code == 200
    world.issue()
    assert program.post(f"{place}/test", {}).get_json() == {"queued": 1}
    run_once(work_)
    page = program.get(f"{place}/deliveries?limit=1").get_json()
    assert [d["type"] for d in page["deliveries"]] == ["ping"]
    page = program.get(f"{place}/deliveries?after={page['next']}").get_json()
    (sent, *older) = page["deliveries"]
    assert (older, page["next"]) == ([], None)
    assert (sent["type"], sent["seq"], sent["state"], sent["again"]) == (
        "order.issued",
        1,
        "sent",
        False,
    )
    assert sent["attempts"][0]["ok"] is True
    replay = f"{place}/deliveries/{sent['id']}/replay"
    one = program.post(replay, {}, Idempotency_Key="again-1")
    assert one.get_json() == {"queued": 1}
    assert program.post(replay, {}, Idempotency_Key="again-1").get_json() == {"queued": 1}
    assert program.post(replay, {}).get_json() == {"queued": 0}, "it waits already"
    run_once(work_)
    since = {"since": "2026-11-23T00:00:00Z"}
    assert program.post(f"{place}/replay", since).get_json() == {"queued": 1}
    assert faults(program.post(f"{place}/replay", {"since": "2027-01-01T00:00:00Z"})) == ["/since"]
    assert sum(d["again"] for d in program.get(f"{place}/deliveries").get_json()["deliveries"]) == 2

    # Gone, with its secrets.
    assert program.ask("DELETE", place, If_Match='"1"').status_code == 412
    assert program.ask("DELETE", place).status_code == 204
    assert program.get(place).status_code == 404
    assert program.ask("DELETE", place).status_code == 404
    assert endpoint(world, UUID(hook["id"])).sealed_secret == ""
    host = "hooks.meridian.example"
    acts = ["added", "changed", "disabled", "enabled", "gave a new secret to", "removed"]
    assert letters(world) == [f"{act} {host}" for act in acts]
    run_once(work_)
    told = [letter for letter in sender.sent if "webhook" in letter.subject]
    assert len(told) == 6
    assert all("of-their-own" not in letter.text for letter in sender.sent)
    assert "with the API key Hook keeper" in told[0].text
    with world.database.reading() as session:
        log = session.scalars(select(Entry).where(Entry.stream == ledger.PORTAL)).all()
    by_key = [e for e in log if e.actor.startswith("key:") and "webhook" in e.type]
    assert len(by_key) == 11
    assert all(secret not in (e.data or "") and newer not in (e.data or "") for e in log)


def test_the_scope_decides_and_no_other_key_sees_them(
    app: Flask, program: Program, norvik: Program, world: World
) -> None:
    hook, _ = made(world, URL)
    place = f"/webhooks/{hook}"
    for path in ("/webhooks", place, f"{place}/deliveries"):
        refused = program.get(path)
        assert (refused.status_code, slug(refused)) == (403, "forbidden")
        assert "“webhooks”" in refused.get_json()["detail"]
    for method, path in CALLS:
        assert program.ask(method, f"{place}{path}", {}).status_code == 403, path
    only = keeper(app, world)
    assert only.get(place).status_code == 200
    for path in ("/orders", "/events", "/whoami"):
        assert only.get(path).status_code == 403
    assert only.post("/orders/CP-2026-0001/acknowledgement", {}).status_code == 403


CALLS = (
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/rotate"),
    ("POST", "/test"),
    ("POST", "/replay"),
    ("POST", f"/deliveries/{UUID(int=0)}/replay"),
)


@pytest.mark.one_database
def test_anothers_and_an_absent_one_are_answered_alike(app: Flask, world: World) -> None:
    theirs, mine = of_norvik(world, URL), made(world, "https://mine.example/")[0]
    world.issue()
    delivery = queued(world, mine)[0].id
    program = keeper(app, world)
    bodies = {"/replay": {"since": "2026-11-23T00:00:00Z"}, "": {"state": "disabled"}}
    calls = [
        *CALLS,
        ("GET", ""),
        ("GET", "/deliveries"),
        ("POST", f"/deliveries/{delivery}/replay"),
    ]
    for method, path in calls:
        body, told = bodies.get(path, {}), set()
        for name in (theirs, uuid7(), "nothing", "%00"):
            answer = program.ask(method, f"/webhooks/{name}{path}", body)
            assert answer.status_code == 404, path
            told.add((answer.get_json()["title"], answer.get_json()["detail"]))
        assert len(told) == 1, path
    row = endpoint(world, theirs)
    assert (row.state.value, row.version) == ("active", 1)
    assert [hook["id"] for hook in program.get("/webhooks").get_json()["webhooks"]] == [str(mine)]
    # A delivery of one's own at another's webhook is nothing either.
    assert program.post(f"/webhooks/{theirs}/deliveries/{delivery}/replay", {}).status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/url"]),
        ({"url": "https://10.0.0.1/"}, ["/url"]),
        ({"url": "https://[::ffff:10.0.0.1]/"}, ["/url"]),
        ({"url": "https://0x7f.1/"}, ["/url"]),
        ({"url": "http://hooks.meridian.example/"}, ["/url"]),
        ({"url": "https://a:b@hooks.meridian.example/"}, ["/url"]),
        ({"url": "https://169.254.169.254/latest/"}, ["/url"]),
        ({"url": URL, "events": ["order.issued", "order.everything"]}, ["/events/1"]),
        ({"url": URL, "events": "order.issued"}, ["/events"]),
        (
            {"url": URL, "description": "x" * 101, "secret": "whsec_mine"},
            ["/description", "/secret"],
        ),
        ({"url": "https://hooks.meridian.example/" + "x" * 500}, ["/url"]),
    ],
)
def test_what_is_refused_names_its_place(
    app: Flask, world: World, body: dict[str, object], pointers: list[str]
) -> None:
    program = keeper(app, world)
    assert faults(program.post("/webhooks", body)) == pointers
    hook, _ = made(world, "https://fine.meridian.example/")
    if body:
        assert faults(program.ask("PATCH", f"/webhooks/{hook}", body)) == pointers
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(WebhookEndpoint)) == 1
    assert endpoint(world, hook).version == 1
    assert letters(world) == []


def test_a_key_that_ends_meanwhile_changes_nothing(world: World, vault: Vault) -> None:
    """The verb looks at the key again, behind its lock: between the door and the act it may end."""
    with world.database.transaction() as session:
        row = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        key, shown = keys.make_key(session, row, "Probe", ["read", "webhooks"], world.now)
    with world.database.reading() as session:
        actor = keys.actor_for_key(session, shown, ADDRESS, world.now)[1]
    hook, _ = made(world, URL)
    wanted = webhook_keeping.Wanted("https://evil.example/")
    with world.database.transaction() as session:
        session.get_one(ApiKey, key.id).revoked_at = world.now
    for act in (
        lambda s: webhook_keeping.make(s, vault, actor, wanted, world.now, loopback=True),
        lambda s: webhook_keeping.roll(s, vault, actor, hook, 0, world.now),
        lambda s: webhook_keeping.remove(s, actor, hook, world.now),
        lambda s: webhook_replays.ping(s, actor, hook, world.now),
    ):
        with pytest.raises(Unauthenticated), world.database.transaction() as session:
            act(session)
    with world.database.transaction() as session:
        found = session.get_one(ApiKey, key.id)
        found.revoked_at, found.scopes = None, ["read"]
    with pytest.raises(Forbidden), world.database.transaction() as session:
        webhook_keepers.keeper_of(session, actor, world.now)
    with pytest.raises(Forbidden), world.database.transaction() as session:
        webhook_keepers.demand_keeper(session, world.actor("spoc"), world.now)


@pytest.mark.postgresql_only
def test_a_key_that_is_revoked_while_its_program_acts_stops_nothing_dead(
    app: Flask, world: World
) -> None:
    """An answer that is kept refers to the key; whoever revokes it must not wait for that."""
    program = keeper(app, world)
    hook, _ = made(world, URL)
    with world.database.reading() as session:
        key_id = session.scalars(select(ApiKey.id).where(ApiKey.name == "Hook keeper")).one()
    start, seen = threading.Barrier(2), []

    def roll(number: int) -> None:
        mine = Program(app.test_client(), program.headers)
        start.wait()
        key = f"k-{number}"
        seen.append(mine.post(f"/webhooks/{hook}/rotate", {}, Idempotency_Key=key).status_code)

    for number in range(8):
        thread = threading.Thread(target=roll, args=(number,))
        thread.start()
        with world.database.transaction() as session:
            start.wait()
            actor = world.actor("provider_administrator")
            keyring.expect(session, actor, key_id, 10 + number, world.now)
        thread.join()
    assert seen == [200] * 8


@pytest.mark.one_database
def test_a_wild_program_fills_no_mailbox(app: Flask, world: World) -> None:
    program = keeper(app, world)
    for number in range(4):
        hook = program.post("/webhooks", {"url": f"https://h{number}.example/"}).get_json()
        assert program.ask("DELETE", f"/webhooks/{hook['id']}").status_code == 204
    assert letters(world) == ["added h0.example", "removed h0.example"]
    world.clock.move(hours=1)
    program.post("/webhooks", {"url": "https://later.example/"})
    assert letters(world)[2:] == ["added later.example"]
    # What a person does with a fresh factor they need not be told.
    made(world, "https://person.example/")
    assert len(letters(world)) == 3


def test_two_changes_at_one_moment_lose_nothing(app: Flask, world: World) -> None:
    hook, _ = made(world, URL)
    program = keeper(app, world)
    start, answers = threading.Barrier(2), []

    def send(body: dict[str, object]) -> None:
        mine = Program(app.test_client(), program.headers)
        start.wait()
        answers.append(mine.ask("PATCH", f"/webhooks/{hook}", body, If_Match='"1"'))

    bodies = ({"description": "Newer"}, {"events": ["order.issued"]})
    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [200, 412]
    row = endpoint(world, hook)
    assert (row.description, row.events) in (("Newer", []), ("Case system", ["order.issued"]))


@pytest.mark.one_database
def test_an_attempt_tells_what_the_other_side_said(
    app: Flask, world: World, work_: Work, sender: RecordingSender
) -> None:
    hook, _ = made(world, URL)
    program, place = keeper(app, world), f"/webhooks/{hook}"
    assert program.post(f"{place}/test", {}).get_json() == {"queued": 1}
    sender.fail(DeliveryError("500 no disk left", status=500))
    run_once(work_)
    (delivery,) = program.get(f"{place}/deliveries").get_json()["deliveries"]
    (attempt,) = delivery["attempts"]
    assert (attempt["ok"], attempt["status"], attempt["answer"]) == (False, 500, "500 no disk left")
    assert (delivery["type"], delivery["state"], delivery["order"]) == ("ping", "queued", None)
    assert delivery["next_at"] > attempt["at"]
    assert program.get(place).get_json()["failing_since"] == "2026-11-23T12:00:00Z"
    assert program.post(f"{place}/test", {}).get_json() == {"queued": 0}, "it is tried now"
    run_once(work_)
    (delivery,) = program.get(f"{place}/deliveries").get_json()["deliveries"]
    assert [a["ok"] for a in delivery["attempts"]] == [False, True]
    assert program.get(place).get_json()["failing_since"] is None
