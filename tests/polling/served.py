"""The portal under gunicorn with two processes, at one address that outlives each of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.attacks.conftest import wait_for
from tests.conftest import ENCRYPTION_KEY
from tests.world import World

ROOT = Path(__file__).parents[2]


class Served:
    """Starts it, kills it, starts it again; ends it by the process group it made."""

    def __init__(self, world: World, home: Path) -> None:
        self._world, self._home = world, home
        # Bound once: whoever calls while the portal is dead waits in line for the next one.
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        self._listener.close()

    def start(self) -> None:
        """Until it answers."""
        database = self._world.database.url.render_as_string(hide_password=False)
        own = {
            "LIAISON_ENV": "test",
            "LIAISON_DATABASE_URL": database,
            "LIAISON_DATA_DIR": str(self._home / "var"),
            "LIAISON_SECRET_KEY": "the tests' secret, known to anybody who reads this",
            "LIAISON_ENCRYPTION_KEY": ENCRYPTION_KEY,
            "LIAISON_BASE_URL": self.url,
            "LIAISON_RATE_LIMIT": "0",
        }
        command = [sys.executable, "-m", "gunicorn", "-b", f"fd://{self._listener.fileno()}"]
        self._process = subprocess.Popen(
            command,
            pass_fds=[self._listener.fileno()],
            cwd=ROOT,
            env=os.environ | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.url, self._process)

    def kill(self) -> None:
        """All of it at once, in the middle of whatever it does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
            self._process = None
