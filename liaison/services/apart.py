"""One piece of many, done for itself: what fails there is undone alone and stops no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from liaison.models.driver_errors import AWAY

T = TypeVar("T")


def done(session: Session, act: Callable[[], T], failed: Callable[[Exception], T]) -> T:
    """What came of ``act``, or of ``failed`` where it was undone by an error.

    Where the database is away, or gives way to somebody else, that is raised: the whole is tried
    again, and later the same may succeed.
    """
    try:
        with session.begin_nested():
            found = act()
            session.flush()
    except AWAY:
        raise
    except Exception as error:
        return failed(error)
    return found
