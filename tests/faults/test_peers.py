"""Mail servers that hang, refuse, break off or vanish: the letter comes, or a person is called."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from liaison.models import CallTask
from tests.faults.account import account
from tests.faults.peers import HALF, HANGS, VANISHES, BadMailServer, closed_port
from tests.faults.stage import Stage

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(900)]


@pytest.mark.parametrize("manner", [HANGS, HALF, VANISHES])
def test_a_mail_server_that(stage: Stage, manner: str) -> None:
    stage.issue(2)
    with BadMailServer(manner) as bad:
        assert stage.work(smtp=bad.url, longest=1.0).code == 0
    stage.smtp.letters += bad.letters
    assert bad.letters or manner == HANGS
    stage.settle()
    found = account(stage)
    assert found.faults == []
    assert found.repeats == len(bad.letters), "the same key: whoever reads two can tell"


def test_nobody_listens(stage: Stage) -> None:
    stage.issue()
    assert stage.work(smtp=closed_port()).code == 0
    stage.settle()
    assert account(stage).faults == []


@pytest.mark.parametrize("reply", ["421 closing", "451 try later"])
def test_not_yet_is_tried_again(stage: Stage, reply: str) -> None:
    stage.issue()
    stage.smtp.script(*[reply] * 3)
    stage.work()
    stage.settle()
    found = account(stage)
    assert found.faults == []
    assert found.repeats == 0


def test_never_calls_a_person(stage: Stage) -> None:
    stage.issue()
    stage.smtp.script("550 no such user")
    stage.work()
    stage.settle()
    assert account(stage).faults == []
    with stage.database.reading() as session:
        whys = " ".join(session.scalars(select(CallTask.why)))
    assert "The notice could not be delivered." in whys
