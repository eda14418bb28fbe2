"""Watching machines ask often; that must not hold up those who work."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from tests.world import World


def test_a_watcher_holds_one_connection_and_no_second(
    app: Flask, client: FlaskClient, world: World
) -> None:
    """Sixteen that held one each while they waited for another stood still for half a minute."""
    engine = app.extensions["liaison"].database.engine
    held: list[int] = [0]
    event.listen(engine, "checkout", lambda *_: held.append(held[-1] + 1))
    event.listen(engine, "checkin", lambda *_: held.append(held[-1] - 1))
    assert client.get("/readyz").status_code == 503  # no worker runs here
    assert max(held) == 1
    assert held[-1] == 0
