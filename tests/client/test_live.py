"""The client against the real portal: an order's whole life, and histories tampered with."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import Connection, text

from liaison.client import Client, Fault, HistoryBroken, Problem
from liaison.models import Database, Provider
from liaison.services import keys
from tests.client.book import Clock
from tests.keeping import ask, record_mla, release
from tests.world import World


@pytest.fixture
def client(app: Flask, world: World) -> Client:
    return of(app, world.key("Meridian Telecom"))


class Counting(httpx.WSGITransport):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.statuses: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        self.statuses.append(answer.status_code)
        return answer


def of(app: Flask, key: str) -> Client:
    transport = httpx.WSGITransport(app=app)
    return Client("http://localhost", key, transport=transport, time=Clock().time, patience=0.1)


def test_a_providers_program_answers_orders_from_the_first_to_the_last(
    app: Flask, client: Client, world: World
) -> None:
    who = client.whoami()
    assert (who.provider, who.expires_at) == ("Meridian Telecom", None)
    assert "respond" in who.scopes
    served = world.issue()
    reader = client.follow()
    first = reader.page()[0]
    assert (first.type, first.order and first.order.ref) == ("order.issued", served.name)
    assert first.data is not None
    assert first.order is not None

    order = client.order(first.order.id)
    assert (order.state, order.urgency, order.is_drill) == ("issued", "emergency", False)
    asked = client.ask(order, "Which account?", files=[("log.csv", b"time,address\n")])
    file = asked["thread"][0]["attachments"][0]
    content = client.attachment(order, file["id"])
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    once = client.acknowledge(order, reference="NOC-1", idempotency_key=f"ack-{first.id}")
    again = client.acknowledge(order, reference="NOC-1", idempotency_key=f"ack-{first.id}")
    assert (once.state, again.version) == ("acknowledged", once.version)
    with pytest.raises(Problem) as stale:
        client.preserve(order, days=30, if_version=order.version)
    assert (stale.value.status, stale.value.slug) == (412, "stale")
    targets = [{"id": t["id"], "outcome": "preserved"} for t in order["targets"]]
    until = world.now + timedelta(days=60)
    kept = client.preserve(order, until=until, targets=targets, sha256="ab" * 32, risk="Maybe.")
    assert kept.state == "preserved"
    assert kept["preserved_until"].startswith(until.strftime("%Y-%m-%dT%H:%M"))
    client.name_other_provider(order, "Norvik Mobile", "198.51.100.1", target=targets[0]["id"])
    doubted = client.doubt(world.issue("05-names-from-everywhere.json").name, "Odd number.")
    assert doubted["doubt"]["reason"] == "Odd number."
    declined = client.decline(
        world.issue("05-names-from-everywhere.json").name,
        ["no_longer_held"],
        "Older than 30 days.",
        preserved_meanwhile=False,
    )
    assert declined.state == "declined"
    with pytest.raises(Problem) as too_early:
        client.dispose(order)
    assert too_early.value.slug == "invalid-transition"
    with pytest.raises(Problem) as wrong:
        client.preserve(order, days=0)
    assert [fault.pointer for fault in wrong.value.errors] == ["/days"]

    orders = list(client.orders(limit=2))
    assert [o["ref"] for o in orders] == sorted(o.ref for o in orders)
    assert len(orders) == 3
    assert [o.id for o in client.orders(state="declined")] == [declined.id]
    types = [entry.type for entry in client.stream(first.place, once=True)]
    assert types[0] == "order.fetched"
    assert types.count("order.acknowledged") == 1
    assert {"order.message", "order.preserved", "order.doubted", "order.declined"} <= set(types)

    norvik = of(app, world.key("Norvik Mobile"))
    assert list(norvik.stream(once=True)) == []
    with pytest.raises(Problem, match="404"):
        norvik.order(order.id)
    with pytest.raises(Problem) as refused:
        of(app, "lsn_" + "x" * 40).whoami()
    assert refused.value.is_key_refused


@pytest.mark.one_database
def test_an_extension_and_a_disposal(client: Client, world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order)
    assert client.extend(order.name, days=30, note="Kept.")["extension"] is None
    record_mla(world, order)
    release(world, order, note="Handed over.")
    assert client.dispose(order.name, reference="DEL-1").state == "disposed"


def test_a_page_without_news_is_answered_with_304(app: Flask, world: World) -> None:
    world.issue()
    transport = Counting(app=app)
    key = world.key("Meridian Telecom")
    reader = Client("http://localhost", key, transport=transport, time=Clock().time).follow()
    for _ in range(4):
        reader.page()
    assert transport.statuses == [200, 200, 200, 304, 304]
    world.issue()
    assert len(reader.page()) == 1


def test_a_program_keeps_its_webhook_and_the_signed_order(app: Flask, world: World) -> None:
    with world.database.transaction() as session:
        meridian = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        key = keys.make_key(session, meridian, "Hooks", keys.SCOPES, world.now)[1]
    client, began = of(app, key), world.now
    url = "https://hooks.meridian.example/liaison"
    made = client.make_webhook(url, events=["order.issued"], idempotency_key="hook")
    assert made["secret"]
    assert (
        client.make_webhook(url, events=["order.issued"], idempotency_key="hook")["id"]
        == (made["id"])
    )
    assert client.rotate_webhook(made["id"])["secret"] not in ("", None, made["secret"])
    assert client.test_webhook(made["id"])
    order = world.issue()
    assert client.replay_webhook(made["id"], began)
    assert "order.issued" in {sent["type"] for sent in client.deliveries(made["id"])}
    header, payload, _ = client.signed_order(order.name).split(".")
    assert order.name.encode() in urlsafe_b64decode(payload + "==")
    assert header
    assert client.order_pdf(order.name).startswith(b"%PDF")
    client.remove_webhook(made["id"])
    assert client.webhooks() == []


Change = Callable[[Connection], object]


def run(*statements: str) -> Change:
    def change(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    return change


OURS = "stream LIKE 'provider:%'"
CASES: dict[str, tuple[Change, Fault, int]] = {
    "one word of the data": (
        run(f"UPDATE entry SET data = replace(data, 'NOC', 'NOK') WHERE seq = 2 AND {OURS}"),
        Fault.CHANGED,
        2,
    ),
    "an entry taken out": (run(f"DELETE FROM entry WHERE seq = 2 AND {OURS}"), Fault.DROPPED, 2),
    "two that changed places": (
        run(
            f"UPDATE entry SET seq = 99 WHERE seq = 2 AND {OURS}",
            f"UPDATE entry SET seq = 2 WHERE seq = 3 AND {OURS}",
            f"UPDATE entry SET seq = 3 WHERE seq = 99 AND {OURS}",
        ),
        Fault.CHANGED,
        2,
    ),
    "the end put elsewhere": (
        run("UPDATE stream SET head = '" + "a" * 64 + "' WHERE id LIKE 'provider:%'"),
        Fault.REWRITTEN,
        4,
    ),
    "the end cut off": (
        run(
            f"DELETE FROM entry WHERE seq = 4 AND {OURS}",
            "UPDATE stream SET seq = 3, head = (SELECT hash FROM entry WHERE seq = 3 AND "
            f"{OURS}) WHERE id LIKE 'provider:%'",
        ),
        Fault.SHORTER,
        4,
    ),
}


@pytest.mark.one_database
@pytest.mark.parametrize("story", CASES)
def test_whoever_changes_the_database_is_found_out(
    story: str, client: Client, world: World, database: Database
) -> None:
    change, fault, seq = CASES[story]
    order = world.issue()
    client.acknowledge(order.name, reference="NOC-8812")
    client.ask(order.name, "Which account?")
    client.preserve(order.name, days=30, idempotency_key="k")
    read = list(client.stream(once=True))
    assert len(read) == 4
    with database.engine.begin() as connection:
        change(connection)
    with pytest.raises(HistoryBroken) as broken:
        list(client.stream(read[0].place, read[-1].place, once=True))
    assert (broken.value.fault, broken.value.seq) == (fault, seq)
