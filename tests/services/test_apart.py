"""What fails by itself is undone alone; what the database refuses for a while is raised."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from liaison.models import Watch
from liaison.services import apart
from tests.world import World


def noted(session: Session, name: str) -> int:
    session.add(Watch(name=name, at=session.info["now"], said={}))
    return 1


def kept(world: World) -> list[str]:
    with world.database.reading() as session:
        return sorted(session.scalars(select(Watch.name)))


@pytest.mark.parametrize(
    "error",
    [RuntimeError("x"), DataError("", {}, Exception()), IntegrityError("", {}, Exception())],
)
def test_one_that_fails_is_undone_and_the_others_stay(world: World, error: Exception) -> None:
    seen: list[Exception] = []

    def broken() -> int:
        noted(session, "broken")
        session.flush()
        raise error

    def failed(caught: Exception) -> int:
        seen.append(caught)
        return 0

    with world.database.transaction() as session:
        session.info["now"] = world.now
        before = apart.done(session, lambda: noted(session, "before"), failed)
        between = apart.done(session, broken, failed)
        after = apart.done(session, lambda: noted(session, "after"), failed)
    assert (before, between, after, seen) == (1, 0, 1, [error])
    assert kept(world) == ["after", "before"]


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_where_the_database_is_away_the_whole_is_tried_again(
    world: World, kind: type[OperationalError | InterfaceError]
) -> None:
    def away() -> int:
        raise kind("", {}, Exception())

    def both() -> None:
        with world.database.transaction() as session:
            session.info["now"] = world.now
            noted(session, "before")
            apart.done(session, away, lambda _: 0)

    with pytest.raises(kind):
        both()
    assert kept(world) == []


def test_what_only_the_database_finds_wrong_is_found_before_the_piece_is_called_done(
    world: World,
) -> None:
    with world.database.transaction() as session:
        session.info["now"] = world.now
        noted(session, "twice")
        session.flush()
        assert apart.done(session, lambda: noted(session, "twice"), lambda _: 0) == 0
        assert session.scalar(select(func.count()).select_from(Watch)) == 1
