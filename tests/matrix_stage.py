"""The stage on which the matrix is walked: two of each organisation, and what is theirs."""

from __future__ import annotations

import re
import shutil
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from uuid6 import uuid7
from werkzeug.test import TestResponse

from liaison.domain import attachments
from liaison.domain.vocabulary import Channel, Holidays, Role, Turn, Urgency
from liaison.models import (
    ApiKey,
    Authority,
    CallTask,
    Canary,
    CaseFile,
    Contact,
    ContactChange,
    Drill,
    DutyFeed,
    DutyOverride,
    Entry,
    FactorReset,
    HandOver,
    Invitation,
    Memorandum,
    Message,
    Order,
    OrderReview,
    Passkey,
    Person,
    Provider,
    Rota,
    SavedFilter,
    SignIn,
    Verification,
    WebhookEndpoint,
)
from liaison.models.work import MessageState, Wanted
from liaison.portal import invitation_links
from liaison.services import (
    accounts,
    doubts,
    guards,
    housekeeping,
    keys,
    ledger,
    memoranda,
    order_templates,
    orders,
    outbox,
    register_imports,
    resets,
    routes,
    thread,
    unfinished,
    webhooks,
)
from liaison.services.factors import token_hash
from tests import incoming
from tests.register import PASSWORD
from tests.world import ADDRESS, World

ORGANISATIONS = {
    "CP": "authority",
    "NL": "authority",
    "Meridian Telecom": "provider",
    "Norvik Mobile": "provider",
}
COUNTERPART = {
    "CP": "NL",
    "NL": "CP",
    "Meridian Telecom": "Norvik Mobile",
    "Norvik Mobile": "Meridian Telecom",
}
COUNTER_AUTHORITY = {"Meridian Telecom": "CP", "Norvik Mobile": "NL"}
FIRST_SIDE = ("CP", "Meridian Telecom")
"""The order of the first authority is one to the first provider; likewise the second."""

OF_AUTHORITY = ("officer", "supervisor", "auditor", "administrator")
OF_PROVIDER = ("spoc", "provider_administrator")
PEOPLE = OF_AUTHORITY + OF_PROVIDER


@dataclass(frozen=True)
class Asker:
    """Somebody, or a program, of one organisation."""

    column: str
    organisation: str
    cookie: str = ""
    stale: str = ""
    """A cookie of the same person whose factor was given more than five minutes ago."""
    header: str = ""

    def __str__(self) -> str:
        return f"{self.column} of {self.organisation}"


@dataclass
class Stage:
    """One database that is set back after each act, and everybody who asks."""

    app: Flask
    world: World
    path: Path
    askers: list[Asker] = field(default_factory=list)
    things: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """Names in a route, by what they name and whose it is."""

    def address(self, rule: str, names: str, organisation: str | None, column: str) -> str:
        """The rule with the names of this organisation's things in it; None: of nothing."""
        values = dict(self.things["-", "-"])
        whose = organisation or "CP"
        some = "auditor" if ORGANISATIONS[whose] == "authority" else "spoc"
        of = f"{names} of {column if organisation and column in PEOPLE else some}"
        known = self.things.get((names, whose)) or self.things.get((of, whose), {})
        values |= known if organisation else dict.fromkeys(known, str(uuid7()))
        for name in re.findall(r"<(?:\w+:)?(\w+)>", rule):
            assert name in values, f"say in tests/matrix_stage.py what stands for {name} in {rule}"
            rule = re.sub(rf"<(?:\w+:)?{name}>", values[name], rule)
        if "bootstrap" in rule:
            rule = rule.replace("liaison.css", "css/bootstrap.min.css")
        return rule

    def ask(self, asker: Asker, method: str, address: str, sent: dict[str, Any]) -> TestResponse:
        """One request; what it did is undone."""
        client = self.app.test_client()
        if asker.cookie:
            client.set_cookie("liaison", asker.cookie)
        headers = {"Authorization": f"Bearer {asker.header}"} if asker.header else {}
        body: dict[str, Any] = {"json": sent} if address.startswith("/api/v1") else {"data": sent}
        answer = client.open(
            address, method=method, headers=headers, **(body if method != "GET" else {})
        )
        if answer.status_code == 401 or (method != "GET" and not is_turned_away(answer)):
            self.set_back()  # a wrong key is counted, too
        return answer

    def save(self) -> None:
        """What the stage is set back to."""
        self.world.database.close()
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copyfile(self.path, self.path.with_suffix(".saved"))

    def set_back(self) -> None:
        """Everything as it was: the saved file in place of the one that was acted on."""
        self.world.database.close()
        self.app.extensions["liaison"].database.close()
        for end in ("-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)
        shutil.copyfile(self.path.with_suffix(".saved"), self.path)


def is_turned_away(answer: TestResponse) -> bool:
    """Whether the answer is one after which nothing can have been committed."""
    place = answer.location or ""
    away = place.startswith(("/login", "/account/fresh")) and "left=" not in place
    return answer.status_code in (403, 404, 405) or (answer.status_code == 303 and away)


def build(app: Flask, world: World, path: Path) -> Stage:
    """Everybody, signed in; a draft, an issued order and the rest for each side."""
    stage = Stage(app, world, path)
    stage.things["-", "-"] = {
        "type_": "stale",
        "filename": "liaison.css",
        "group": "answers",
        "name": "swagger-ui.css",
    }
    people = _people(world)
    programs = [*_programs(world), *_case_systems(stage, people)]
    _orders(stage)
    _requests(stage)
    _doubted(stage)
    _routed(stage)
    _attached(stage)
    for organisation in ORGANISATIONS:
        provider = world.register.providers[_provider_of(organisation)]
        stage.things["provider", organisation] = {"provider_id": str(provider)}
        authority = world.register.authorities[COUNTER_AUTHORITY.get(organisation, organisation)]
        stage.things["auth", organisation] = {"authority_id": str(authority)}
        # A rule is nobody's own: every administrator keeps them all.
        stage.things["rule", organisation] = {"rule_id": "01930000-0000-7000-8000-000000000001"}
    _others(stage, people)
    _imports(stage)
    _written(stage)
    _contacts(stage)
    _drills(stage)
    _memoranda(stage)
    _personal(stage, people)
    _hooks(stage)
    _duty(stage, people)
    _canaries(stage)
    _desk(stage, people)
    _undelivered(stage, people)
    stage.askers = [
        Asker("anonymous", "CP"),
        *(
            Asker(
                column,
                organisation,
                cookie=_cookie(app, world, person, timedelta(0)),
                stale=_cookie(app, world, person, guards.FRESH + timedelta(seconds=1)),
            )
            for (column, organisation), person in people.items()
        ),
        *programs,
    ]
    with world.database.transaction() as session:
        housekeeping.beat(session, "the matrix's worker", world.now)
    stage.save()
    return stage


def _requests(stage: Stage) -> None:
    """A counterpart's request, registered by each authority; providers ask for its own."""
    for side, by in {"CP": "officer", "NL": "foreign_officer"}.items():
        made = incoming.register(stage.world, incoming.FOLLOW_UP, by=by)
        for organisation in (side, _other_side(side)):
            stage.things["request", organisation] = {"request_id": str(made.id)}


def _other_side(side: str) -> str:
    return next(name for name, of in COUNTER_AUTHORITY.items() if of == side)


def _imports(stage: Stage) -> None:
    """A file of providers that each authority has had looked at."""
    world = stage.world
    content = b"name,country,time_zone\nNewcomer,AM,Asia/Yerevan\n"
    with world.database.transaction() as session:
        for organisation, kind in ORGANISATIONS.items():
            code = organisation if kind == "authority" else COUNTER_AUTHORITY[organisation]
            actor = replace(
                world.actor("administrator"), authority_id=world.register.authorities[code]
            )
            made = register_imports.check(session, actor, "new.csv", content, world.now)
            stage.things["import", organisation] = {"import_id": str(made.id)}


def _written(stage: Stage) -> None:
    """An unfinished draft, a template and a case of each authority."""
    world = stage.world
    typed = (("offence", "Fraud"),)
    for side, by, provider in (
        ("CP", "officer", "Meridian Telecom"),
        ("NL", "foreign_officer", "Norvik Mobile"),
    ):
        with world.database.transaction() as session:
            actor = world.actor(by)
            draft = unfinished.save(session, world.vault, actor, None, None, typed, 0, world.now)
            kept = order_templates.save(session, world.vault, actor, "Fraud", typed, world.now)
            case = CaseFile(
                authority_id=actor.authority_id,
                name="CD-26-8812",
                opened_at=world.now,
                opened_by=actor.name,
            )
            session.add(case)
            session.flush()
            for organisation in (side, provider):
                stage.things["unfinished", organisation] = {
                    "draft_id": str(draft.id),
                    "template_id": str(kept.id),
                    "case_id": str(case.id),
                }


def _others(stage: Stage, people: dict[tuple[str, str], UUID]) -> None:
    """A colleague, an invitation, a key and an order to be reviewed, of each organisation."""
    world, settings = stage.world, stage.app.extensions["liaison"].settings
    link = invitation_links.maker(settings, world.now)
    with world.database.transaction() as session:
        for organisation, kind in ORGANISATIONS.items():
            of_authority = kind == "authority"
            colleague = people["auditor" if of_authority else "spoc", organisation]
            invited = _invitation(world, organisation, kind)
            provider = world.register.providers[_provider_of(organisation)]
            own = ApiKey.provider_id == provider
            if of_authority:
                own = ApiKey.authority_id == world.register.authorities[organisation]
            key = session.scalars(select(ApiKey).where(own)).first()
            order = UUID(stage.things["issued", organisation]["id"])
            toucher = (
                colleague if of_authority else people["auditor", COUNTER_AUTHORITY[organisation]]
            )
            review = OrderReview(order_id=order, person_id=toucher, opened_at=world.now)
            again = _invitation(world, organisation, kind)
            again.kind, again.person_id, again.invited_by_id = "reset", colleague, colleague
            lost = FactorReset(
                person_id=colleague,
                reason="Left on a train.",
                asked_by_id=toucher,
                asked_at=world.now,
                effective_at=world.now,
            )
            session.add_all([invited, review, again, lost])
            session.flush()
            reset = resets.token_for(settings.secret_key, again.id)
            assert key is not None
            token = link(invited.id).rpartition("/")[2]
            stage.things |= {
                ("person", organisation): {"person_id": str(colleague)},
                ("invited", organisation): {"invitation_id": str(invited.id), "token": token},
                ("reset", organisation): {"token": reset},
                ("key", organisation): {"key_id": str(key.id)},
                ("review", organisation): {"review_id": str(review.id)},
            }


def _canaries(stage: Stage) -> None:
    """One for each organisation: whoever has its token may say that it has arrived."""
    with stage.world.database.transaction() as session:
        for organisation in ORGANISATIONS:
            token = f"canary-{organisation.replace(' ', '-')}".ljust(43, "-")
            session.add(Canary(channel=Channel.WEBHOOK, token=token, sent_at=stage.world.now))
            stage.things["canary", organisation] = {"token": token}


def _hooks(stage: Stage) -> None:
    """A webhook of each provider, to which its first entry was sent; authorities ask for theirs."""
    world = stage.world
    with world.database.transaction() as session:
        for organisation in ORGANISATIONS:
            provider = world.register.providers[_provider_of(organisation)]
            hook = WebhookEndpoint(
                provider_id=provider,
                url=f"https://{organisation[:2].lower()}.hooks.example.net/",
                sealed_secret=world.vault.seal("whsec_bWF0cml4IG1hdHJpeCBtYXRyaXg="),
                created_at=world.now,
                created_by="the matrix",
                changed_at=world.now,
            )
            session.add(hook)
            session.flush()
            stream = ledger.provider_stream(provider)
            first = select(Entry).where(Entry.stream == stream).order_by(Entry.seq).limit(1)
            webhooks.queue(session, hook.id, hook.url, session.scalars(first).one(), world.now)
            sent = session.scalars(select(Message).where(Message.endpoint_id == hook.id)).one()
            sent.state = MessageState.SENT
            named = {"endpoint_id": str(hook.id), "message_id": str(sent.id)}
            named |= {"webhook": str(hook.id), "delivery": str(sent.id)}  # in the endpoint's words
            stage.things["hook", organisation] = named


def _duty(stage: Stage, people: dict[tuple[str, str], UUID]) -> None:
    """A rota, somebody who stands in and a calendar address, of each organisation."""
    world = stage.world
    with world.database.transaction() as session:
        for organisation, kind in ORGANISATIONS.items():
            known = world.register.authorities if kind == "authority" else world.register.providers
            whose = {f"{kind}_id": known[organisation]}
            contact = session.scalars(
                select(Contact).filter_by(**whose).order_by(Contact.position).limit(1)
            ).one()
            maker = people["supervisor" if kind == "authority" else "spoc", organisation]
            rota = Rota(
                **whose,
                name="Desk",
                time_zone="UTC",
                turn=Turn.DAILY,
                handover="08:00",
                weekday=0,
                starts_on=world.now.date(),
                members=[str(contact.id)],
                windows=[],
                holidays=Holidays.AS_USUAL,
                made_by="the matrix",
                made_at=world.now,
                gaps_told=[],
            )
            stands_in = DutyOverride(
                **whose,
                contact_id=contact.id,
                starts_at=world.now,
                ends_at=world.now + timedelta(days=1),
                made_by="the matrix",
                made_at=world.now,
            )
            token = f"feed-of-{kind}-{known[organisation]}"
            feed = DutyFeed(
                **whose,
                name="A phone",
                token_hash=token_hash(token),
                made_by_id=maker,
                made_at=world.now,
            )
            session.add_all([rota, stands_in, feed])
            session.flush()
            stage.things["duty", organisation] = {
                "rota_id": str(rota.id),
                "override_id": str(stands_in.id),
                "feed_id": str(feed.id),
                "token": token,
            }


def _desk(stage: Stage, people: dict[tuple[str, str], UUID]) -> None:
    """A filter of each person; of each authority a hand-over by somebody who does not ask."""
    world = stage.world
    with world.database.transaction() as session:
        for (column, organisation), person in people.items():
            mine = SavedFilter(
                person_id=person, name="Mine", name_key="mine", query="", saved_at=world.now
            )
            session.add(mine)
            session.flush()
            named = {"filter_id": str(mine.id)}
            stage.things[f"filter of {column}", organisation] = named
        for organisation, kind in ORGANISATIONS.items():
            code = organisation if kind == "authority" else COUNTER_AUTHORITY[organisation]
            given = HandOver(
                authority_id=world.register.authorities[code],
                given_by_id=people["auditor", code],
                given_by="Somebody",
                given_at=world.now,
                notes="Nothing else.",
                told=[],
            )
            session.add(given)
            session.flush()
            stage.things["handover", organisation] = {"hand_over_id": str(given.id)}


def _undelivered(stage: Stage, people: dict[tuple[str, str], UUID]) -> None:
    """A notice that failed: of an order for those who read orders, of access for who keep it."""
    world = stage.world
    with world.database.transaction() as session:
        for (column, organisation), person in people.items():
            of_order = column != "administrator"
            side = organisation if organisation in ("CP", "NL") else "CP"
            ref = stage.things["issued", side]["ref"]
            address = session.get_one(Person, person).email
            order = session.scalars(select(Order).where(Order.ref == ref)).one()
            outbox.queue_letter(
                session,
                address,
                "order_answered" if of_order else "access_changed",
                {},
                f"matrix {column}",
                world.now,
                order=order if of_order else None,
                wanted=Wanted.ALWAYS,
            )
            idem = outbox.letter_idem(address, f"matrix {column}")
            message = session.scalars(select(Message).where(Message.idem == idem)).one()
            message.state = MessageState.FAILED
            session.flush()
            named = {"message_id": str(message.id)}
            stage.things[f"undelivered of {column}", organisation] = named


def _contacts(stage: Stage) -> None:
    """Of each organisation: a contact, a change of another that waits, a number to be called."""
    world = stage.world
    stage.things["-", "-"]["way"] = "email"
    with world.database.transaction() as session:
        for organisation, kind in ORGANISATIONS.items():
            if kind == "authority":
                whose = Contact.authority_id == world.register.authorities[organisation]
            else:
                whose = Contact.provider_id == world.register.providers[organisation]
            query = select(Contact).where(whose).order_by(Contact.position)
            first, second = session.scalars(query.limit(2)).all()
            change = ContactChange(
                contact=second,
                values={"phone": "+37410000199"},
                old={"phone": second.phone},
                asked_by="Somebody",
                asked_at=world.now,
                due_at=world.now + timedelta(hours=72),
            )
            number = Verification(
                contact=second,
                change=change,
                way="phone",
                value="+37410000199",
                sealed_code=world.vault.seal("12345678"),
                sent_at=world.now,
                expires_at=world.now + timedelta(days=7),
            )
            session.add_all([change, number])
            session.flush()
            stage.things["contact", organisation] = {
                "contact_id": str(first.id),
                "change_id": str(change.id),
                "verification_id": str(number.id),
            }


def _memoranda(stage: Stage) -> None:
    """A draft between each authority and its provider, with its document."""
    world = stage.world
    stage.things["-", "-"]["urgency"] = "emergency"
    with world.database.transaction() as session:
        for code, name in (("CP", "Meridian Telecom"), ("NL", "Norvik Mobile")):
            actor = replace(
                world.actor("supervisor"), authority_id=world.register.authorities[code]
            )
            side = {"provider_id": str(world.register.providers[name])}
            made = memoranda.draft(session, actor, side, world.now)
            memoranda.attach(session, actor, made.id, "m.pdf", b"%PDF-1.7", 1, world.now)
            for organisation in (code, name):
                stage.things["memorandum", organisation] = {"memorandum_id": str(made.id)}


def _drills(stage: Stage) -> None:
    """A planned drill of each authority with its provider."""
    world = stage.world
    for side, provider in (("CP", "Meridian Telecom"), ("NL", "Norvik Mobile")):
        with world.database.transaction() as session:
            agreed = session.scalars(
                select(Memorandum).where(
                    Memorandum.authority_id == world.register.authorities[side],
                    Memorandum.provider_id == world.register.providers[provider],
                )
            ).first()
            assert agreed is not None
            drill = Drill(
                memorandum_id=agreed.id,
                urgency=Urgency.EMERGENCY,
                announced=True,
                announced_at=world.now,
                planned_at=world.now + timedelta(hours=20),
                planned_by="Somebody",
            )
            session.add(drill)
            session.flush()
            for organisation in (side, provider):
                stage.things["drill", organisation] = {"drill_id": str(drill.id)}


def _personal(stage: Stage, people: dict[tuple[str, str], UUID]) -> None:
    """A passkey and another session of each person."""
    with stage.world.database.transaction() as session:
        for (column, organisation), person in people.items():
            passkey = Passkey(
                person_id=person,
                name="A key",
                credential_id=f"credential-of-{person}",
                public_key="",
                sign_count=0,
                transports=[],
                created_at=stage.world.now,
            )
            row = _session(stage.world, f"elsewhere-{person}", person)
            session.add_all([passkey, row])
            session.flush()
            stage.things |= {
                (f"passkey of {column}", organisation): {"passkey_id": str(passkey.id)},
                (f"session of {column}", organisation): {"sign_in_id": str(row.id)},
            }


def _provider_of(organisation: str) -> str:
    return "Meridian Telecom" if organisation in FIRST_SIDE else "Norvik Mobile"


def _invitation(world: World, organisation: str, kind: str) -> Invitation:
    of_authority = kind == "authority"
    known = world.register.authorities if of_authority else world.register.providers
    return Invitation(
        email=f"somebody@{organisation.split()[0].lower()}.example",
        name="Somebody New",
        roles=["officer" if of_authority else "spoc"],
        authority_id=known[organisation] if of_authority else None,
        provider_id=None if of_authority else known[organisation],
        invited_at=world.now,
        expires_at=world.now + timedelta(days=3),
    )


def _people(world: World) -> dict[tuple[str, str], UUID]:
    """One of each role in each organisation; those the register lacks are added."""
    made: dict[tuple[str, str], UUID] = {}
    codes = {identity: code for code, identity in world.register.authorities.items()}
    names = {identity: name for name, identity in world.register.providers.items()}
    for someone in world.register.people.values():
        (role,) = someone.roles
        where = codes.get(someone.authority_id) or names.get(someone.provider_id)  # type: ignore[arg-type]
        made.setdefault((role.value, str(where)), someone.id)
    with world.database.transaction() as session:
        for organisation, kind in ORGANISATIONS.items():
            for column in OF_AUTHORITY if kind == "authority" else OF_PROVIDER:
                if (column, organisation) in made:
                    continue
                authority = provider = None
                if kind == "authority":
                    wanted = world.register.authorities[organisation]
                    authority = session.get_one(Authority, wanted)
                    domain = authority.email.partition("@")[2]
                else:
                    provider = session.get_one(Provider, world.register.providers[organisation])
                    domain = provider.domains[0]
                person, _ = accounts.register_person(
                    session,
                    world.vault,
                    email=f"{column.replace('_', '.')}@{domain}",
                    name=f"{column} of {organisation}",
                    password=PASSWORD,
                    roles={Role(column)},
                    authority=authority,
                    provider=provider,
                    now=world.now,
                )
                made[column, organisation] = person.id
    return {key: found for key, found in made.items() if key[1] in ORGANISATIONS}


def _orders(stage: Stage) -> None:
    world = stage.world
    for side, (by, provider) in {
        "CP": ("officer", "Meridian Telecom"),
        "NL": ("foreign_officer", "Norvik Mobile"),
    }.items():
        issued = world.issue(by=by, provider=provider)
        draft = world.draft(by=by, provider=provider)
        submitted = world.submit(world.draft(by=by, provider=provider), by=by)
        with world.database.reading() as session:
            query = select(CallTask.id).where(CallTask.order_id == issued.id)
            task = session.scalars(query).first()
        assert task is not None, "an emergency opens a call task"
        for organisation in (side, provider):
            for kind, order in (("issued", issued), ("draft", draft), ("submitted", submitted)):
                name = order.name
                names = {"ref": name, "order": name, "task_id": str(task), "id": str(order.id)}
                stage.things[kind, organisation] = names


def _attached(stage: Stage) -> None:
    """A file in the thread of an order of each side."""
    world = stage.world
    file = attachments.accept([attachments.Upload("log.txt", b"A line of a log.\n")])
    for side, by, provider, spoc in (
        ("CP", "officer", "Meridian Telecom", "spoc"),
        ("NL", "foreign_officer", "Norvik Mobile", "norvik_spoc"),
    ):
        order = world.issue(by=by, provider=provider)
        with world.database.transaction() as session:
            who = world.actor(spoc)
            message = thread.ask(session, who, order.name, "See there.", world.now, files=file)
            found = str(message.attachments[0].id)
        names = {"ref": order.name, "order": order.name}
        for organisation in (side, provider):
            stage.things["attached", organisation] = {
                **names,
                "attachment_id": found,
                "attachment": found,
            }


def _routed(stage: Stage) -> None:
    """An order of each side whose provider named another one."""
    world = stage.world
    for side, by, provider, spoc in (
        ("CP", "officer", "Meridian Telecom", "spoc"),
        ("NL", "foreign_officer", "Norvik Mobile", "norvik_spoc"),
    ):
        order = world.issue(by=by, provider=provider)
        with world.database.transaction() as session:
            who = world.actor(spoc)
            named = routes.report(session, who, order.name, "Sevan Hosting", "Port 25.", world.now)
            route = str(named.routes[0].id)
        for organisation in (side, provider):
            stage.things["routed", organisation] = {"ref": order.name, "route_id": route}


def _doubted(stage: Stage) -> None:
    """An order of each side that its provider doubts; the officer wrote it and cannot vouch."""
    world = stage.world
    for side, by, provider, spoc in (
        ("CP", "officer", "Meridian Telecom", "spoc"),
        ("NL", "foreign_officer", "Norvik Mobile", "norvik_spoc"),
    ):
        order = world.issue(by=by, provider=provider)
        with world.database.transaction() as session:
            doubts.raise_(session, world.actor(spoc), order.name, "Odd.", None, world.now)
        for organisation in (side, provider):
            stage.things["doubted", organisation] = {"ref": order.name}


def _cookie(app: Flask, world: World, person: UUID, age: timedelta) -> str:
    """The cookie of a session whose factor is so old, made without the pages."""
    token = f"matrix-{person}-{age}"
    with world.database.transaction() as session:
        session.add(_session(world, token, person, age))
    client: FlaskClient = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["_fresh"] = True
    found = client.get_cookie("liaison")
    assert found is not None
    return found.value


def _session(world: World, token: str, person: UUID, age: timedelta = timedelta(0)) -> SignIn:
    return SignIn(
        token_hash=token_hash(token),
        person_id=person,
        address=ADDRESS,
        agent="the matrix",
        created_at=world.now,
        last_seen_at=world.now,
        expires_at=world.now + accounts.WHOLE,
        factor_at=world.now - age,
        factor="totp",
    )


def _programs(world: World) -> list[Asker]:
    """Each provider's key, and one of each that was revoked."""
    askers = []
    for name in ("Meridian Telecom", "Norvik Mobile"):
        askers.append(Asker("key", name, header=world.key(name)))
        with world.database.transaction() as session:
            provider = session.get_one(Provider, world.register.providers[name])
            # Of one that may do everything a key can do; what a scope keeps out is tried elsewhere.
            of_provider = update(ApiKey).where(ApiKey.provider_id == provider.id)
            session.execute(of_provider.values(scopes=list(keys.SCOPES)))
            row, key = keys.make_key(session, provider, "Revoked", keys.SCOPES, world.now)
            session.execute(update(ApiKey).where(ApiKey.id == row.id).values(revoked_at=world.now))
        askers.append(Asker("revoked", name, header=key))
    return askers


def _case_systems(stage: Stage, people: dict[tuple[str, str], UUID]) -> list[Asker]:
    """Each contact point's key, and a draft written with it; providers ask for that one."""
    world, askers = stage.world, []
    for code, provider in (("CP", "Meridian Telecom"), ("NL", "Norvik Mobile")):
        with world.database.transaction() as session:
            authority = session.get_one(Authority, world.register.authorities[code])
            maker, scopes = people["administrator", code], keys.AUTHORITY_SCOPES
            _, key = keys.make_key(
                session, authority, "Cases", scopes, world.now, created_by_id=maker
            )
            actor = keys.actor_for_key(session, key, ADDRESS, world.now)[1]
            draft = orders.draft(session, actor, world.data(provider=provider), world.now)
            for organisation in (code, provider):
                stage.things["drafted", organisation] = {"order": str(draft.id)}
        askers.append(Asker("case", code, header=key))
    return askers
