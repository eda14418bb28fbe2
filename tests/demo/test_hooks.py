"""The toy provider's webhook: it believes what is signed, and nothing else."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from liaison import signatures
from liaison.clock import SystemClock
from liaison.demo import hooks

BODY = b'{"type":"order.issued","data":{"order":{"ref":"CP-2026-0001"}}}'


def test_it_says_what_is_signed_and_refuses_what_is_not() -> None:
    secret, said = signatures.new_secret(), list[str]()
    server = hooks.listen(0, secret, said.append)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/liaison"

    def send(signed_with: str) -> int:
        headers = signatures.headers([signed_with], "id", SystemClock().now(), BODY)
        request = urllib.request.Request(url, BODY, headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)

    try:
        assert send(secret) == 204
        with pytest.raises(urllib.error.HTTPError, match="401"):
            send(signatures.new_secret())
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert said[0] == "webhook: order.issued CP-2026-0001 (signature holds)"
    assert said[1].startswith("webhook refused")
