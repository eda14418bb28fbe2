"""Since when the mailbox that letters come back to cannot be read.

What comes back lies there unseen, and a notice that nobody got stands as sent: people are told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from liaison.models import Watch
from liaison.models.base import insert_once
from liaison.settings import Settings

FAILING = "mailbox:failing"
"""The name of the row that stands while no look succeeds; ``at`` is the first that did not."""
LONGEST = timedelta(minutes=10)
"""So long a mail server may be away before anybody is told."""


def failed(session: Session, now: datetime) -> None:
    """A look failed. The first one counts; one from the future was noted by a wrong clock."""
    if not insert_once(session, Watch, {"name": FAILING, "at": now, "said": {}}):
        session.execute(
            update(Watch)
            .where(Watch.name == FAILING, Watch.at > now)
            .values(at=now)
            .execution_options(synchronize_session=False)
        )


def succeeded(session: Session) -> None:
    """A look came to its end."""
    session.execute(delete(Watch).where(Watch.name == FAILING))


def failing_since(session: Session, settings: Settings) -> datetime | None:
    """When the first look failed after which none succeeded; None without a mailbox."""
    if not settings.bounce_url:
        return None
    return session.scalar(select(Watch.at).where(Watch.name == FAILING))


def blind_since(session: Session, settings: Settings, now: datetime) -> datetime | None:
    """The same, once it has lasted too long."""
    since = failing_since(session, settings)
    return since if since is not None and now - since >= LONGEST else None
