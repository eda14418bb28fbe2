"""The demo's register: an authority, four providers, their contacts and memoranda."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from liaison.demo.accounts import ACCOUNTS, AUTHORITY, PROVIDERS, REHEARSES
from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import Clocks, Terms, terms_json
from liaison.domain.terms_defaults import OFFICE_HOURS
from liaison.domain.vocabulary import (
    Channel,
    DataCategory,
    Function,
    Role,
    TargetType,
    Urgency,
)
from liaison.models import Authority, Contact, Memorandum, Person, Provider
from liaison.models.base import new_id
from liaison.services import accounts, holdings, keys
from liaison.services.vault import Vault

ZONE = "Asia/Yerevan"
_MAIL, _CALL = (Channel.EMAIL,), (Channel.EMAIL, Channel.CALL)
_TEXT = (Channel.EMAIL, Channel.TEXT, Channel.CALL)

BUILT_AGO = 400
"""Days before the present as of which the register is built (story.EARLIEST)."""


@dataclass(frozen=True)
class _Firm:
    """What is particular to one provider. ``last`` are the last digits of its numbers."""

    name: str
    legal_name: str
    domain: str
    more_domains: tuple[str, ...]
    services: tuple[str, ...]
    last: int
    people: tuple[str, str, str, str]
    """SPOC, deputy, legal desk, fallback addressee."""
    as_number: int
    ranges: tuple[str, ...]
    """Networks set aside for documentation (RFC 5737, RFC 3849)."""
    prefixes: tuple[str, ...]
    longest_days: int = 180
    without: frozenset[DataCategory] = frozenset()
    without_types: frozenset[TargetType] = frozenset()
    texts: bool = False
    """Whether its people get text messages, too, and may answer “1” to acknowledge receipt."""
    office: bool = False
    """Whether routine orders wait for its office hours and its country's holidays."""
    emergency: tuple[int, int, int, int, int] = (0, 15, 30, 45, 60)
    """Minutes from issue to each rung of an emergency; the last is the time to acknowledge."""
    page_every: int = 15
    """Minutes between two pages at the top of that ladder."""
    drills: int = 2
    """How many a year."""


_HANDSETS = frozenset({TargetType.IMSI, TargetType.IMEI})

FIRMS = (
    _Firm(
        "Meridian Telecom",
        "Meridian Telecom CJSC",
        "meridian.example",
        ("meridian-mail.example",),
        ("Fixed and mobile Internet", "Meridian ID", "E-mail"),
        1,
        ("Karen Hovsepyan", "Lilit Sargsyan", "Mher Grigoryan", "Network operations centre"),
        64496,
        ("198.51.100.0/24", "2001:db8:10::/48"),
        ("+37499", "+37410"),
        texts=True,
    ),
    _Firm(
        "Norvik Mobile",
        "Norvik Mobile LLC",
        "norvik.example",
        (),
        ("Mobile telephony", "Mobile Internet"),
        2,
        ("Tigran Avagyan", "Sona Martirosyan", "Vahe Ghazaryan", "Shift leader"),
        64497,
        ("192.0.2.128/25", "2001:db8:40::/42"),
        ("+37491",),
    ),
    _Firm(
        "Harbour Cable",
        "Harbour Cable and Broadband CJSC",
        "harbour.example",
        ("harbour-mail.example",),
        ("Cable Internet", "E-mail", "Harbour Drive"),
        3,
        ("Élodie Marchand", "Gor Hakobyan", "Anna Babayan", "Headend control room"),
        64498,
        ("192.0.2.0/25", "2001:db8:100::/40"),
        ("+37460",),
        without=frozenset({DataCategory.LOCATION}),
        without_types=_HANDSETS,
        office=True,
    ),
    _Firm(
        "Sevan Hosting",
        "Sevan Hosting LLC",
        "sevan.example",
        (),
        ("Virtual servers", "Domain registration", "Object storage"),
        4,
        ("Mariam Danielyan", "Artur Khachatryan", "Hasmik Petrosyan", "Data centre desk"),
        64499,
        ("203.0.113.0/24", "2001:db8:5e::/48"),
        (),
    ),
    # Its ladder climbs by the minute: whoever looks at the demo can watch the whole of it.
    _Firm(
        REHEARSES,
        "Rehearsal Net LLC",
        "rehearsal.example",
        (),
        ("Fixed Internet",),
        5,
        ("Ani Terteryan", "Hayk Manukyan", "Lusine Abrahamyan", "Night desk"),
        64500,
        ("2001:db8:200::/40",),
        (),
        texts=True,
        emergency=(0, 1, 2, 3, 5),
        page_every=5,
        drills=0,
    ),
)


def build(session: Session, vault: Vault, known: dict[str, Any], now: datetime) -> None:
    """Writes the whole register, its people and keys, as of ``now``."""
    authority = _authority(session, now)
    providers = {firm.name: _provider(session, authority, firm, now) for firm in FIRMS}
    session.flush()
    for account in ACCOUNTS:
        secret = known["people"][account.email]
        accounts.register_person(
            session,
            vault,
            email=account.email,
            name=account.name,
            password=secret["password"],
            roles=[account.role],
            now=now,
            authority=authority if account.organisation == AUTHORITY else None,
            provider=providers.get(account.organisation),
            totp_secret=secret["totp_secret"],
        )
    for name in PROVIDERS:
        key = known["keys"][name]
        scopes = list(keys.SCOPES)
        keys.make_key(session, providers[name], "Case system", scopes, now, key=key)


def named(session: Session, email: str) -> Person:
    """The person of this address."""
    return session.query(Person).filter(Person.email == email).one()


def _authority(session: Session, now: datetime) -> Authority:
    authority = Authority(
        id=new_id(),
        code="CP",
        name=AUTHORITY,
        country="AM",
        time_zone=ZONE,
        postal_address="1 Police Square, Yerevan",
        phone="+37410000100",
        email="247cp@police.example",
        office_hours="Day and night, all week",
        preferred_answer="Through this portal",
        domains=["police.example"],
    )
    session.add(authority)
    for position, (name, function, email, phone) in enumerate(
        (
            ("Duty officer", Function.DUTY_OFFICER, "officer@police.example", "+37410000100"),
            ("Aram Petrosyan", Function.SUPERVISOR, "supervisor@police.example", "+37410000009"),
        )
    ):
        session.add(
            Contact(
                authority_id=authority.id,
                position=position,
                name=name,
                function=function,
                email=email,
                phone=phone,
                channels=["email", "call"],
                email_verified_at=now,
                phone_verified_at=now,
                languages=["hy", "en", "ru", "fr"],
                review_on=_day(now, BUILT_AGO + 90),
            )
        )
    return authority


def _provider(session: Session, authority: Authority, firm: _Firm, now: datetime) -> Provider:
    provider = Provider(
        id=new_id(),
        name=firm.name,
        legal_name=firm.legal_name,
        country="AM",
        time_zone=ZONE,
        domains=[firm.domain, *firm.more_domains],
        as_numbers=[firm.as_number],
        address_ranges=list(firm.ranges),
        phone_prefixes=list(firm.prefixes),
        services=list(firm.services),
        languages=["hy", "en"],
    )
    session.add(provider)
    holdings.write(session, provider)
    desk = _contacts(session, provider, firm, now)
    session.add(
        Memorandum(
            authority_id=authority.id,
            provider_id=provider.id,
            reference=f"MoU-{firm.last:02d}",
            version=1,
            signed_on=_day(now, -20),
            in_force_from=_day(now, 0),
            in_force_to=None,
            terms=terms_json(_terms(firm, str(desk.id))),
        )
    )
    return provider


def _contacts(session: Session, provider: Provider, firm: _Firm, now: datetime) -> Contact:
    functions = (Function.PRIMARY, Function.DEPUTY, Function.LEGAL_DESK, Function.FALLBACK)
    boxes = ("spoc", "deputy", "legal", "noc")
    made = [
        Contact(
            id=new_id(),
            provider_id=provider.id,
            position=position,
            name=name,
            function=function,
            email=f"{box}@{firm.domain}",
            phone=f"+3741000{firm.last:02d}{position + 1:02d}",
            channels=[way.value for way in (_TEXT if firm.texts else _CALL)],
            email_verified_at=now,
            phone_verified_at=now,
            languages=["hy", "en"],
            # The register is built in the past; some entries were looked at lately, one was not.
            review_on=_day(now, BUILT_AGO + (120, -14, 200, 300)[position]),
        )
        for position, (name, function, box) in enumerate(
            zip(firm.people, functions, boxes, strict=True)
        )
    ]
    session.add_all(made)
    return made[2]


def _terms(firm: _Firm, desk: str) -> Terms:
    return Terms(
        clocks={
            Urgency.EMERGENCY: Clocks(timedelta(minutes=firm.emergency[-1]), timedelta(hours=4)),
            Urgency.URGENT: Clocks(timedelta(hours=4), timedelta(hours=24)),
            Urgency.ROUTINE: Clocks(timedelta(hours=24), timedelta(hours=72)),
        },
        ladders={
            Urgency.EMERGENCY: _ladder(
                firm.emergency, desk, page_every=firm.page_every, texts=firm.texts
            ),
            Urgency.URGENT: _ladder((0, 60, 120, 180, 240), desk, page_every=60),
            Urgency.ROUTINE: _ladder((0, 720, 1200, 1380, 1440), desk, page_every=240),
        },
        answer=timedelta(hours=24),
        clock_stops=False,
        default_days=90,
        longest_days=firm.longest_days,
        extensions=2,
        categories=frozenset(DataCategory) - firm.without,
        target_types=frozenset(TargetType) - firm.without_types,
        emergency_windows=(),
        languages=("hy", "en"),
        issuers=frozenset({Role.OFFICER, Role.SUPERVISOR}),
        ratification=timedelta(hours=12),
        drills_a_year=firm.drills,
        disposal_confirmation=True,
        office_hours=OFFICE_HOURS if firm.office else (),
        observes_holidays=firm.office,
        reply_acknowledges=firm.texts,
    )


def _ladder(
    after: tuple[int, int, int, int, int], desk: str, *, page_every: int, texts: bool = False
) -> Ladder:
    """SPOC, every SPOC, fallback addressee, legal desk, our supervisor; minutes after issue.

    ``texts``: the first two rungs send a text message as well.
    """
    whom = (Whom.ON_DUTY, Whom.EVERY_SPOC, Whom.FALLBACK, Whom.NAMED, Whom.SUPERVISOR)
    emergency = after[-1] <= 60
    return Ladder(
        tuple(
            Rung(
                after=timedelta(minutes=minutes),
                whom=called,
                channels=(
                    _TEXT if texts and index < 2 else _CALL if emergency or index > 1 else _MAIL
                ),
                contact=desk if called is Whom.NAMED else None,
            )
            for index, (minutes, called) in enumerate(zip(after, whom, strict=True))
        ),
        timedelta(minutes=page_every),
    )


def _day(now: datetime, days: int) -> date:
    return (now + timedelta(days=days)).date()
