"""The book's portal at a real address, and liaison-poll as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from tests.client.book import KEY, Portal

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "liaison.client.poll")


@contextmanager
def served(portal: Portal) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = portal(
                httpx.Request(
                    "GET", f"http://portal{self.path}", headers=list(self.headers.items())
                )
            )
            body = answer.read()
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def started(
    url: str, *options: str, program: Sequence[str] = PROGRAM, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """liaison-poll with these options; it is ended with the block, if it did not end before."""
    own = {"LIAISON_URL": url, "LIAISON_KEY": KEY, "PYTHONPATH": str(ROOT), **more}
    with subprocess.Popen(
        [*program, *options],
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def ended(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = running.communicate(timeout=60)
    return running.returncode, out, err


def ran(url: str, *options: str, **more: str) -> tuple[int, str, str]:
    """Started, and waited for."""
    with started(url, *options, **more) as running:
        return ended(running)
