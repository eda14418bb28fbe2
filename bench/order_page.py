"""The page of an order with 240 answered targets, beside a bare page of the same size."""

from __future__ import annotations

from flask import Flask, render_template_string
from sqlalchemy import text

from bench import floor
from bench.stage import Stage
from liaison import create_app
from liaison.domain.answer import Preservation, TargetAnswer
from liaison.domain.vocabulary import Outcome
from liaison.models import Order
from liaison.services import answers

LOOKS = 40
ORDER = "07-botnet-240-targets.json"
KINDS = [Outcome.PRESERVED] * 212 + [Outcome.PARTIAL] * 20 + [Outcome.NOTHING_HELD] * 8


def rates(stage: Stage) -> tuple[float, float]:
    """Pages a second, and the floor: one row by bare SQL and as many bytes by a bare template."""
    order = answered(stage)
    app = create_app(stage.settings, stage.clock)
    app.config["SESSION_COOKIE_SECURE"] = False
    client = app.test_client()
    stage.world.sign_in(client, "officer")
    address = f"/orders/{order.name}"
    size = len(client.get(address).data)

    def look() -> None:
        assert client.get(address).status_code == 200

    bare_app = Flask("bare")
    engine = stage.database.engine

    @bare_app.get("/bare")
    def bare() -> str:
        with engine.connect() as connection:
            connection.execute(text("SELECT seq FROM stream LIMIT 1")).first()
        return render_template_string("{{ filling }}", filling="x" * size)

    bare_client = bare_app.test_client()
    found = floor.rate(look, LOOKS), floor.rate(lambda: bare_client.get("/bare"), LOOKS)
    app.extensions["liaison"].database.close()
    return found


def answered(stage: Stage) -> Order:
    """An order whose targets were answered one by one, and amended once."""
    order = stage.world.issue(ORDER)
    targets = tuple(
        TargetAnswer(target.id, kind) for target, kind in zip(order.targets, KINDS, strict=True)
    )
    for days in (60, 90):
        with stage.database.transaction() as session:
            answer = Preservation(days=days, targets=targets)
            spoc = stage.world.actor("spoc")
            answers.preserve(session, spoc, order.name, answer, stage.clock.now())
    return stage.world.order(order.name)
