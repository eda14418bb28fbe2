"""Nothing secret or personal in logs or addresses: a day's work with known words in every field.

Everything that goes to standard output, standard error or a logger is kept; none of the words
may be in it, nor in the address of a redirect.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from liaison import logs
from liaison.delivery import DeliveryError
from liaison.models import Database, Person
from liaison.queries import key_list
from liaison.services import notes, orders, recovery, timers, totp
from liaison.settings import Env, Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.register import PASSWORD
from tests.world import MovableClock, World, csrf_token, submit

WRONG = "wrong-canary-passphrase"
NEW_PASSWORD = "brand new canary passphrase"
TYPED_EMAIL = "typo.canary@elsewhere.example"
NEWCOMER = ("nare.canary@police.example", "Nare Canaryan")
FACTS = "CANARYFACTS of a matter of life and death"
TARGET = "203.0.113.77"
REASON = "CANARYREASON for a refusal"
CONTACT = ("Contact Canary", "+37499123456", "contact.canary@police.example")
REPLY = "550 CANARYREPLY no such mailbox"
NOTE = "CANARYNOTE he is one of ours"
FILE = "canary-file-name.txt"


@dataclass
class Watch:
    """What must not be told, and all that was told."""

    secrets: set[str] = field(default_factory=set)
    digits: set[str] = field(default_factory=set)
    """Codes: six digits may stand in a longer number by chance, alone they may not."""
    places: list[str] = field(default_factory=list)

    def keep(self, answer: TestResponse) -> TestResponse:
        """Notes where an answer sends its reader."""
        if answer.location:
            self.places.append(answer.location)
        return answer

    def found(self, told: str) -> list[str]:
        """The words that were told after all."""
        lowered = told.lower()
        words = [s for s in self.secrets if s.lower() in lowered]
        return words + [d for d in self.digits if re.search(rf"(?<![\w.]){d}(?![\w.])", told)]


@pytest.fixture
def loud(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """The logs as production writes them, and whatever else is printed."""
    before = structlog.get_config()
    logs.configure(Env.PRODUCTION)
    # pytest exchanges sys.stderr between a fixture and its test: ask for it with every line.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    yield capfd
    structlog.configure(**before)


@pytest.fixture
def work(
    settings: Settings,
    world: World,
    database: Database,
    clock: MovableClock,
    sender: RecordingSender,
) -> Work:
    """A worker whose letters are kept."""
    return Work(settings, database, clock, sender, name="worker-1")


def test_a_days_work_tells_the_logs_nothing(
    app: Flask,
    world: World,
    work: Work,
    sender: RecordingSender,
    loud: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app.testing = False  # errors are handled and logged as in production
    watch = Watch()
    _name_everybody(world, watch)
    _sign_ins(app, world, watch)
    _recovery_code(app, world, watch)
    _orders(app, world, watch)
    _keys_and_programs(app, world, watch)
    _invitation(app, world, watch, work, sender)
    _failing_mail(world, work, sender, monkeypatch)
    _faults_of_ours(app, world, watch, monkeypatch)
    told = loud.readouterr()
    everything = told.out + told.err + caplog.text
    assert everything.count('"event": "request"') > 30, "the logs were not captured"
    for event in ("failed", "notice not delivered", "notice sent", "timer failed"):
        assert f'"event": "{event}"' in everything, event
    assert watch.found(everything) == []
    assert len(watch.places) > 10
    assert watch.found("\n".join(watch.places)) == []


def test_an_internal_note_comes_out_of_no_door_of_the_provider(
    app: Flask, world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        notes.write(session, world.actor("officer"), order.name, NOTE, world.now)
    run_once(work)
    spoc, officer, program = (app.test_client() for _ in range(3))
    world.sign_in(spoc, "spoc")
    world.sign_in(officer, "officer")
    read = ours = 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.arguments <= {"ref", "order"}:
            continue
        path = re.sub(r"<[^>]+>", str(order.ref), rule.rule)
        for client, header in ((spoc, {}), (program, world.bearer())):
            answer = client.get(path, headers=header)
            assert b"CANARYNOTE" not in answer.data, path
            read += answer.status_code == 200
        ours += rule.endpoint.startswith("orders.") and b"CANARYNOTE" in officer.get(path).data
    assert read > 15
    assert ours >= 2, "the contact point reads it"
    assert "CANARYNOTE" not in "".join(str(outgoing) for outgoing in sender.sent)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"note": f"wrote to {NEWCOMER[0].upper()}"}, NEWCOMER[0]),
        ({"note": f"/orders?q={TARGET}"}, TARGET),
        ({"code": "482913"}, "482913"),
        ({"code": 482913}, "482913"),
        ({"note": "01a20f482913", "at": "12:00:00.482913Z"}, None),
    ],
)
def test_a_planted_line_is_found(
    loud: pytest.CaptureFixture[str], line: dict[str, Any], found: str | None
) -> None:
    structlog.get_logger("planted").info("request", **line)
    watch = Watch({NEWCOMER[0], TARGET}, {"482913"})
    told = loud.readouterr().err
    assert "planted" in told or "request" in told
    assert watch.found(told) == ([found] if found else [])


def _name_everybody(world: World, watch: Watch) -> None:
    for person in world.register.people.values():
        watch.secrets |= {person.email, person.name, person.totp_secret}
    watch.secrets |= {PASSWORD, WRONG, NEW_PASSWORD, TYPED_EMAIL, *NEWCOMER, *CONTACT, REASON}
    watch.secrets |= {NOTE, FILE, FACTS, TARGET, "CANARYREPLY", *world.register.keys.values()}
    with world.database.reading() as session:
        watch.secrets |= set(session.scalars(text("SELECT phone FROM contact")))
        watch.secrets |= set(session.scalars(text("SELECT email FROM contact")))


def _signed_in(app: Flask, world: World, watch: Watch, who: str) -> FlaskClient:
    client = app.test_client()
    email = world.person(who).email
    watch.keep(submit(client, "/login", {"email": email, "password": PASSWORD}))
    code = world.unused_code(who)
    watch.digits.add(code)
    answer = watch.keep(submit(client, "/login/code", {"code": code}))
    assert answer.status_code == 303
    _keep_session(client, watch)
    return client


def _keep_session(client: FlaskClient, watch: Watch) -> None:
    with client.session_transaction() as session:
        watch.secrets.add(session["_user_id"])
    watch.secrets |= {cookie.value for cookie in client._cookies.values() if len(cookie.value) > 20}  # type: ignore[union-attr]


def _sign_ins(app: Flask, world: World, watch: Watch) -> None:
    client = app.test_client()
    email = world.person("second_officer").email
    for typed, password in ((TYPED_EMAIL, WRONG), (email, WRONG), (WRONG, PASSWORD)):
        answer = submit(client, "/login", {"email": typed, "password": password})
        assert watch.keep(answer).status_code == 401
    watch.keep(submit(client, "/login", {"email": email, "password": PASSWORD}))
    wrong = "000000" if world.code("second_officer") != "000000" else "111111"
    assert watch.keep(submit(client, "/login/code", {"code": wrong})).status_code == 401
    reader = _signed_in(app, world, watch, "officer")
    watch.keep(reader.get("/login?next=/orders"))
    watch.keep(submit(reader, "/account/password", {"current": WRONG, "password": NEW_PASSWORD}))
    watch.keep(reader.post("/logout", data={"csrf_token": csrf_token(reader.get("/account"))}))


def _recovery_code(app: Flask, world: World, watch: Watch) -> None:
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person("supervisor").id)
        codes = recovery.make(session, person, world.now)
    watch.secrets |= set(codes)
    client = app.test_client()
    email = world.person("supervisor").email
    watch.keep(submit(client, "/login", {"email": email, "password": PASSWORD}))
    watch.keep(submit(client, "/login/recovery", {"code": f"{codes[1]}x"}))
    assert watch.keep(submit(client, "/login/recovery", {"code": codes[0]})).status_code == 303
    _keep_session(client, watch)


def _orders(app: Flask, world: World, watch: Watch) -> None:
    officer = _signed_in(app, world, watch, "officer")
    name, phone, email = CONTACT
    page = officer.get("/orders/new")
    fields = {"csrf_token": csrf_token(page), "facts": FACTS, "targets-0-value": TARGET}
    fields |= {"confirmation_contact-name": name, "confirmation_contact-phone": phone}
    fields["confirmation_contact-email"] = email
    assert watch.keep(officer.post("/orders/new", data=fields)).status_code == 422
    contact = {"name": name, "function": "Duty", "phone": phone, "email": email}
    data = world.data(facts=FACTS, confirmation_contact=contact)
    data["targets"][0]["value"] = TARGET
    with world.database.transaction() as session:
        drafted = orders.draft(session, world.actor("officer"), data, world.now)
    issue = f"/orders/{drafted.name}/issue"
    watch.keep(submit(officer, issue, {"version": drafted.version}))
    watch.keep(submit(officer, f"/orders/{drafted.name}/note", {"text": NOTE}))
    watch.keep(officer.get("/orders", query_string={"q": TARGET}))
    watch.keep(officer.get(f"/orders/{FACTS}"))
    # A session that ran out in the middle of a form: on to the sign-in and back.
    page = officer.get("/orders/new")
    world.clock.move(hours=2)
    fields["csrf_token"] = csrf_token(page)
    watch.keep(officer.post("/orders/new", data=fields))
    spoc = _signed_in(app, world, watch, "spoc")
    sent = world.issue()
    watch.keep(submit(spoc, f"/orders/{sent.name}/question", {"text": REASON}))
    files = {"text": REASON, "attachments": (io.BytesIO(FACTS.encode()), FILE)}
    watch.keep(submit(spoc, f"/orders/{sent.name}/question", files))
    watch.keep(submit(spoc, f"/orders/{sent.name}/acknowledge", {"note": REASON}))
    watch.keep(submit(spoc, f"/orders/{sent.name}/decline", {"explanation": REASON}))


def _keys_and_programs(app: Flask, world: World, watch: Watch) -> None:
    keeper = _signed_in(app, world, watch, "provider_administrator")
    fields = {"name": "Canary", "scopes": ["read", "respond"], "days": "60"}
    page = watch.keep(submit(keeper, "/api-keys/new", fields))
    shown = re.search(r'value="(lsn_[\w-]+)"', page.text)
    assert shown is not None
    watch.secrets.add(shown.group(1))
    program, bearer = app.test_client(), {"Authorization": f"Bearer {shown.group(1)}"}
    for header in (bearer, {"Authorization": f"Bearer {shown.group(1)}x"}):
        for body in (b"{", f'{{"reference": ["{FACTS}"]}}'.encode(), FACTS.encode(), b"\xff\x00"):
            for act in ("acknowledgement", "preservation", "refusal", "messages"):
                answer = program.post(
                    f"/api/v1/orders/{FACTS}/{act}",
                    data=body,
                    headers=header,
                    content_type="application/json",
                )
                assert watch.keep(answer).status_code in (400, 401, 404, 422, 429)
        watch.keep(program.get(f"/api/v1/events?after={FACTS}", headers=header))
        watch.keep(program.get(f"/api/v1/orders/{TARGET}", headers=header))


def _invitation(
    app: Flask, world: World, watch: Watch, work: Work, sender: RecordingSender
) -> None:
    administrator = _signed_in(app, world, watch, "administrator")
    email, name = NEWCOMER
    fields = {"email": email, "name": name, "roles": ["officer"]}
    assert watch.keep(submit(administrator, "/people/invite", fields)).status_code == 303
    run_once(work)
    letter = next(outgoing for outgoing in sender.sent if outgoing.address == email)
    link = re.search(r"http://localhost(/invitation/(\S+))", letter.text)
    assert link is not None
    watch.secrets.add(link.group(2))
    newcomer = app.test_client()
    page = watch.keep(newcomer.get(link.group(1))).text
    typed = re.search(r'class="mono secret">([A-Z2-7 ]+)<', page)
    held = re.search(r'name="held_secret"[^>]*value="([^"]+)"', page)
    assert typed is not None and held is not None
    secret = typed.group(1).replace(" ", "")
    code = totp.current_code(secret, world.now)
    watch.secrets.add(secret)
    watch.digits.add(code)
    words = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    words["held_secret"] = held.group(1)
    watch.keep(submit(newcomer, link.group(1), {**words, "code": "x"}))
    done = watch.keep(submit(newcomer, link.group(1), {**words, "code": code}))
    assert done.status_code in (200, 303)
    watch.keep(newcomer.get(link.group(1)))
    watch.keep(newcomer.get(f"/invitation/{link.group(2)}x"))


def _failing_mail(
    world: World, work: Work, sender: RecordingSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.issue()
    permanent = DeliveryError(f"{REPLY} <{world.person('spoc').email}>", permanent=True)
    sender.fail(permanent, DeliveryError(REPLY), RuntimeError(REPLY))  # type: ignore[arg-type]
    run_once(work)

    def broken(*_given: Any) -> None:
        raise RuntimeError(f"{FACTS} {TARGET}")

    monkeypatch.setattr(timers, "fire", broken)
    world.clock.move(minutes=20)
    run_once(work)


def _faults_of_ours(
    app: Flask, world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = _signed_in(app, world, watch, "spoc")

    def broken(*_given: Any, **_more: Any) -> None:
        raise RuntimeError(f"{FACTS} {TARGET} {NEWCOMER[0]}")

    monkeypatch.setattr(key_list, "of_own", broken)
    assert watch.keep(reader.get("/api-keys")).status_code == 500

    def wrong_statement(session: Any, *_given: Any, **_more: Any) -> None:
        session.execute(text("SELECT :secret FROM nowhere"), {"secret": FACTS})

    monkeypatch.setattr(key_list, "of_own", wrong_statement)
    assert watch.keep(reader.get("/api-keys")).status_code >= 500
