"""The tests' world: a movable clock, a register, and short ways to act in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from liaison.domain.actors import Actor, Via
from liaison.domain.answer import Preservation
from liaison.domain.vocabulary import Role, Urgency
from liaison.models import Database, Message, Order, Person
from liaison.models.work import MessageState
from liaison.queries import orders as order_queries
from liaison.services import answers, authorising, keys, orders, ratification, totp
from liaison.services.vault import Vault
from tests.register import PASSWORD, Register, Someone

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""Where the clock stands when a test begins; the stories in data/orders are told as of that day."""

ORDERS = Path(__file__).parent / "data" / "orders"
SECOND = {
    "officer": "supervisor",
    "second_officer": "supervisor",
    "supervisor": "second_officer",
    "foreign_officer": "foreign_supervisor",
    "foreign_supervisor": "foreign_officer",
}
"""Who authorises what somebody has written."""

OF_TWO_PEOPLE = ("order_submitted", "order_authorised", "ratify_wanted")
"""Letters between those who write an order and those who stand behind it."""

ADDRESS = "198.51.100.7"
"""Where the tests' people sit."""


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, moment: datetime = START) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """The moment the test has set."""
        return self._moment

    def move(self, **span: float) -> datetime:
        """Moves on by ``minutes=…``, ``hours=…`` and the like; backwards when negative."""
        self._moment += timedelta(**span)
        return self._moment

    def set(self, moment: datetime) -> datetime:
        """Stands at this moment from now on."""
        self._moment = moment
        return moment


@dataclass
class World:
    """The register in a database, and who can act on it."""

    database: Database
    clock: MovableClock
    vault: Vault
    register: Register

    @property
    def now(self) -> datetime:
        """What the clock says."""
        return self.clock.now()

    # Who

    def person(self, who: str) -> Someone:
        """One of ``tests.register.PEOPLE``."""
        return self.register.people[who]

    def actor(self, who: str, *, fresh: bool = True) -> Actor:
        """A person as verbs know them, or ``program``, ``norvik_program``: a provider's key.

        ``fresh``: their second factor was given just now; else an hour ago.
        """
        if who.endswith("program"):
            name = "Norvik Mobile" if who.startswith("norvik") else "Meridian Telecom"
            with self.database.reading() as session:
                return keys.actor_for_key(session, self.key(name), ADDRESS, self.now)[1]
        person = self.person(who)
        given = self.now if fresh else self.now - timedelta(hours=1)
        return Actor(
            id=f"person:{person.id}",
            name=person.name,
            roles=person.roles,
            authority_id=person.authority_id,
            provider_id=person.provider_id,
            person_id=person.id,
            organisation=person.organisation,
            via=Via("totp", "the tests' session", ADDRESS, given),
        )

    def key(self, provider: str) -> str:
        """The API key of Meridian Telecom or Norvik Mobile."""
        return self.register.keys[provider]

    def bearer(self, provider: str = "Meridian Telecom") -> dict[str, str]:
        """The header that presents a provider's key."""
        return {"Authorization": f"Bearer {self.key(provider)}"}

    def code(self, who: str) -> str:
        """What the person's authenticator shows at the clock's moment."""
        return totp.current_code(self.person(who).totp_secret, self.now)

    def unused_code(self, who: str) -> str:
        """A code that counts: the clock moves to the next one where this one was used already."""
        with self.database.reading() as session:
            person = session.get_one(Person, self.person(who).id)
            last = person.totp_last_step
        if last >= int(self.now.timestamp()) // totp.STEP:
            self.clock.set(datetime.fromtimestamp((last + 1) * totp.STEP, UTC))
        return self.code(who)

    # Orders

    def data(self, file: str = "01-emergency-missing-child.json", **changes: Any) -> dict[str, Any]:
        """An order as JSON from data/orders, with some fields changed; ``None`` leaves one out."""
        data: dict[str, Any] = json.loads((ORDERS / file).read_text(encoding="utf-8"))
        data.update(changes)
        return {name: value for name, value in data.items() if value is not None}

    def draft(
        self, file: str = "01-emergency-missing-child.json", *, by: str = "officer", **changes: Any
    ) -> Order:
        """A draft, committed."""
        with self.database.transaction() as session:
            written = orders.draft(session, self.actor(by), self.data(file, **changes), self.now)
            return _whole(session, written)

    def issue(
        self,
        file: str = "01-emergency-missing-child.json",
        *,
        by: str = "officer",
        letters: bool = False,
        **changes: Any,
    ) -> Order:
        """A served order: an emergency is issued at once, any other is authorised by another.

        What our people write to each other about it is taken as delivered, unless ``letters``:
        most tests look at what goes to the provider.
        """
        drafted = self.draft(file, by=by, **changes)
        if drafted.urgency is Urgency.EMERGENCY:
            with self.database.transaction() as session:
                actor = self.actor(by)
                served = orders.issue(session, actor, drafted.name, drafted.version, self.now)
                served = _whole(session, served)
        else:
            served = self.authorise(self.submit(drafted, by=by), by=SECOND[by])
        if not letters:
            with self.database.transaction() as session:
                between_us = (
                    Message.letter.in_(OF_TWO_PEOPLE),
                    Message.state.in_((MessageState.QUEUED, MessageState.CANCELLED)),
                )
                session.execute(delete(Message).where(*between_us))
        return served

    def submit(self, order: Order, *, by: str = "officer") -> Order:
        """The order as its writer hands it to another person, committed."""
        with self.database.transaction() as session:
            actor = self.actor(by)
            submitted = authorising.submit(session, actor, order.name, order.version, self.now)
            return _whole(session, submitted)

    def authorise(self, order: Order, *, by: str = "supervisor") -> Order:
        """Another person's authorisation, committed: the order is served by it."""
        with self.database.transaction() as session:
            actor = self.actor(by)
            served = authorising.authorise(session, actor, order.name, order.version, self.now)
            return _whole(session, served)

    def ratify(self, order: Order, *, by: str = "supervisor") -> Order:
        """Another person stands behind an emergency afterwards, committed."""
        with self.database.transaction() as session:
            ratified = ratification.ratify(session, self.actor(by), order.name, None, self.now)
            return _whole(session, ratified)

    def acknowledge(self, order: Order, *, by: str = "spoc") -> Order:
        """The provider's acknowledgement, committed."""
        with self.database.transaction() as session:
            return _whole(
                session, answers.acknowledge(session, self.actor(by), order.name, self.now)
            )

    def preserve(self, order: Order, *, by: str = "spoc", days: int = 90) -> Order:
        """The provider's confirmation, committed: all is kept for so many days."""
        answer = Preservation(
            days=days,
            until=None,
            targets=(),
            preserved_at=None,
            reference=None,
            sha256=None,
            risk=None,
            note=None,
        )
        with self.database.transaction() as session:
            return _whole(
                session, answers.preserve(session, self.actor(by), order.name, answer, self.now)
            )

    def order(self, name: str, *, by: str = "officer") -> Order:
        """An order as it stands in the database now."""
        with self.database.reading() as session:
            return _whole(session, order_queries.find(session, self.actor(by), name))

    # The portal

    def sign_in(self, client: FlaskClient, who: str) -> TestResponse:
        """Signs a person in through the pages, password and code."""
        email = self.person(who).email
        submit(client, "/login", {"email": email, "password": PASSWORD})
        answer = submit(client, "/login/code", {"code": self.unused_code(who)})
        assert answer.status_code in (302, 303), "the sign-in was refused"
        return answer


def submit(
    client: FlaskClient, path: str, fields: Mapping[str, Any], *, to: str | None = None
) -> TestResponse:
    """Opens a page and sends its form, as a browser would: with the token against forgery."""
    page = client.get(path)
    assert page.status_code == 200, f"{path} answered {page.status_code}"
    held = re.search(r'<input[^>]*name="held_secret"[^>]*value="([^"]+)"', page.text)
    carried = {"held_secret": held.group(1)} if held else {}
    return client.post(to or path, data={"csrf_token": csrf_token(page), **carried, **fields})


def csrf_token(page: TestResponse) -> str:
    """The token in a page's form."""
    field = re.search(r"<input[^>]*name=\"csrf_token\"[^>]*>", page.text)
    assert field is not None, "the page has no form with a token"
    value = re.search(r"value=\"([^\"]+)\"", field.group())
    assert value is not None
    return value.group(1)


def role_of(who: Someone) -> Role:
    """The one role of a person of the tests' world."""
    (role,) = who.roles
    return role


def _whole(session: Session, order: Order) -> Order:
    """Loads what a test may look at once the session is closed."""
    session.flush()
    for relation in Order.__mapper__.relationships:
        getattr(order, relation.key)
    for report in order.reports:
        _ = report.targets
    return order
