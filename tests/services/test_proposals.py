"""Which provider an identifier leads to: what a search through the whole register finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import HoldingKind, Status
from liaison.models import Holding, Provider
from liaison.models.base import new_id
from liaison.queries.proposals import propose, propose_many
from tests.world import World


@pytest.fixture
def session(world: World) -> Iterator[Session]:
    with world.database.transaction() as session:
        yield session


@pytest.mark.parametrize(
    ("text", "name", "key"),
    [
        ("198.51.100.24", "Meridian Telecom", "198.51.100.0/24"),
        ("192.0.2.144", "Norvik Mobile", "192.0.2.128/25"),
        ("192.0.2.44", "Harbour Cable", "192.0.2.0/25"),
        ("2001:db8:77::/48", "Norvik Mobile", "2001:db8:40::/42"),
        ("+374 91 000 118", "Norvik Mobile", "+37491"),
        ("elodie@mail.harbour.example", "Harbour Cable", "harbour.example"),
        ("https://sevan.example/a", "Sevan Hosting", "sevan.example"),
        ("as64499", "Sevan Hosting", "AS64499"),
        ("::ffff:203.0.113.77", "Sevan Hosting", "203.0.113.0/24"),
    ],
)
def test_an_identifier_leads_to_its_provider(
    session: Session, text: str, name: str, key: str
) -> None:
    (found,) = propose(session, text)
    assert (found.provider.name, found.key) == (name, key)
    assert found.where.endswith(f" {name}’s {key}")


@pytest.mark.parametrize("text", ["192.0.2.0/24", "+44 20 7946 0958", "elodie-m-1987", "x.example"])
def test_what_nobody_has_registered_leads_nowhere(session: Session, text: str) -> None:
    assert propose(session, text) == []


def test_the_nearest_of_several_comes_first_and_a_closed_provider_never(
    world: World, session: Session
) -> None:
    norvik, meridian = (
        world.register.providers[name] for name in ("Norvik Mobile", "Meridian Telecom")
    )
    session.add(
        Holding(kind=HoldingKind.RANGE, key="198.51.100.16/28", length=28, provider_id=norvik)
    )
    session.flush()
    found = propose(session, "198.51.100.24")
    assert [(p.provider.id, p.length) for p in found] == [(norvik, 28), (meridian, 24)]
    session.execute(update(Provider).where(Provider.id == norvik).values(status=Status.SUSPENDED))
    assert len(propose(session, "198.51.100.24")) == 2
    session.execute(update(Provider).where(Provider.id == norvik).values(status=Status.CLOSED))
    assert [p.provider.id for p in propose(session, "198.51.100.24")] == [meridian]


def test_many_are_asked_for_at_once(session: Session) -> None:
    texts = [f"198.51.100.{n}" for n in range(1, 241)] + ["+37491000119", "nobody"]
    found = propose_many(session, texts)
    assert list(found) == texts
    assert all(found[text][0].provider.name == "Meridian Telecom" for text in texts[:240])
    assert found["+37491000119"][0].provider.name == "Norvik Mobile"
    assert found["nobody"] == []


MANY = 50_000
SEED = 20261123


@dataclass
class Registered:
    """What was registered, in plain lists, to be searched through from end to end."""

    networks: list[tuple[IPv4Network | IPv6Network, UUID]]
    prefixes: list[tuple[str, UUID]]
    domains: list[tuple[str, UUID]]

    def brute(self, text: str) -> list[tuple[UUID, str]]:
        """Of each provider the longest that fits, found by looking at every one."""
        if text.startswith("+"):
            fits = [(len(p), owner, p) for p, owner in self.prefixes if text.startswith(p)]
        elif text[0].isalpha() and ":" not in text:
            fits = [
                (len(name), owner, name)
                for name, owner in self.domains
                if text == name or text.endswith(f".{name}")
            ]
        else:
            address = ip_address(text)
            number = int(address)
            fits = [
                (network.prefixlen, owner, str(network))
                for network, owner in self.networks
                if network.version == address.version
                and int(network.network_address) <= number <= int(network.broadcast_address)
            ]
        nearest: dict[UUID, str] = {}
        for _, owner, key in sorted(fits, reverse=True):
            nearest.setdefault(owner, key)
        return list(nearest.items())


def _registered(owners: list[UUID]) -> Registered:
    dice = random.Random(SEED)
    networks: dict[IPv4Network | IPv6Network, UUID] = {}
    # Close together, so that many lie in one another.
    while len(networks) < MANY // 2:
        bits = dice.randint(12, 32)
        address = int(ip_address("20.0.0.0")) + dice.getrandbits(24)
        networks[IPv4Network((address >> (32 - bits) << (32 - bits), bits))] = dice.choice(owners)
    while len(networks) < MANY * 3 // 4:
        bits = dice.randint(20, 128)
        address = int(ip_address("2600::")) + (dice.getrandbits(24) << 80) + dice.getrandbits(8)
        networks[IPv6Network((address >> (128 - bits) << (128 - bits), bits))] = dice.choice(owners)
    prefixes: dict[str, UUID] = {}
    while len(prefixes) < MANY // 8:
        digits = str(dice.randint(0, 10 ** dice.randint(1, 6)))
        prefixes[f"+373{digits}"] = dice.choice(owners)
    domains: dict[str, UUID] = {}
    while len(domains) < MANY - len(networks) - len(prefixes):
        labels = [f"n{dice.randint(0, 40)}" for _ in range(dice.randint(1, 4))]
        domains[".".join([*labels, "example"])] = dice.choice(owners)
    return Registered(list(networks.items()), list(prefixes.items()), list(domains.items()))


def _rows(registered: Registered) -> list[dict[str, object]]:
    kinds = (
        (HoldingKind.RANGE, [(str(n), n.prefixlen, o) for n, o in registered.networks]),
        (HoldingKind.PHONE, [(p, len(p) - 1, o) for p, o in registered.prefixes]),
        (HoldingKind.DOMAIN, [(d, d.count(".") + 1, o) for d, o in registered.domains]),
    )
    return [
        {"kind": kind, "key": key, "length": length, "provider_id": owner}
        for kind, found in kinds
        for key, length, owner in found
    ]


ASKED = st.one_of(
    st.integers(0, 2**24 - 1).map(lambda n: str(ip_address("20.0.0.0") + n)),
    st.tuples(st.integers(0, 2**24 - 1), st.integers(0, 2**10)).map(
        lambda n: str(ip_address("2600::") + (n[0] << 80) + n[1])
    ),
    st.integers(10**7, 10**8 - 1).map(lambda n: f"+373{n}"),
    st.lists(st.integers(0, 41), min_size=1, max_size=5).map(
        lambda ns: ".".join([*(f"n{n}" for n in ns), "example"])
    ),
)


def test_the_proposal_is_what_a_search_through_fifty_thousand_finds(world: World) -> None:
    with world.database.transaction() as session:
        owners = [new_id() for _ in range(200)]
        session.execute(
            insert(Provider),
            [
                {
                    "id": owner,
                    "name": f"Provider {place}",
                    "legal_name": "",
                    "country": "AM",
                    "time_zone": "UTC",
                    "domains": [],
                    "services": [],
                    "languages": [],
                }
                for place, owner in enumerate(owners)
            ],
        )
        registered = _registered(owners)
        rows = _rows(registered)
        assert len(rows) == MANY
        for begin in range(0, MANY, 5000):
            session.execute(insert(Holding), rows[begin : begin + 5000])

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(ASKED)
    def same(text: str) -> None:
        with world.database.reading() as session:
            found = propose(session, text)
        assert [(p.provider.id, p.key) for p in found] == registered.brute(text)

    same()
