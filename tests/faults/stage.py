"""Where the crash plan is played: a database, a mail server of its own, one clock for all."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from liaison.models import Database, Message
from liaison.models.work import MessageState
from liaison.services.vault import Vault
from tests.conftest import ENCRYPTION_KEY, Templates
from tests.faults.child import ShiftedClock
from tests.faults.nursery import End, Nursery
from tests.hooks import made
from tests.http_sink import HttpSink
from tests.mail import SmtpSink
from tests.postgresql import PostgreSQL
from tests.world import START, World

LEASE = 46
"""Seconds after which what a dead worker had claimed is anybody's."""


@dataclass
class Stage:
    """One play: who is on it, and what was promised on it."""

    world: World
    database: Database
    nursery: Nursery
    smtp: SmtpSink
    home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    plant: str | None = None
    issued: list[str] = field(default_factory=list)
    """Orders of which the act of issuing was answered: they may not be lost."""
    drafted: list[str] = field(default_factory=list)
    """Orders whose issuing was cut off: they are issued whole, or drafts still."""
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Orders whose acknowledgement was answered, and when by the machine's own clock."""
    hooks: HttpSink | None = None
    """What the provider's program has got, where it has an endpoint."""
    endpoint: UUID | None = None
    furthest: datetime = START
    """The latest moment that any worker may have seen."""

    @property
    def clock_file(self) -> Path:
        """How many seconds all clocks are moved by."""
        return self.home / "clock"

    @property
    def log(self) -> Path:
        """What the wires have noted."""
        return self.home / "wires.log"

    @property
    def now(self) -> datetime:
        """What the children's clocks say."""
        return ShiftedClock(self.clock_file).now()

    def move(self, **span: float) -> None:
        """Moves the clocks of all processes, those that run too."""
        shift = float(self.clock_file.read_text()) + timedelta(**span).total_seconds()
        fresh = self.home / "clock.new"
        fresh.write_text(str(shift))
        os.replace(fresh, self.clock_file)
        self.furthest = max(self.furthest, self.now)
        self.world.clock.set(self.now)

    # Acts

    def issue(self, number: int = 1) -> list[str]:
        """Emergencies, issued here and answered: their ladders begin now."""
        self.world.clock.set(self.now)
        made = [str(self.world.issue(letters=True).id) for _ in range(number)]
        self.issued += made
        return made

    def with_hooks(self) -> HttpSink:
        """The provider has an endpoint from now on; its log is independent of ours."""
        self.world.clock.set(self.now)
        self.hooks = HttpSink()
        self.hooks.start()
        self.endpoint, _ = made(self.world, self.hooks.url)
        return self.hooks

    def acknowledge(self, order: str) -> None:
        """The SPOC acknowledges and is answered."""
        end = self.end(self.start("acknowledge", order=order, actor=self._actor("spoc")))
        assert end.code == 0, "an acknowledgement was refused"

    def start(self, part: str, **spec: Any) -> int:
        """A child that plays this part; its process id."""
        self.furthest = max(self.furthest, self.now)
        given: dict[str, Any] = {
            "url": self.database.url.render_as_string(hide_password=False),
            "smtp": self.smtp.url,
            "home": str(self.home),
            "clock": str(self.clock_file),
            "log": str(self.log),
            "encryption_key": ENCRYPTION_KEY,
            "settings": self.settings,
            "plant": self.plant,
        }
        return self.nursery.start(part=part, **{**given, **spec})

    def act(self, part: str, order: str, who: str, **spec: Any) -> int:
        """A child in which a person acts on an order."""
        return self.start(part, order=order, actor=self._actor(who), **spec)

    def end(self, pid: int) -> End:
        """How a child ended; the clock has gone on meanwhile."""
        found = self.nursery.end(pid)
        self.furthest = max(self.furthest, self.now)
        self._read_acts()
        return found

    def work(self, **spec: Any) -> End:
        """A worker that does all that is due, or dies at a boundary."""
        return self.end(self.start("once", **spec))

    def settle(self) -> None:
        """What is unsent leaves: leases run out, retries fall due, and a sound worker is there."""
        for number in range(14):
            self.move(seconds=LEASE)
            self.work()
            if not self._unsent():
                return
            # A webhook that failed often waits for hours; nothing else does by then.
            self.move(seconds=130 if number < 10 else 4 * 3600)

    def _unsent(self) -> int:
        waiting = (MessageState.QUEUED, MessageState.SENDING)
        with self.database.reading() as session:
            return len(session.scalars(select(Message.id).where(Message.state.in_(waiting))).all())

    def _actor(self, who: str) -> dict[str, Any]:
        actor = self.world.actor(who)
        return {
            "id": actor.id,
            "name": actor.name,
            "roles": [role.value for role in actor.roles],
            "authority_id": actor.authority_id and str(actor.authority_id),
            "provider_id": actor.provider_id and str(actor.provider_id),
            "person_id": actor.person_id and str(actor.person_id),
            "organisation": actor.organisation,
        }

    # What the wires say

    def lines(self, word: str) -> Iterator[list[str]]:
        """The notes of this kind: moment, process, and what was noted."""
        text = self.log.read_text() if self.log.exists() else ""
        for line in text.splitlines():
            parts = line.split(" ", 3)
            if len(parts) == 4 and parts[2] == word:
                yield [parts[0], parts[1], *parts[3].split(" ", 1)]

    def tripped(self) -> list[str]:
        """The boundaries at which a process died or stood still."""
        return [line[2] for line in self.lines("trips")]

    def _read_acts(self) -> None:
        for moment, _, act, order in self.lines("did"):
            if act == "acknowledge":
                self.acknowledged.setdefault(order, int(moment))


Open = Callable[..., Any]


class Stages:
    """Makes stages, each on a database of its own."""

    def __init__(
        self, templates: Templates, server: PostgreSQL, nursery: Nursery, vault: Vault, home: Path
    ) -> None:
        self._templates, self._server = templates, server
        self._nursery, self._vault, self._home = nursery, vault, home
        self._made = 0

    @contextmanager
    def open(self, kind: str, **more: Any) -> Iterator[Stage]:
        """A stage whose clocks stand at the beginning of the tests' world."""
        self._made += 1
        home = self._home / str(self._made)
        home.mkdir()
        url = self._templates.copy(kind, home, peopled=True)
        database = Database(url)
        smtp = SmtpSink()
        smtp.start()
        from tests.world import MovableClock

        world = World(database, MovableClock(), self._vault, self._templates.register_in(kind))
        stage = Stage(world, database, self._nursery, smtp, home, **more)
        stage.clock_file.write_text(str((START - datetime.now(UTC)).total_seconds()))
        try:
            yield stage
        finally:
            smtp.stop()
            if stage.hooks is not None:
                stage.hooks.stop()
            database.close()
            if kind == "postgresql":
                self._server.drop(url)


def resume(pid: int) -> None:
    """Wakes a process that stood still."""
    os.kill(pid, signal.SIGCONT)


def is_page(idem: str) -> bool:
    """Whether a message is a page of a ladder: its key names climb and step."""
    return re.match(r"[0-9a-f-]{36}:[12]:\d+:", idem) is not None
