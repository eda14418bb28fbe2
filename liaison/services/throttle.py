"""Limits on tries, counted in the database: exact however many processes serve the portal."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import case, delete, update
from sqlalchemy.orm import Session

from liaison.models import Throttle
from liaison.models.base import insert_once


def count(session: Session, key: str, limit: int, window: timedelta, now: datetime) -> int | None:
    """Counts one try. Seconds to wait where it is one too many, else None."""
    insert_once(session, Throttle, {"key": key, "window_ends": now + window, "tries": 0})
    over = Throttle.window_ends <= now
    row = session.execute(
        update(Throttle)
        .where(Throttle.key == key)
        .values(
            tries=case((over, 1), else_=Throttle.tries + 1),
            window_ends=case((over, now + window), else_=Throttle.window_ends),
        )
        .returning(Throttle.tries, Throttle.window_ends)
        .execution_options(synchronize_session=False)
    ).one()
    tries: int = row.tries
    ends: datetime = row.window_ends
    return None if tries <= limit else max(1, math.ceil((ends - now).total_seconds()))


def place(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 subscriber holds."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def forget(session: Session, *keys: str) -> None:
    """A success ends the count."""
    session.execute(
        delete(Throttle).where(Throttle.key.in_(keys)).execution_options(synchronize_session=False)
    )
