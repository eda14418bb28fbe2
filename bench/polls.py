"""``GET /api/v1/events`` under gunicorn: ``python -m bench.polls``.

Ours and a bare Flask view with one indexed read run side by side, each under gunicorn with our
settings and two processes, and are asked in turn, so that whatever else the machine does falls on
both. Databases of each kind with 1,000, 100,000 and 1,000,000 orders; then 200 programs that poll
every ten seconds while 50 orders a minute are issued.

    python -m bench.polls --orders 1000 --kind sqlite --rounds 4 --minutes 0
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench import polls_crowd, polls_load, polls_stock
from bench.polls_crowd import Crowd
from bench.polls_load import Tally, one, request
from bench.polls_stock import Asker
from bench.stage import Stage, stage_on
from tests.conftest import ENCRYPTION_KEY
from tests.postgresql import PostgreSQL

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "polls-results.json"
SIZES = (1_000, 100_000, 1_000_000)
PROCESSES = 2
PROGRAMS = 200
ROUNDS, SECONDS = 10, 0.7
"""In turn; below the requests after which a process makes room for a new one."""
NEW = 100
HEAD = (
    f"{'polls':16} {'database':11} {'orders':>9} {'a second':>9} {'floor':>9} {'ratio':>6}"
    f" {'p50 ms':>7} {'p99 ms':>7} {'floor':>7} {'floor':>7}"
)


@dataclass(frozen=True)
class Figure:
    """Ours beside the floor; ``ratio`` is the median of the rounds' ratios."""

    what: str
    database: str
    orders: int
    rate: float
    floor: float
    ratio: float
    p50: float
    p99: float
    floor_p50: float
    floor_p99: float

    @property
    def line(self) -> str:
        """As a line of the table."""
        return (
            f"{self.what:16} {self.database:11} {self.orders:9,} {self.rate:9.0f}"
            f" {self.floor:9.0f} {self.ratio:6.2f} {self.p50:7.2f} {self.p99:7.2f}"
            f" {self.floor_p50:7.2f} {self.floor_p99:7.2f}"
        )


@contextmanager
def gunicorn(application: str, environment: dict[str, str], home: Path) -> Iterator[int]:
    """A server with our settings and two processes; the port on which it listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    words = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), application]
    here = {
        "LIAISON_BIND": f"127.0.0.1:{port}",
        "LIAISON_PROCESSES": str(PROCESSES),
        "PYTHONPATH": str(ROOT),
    }
    log = home / f"{application.partition(':')[0]}.log"
    with log.open("ab") as out:
        program = subprocess.Popen(
            words, cwd=ROOT, env=os.environ | environment | here, stdout=out, stderr=out
        )
    try:
        _until_it_listens(port, program)
        yield port
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(60)


def _until_it_listens(port: int, program: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert program.poll() is None, "gunicorn has ended"
        try:
            # Not before a process answers: the parent listens while they still load.
            one(port, request(port, "/healthz"))
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(3)  # both of them
            return
    raise TimeoutError("gunicorn does not listen")


def environment(stage: Stage, home: Path) -> dict[str, str]:
    """Of a portal in production on the stage's database."""
    signing = home / "signing.pem"
    if not signing.exists():
        key = Ed25519PrivateKey.generate()
        signing.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {
        "LIAISON_ENV": "production",
        "LIAISON_DATABASE_URL": stage.settings.database_url,
        "LIAISON_DATA_DIR": str(home),
        "LIAISON_SECRET_KEY": secrets.token_urlsafe(48),
        "LIAISON_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "LIAISON_SIGNING_KEY": str(signing),
        "LIAISON_BASE_URL": "http://localhost",
        "LIAISON_RATE_LIMIT": "0",
    }


def measure(
    stage: Stage, home: Path, orders: int, shared: list[Asker], rounds: int
) -> list[Figure]:
    """Nothing new, and a hundred new, at this many orders."""
    figures = []
    for what in ("nothing new", f"{NEW} new"):
        with ExitStack() as servers:
            env = environment(stage, home)
            ours = servers.enter_context(gunicorn("wsgi:app", env, home))
            floor = servers.enter_context(gunicorn("bench.polls_floor:app", env, home))
            after = orders // len(shared) - (NEW if what != "nothing new" else 0)
            mine = [_poll(ours, asker, after, etag=what == "nothing new") for asker in shared]
            bare = [_bare(floor, asker, after, what == "nothing new") for asker in shared]
            figures.append(
                _in_turn((what, stage.kind, orders), (ours, mine), (floor, bare), rounds)
            )
    return figures


def _poll(port: int, asker: Asker, after: int, *, etag: bool) -> bytes:
    path, key = f"/api/v1/events?after={after}", f"Bearer {asker.key}"
    status, headers, body = one(port, request(port, path, Authorization=key))
    assert status == 200, body
    found = json.loads(body)["events"]
    assert len(found) == (0 if etag else NEW), len(found)
    seen = {"If_None_Match": headers["etag"]} if etag else {}
    return request(port, path, Authorization=key, **seen)


def _bare(port: int, asker: Asker, after: int, nothing: bool) -> bytes:
    asked = (
        f"/head?stream={asker.stream}" if nothing else f"/page?stream={asker.stream}&after={after}"
    )
    status, _, body = one(port, request(port, asked))
    assert status == 200, body
    return request(port, asked)


Side = tuple[int, list[bytes]]


def _in_turn(which: tuple[str, str, int], ours: Side, floor: Side, rounds: int) -> Figure:
    """The first round of each warms up."""
    mine, bare, ratios = Tally(), Tally(), []
    for number in range(rounds + 1):
        pair = [polls_load.play(*side, seconds=SECONDS) for side in (ours, floor)]
        if number:
            mine.add(pair[0])
            bare.add(pair[1])
            ratios.append(pair[0].rate / pair[1].rate)
    wanted = 304 if which[0] == "nothing new" else 200
    assert set(mine.statuses) == {wanted}, mine.statuses
    assert set(bare.statuses) == {200}, bare.statuses
    return Figure(
        *which,
        mine.rate,
        bare.rate,
        statistics.median(ratios),
        *_spread(mine.times),
        *_spread(bare.times),
    )


def _spread(times: list[float]) -> tuple[float, float]:
    """p50 and p99, milliseconds."""
    cuts = statistics.quantiles(times, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def main(words: Sequence[str] | None = None) -> None:
    """What the command line, or who calls this, asks for."""
    asked = _asked(words)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    lines: list[dict[str, Any]] = []
    print(f"load of the machine: {', '.join(f'{n:.1f}' for n in os.getloadavg())}")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as home:
        server = PostgreSQL(durable=True) if "postgresql" in asked.kind else None
        try:
            for kind in asked.kind:
                lines += _kind(kind, Path(home), server, asked)
        finally:
            if server is not None:
                server.stop()
    RESULTS.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


def _kind(
    kind: str, home: Path, server: PostgreSQL | None, asked: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    for orders in asked.orders:
        url = (
            server.create()
            if server is not None and kind == "postgresql"
            else f"sqlite:///{home}/{orders}.db"
        )
        stage = stage_on(kind, url, home)
        shared = polls_stock.askers(stage, polls_stock.SHARED, "Shared")
        begin = time.perf_counter()
        polls_stock.fill(stage, orders, shared)
        print(f"· {kind}: {orders:,} orders in {time.perf_counter() - begin:.0f} s", flush=True)
        for figure in measure(stage, home, orders, shared, asked.rounds):
            print(figure.line, flush=True)
            yield asdict(figure)
        if asked.minutes and orders == max(asked.orders):
            crowd = _crowd(stage, home, asked.minutes)
            print(crowd.line, flush=True)
            yield crowd.json
        stage.database.close()


def _crowd(stage: Stage, home: Path, minutes: float) -> Crowd:
    """Beside all that is stored."""
    programs = polls_stock.askers(stage, PROGRAMS, "Crowd")
    officer, url = stage.world.actor("officer"), stage.settings.database_url
    with gunicorn("wsgi:app", environment(stage, home), home) as port:
        return polls_crowd.play(stage.kind, url, port, officer, programs, minutes)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.polls", description=__doc__)
    parser.add_argument("--orders", type=int, nargs="*", default=SIZES, help="sizes of databases")
    parser.add_argument("--kind", nargs="*", default=("sqlite", "postgresql"))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of ours and the floor in turn")
    parser.add_argument("--minutes", type=float, default=2, help="how long the 200 poll; 0: not")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
