"""``make bench``: rungs fired, messages handed over, webhooks received, polls, pages; with floors.

Figures go into a table and into ``bench/results.json``; the issue-to-webhook latency is no rate
and stands below.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy import text

from bench import floor, latency, order_page, proposals, workers
from bench.figures import HEAD, Figure
from bench.stage import Stage, stages
from liaison import create_app

POLLS = 400
RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    """Plays each benchmark on both databases."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    lines: list[dict[str, object]] = []
    with stages() as both:
        for stage in both:
            late = latency.measure(stage)
            print(*(spread.line for spread in late), HEAD, sep="\n", flush=True)
            lines += [spread.json for spread in late]
            for figure in _figures(stage):
                print(figure.line, flush=True)
                lines.append(figure.json)
            stage.database.close()
    RESULTS.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


def _figures(stage: Stage) -> Iterator[Figure]:
    yield from workers.figures(stage)
    for play in (_polling, _proposing, _reading):
        yield play(stage)


def _polling(stage: Stage) -> Figure:
    app = create_app(stage.settings, stage.clock)
    client = app.test_client()
    headers = {**stage.world.bearer(), "User-Agent": "bench"}
    address = f"/api/v1/events?after={_head(stage)}"
    first = client.get(address, headers=headers)
    assert first.status_code == 200, first.text
    headers["If-None-Match"] = first.headers["ETag"]

    def poll() -> None:
        assert client.get(address, headers=headers).status_code == 304

    bare_app = Flask("bare")
    engine = stage.database.engine

    @bare_app.get("/bare")
    def bare() -> Response:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT seq FROM stream LIMIT 1")).scalar_one()
        return jsonify(found)

    bare_client = bare_app.test_client()
    rate = floor.rate(poll, POLLS)
    figure = Figure(
        "polls with nothing new",
        stage.kind,
        workers.MANY,
        rate,
        floor.rate(lambda: bare_client.get("/bare"), POLLS),
    )
    app.extensions["liaison"].database.close()
    return figure


def _proposing(stage: Stage) -> Figure:
    proposals.register(stage)
    rate, bare = proposals.rates(stage)
    print(f"a provider proposed in {1000 / rate:.2f} ms over {proposals.RANGES} ranges")
    return Figure("provider proposals", stage.kind, proposals.RANGES, rate, bare)


def _reading(stage: Stage) -> Figure:
    rate, bare = order_page.rates(stage)
    print(f"an order with 240 answered targets shown in {1000 / rate:.0f} ms")
    return Figure("pages with 240 targets", stage.kind, 240, rate, bare)


def _head(stage: Stage) -> int:
    provider = stage.world.register.providers["Meridian Telecom"]
    with stage.database.engine.connect() as connection:
        found = connection.execute(
            text("SELECT seq FROM stream WHERE id = :id"), {"id": f"provider:{provider}"}
        ).scalar_one()
    return int(found)


if __name__ == "__main__":
    main()
