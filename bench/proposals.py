"""Providers proposed over a large register, beside one lookup by bare SQL in the same run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import cycle

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from bench import floor
from bench.stage import Stage
from liaison.domain.vocabulary import HoldingKind
from liaison.models import Holding
from liaison.queries.proposals import propose

RANGES = 50_000
ASKED = 400
_DICE = random.Random(20261123)


def register(stage: Stage, count: int = RANGES) -> None:
    """So many ranges, half of them IPv6, one in another, shared out among the providers."""
    owners = list(stage.world.register.providers.values())
    made: dict[str, dict[str, object]] = {}
    while len(made) < count:
        network = _network(len(made) % 2 == 0)
        made[str(network)] = {
            "kind": HoldingKind.RANGE,
            "key": str(network),
            "length": network.prefixlen,
            "provider_id": _DICE.choice(owners),
        }
    rows = list(made.values())
    with stage.database.transaction() as session:
        for begin in range(0, count, 5000):
            session.execute(insert(Holding), rows[begin : begin + 5000])


def rates(stage: Stage) -> tuple[float, float]:
    """Proposals a second, and the floor: one row by its primary key, by bare SQL."""
    with stage.database.reading() as session:
        proposed = floor.rate(_asking(session), ASKED)
    with stage.database.engine.connect() as connection:
        keys = cycle(str(_network(n % 2 == 0)) for n in range(ASKED))
        query = text(
            "SELECT provider.name FROM holding JOIN provider ON provider.id = holding.provider_id "
            "WHERE kind = 'range' AND key = :key"
        )
        bare = floor.rate(lambda: connection.execute(query, {"key": next(keys)}).first(), ASKED)
    return proposed, bare


def _asking(session: Session) -> Callable[[], object]:
    """One new-order form after another: an address, each time another."""
    addresses = cycle(_addresses())

    def ask() -> object:
        session.expunge_all()  # each form reads the provider anew
        return propose(session, next(addresses))

    return ask


def _addresses() -> Iterator[str]:
    for _ in range(ASKED // 2):
        yield str(IPv4Address(0x14000000 + _DICE.getrandbits(24)))
        yield str(IPv6Address((0x2600 << 112) + (_DICE.getrandbits(24) << 80)))


def _network(is_v4: bool) -> IPv4Network | IPv6Network:
    if is_v4:
        bits = _DICE.randint(12, 32)
        return IPv4Network(((0x14000000 + _DICE.getrandbits(24)) >> 32 - bits << 32 - bits, bits))
    bits = _DICE.randint(20, 128)
    address = (0x2600 << 112) + (_DICE.getrandbits(24) << 80) + _DICE.getrandbits(8)
    return IPv6Network((address >> 128 - bits << 128 - bits, bits))
