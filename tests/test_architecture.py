"""Imports go downward only; the floor table of the design is the data (tests/floors.py)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.floors import PACKAGE, ROOMS, breaches, breaches_in_house

PLANTED = {
    "the rules know a table": ("domain.terms", "from liaison.models import Order"),
    "the rules know SQLAlchemy": ("domain.terms", "from sqlalchemy import select"),
    "the rules know Flask": ("domain.terms", "import flask"),
    "the rules read settings": ("domain.terms", "from liaison.settings import Settings"),
    "the rules open a file": ("domain.terms", "from pathlib import Path"),
    "the rules wait": ("domain.terms", "import time"),
    "a table knows a verb": ("models.orders", "from liaison.services import orders"),
    "a table knows a letter": ("models.orders", "from liaison.documents import letters"),
    "a table knows a way out": ("models.orders", "from liaison.delivery import Sender"),
    "a letter knows a table": ("documents.letters", "from liaison.models import Order"),
    "a letter knows a way out": ("documents.letters", "from liaison.delivery import Outgoing"),
    "a letter knows SQLAlchemy": ("documents.letters", "import sqlalchemy.orm"),
    "a way out knows a table": ("delivery.email", "from liaison.models.work import Message"),
    "a way out knows a letter": ("delivery.email", "from liaison.documents.letters import compose"),
    "a way out knows a verb": ("delivery.email", "from liaison.services import outbox"),
    "a verb sends": ("services.outbox", "from liaison.delivery import EmailSender"),
    "a verb sends by itself": ("services.outbox", "import smtplib"),
    "a verb knows the request": ("services.orders", "from flask import g"),
    "a verb knows the portal": ("services.orders", "from liaison.portal import forms"),
    "a question sends": ("queries.queue", "import liaison.delivery.email"),
    "a question knows the request": ("queries.queue", "from flask import request"),
    "a page sends": ("portal.orders", "from liaison.delivery import EmailSender"),
    "a page knows the endpoint": ("portal.orders", "from liaison.api import shapes"),
    "a page knows the wiring": ("portal.orders", "from liaison import create_app"),
    "the endpoint sends": ("api.orders", "from liaison.delivery import EmailSender"),
    "the endpoint knows a page": ("api.orders", "from liaison.portal import orders"),
    "the endpoint knows the worker": ("api.orders", "from liaison import worker"),
    "the plumbing knows a page": ("web.errors", "from liaison.portal import orders"),
    "the command line sends": ("cli", "from liaison.delivery import EmailSender"),
    "the command line serves": ("cli", "from flask import Flask"),
    "the worker knows Flask": ("worker.loop", "from flask import current_app"),
    "the worker knows a page": ("worker.loop", "from liaison.portal import orders"),
    "the worker knows the plumbing": ("worker.loop", "from liaison.web import context"),
    "the client knows a rule": ("client.poll", "from liaison.domain import vocabulary"),
    "the client knows the package": ("client.poll", "from liaison import errors"),
    "the client knows the wiring": ("client.poll", "from liaison import create_app"),
    "the client needs more than httpx": ("client.poll", "import rfc8785"),
    "the package needs a library": ("", "from sqlalchemy.orm import Session"),
    "a relative way up": ("domain.terms", "from ..services import orders"),
    "a way up inside a function": ("domain.terms", "def f():\n    from liaison import models"),
    "a way up for types only": (
        "domain.terms",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from liaison.models import Order",
    ),
    "a way by name": ("services.orders", "import importlib\nimportlib.import_module('liaison.x')"),
    "a module in no room": ("helpers", "import json"),
    "an import from no room": ("services.orders", "from liaison.utils import things"),
    "datetime.now": ("services.orders", "from datetime import datetime\ndatetime.now()"),
    "datetime.now with a zone": (
        "portal.orders",
        "import datetime as d\nd.datetime.now(d.timezone.utc)",
    ),
    "datetime under another name": (
        "worker.loop",
        "from datetime import datetime as moment\nmoment.utcnow()",
    ),
    "date.today": ("queries.queue", "import datetime\ndatetime.date.today()"),
    "time.time": ("worker.loop", "import time\ntime.time()"),
    "time.time under its own name": ("worker.loop", "from time import time\ntime()"),
    "time under another name": ("worker.loop", "import time as t\nt.time()"),
    "the database's clock": ("queries.queue", "from sqlalchemy import func\nfunc.now()"),
    "the authenticator's clock": ("demo.accounts", "import pyotp\npyotp.TOTP('A').now()"),
    "a verb that commits": ("services.orders", "def f(session):\n    session.commit()"),
}

ALLOWED = {
    "a moment is written": ("domain.terms", "from liaison.clock import rfc3339"),
    "phone numbers are checked": ("domain.targets", "import phonenumbers, zoneinfo, idna"),
    "a table uses a rule": ("models.orders", "from liaison.domain.lifecycle import OrderState"),
    "a verb asks a question": ("services.orders", "from liaison.queries import registry"),
    "a page calls a verb": ("portal.orders", "from liaison.services import orders\nimport flask"),
    "a page uses the plumbing": ("portal.orders", "from liaison.web import context"),
    "the worker sends": ("worker.messages", "from liaison.delivery import EmailSender"),
    "the command line starts the worker": ("cli", "from liaison.worker import run_once"),
    "the demo starts all of it": ("demo.running", "from liaison import create_app, worker"),
    "the wiring wires": (
        "application",
        "from liaison import portal, api\nfrom liaison.demo import mail",
    ),
    "the package finds the wiring": ("", "from liaison import application"),
    "the client uses httpx": ("client.poll", "import httpx, fcntl"),
    "a clock that was handed in": ("worker.loop", "def f(clock):\n    return clock.now()"),
    "the clock itself": ("clock", "from datetime import datetime, UTC\ndatetime.now(UTC)"),
    "a stopwatch": ("web.context", "import time\ntime.perf_counter()"),
    "a door commits": ("portal.orders", "def f(session):\n    session.commit()"),
}


def test_no_module_of_the_house_imports_upward() -> None:
    assert breaches_in_house() == []


@pytest.mark.parametrize("story", PLANTED)
def test_a_planted_breach_is_found(story: str) -> None:
    module, source = PLANTED[story]
    assert breaches(f"liaison.{module}".rstrip("."), source) != []


@pytest.mark.parametrize("story", ALLOWED)
def test_what_the_table_allows_passes(story: str) -> None:
    module, source = ALLOWED[story]
    assert breaches(f"liaison.{module}".rstrip("."), source) == []


def test_every_file_is_read_and_every_room_has_a_place_in_the_table() -> None:
    rooms = {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")
    }
    assert rooms - {"__init__"} <= set(ROOMS)
    assert len(list(PACKAGE.rglob("*.py"))) > 50


def test_the_migrations_need_the_tables_and_never_the_application() -> None:
    source = (PACKAGE.parent / "migrations" / "env.py").read_text()
    imported = {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    ours = {name for name in imported if name.startswith("liaison")}
    tables = {f"liaison.models{room}" for room in ("", ".base", ".engines")}
    assert ours == {*tables, "liaison.settings"}


def test_a_migration_imports_nothing_of_ours() -> None:
    versions = PACKAGE.parent / "migrations" / "versions"
    for path in sorted(versions.glob("*.py")):
        assert "liaison" not in path.read_text(), f"{Path(path).name} must outlive the models"
