"""The memory of a worker over 100,000 messages: ``python -m bench.memory``.

One worker process hands letters over to nowhere, on SQLite and on PostgreSQL; what it keeps in
memory is looked at after 10,000, 50,000 and 100,000. Flat means that the last is near the first.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from pathlib import Path

import structlog
from sqlalchemy import insert

from bench.stage import Stage, issue, stages
from bench.workers import Nowhere
from liaison.domain.vocabulary import Channel
from liaison.models import Message, Order
from liaison.models.base import new_id
from liaison.models.work import MessageState, Wanted
from liaison.worker import Work
from liaison.worker.messages import LANES, send_some

LOOKED_AT = (10_000, 50_000, 100_000)
PORTION = 5_000
RESULTS = Path(__file__).parent / "memory-results.json"


def main() -> None:
    """Measures and prints; a number on the command line ends it earlier."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    scale = int(sys.argv[1]) / LOOKED_AT[-1] if len(sys.argv) > 1 else 1.0
    marks = [int(mark * scale) for mark in LOOKED_AT]
    found = {}
    with stages() as both:
        for stage in both:
            found[stage.kind] = measure(stage, marks)
            said = ", ".join(f"{count:,}: {kib / 1024:.1f} MiB" for count, kib in found[stage.kind])
            print(f"memory of a worker, {stage.kind}, after messages sent: {said}", flush=True)
            stage.database.close()
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measure(stage: Stage, marks: list[int]) -> list[tuple[int, int]]:
    """Messages sent, and the process's resident memory in KiB by then."""
    order = issue(stage, 1)[0]
    work = Work(stage.settings, stage.database, stage.clock, Nowhere())
    sent, found = 0, []
    for mark in marks:
        while sent < mark:
            _queue(stage, order, min(PORTION, mark - sent))
            while count := send_some(work, LANES[0])[1]:
                sent += count
        gc.collect()
        found.append((sent, _resident()))
    return found


def _queue(stage: Stage, order: Order, count: int) -> None:
    now = stage.clock.now()
    said = {"provider": "Meridian Telecom", "authority": "Police", "name": "A. B.", "rung": "SPOC"}
    params = {"ref": order.ref, "urgency": "emergency", "climb": "acknowledge", **said}
    params["due"] = now.isoformat()
    rows = [
        {
            "id": new_id(),
            "idem": f"bench:{new_id()}",
            "order_id": order.id,
            "channel": Channel.EMAIL,
            "address": "somebody@provider.example",
            "letter": "escalation",
            "params": params,
            "wanted": Wanted.ALWAYS,
            "urgent": True,
            "state": MessageState.QUEUED,
            "created_at": now,
            "next_at": now,
            "fence": 0,
            "attempts": 0,
        }
        for _ in range(count)
    ]
    with stage.database.transaction() as session:
        session.execute(insert(Message), rows)


def _resident() -> int:
    """KiB, as the kernel counts."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
