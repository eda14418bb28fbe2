"""What a worker works with, and what time it is for it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from liaison.clock import Clock, FixedClock, SystemClock
from liaison.delivery import EmailSender, Sender, Ways, WebhookSender, gateway_sender
from liaison.delivery.own import WithCanary
from liaison.domain.vocabulary import Channel
from liaison.models import Database
from liaison.services.vault import Vault
from liaison.settings import Env, Settings


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

    def now(self, session: Session | None = None) -> datetime:
        """What decides what is due: the database's clock where it has one, else the process's.

        A clock that was handed in (``--as-of``, a test's) overrides both. A session that is open
        anyway spares a connection.
        """
        if isinstance(self.clock, SystemClock) and not self.database.is_sqlite:
            if session is not None:
                return self.database.server_clock(session.connection()) or self.clock.now()
            with self.database.engine.begin() as connection:
                return self.database.server_clock(connection) or self.clock.now()
        return self.clock.now()


def open_work(settings: Settings, clock: Clock | None = None) -> Work:
    """A worker on the installation's database and mail server."""
    ways: dict[Channel, Sender] = {
        Channel.EMAIL: EmailSender(settings.smtp_url, settings.mail_from),
        # The other side compares the stamp with its own clock: it is this moment's, always.
        Channel.WEBHOOK: WithCanary(
            WebhookSender(SystemClock(), loopback=settings.env is not Env.PRODUCTION),
            settings.base_url,
        ),
    }
    now = clock or SystemClock()
    if settings.gateway_url:
        by_phone = gateway_sender(settings.gateway_url, settings.base_url, now)
        ways |= {Channel.TEXT: by_phone, Channel.VOICE: by_phone}
    return Work(settings, Database(settings.database_url), now, Ways(ways))
