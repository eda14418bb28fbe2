"""What a worker works with, and what time it is for it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from liaison.clock import Clock, FixedClock, SystemClock
from liaison.delivery import EmailSender, Sender, Ways
from liaison.domain.vocabulary import Channel
from liaison.models import Database
from liaison.services.vault import Vault
from liaison.settings import Settings


def _own_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True)
class Work:
    """Settings, database, clock and the way out; ``name`` is the worker's own."""

    settings: Settings
    database: Database
    clock: Clock
    sender: Sender
    name: str = field(default_factory=_own_name)

    @property
    def is_elsewhen(self) -> bool:
        """Whether it works as if it were another moment."""
        return isinstance(self.clock, FixedClock)

    @cached_property
    def vault(self) -> Vault:
        """Opens what stands sealed in a letter that waits."""
        return Vault(self.settings.encryption_key)

    def now(self) -> datetime:
        """What decides what is due: the database's clock where it has one, else the process's.

        A clock that was handed in (``--as-of``, a test's) overrides both.
        """
        if isinstance(self.clock, SystemClock) and not self.database.is_sqlite:
            with self.database.engine.connect() as connection:
                return self.database.server_clock(connection) or self.clock.now()
        return self.clock.now()


def open_work(settings: Settings, clock: Clock | None = None) -> Work:
    """A worker on the installation's database and mail server."""
    ways: dict[Channel, Sender] = {
        Channel.EMAIL: EmailSender(settings.smtp_url, settings.mail_from),
    }
    return Work(settings, Database(settings.database_url), clock or SystemClock(), Ways(ways))
