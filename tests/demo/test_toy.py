"""The toy provider against the real application."""

from __future__ import annotations

import httpx
import pytest
from flask import Flask

from liaison.client import Client, Time
from liaison.demo.toy import Toy
from liaison.models import Database
from tests.world import World


@pytest.mark.one_database
def test_it_acknowledges_and_confirms_what_is_new(
    app: Flask, world: World, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    issued = world.issue("10-mailbox-takeover.json")
    acknowledged = world.issue("05-names-from-everywhere.json")
    world.acknowledge(acknowledged)
    answered = world.issue("07-botnet-240-targets.json")
    world.preserve(answered, days=30)
    transport = httpx.WSGITransport(app=app)
    quick = Time(sleep=lambda _seconds: None)
    key = world.key("Meridian Telecom")
    with Client("http://localhost", key, transport=transport, time=quick) as client:
        toy = Toy(client, pause=0)
        assert toy.round(wait=0) == 2
        assert toy.round(wait=0) == 0, "what it has seen it does not answer again"
    for order in (issued, acknowledged):
        now = world.order(order.name)
        assert now.state == "preserved"
        assert now.report is not None
        assert now.report.reference == f"TOY-{order.name}"
    assert len(world.order(answered.name).reports) == 1
    said = capsys.readouterr().out
    assert f"{issued.name} has come (routine, 1 target)" in said
    assert f"{issued.name} acknowledged" in said
    assert f"{issued.name} preserved for 90 days" in said
    assert f"{acknowledged.name} acknowledged" not in said
