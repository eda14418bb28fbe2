"""A portal as it is served: gunicorn with four processes, on this test's SQLite database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from liaison.clock import SystemClock
from liaison.models import Database, SignIn
from liaison.services import accounts
from liaison.services.factors import token_hash
from liaison.services.vault import Vault
from liaison.settings import Settings
from tests.conftest import ENCRYPTION_KEY, Templates
from tests.world import ADDRESS, MovableClock, World

ROOT = Path(__file__).parents[2]
PROCESSES = 4


@dataclass
class Portal:
    """Where it answers, and the world in its database; its clock is the machine's."""

    url: str
    world: World
    settings: Settings

    def client(self, address: str | None = None) -> httpx.Client:
        """A browser or program; ``address``: what it claims by ``X-Forwarded-For``."""
        headers = {"X-Forwarded-For": address} if address else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def cookie(self, token: str) -> str:
        """The cookie that carries a session's token."""
        from liaison import create_app

        app = create_app(self.settings)
        client = app.test_client()
        with client.session_transaction() as held:
            held["_user_id"] = token
            held["_fresh"] = True
        app.extensions["liaison"].database.close()
        found = client.get_cookie("liaison")
        assert found is not None
        return found.value


Serve = Callable[..., Portal]


@pytest.fixture
def serve(tmp_path: Path, templates: Templates, vault: Vault) -> Iterator[Serve]:
    """Starts gunicorn; ends it by its process id."""
    started: list[subprocess.Popen[bytes]] = []
    opened: list[Database] = []

    def start(*, trusted: str = "") -> Portal:
        url = templates.copy("sqlite", tmp_path, peopled=True)
        # Bound here and handed over: two tests at once can never answer for each other.
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        place = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings.from_env(
            {
                "LIAISON_ENV": "test",
                "LIAISON_DATABASE_URL": url,
                "LIAISON_DATA_DIR": str(tmp_path / "var"),
                "LIAISON_SECRET_KEY": "the tests' secret, known to anybody who reads this",
                "LIAISON_ENCRYPTION_KEY": ENCRYPTION_KEY,
                "LIAISON_BASE_URL": place,
                "LIAISON_TRUSTED_PROXIES": trusted,
            }
        ).with_keys()
        environment = os.environ | {
            "LIAISON_ENV": "test",
            "LIAISON_DATABASE_URL": url,
            "LIAISON_DATA_DIR": str(tmp_path / "var"),
            "LIAISON_SECRET_KEY": settings.secret_key,
            "LIAISON_ENCRYPTION_KEY": ENCRYPTION_KEY,
            "LIAISON_BASE_URL": place,
            "LIAISON_TRUSTED_PROXIES": trusted,
        }
        command = [sys.executable, "-m", "gunicorn", "-w", str(PROCESSES)]
        command += ["-b", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            command,
            pass_fds=[listener.fileno()],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        listener.close()
        started.append(process)
        wait_for(place, process)
        database = Database(url)
        opened.append(database)
        world = World(
            database,
            MovableClock(SystemClock().now()),
            vault,
            templates.register_in("sqlite"),
        )
        return Portal(place, world, settings)

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=40)
    for database in opened:
        database.close()


def wait_for(place: str, process: subprocess.Popen[bytes]) -> None:
    """Until the portal answers."""
    for _ in range(300):
        assert process.poll() is None, "gunicorn ended at once"
        with suppress(httpx.TransportError):
            if httpx.get(f"{place}/healthz").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("gunicorn does not answer")


def pending(portal: Portal, person: UUID, token: str) -> None:
    """A session whose password was given and whose code is awaited."""
    now = portal.world.now
    with portal.world.database.transaction() as session:
        session.add(
            SignIn(
                token_hash=token_hash(token),
                person_id=person,
                address=ADDRESS,
                agent="a test",
                created_at=now,
                last_seen_at=now,
                expires_at=now + accounts.PENDING,
            )
        )
