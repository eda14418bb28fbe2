"""The register the tests' world stands on: two authorities, four providers, people, keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import Clocks, Terms, terms_json
from liaison.domain.vocabulary import Channel, DataCategory, Function, Role, TargetType, Urgency
from liaison.models import Authority, Contact, Memorandum, Provider
from liaison.services import accounts, holdings, keys
from liaison.services.vault import Vault

PASSWORD = "correct horse battery"
"""Everybody's, in the tests' world."""

EMAIL, CALL = Channel.EMAIL, Channel.CALL


@dataclass(frozen=True)
class Someone:
    """A person of the tests' world, with what signs them in."""

    id: UUID
    email: str
    name: str
    roles: frozenset[Role]
    organisation: str
    authority_id: UUID | None
    provider_id: UUID | None
    totp_secret: str
    password: str = PASSWORD


@dataclass(frozen=True)
class Register:
    """Ids of what was built. People by short name, organisations by theirs."""

    authorities: Mapping[str, UUID]
    providers: Mapping[str, UUID]
    people: Mapping[str, Someone]
    keys: Mapping[str, str]


PEOPLE = {
    "officer": ("a.petrosyan@police.example", "Anahit Petrosyan", Role.OFFICER, "CP"),
    "second_officer": ("d.sahakyan@police.example", "Davit Sahakyan", Role.OFFICER, "CP"),
    "supervisor": ("m.grigoryan@police.example", "Mariam Grigoryan", Role.SUPERVISOR, "CP"),
    "auditor": ("l.hakobyan@police.example", "Levon Hakobyan", Role.AUDITOR, "CP"),
    "administrator": ("s.martirosyan@police.example", "Sona Martirosyan", Role.ADMINISTRATOR, "CP"),
    "foreign_officer": ("j.devries@politie.example", "Jan de Vries", Role.OFFICER, "NL"),
    "foreign_supervisor": ("e.jansen@politie.example", "Els Jansen", Role.SUPERVISOR, "NL"),
    "spoc": ("r.vardanyan@meridian.example", "Ruben Vardanyan", Role.SPOC, "Meridian Telecom"),
    "provider_administrator": (
        "t.avagyan@meridian.example",
        "Tigran Avagyan",
        Role.PROVIDER_ADMINISTRATOR,
        "Meridian Telecom",
    ),
    "norvik_spoc": ("i.berg@norvik.example", "Ingrid Berg", Role.SPOC, "Norvik Mobile"),
    "harbour_spoc": ("p.costa@harbour.example", "Paula Costa", Role.SPOC, "Harbour Cable"),
    "sevan_spoc": ("k.manukyan@sevan.example", "Karen Manukyan", Role.SPOC, "Sevan Hosting"),
}

PROVIDERS = {
    "Meridian Telecom": ("AM", "Asia/Yerevan", "meridian.example", "+3741000020"),
    "Norvik Mobile": ("NO", "Europe/Oslo", "norvik.example", "+4720000030"),
    "Harbour Cable": ("PT", "Europe/Lisbon", "harbour.example", "+35120000040"),
    "Sevan Hosting": ("AM", "Asia/Yerevan", "sevan.example", "+3741000050"),
}

HOLDINGS: Mapping[str, tuple[list[int], list[str], list[str]]] = {
    "Meridian Telecom": ([64496], ["198.51.100.0/24", "2001:db8:10::/48"], ["+37410"]),
    "Norvik Mobile": ([64497], ["192.0.2.128/25", "2001:db8:40::/42"], ["+37491"]),
    "Harbour Cable": ([64498], ["192.0.2.0/25", "2001:db8:100::/40"], ["+35120"]),
    "Sevan Hosting": ([64499], ["203.0.113.0/24", "2001:db8:5e::/48"], []),
}
"""AS numbers, address ranges and phone prefixes, as the orders of ``data/orders`` need them."""

_PROVIDER_CONTACTS = (
    (Function.PRIMARY, "spoc"),
    (Function.DEPUTY, "deputy"),
    (Function.LEGAL_DESK, "legal"),
    (Function.FALLBACK, "fallback"),
    (Function.NOC, "noc"),
)


def ladder(*minutes: int) -> Ladder:
    """SPOC, every SPOC, fallback, our duty officer; then the supervisor, every 15 minutes."""
    first, second, third, fourth = (timedelta(minutes=m) for m in minutes)
    return Ladder(
        (
            Rung(first, Whom.ON_DUTY, (EMAIL, CALL)),
            Rung(second, Whom.EVERY_SPOC, (EMAIL,)),
            Rung(third, Whom.FALLBACK, (EMAIL, CALL)),
            Rung(fourth, Whom.DUTY_OFFICER, (EMAIL, CALL)),
        ),
        page_every=timedelta(minutes=15),
    )


def terms(*without: DataCategory) -> Terms:
    """The terms of the tests' memoranda: everything is covered but ``without``."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    return Terms(
        clocks={
            Urgency.EMERGENCY: Clocks(acknowledge=hour, preserve=4 * hour),
            Urgency.URGENT: Clocks(acknowledge=8 * hour, preserve=day),
            Urgency.ROUTINE: Clocks(acknowledge=2 * day, preserve=5 * day),
        },
        ladders={
            Urgency.EMERGENCY: ladder(0, 15, 30, 45),
            Urgency.URGENT: ladder(240, 360, 420, 480),
            Urgency.ROUTINE: ladder(1440, 2160, 2640, 2880),
        },
        answer=day,
        clock_stops=False,
        default_days=90,
        longest_days=90,
        extensions=1,
        categories=frozenset(DataCategory) - set(without),
        target_types=frozenset(TargetType),
        emergency_windows=(),
        languages=("en",),
        issuers=frozenset({Role.OFFICER, Role.SUPERVISOR}),
        ratification=12 * hour,
        drills_a_year=0,  # those who try drills ask for some
        disposal_confirmation=True,
    )


def build(session: Session, vault: Vault, now: datetime) -> Register:
    """Writes the register. Harbour Cable's memorandum leaves location data out."""
    authorities = {
        "CP": _authority("CP", "National 24/7 Contact Point", "AM", "Asia/Yerevan", "police"),
        "NL": _authority("NL", "Landelijk 24/7 Contactpunt", "NL", "Europe/Amsterdam", "politie"),
    }
    providers = {name: _provider(name, *given) for name, given in PROVIDERS.items()}
    session.add_all([*authorities.values(), *providers.values()])
    session.flush()
    for provider in providers.values():
        holdings.write(session, provider)
    for name, provider in providers.items():
        without = (DataCategory.LOCATION,) if name == "Harbour Cable" else ()
        session.add_all(
            _memorandum(authority, provider, terms(*without)) for authority in authorities.values()
        )
    people = {}
    for short, (email, name, role, where) in PEOPLE.items():
        authority, provider_or_none = authorities.get(where), providers.get(where)
        person, secret = accounts.register_person(
            session,
            vault,
            email=email,
            name=name,
            password=PASSWORD,
            roles={role},
            authority=authority,
            provider=provider_or_none,
            now=now,
        )
        organisation = authority or provider_or_none
        assert organisation is not None
        people[short] = Someone(
            id=person.id,
            email=email,
            name=name,
            roles=frozenset({role}),
            organisation=organisation.name,
            authority_id=authority.id if authority else None,
            provider_id=provider_or_none.id if provider_or_none else None,
            totp_secret=secret,
        )
    made = {
        name: keys.make_key(session, providers[name], "Case system", ["read", "respond"], now)[1]
        for name in ("Meridian Telecom", "Norvik Mobile")
    }
    return Register(
        authorities={code: a.id for code, a in authorities.items()},
        providers={name: p.id for name, p in providers.items()},
        people=people,
        keys=made,
    )


def _authority(code: str, name: str, country: str, zone: str, domain: str) -> Authority:
    return Authority(
        code=code,
        name=name,
        country=country,
        time_zone=zone,
        postal_address="1 Nalbandyan Street",
        phone="+37410000100",
        email=f"247cp@{domain}.example",
        domains=[f"{domain}.example"],
        contacts=[
            _contact(0, Function.DUTY_OFFICER, f"duty@{domain}.example", "+37410000101"),
            _contact(1, Function.SUPERVISOR, f"supervisor@{domain}.example", "+37410000102"),
        ],
    )


def _provider(name: str, country: str, zone: str, domain: str, phone: str) -> Provider:
    return Provider(
        name=name,
        legal_name=f"{name} Ltd",
        country=country,
        time_zone=zone,
        domains=[domain],
        as_numbers=HOLDINGS[name][0],
        address_ranges=HOLDINGS[name][1],
        phone_prefixes=HOLDINGS[name][2],
        services=["access"],
        languages=["en"],
        contacts=[
            _contact(position, function, f"{mailbox}@{domain}", f"{phone}{position}")
            for position, (function, mailbox) in enumerate(_PROVIDER_CONTACTS)
        ],
    )


def _contact(position: int, function: Function, email: str, phone: str) -> Contact:
    return Contact(
        position=position,
        name=f"{function.label} at {email.partition('@')[2]}",
        function=function,
        email=email,
        phone=phone,
        channels=["email", "call"],
        languages=["en"],
        review_on=date(2027, 1, 1),
        email_verified_at=datetime(2026, 1, 1, tzinfo=UTC),
        phone_verified_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _memorandum(authority: Authority, provider: Provider, agreed: Terms) -> Memorandum:
    return Memorandum(
        authority=authority,
        provider=provider,
        reference=f"MoU-{authority.code}-{provider.name.split()[0]}",
        version=1,
        signed_on=date(2025, 12, 1),
        in_force_from=date(2026, 1, 1),
        in_force_to=date(2028, 12, 31),
        terms=terms_json(agreed),
    )
