"""Whether an unknown account and a wrong password can be told apart: ``python -m bench.timing``.

2,000 sign-in tries over HTTP in the process, the two kinds in turn, each from an address of its
own so that no limit on tries stands in between. Nothing is asserted: a busy machine is no
finding. Bodies and headers are compared to the byte.
"""

from __future__ import annotations

import logging
import random
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from math import erfc, sqrt
from pathlib import Path

import structlog
from flask import Flask
from flask.testing import FlaskClient

from bench.stage import START
from liaison import create_app
from liaison.models import Database
from liaison.services import schema
from liaison.services.vault import Vault
from liaison.settings import Env, Settings
from tests import register
from tests.conftest import ENCRYPTION_KEY
from tests.world import MovableClock, csrf_token

TRIES = 2000
WARM_UP = 50
RESAMPLES = 2000
KNOWN, UNKNOWN = "a.petrosyan@police.example", "z.petrosyan@police.example"
"""Two addresses of one length; only the first has an account."""


@dataclass
class Result:
    """Seconds of each try, and what the answers said once what names the request is removed."""

    times: dict[str, list[float]]
    answers: dict[str, set[str]]


def main() -> int:
    """Measures and prints."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else TRIES
    with tempfile.TemporaryDirectory(prefix="liaison-timing-") as home:
        app = _portal(Path(home))
        result = _measure(app, tries)
        app.extensions["liaison"].database.close()
    for line in report(result):
        print(line)
    return 0


def _portal(home: Path) -> Flask:
    url = f"sqlite:///{home}/timing.db"
    database = Database(url)
    schema.migrate(database)
    with database.transaction() as session:
        register.build(session, Vault(ENCRYPTION_KEY), START)
    database.close()
    settings = Settings(
        env=Env.TEST,
        database_url=url,
        data_dir=home,
        secret_key="the bench's secret",
        encryption_key=ENCRYPTION_KEY,
        base_url="http://localhost",
        trusted_proxies=("127.0.0.1",),
        rate_limit=0,  # the clock stands still
    )
    return create_app(settings, MovableClock(START))


def _measure(app: Flask, tries: int) -> Result:
    clock = app.extensions["liaison"].clock
    client = app.test_client()
    token = csrf_token(client.get("/login"))
    result = Result({KNOWN: [], UNKNOWN: []}, {KNOWN: set(), UNKNOWN: set()})
    for number in range(-WARM_UP, tries):
        pair = [KNOWN, UNKNOWN]
        if number % 2 == 0:
            order = random.sample(pair, 2)  # which comes first is left to chance
        email = order[number % 2] if number >= 0 else pair[number % 2]
        clock.move(minutes=6)  # every window of the limits has passed
        taken, said = _try(client, token, email, number + WARM_UP)
        if number >= 0:
            result.times[email].append(taken)
            result.answers[email].add(said)
    return result


def _try(client: FlaskClient, token: str, email: str, number: int) -> tuple[float, str]:
    address = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
    data = {"csrf_token": token, "email": email, "password": "a password that is wrong"}
    begin = time.perf_counter()
    answer = client.post("/login", data=data, headers={"X-Forwarded-For": address})
    taken = time.perf_counter() - begin
    assert answer.status_code == 401, f"answered {answer.status_code}"
    text = answer.text.replace(email, "the address that was typed")
    text = re.sub(r'name="csrf_token"[^>]*value="[^"]+"', "", text)
    text = re.sub(r"\d\d:\d\d:\d\d UTC|data-now=\"[^\"]+\"", "", text)
    text = text.replace(answer.headers["X-Request-Id"], "")
    varying = ("X-Request-Id", "Date", "Set-Cookie")
    headers = sorted(f"{name}: {value}" for name, value in answer.headers if name not in varying)
    names = sorted({name for name, _ in answer.headers})
    return taken, "\n".join([*names, *headers, text])


def report(result: Result) -> list[str]:
    """The figures, a line each; times in milliseconds."""
    known, unknown = result.times[KNOWN], result.times[UNKNOWN]
    said = result.answers[KNOWN] | result.answers[UNKNOWN]
    low, high = interval(known, unknown)
    difference = statistics.median(known) - statistics.median(unknown)
    z, p = mann_whitney(known, unknown)
    share = superiority(known, unknown)
    return [
        f"tries                        {len(known)} wrong passwords, "
        f"{len(unknown)} unknown accounts",
        f"median, wrong password       {statistics.median(known) * 1e3:.3f} ms",
        f"median, unknown account      {statistics.median(unknown) * 1e3:.3f} ms",
        f"quartiles, wrong password    {_quartiles(known)}",
        f"quartiles, unknown account   {_quartiles(unknown)}",
        f"difference of the medians    {difference * 1e3:+.3f} ms "
        f"(95 % interval {low * 1e3:+.3f} to {high * 1e3:+.3f}, bootstrap)",
        f"Mann-Whitney                 z = {z:+.2f}, p = {p:.3f}",
        f"a guess by time is right     {max(share, 1 - share):.1%} of the time (50 % is chance)",
        f"bodies and headers           {'equal' if len(said) == 1 else f'{len(said)} DIFFERENT'}",
    ]


def _quartiles(times: list[float]) -> str:
    low, _, high = statistics.quantiles(times, n=4)
    return f"{low * 1e3:.3f} to {high * 1e3:.3f} ms"


def interval(first: list[float], second: list[float]) -> tuple[float, float]:
    """95 % interval of the difference of the medians: percentiles of resamples."""
    chance = random.Random(0)
    found = sorted(
        statistics.median(chance.choices(first, k=len(first)))
        - statistics.median(chance.choices(second, k=len(second)))
        for _ in range(RESAMPLES)
    )
    return found[int(0.025 * RESAMPLES)], found[int(0.975 * RESAMPLES) - 1]


def _u(first: list[float], second: list[float]) -> float:
    """How many pairs have the larger value in ``first``; the clock is too fine for ties."""
    ranked = sorted([(t, 0) for t in first] + [(t, 1) for t in second])
    ranks = sum(rank for rank, (_, kind) in enumerate(ranked, 1) if kind == 0)
    return ranks - len(first) * (len(first) + 1) / 2


def mann_whitney(first: list[float], second: list[float]) -> tuple[float, float]:
    """z and the two-sided p, by the normal approximation, which holds from some 20 values on."""
    n, m = len(first), len(second)
    z = (_u(first, second) - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return z, erfc(abs(z) / sqrt(2))


def superiority(first: list[float], second: list[float]) -> float:
    """How likely a try of the first kind takes longer than one of the second."""
    return _u(first, second) / (len(first) * len(second))


if __name__ == "__main__":
    sys.exit(main())
