"""Eight at once: browsers and programs that wait for each other, then all act on one order."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any, TypeVar
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from liaison.models import Entry, Order
from tests.portal.filled import fields
from tests.world import World

Act = Callable[[], TestResponse]
T = TypeVar("T")

EIGHT = 8
PATIENCE = 60.0
"""Seconds that the slowest may take: a test that hangs must end."""

REFUSED = {"stale", "invalid-transition"}


@dataclass
class Field:
    """Who can run: browsers in which people have signed in, and a provider's program."""

    app: Flask
    world: World
    browsers: dict[str, list[FlaskClient]] = field(default_factory=dict)

    def browser(self, who: str, number: int) -> FlaskClient:
        """The person's browser of that number; each has a session of its own."""
        held = self.browsers.setdefault(who, [])
        while len(held) <= number:
            client = self.app.test_client()
            self.world.sign_in(client, who)
            held.append(client)
        return held[number]

    def form(self, who: str, number: int, path: str, **typed: Any) -> Act:
        """A page that was opened before the race; the act sends its form."""
        client = self.browser(who, number)
        page = client.get(path)
        assert page.status_code == 200, f"{path} answered {page.status_code}"
        form = fields(page.text)
        for name, value in typed.items():
            form.setlist(name, [value])
        return lambda: client.post(path, data=form)

    def program(self, path: str, body: dict[str, Any], version: int | None = None) -> Act:
        """A program that has read this version, with a key of its own for the act."""
        client = self.app.test_client()
        headers = {**self.world.bearer(), "Idempotency-Key": str(uuid4())}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return lambda: client.post(f"/api/v1{path}", json=body, headers=headers)

    def entries(self, order: Order, type_: str, *, own: bool = False) -> int:
        """How often the ledger has it: in both sides' stream, or in the contact point's own."""
        stream = f"authority:{order.authority_id}" if own else f"provider:{order.provider_id}"
        with self.world.database.reading() as session:
            counted = select(func.count()).where(
                Entry.order_id == order.id,
                Entry.type == type_,
                Entry.stream == stream,
            )
            return session.scalar(counted) or 0


def race(acts: Sequence[Act], *beside: Callable[[], object]) -> list[TestResponse]:
    """All at once; the answers in the order of the acts. ``beside`` runs with them: a worker."""
    assert len(acts) == EIGHT
    start = Barrier(len(acts) + len(beside))

    def run(act: Callable[[], T]) -> T:
        start.wait(PATIENCE)
        return act()

    with ThreadPoolExecutor(len(acts) + len(beside)) as pool:
        running = [pool.submit(run, act) for act in acts]
        others = [pool.submit(run, other) for other in beside]
        answers = [one.result(PATIENCE) for one in running]
        for other in others:
            other.result(PATIENCE)  # what failed there fails here
        return answers


def is_done(answer: TestResponse) -> bool:
    """Whether whoever sent it was told that it is done."""
    return answer.status_code in (200, 303)


def told_what_happened(answer: TestResponse) -> None:
    """A loser's answer is no failure of ours, and says what stands now."""
    assert answer.status_code in (409, 412), f"{answer.status_code}: {answer.text[:400]}"
    if answer.mimetype == "application/problem+json":
        problem = json.loads(answer.text)
        assert problem["type"].rpartition("/")[2] in REFUSED
        assert problem["detail"]
        return
    assert "This was not done" in answer.text, answer.text[:400]
