"""Every route, method and role in one table. A route that is not declared here fails the build.

Another tenant's order and an absent one are answered alike, by every route that names one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from uuid6 import uuid7
from werkzeug.test import TestResponse

from liaison import create_app
from liaison.models import CallTask, Order
from liaison.settings import Env, Settings
from tests.world import World

PEOPLE = (
    "officer",
    "supervisor",
    "auditor",
    "administrator",
    "spoc",
    "provider_administrator",
)
"""One of each role, of the authority and the provider that the orders are of."""

STRANGERS = ("foreign_officer", "norvik_spoc")
"""Another authority's officer and another provider's SPOC."""

CP = frozenset({"officer", "supervisor"})
PROVIDER = frozenset({"spoc"})
READERS = CP | PROVIDER | {"auditor"}
EVERYBODY = frozenset(PEOPLE)


@dataclass(frozen=True)
class Access:
    """Who may. ``door``: ``open`` to anybody, ``page`` after sign-in, ``key`` with an API key.

    ``state``: the route names an order, and this is the state in which its act is allowed.
    """

    door: str
    people: frozenset[str] = EVERYBODY
    state: str | None = None


OPEN = Access("open")
ANSWER = Access("key", state="issued")

ROUTES: dict[tuple[str, str], Access] = {
    ("/", "GET"): OPEN,
    ("/healthz", "GET"): OPEN,
    ("/readyz", "GET"): OPEN,
    ("/problems/", "GET"): OPEN,
    ("/problems/<type_>", "GET"): OPEN,
    ("/static/<path:filename>", "GET"): OPEN,
    ("/bootstrap/static/<path:filename>", "GET"): OPEN,
    ("/login", "GET"): OPEN,
    ("/login", "POST"): OPEN,
    ("/login/code", "GET"): OPEN,
    ("/login/code", "POST"): OPEN,
    ("/logout", "POST"): OPEN,
    ("/account", "GET"): Access("page"),
    ("/account/theme", "POST"): Access("page"),
    ("/contacts", "GET"): Access("page"),
    ("/providers", "GET"): Access("page"),
    ("/providers/<provider_id>", "GET"): Access("page"),
    ("/providers/<provider_id>/memorandum", "GET"): Access("page"),
    ("/orders", "GET"): Access("page"),
    ("/orders/new", "GET"): Access("page", CP),
    ("/orders/new", "POST"): Access("page", CP),
    ("/orders/<ref>", "GET"): Access("page", READERS, "issued"),
    ("/orders/<ref>/edit", "GET"): Access("page", CP, "draft"),
    ("/orders/<ref>/edit", "POST"): Access("page", CP, "draft"),
    ("/orders/<ref>/issue", "GET"): Access("page", CP, "draft"),
    ("/orders/<ref>/issue", "POST"): Access("page", CP, "draft"),
    ("/orders/<ref>/withdraw", "GET"): Access("page", CP, "issued"),
    ("/orders/<ref>/withdraw", "POST"): Access("page", CP, "issued"),
    ("/orders/<ref>/message", "GET"): Access("page", CP, "issued"),
    ("/orders/<ref>/message", "POST"): Access("page", CP, "issued"),
    ("/orders/<ref>/close-escalation", "GET"): Access("page", CP, "issued"),
    ("/orders/<ref>/close-escalation", "POST"): Access("page", CP, "issued"),
    ("/orders/<ref>/calls/<uuid:task_id>", "GET"): Access("page", CP, "issued"),
    ("/orders/<ref>/calls/<uuid:task_id>", "POST"): Access("page", CP, "issued"),
    ("/orders/<ref>/acknowledge", "GET"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/acknowledge", "POST"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/preserve", "GET"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/preserve", "POST"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/decline", "GET"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/decline", "POST"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/question", "GET"): Access("page", PROVIDER, "issued"),
    ("/orders/<ref>/question", "POST"): Access("page", PROVIDER, "issued"),
    ("/api/docs", "GET"): OPEN,
    ("/api/v1/openapi.json", "GET"): OPEN,
    ("/api/v1/whoami", "GET"): Access("key"),
    ("/api/v1/events", "GET"): Access("key"),
    ("/api/v1/orders", "GET"): Access("key"),
    ("/api/v1/orders/<order>", "GET"): ANSWER,
    ("/api/v1/orders/<order>/acknowledgement", "POST"): ANSWER,
    ("/api/v1/orders/<order>/preservation", "POST"): ANSWER,
    ("/api/v1/orders/<order>/refusal", "POST"): ANSWER,
}

DEMO_ROUTES = {("/demo/mail", "GET"), ("/demo/mail/<name>", "GET")}
"""Only where the settings say that this is a demo."""

PAGES = [(rule, method) for (rule, method), access in ROUTES.items() if access.door == "page"]
ON_ORDERS = [(rule, method) for rule, method in PAGES if ROUTES[rule, method].state]

pytestmark = pytest.mark.one_database


@pytest.fixture
def app(app: Flask) -> Flask:
    """Without form tokens: they are tried elsewhere, here everybody would fail on them."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def served(app: Flask) -> set[tuple[str, str]]:
    """What the application answers to."""
    return {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_declared(app: Flask, settings: Settings) -> None:
    assert served(app) == set(ROUTES)
    demo = create_app(replace(settings, env=Env.DEMO))
    assert served(demo) == set(ROUTES) | DEMO_ROUTES
    demo.extensions["liaison"].database.close()


def test_nobody_gets_in_without_proof(app: Flask, world: World) -> None:
    order = world.issue()
    for (rule, method), access in ROUTES.items():
        answer = app.test_client().open(address(world, rule, order), method=method)
        if access.door == "page":
            assert answer.status_code in (302, 303), (rule, method)
            assert answer.headers["Location"].startswith("/login"), (rule, method)
        elif access.door == "key":
            assert answer.status_code == 401, (rule, method)
        else:
            assert answer.status_code not in (401, 403), (rule, method)
        answer.close()


@pytest.mark.parametrize("who", PEOPLE)
def test_each_role_does_what_is_its_own(app: Flask, world: World, who: str) -> None:
    client = app.test_client()
    world.sign_in(client, who)
    for rule, method in PAGES:
        access = ROUTES[rule, method]
        order = world.draft() if access.state == "draft" else world.issue()
        status = client.open(address(world, rule, order), method=method).status_code
        if who in access.people:
            assert status in (200, 303, 409, 422), (rule, method, status)
        elif access.state and (who not in READERS or hidden(who, access)):
            assert status == 404, (rule, method, status)
        else:
            assert status == 403, (rule, method, status)


def hidden(who: str, access: Access) -> bool:
    """Whether the order is one that this person cannot know of: a provider sees no draft."""
    return who in PROVIDER and access.state == "draft"


@pytest.mark.parametrize("who", STRANGERS)
def test_anothers_order_is_answered_like_an_absent_one(app: Flask, world: World, who: str) -> None:
    client = app.test_client()
    world.sign_in(client, who)
    served_order, draft = world.issue(), world.draft()
    for rule, method in ON_ORDERS:
        absent = said(client, rule, method, str(uuid7()), uuid7())
        assert absent[0] == 404, (rule, method)
        for order in (served_order, draft):
            task = task_of(world, order)
            for name in {str(order.id), order.name}:
                assert said(client, rule, method, name, task) == absent, (rule, method, name)


def test_anothers_provider_page_is_answered_like_an_absent_one(app: Flask, world: World) -> None:
    client = app.test_client()
    world.sign_in(client, "norvik_spoc")
    other = world.register.providers["Meridian Telecom"]
    for rule in ("/providers/{}", "/providers/{}/memorandum"):
        first, second = client.get(rule.format(other)), client.get(rule.format(uuid7()))
        assert first.status_code == second.status_code == 404, rule
        assert neutral(first, str(other)) == neutral(second, "")


def address(world: World, rule: str, order: Order) -> str:
    """The rule with this order's names in it."""
    names = {
        "<ref>": order.name,
        "<order>": order.name,
        "<uuid:task_id>": str(task_of(world, order)),
        "<provider_id>": str(order.provider_id),
        "<type_>": "stale",
        "<path:filename>": "liaison.css" if "bootstrap" not in rule else "css/bootstrap.min.css",
    }
    for name, value in names.items():
        rule = rule.replace(name, value)
    assert "<" not in rule, f"say what stands for the name in {rule}"
    return rule


def task_of(world: World, order: Order) -> UUID:
    """The call task that an emergency opens; any id where there is none."""
    with world.database.reading() as session:
        query = select(CallTask.id).where(CallTask.order_id == order.id)
        return session.scalars(query).first() or uuid7()


def said(
    client: FlaskClient, rule: str, method: str, name: str, task: UUID
) -> tuple[int, str, list[tuple[str, str]]]:
    """All that an answer says, but for what names the request itself."""
    path = rule.replace("<ref>", name).replace("<uuid:task_id>", str(task))
    answer = client.open(path, method=method)
    headers = [(n, v) for n, v in answer.headers if n not in ("X-Request-Id", "Date", "Set-Cookie")]
    kept = sorted(h for h in headers if h[0] != "Content-Length")
    return answer.status_code, neutral(answer, name), kept


def neutral(answer: TestResponse, name: str) -> str:
    """The text without the request's id, form tokens and the name that was asked for."""
    text = answer.text.replace(answer.headers["X-Request-Id"], "")
    text = re.sub(r'name="csrf_token" value="[^"]+"', "", text)
    text = text.replace(name, "") if name else text
    names = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    return names.sub("", text)
