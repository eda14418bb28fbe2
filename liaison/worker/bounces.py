"""The step that reads what came back by mail; ``liaison bounce`` is handed the same."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from liaison.delivery import mailbox, reports
from liaison.delivery.mailbox import MailboxError
from liaison.delivery.reports import LARGEST
from liaison.errors import SettingsError
from liaison.models import Database
from liaison.services import bounces, canaries, mailbox_watch
from liaison.services.bounces import Verdict
from liaison.worker.work import Work

__all__ = ["EVERY", "LARGEST", "read_mailbox", "take"]

EVERY = 30.0
"""Seconds between two looks into the mailbox."""

log = structlog.get_logger("liaison.worker")


def read_mailbox(work: Work) -> bool:
    """Reads what nobody has read yet; whether there was any. Without a mailbox, nothing.

    That it cannot be read is noted, so that people are told where it lasts.

    A letter is marked only once what it says is committed: a worker killed in between reads it
    again, and the second reading changes nothing.
    """
    if not work.settings.bounce_url:
        return False
    try:
        found = _read(work)
    except (MailboxError, SettingsError):
        with work.database.transaction() as session:
            mailbox_watch.failed(session, work.now())
        raise
    _note_read(work)
    return found


def _note_read(work: Work) -> None:
    with work.database.reading() as session:
        if mailbox_watch.failing_since(session, work.settings) is None:
            return
    with work.database.transaction() as session:
        mailbox_watch.succeeded(session)


def _read(work: Work) -> bool:
    with mailbox.opened(mailbox.Place.from_url(work.settings.bounce_url)) as box:
        unread = box.unread()
        for uid in unread:
            box.mark(uid, odd=not _took(work, uid, box.letter(uid)))
    return bool(unread)


def _took(work: Work, uid: str, raw: bytes) -> bool:
    """Whether the letter could be read; one that cannot must not stop those behind it."""
    try:
        verdicts = take(work.database, raw, work.now())
    except SQLAlchemyError:
        raise  # the database is away: the letter is as good as unread
    except Exception as error:
        log.warning("letter that cannot be read", uid=uid, error=type(error).__name__)
        return False
    log.info("letter read", uid=uid, verdicts=[verdict.name for verdict in verdicts])
    return True


def take(database: Database, raw: bytes, now: datetime) -> list[Verdict]:
    """Takes in all that one letter reports, each in a transaction of its own.

    What reports nothing may be a canary that came back.
    """
    verdicts = []
    for returned in reports.read(raw):
        with database.transaction() as session:
            verdicts.append(bounces.take(session, returned, now))
    token = None if verdicts else canaries.token_in(reports.header(reports.parse(raw), "Subject"))
    if token is not None:
        with database.transaction() as session:
            known = canaries.arrived(session, token, now)
        verdicts.append(Verdict.CANARY if known else Verdict.STRANGE)
    return verdicts
