"""The demo's gateway and ``/demo/texts``: what a carrier would do, on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from liaison import create_app, signatures
from liaison.clock import SystemClock
from liaison.delivery import DeliveryError, Outgoing, gateway_sender
from liaison.demo import gateway
from liaison.demo.place import gateway_url
from liaison.domain.gateway import Gateway
from liaison.domain.vocabulary import Channel
from liaison.settings import Settings
from tests.http_sink import HttpSink, closed_port
from tests.worker.looking import until
from tests.world import csrf_token

TEXT = Outgoing(
    address="+37410000200",
    subject="",
    text="<script>alert(1)</script>",
    html="",
    idem="key",
    written_at=datetime(2026, 11, 23, tzinfo=UTC),
    channel=Channel.TEXT,
    number="01930000-0000-7000-8000-000000000001",
    body={"reply": True},
)


@pytest.fixture
def portal() -> Iterator[HttpSink]:
    """Stands for the portal that is called back."""
    with HttpSink() as sink:
        yield sink


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The gateway's address while it runs."""
    monkeypatch.setattr(gateway, "SOON", 0.01)
    url = gateway_url(closed_port())
    server: ThreadingHTTPServer = gateway.start(tmp_path / "texts", url)
    yield url
    server.shutdown()
    server.server_close()


def test_it_files_a_text_once_and_says_that_it_arrived(
    running: str, portal: HttpSink, tmp_path: Path
) -> None:
    sender = gateway_sender(running, portal.url, SystemClock())
    assert [sender.send(TEXT).reference for _ in range(2)] == [TEXT.number] * 2
    (filed,) = gateway.listed(tmp_path / "texts")
    assert (filed.to, filed.text, filed.reply_allowed) == (TEXT.address, TEXT.text, True)
    assert until(lambda: portal.got)
    (told,) = portal.got
    assert (told.path, told.json) == (
        "/gateway/status",
        {"id": TEXT.number, "status": "delivered"},
    )
    secrets = Gateway.from_url(running).secrets
    signatures.verify(secrets, told.headers, told.body, SystemClock().now())
    stranger = running.replace("demo:", "other:")
    with pytest.raises(DeliveryError, match="401"):
        gateway_sender(stranger, portal.url, SystemClock()).send(TEXT)


def test_the_page_shows_them_and_its_button_answers(
    demo: Settings, portal: HttpSink, tmp_path: Path
) -> None:
    gateway.FilingGateway(tmp_path / "texts").send(TEXT)
    app = create_app(replace(demo, data_dir=tmp_path, base_url=portal.url))
    client = app.test_client()
    page = client.get("/demo/texts")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    found = re.search(r'action="(/demo/texts/[^"]+/reply)"', page.text)
    assert found is not None
    assert client.post(found.group(1)).status_code == 400, "only by the page's own button"
    answer = client.post(found.group(1), data={"csrf_token": csrf_token(page)})
    assert answer.status_code == 303
    (told,) = portal.got
    assert told.path == "/gateway/reply"
    assert told.json == {"from": TEXT.address, "text": "1"}
    other = found.group(1).replace("0001/", "0002/")
    assert client.post(other, data={"csrf_token": csrf_token(page)}).status_code == 404
    app.extensions["liaison"].database.close()
