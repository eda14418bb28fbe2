"""``make bench``: timers fired, messages sent, polls answered, providers proposed; with floors."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy import text

from bench import floor, order_page, proposals
from bench.stage import Stage, issue, stages, wait_with
from liaison import create_app
from liaison.worker import Work
from liaison.worker.messages import send_some
from liaison.worker.timers import fire_one
from tests.mail import RecordingSender

ORDERS = 200
WAITING = 100_000
FIRING_WRITES = 8
"""Rows one rung writes: its timer, the next, two notices or calls, the entry, the stream twice."""
SENDING_COMMITS = 2
POLLS = 400
RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``rate`` and ``floor`` are times a second."""

    what: str
    database: str
    waiting: int
    rate: float
    floor: float

    @property
    def ratio(self) -> float:
        """Of the floor."""
        return self.rate / self.floor


def main() -> None:
    """Plays each benchmark on both databases."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    figures: list[Figure] = []
    print(f"{'what':28} {'database':11} {'waiting':>8} {'a second':>9} {'floor':>9} {'ratio':>6}")
    with stages() as both:
        for stage in both:
            for figure in _play(stage):
                figures.append(figure)
                print(
                    f"{figure.what:28} {figure.database:11} {figure.waiting:8d} "
                    f"{figure.rate:9.1f} {figure.floor:9.1f} {figure.ratio:6.2f}",
                    flush=True,
                )
    lines = [{**asdict(f), "ratio": round(f.ratio, 3)} for f in figures]
    RESULTS.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


def _play(stage: Stage) -> list[Figure]:
    work = Work(stage.settings, stage.database, stage.clock, RecordingSender())
    figures = []
    for waiting in (0, WAITING):
        order = issue(stage, ORDERS)[0]
        if waiting:
            wait_with(stage, order, waiting)
        figures.append(_firing(stage, work, waiting))
        figures.append(_sending(stage, work, waiting))
    figures.append(_polling(stage))
    figures.append(_proposing(stage))
    figures.append(_reading(stage))
    stage.database.close()
    return figures


def _firing(stage: Stage, work: Work, waiting: int) -> Figure:
    rate = floor.rate(lambda: fire_one(work), ORDERS)
    bare = floor.rows_per_second(stage.database, FIRING_WRITES, ORDERS)
    return Figure("rungs fired", stage.kind, waiting, rate, bare)


def _sending(stage: Stage, work: Work, waiting: int) -> Figure:
    rate = floor.rate(lambda: send_some(work), ORDERS // 2)
    bare = floor.rows_per_second(stage.database, 1, ORDERS) / SENDING_COMMITS
    return Figure("batches of notices sent", stage.kind, waiting, rate, bare)


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
        WAITING,
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
