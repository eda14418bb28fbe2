"""Programs of a provider that hang, refuse, answer badly or are gone: the mail goes on."""

from __future__ import annotations

import pytest

from liaison.models import WebhookEndpoint
from liaison.models.webhooks import EndpointState
from tests.faults.account import account
from tests.faults.stage import Stage
from tests.http_sink import DRIP, HALF, HANG, RESET, HttpSink, Reply

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(900)]


def state_of(stage: Stage) -> EndpointState:
    with stage.database.reading() as session:
        return session.get_one(WebhookEndpoint, stage.endpoint).state


@pytest.mark.parametrize(
    "reply",
    [
        HANG,
        HALF,
        DRIP,
        RESET,
        Reply(500),
        Reply(429, {"Retry-After": "20"}),
        Reply(404),
    ],
    ids=["hangs", "half", "drips", "resets", "500", "429", "404"],
)
def test_a_program_that_comes_to_itself_has_it_all(stage: Stage, reply: Reply) -> None:
    hooks = stage.with_hooks()
    hooks.script(reply, reply)
    stage.issue()
    assert stage.work(longest=1.0).code == 0
    assert stage.smtp.letters, "the mail did not wait for it"
    stage.settle()
    found = account(stage)
    assert found.faults == []
    assert found.repeats >= 1
    assert state_of(stage) is EndpointState.ACTIVE


def test_a_redirect_is_not_followed(stage: Stage) -> None:
    with HttpSink() as elsewhere:
        hooks = stage.with_hooks()
        hooks.script(*[Reply(code, {"Location": elsewhere.url}) for code in (301, 302, 307, 308)])
        stage.issue()
        stage.work()
        stage.settle()
        assert elsewhere.connections == 0
    assert account(stage).faults == []


def test_one_that_is_gone_is_told_nothing_more(stage: Stage) -> None:
    hooks = stage.with_hooks()
    hooks.always(Reply(410))
    stage.issue()
    stage.work()
    assert state_of(stage) is EndpointState.DISABLED
    told = len(hooks.got)
    stage.issue()
    stage.settle()
    assert len(hooks.got) == told


def test_none_listens_for_days_and_the_mail_is_whole(stage: Stage) -> None:
    hooks = stage.with_hooks()
    hooks.stop()
    stage.hooks = None
    stage.issue()
    stage.work()
    stage.settle()
    assert account(stage).faults == []
