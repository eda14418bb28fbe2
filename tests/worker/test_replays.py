"""Where a replay begins to read, however long the stream is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from liaison.models import Entry, Stream
from liaison.models.base import new_id
from liaison.queries import feed
from tests.world import World

HOUR = timedelta(hours=1)


def written(session: Session, moments: list[datetime]) -> None:
    session.add(Stream(id="portal:x", seq=len(moments), head="0" * 64))
    session.flush()
    rest = {"type": "t", "actor": "a", "digest": "", "prev": "", "hash": ""}
    for seq, at in enumerate(moments, 1):
        session.add(Entry(stream="portal:x", seq=seq, id=new_id(), at=at, **rest))
    session.flush()


@pytest.mark.parametrize("wrong", [timedelta(0), HOUR, 2 * HOUR, -HOUR, -2 * HOUR])
def test_no_entry_since_a_moment_stands_before_where_it_begins(
    world: World, wrong: timedelta
) -> None:
    # A clock was wrong for a while in the middle.
    begin = world.now
    moments = [
        begin + n * timedelta(minutes=30) + (wrong if 40 <= n < 60 else timedelta(0))
        for n in range(100)
    ]
    with world.database.writing() as session:
        written(session, moments)
        for ask in range(-2, 104):
            since = begin + ask * timedelta(minutes=30)
            first = feed.first_since(session, "portal:x", since)
            young = [seq for seq, at in enumerate(moments, 1) if at >= since]
            assert not young or first <= young[0], ask
            assert not young or young[0] - first <= 17, "it begins not far before"
        session.rollback()


def test_it_is_found_by_few_looks_and_an_empty_stream_begins_at_one(world: World) -> None:
    with world.database.writing() as session:
        assert feed.first_since(session, "nothing", world.now) == 1
        written(session, [world.now + n * timedelta(minutes=1) for n in range(1000)])
        looks: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *a: looks.append(a[2]))
        feed.first_since(session, "portal:x", world.now + 10 * HOUR)
        assert 2 <= len(looks) <= 12
        session.rollback()
