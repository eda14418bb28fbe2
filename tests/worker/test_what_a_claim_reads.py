"""What a claim and a rung ask for does not grow with all that waits: indexes answer them."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

from liaison.models import Database, Timer
from liaison.services import call_tasks
from liaison.services import timers as timer_rows
from tests.world import World


def planned(session: Session, sql: str) -> str:
    """How the database goes about a statement, even where its tables are empty."""
    if session.get_bind().dialect.name == "sqlite":
        return str(session.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all())
    for way in ("seqscan", "hashjoin", "mergejoin", "bitmapscan"):
        session.execute(text(f"SET LOCAL enable_{way} = off"))
    return str(session.execute(text(f"EXPLAIN {sql}")).all())


def written_out(database: Database, question: ClauseElement, **asked: object) -> str:
    """A statement with its values in the text."""
    filled = question.params(**asked) if asked else question
    return str(filled.compile(database.engine, compile_kwargs={"literal_binds": True}))


def test_a_timer_that_is_due_is_found_in_the_index_of_what_waits(
    world: World, database: Database
) -> None:
    question = select(Timer.id).where(timer_rows.WAITING, Timer.due_at <= world.now)
    with database.reading() as session:
        assert "ix_timer_due" in planned(session, written_out(database, question))


def test_a_claim_sorts_nothing_however_many_are_due_at_one_moment(
    world: World, database: Database
) -> None:
    sql = written_out(database, timer_rows._NEXT_DUE, now=world.now)
    with database.reading() as session:
        plan = planned(session, sql)
    assert "ix_timer_due" in plan
    assert "Sort" not in plan, "each claim would read all that are due"
    assert "TEMP B-TREE" not in plan, "each claim would read all that are due"


def test_a_rung_finds_an_open_call_without_reading_those_of_others(
    world: World, database: Database
) -> None:
    sql = written_out(
        database, call_tasks._FOR_THE_ANSWER.statement, order=uuid4(), contact=uuid4()
    )
    with database.reading() as session:
        plan = planned(session, sql)
    found_by = plan.partition("ix_call_task_order")[2].partition("Filter")[0]
    assert all(column in found_by for column in ("order_id", "contact_id", "state"))
