"""The demo's mail server: real SMTP on loopback, every letter a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from liaison.demo.letters import file_letter

HOST = "127.0.0.1"


class _Handler:
    """What aiosmtpd asks when a letter has come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Files the letter; its name is what the worker notes as reference."""
        name = file_letter(self._folder, bytes(envelope.original_content))
        return f"250 filed as {name}"


def start(folder: Path, port: int) -> Controller:
    """Starts the server in a thread of its own; ``stop()`` ends it."""
    controller = Controller(_Handler(folder), hostname=HOST, port=port)
    controller.start()
    return controller
