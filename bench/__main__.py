"""``make bench``: rungs fired, messages handed over, webhooks received, pages, polls; with floors.

Figures go into a table and into ``bench/results.json``; the issue-to-webhook latency is no rate
and stands below. Polls come last, under gunicorn, into ``bench/polls-results.json``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import structlog

from bench import latency, order_page, polls, proposals, workers
from bench.figures import HEAD, Figure
from bench.stage import Stage, stages

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
    polls.main([])


def _figures(stage: Stage) -> Iterator[Figure]:
    yield from workers.figures(stage)
    for play in (_proposing, _reading):
        yield play(stage)


def _proposing(stage: Stage) -> Figure:
    proposals.register(stage)
    rate, bare = proposals.rates(stage)
    print(f"a provider proposed in {1000 / rate:.2f} ms over {proposals.RANGES} ranges")
    return Figure("provider proposals", stage.kind, proposals.RANGES, rate, bare)


def _reading(stage: Stage) -> Figure:
    rate, bare = order_page.rates(stage)
    print(f"an order with 240 answered targets shown in {1000 / rate:.0f} ms")
    return Figure("pages with 240 targets", stage.kind, 240, rate, bare)


if __name__ == "__main__":
    main()
