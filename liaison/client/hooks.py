"""A provider's webhooks by its program, with a key that has the scope ``webhooks``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from liaison.client import shapes


class Hooks(ABC):
    """Each is told by its id. Every act takes ``idempotency_key``: see ``Client``."""

    @abstractmethod
    def _webhook(
        self, verb: str, path: str, fields: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Any:
        """How the client sends it."""

    def webhooks(self) -> list[dict[str, Any]]:
        """Your webhooks, without their secrets."""
        return shapes.listed(self._webhook("GET", ""), "webhooks")

    def make_webhook(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """A webhook; ``secret`` is shown this once, and not in a repeated answer: rotate then."""
        sent = {"url": url, "events": events, "description": description}
        return self._sent("", sent, idempotency_key)

    def test_webhook(self, webhook: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Sends a test event there."""
        return self._sent(f"/{quote(webhook, safe='')}/test", {}, idempotency_key)

    def rotate_webhook(self, webhook: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """A new secret; the old one signs too for a while."""
        return self._sent(f"/{quote(webhook, safe='')}/rotate", {}, idempotency_key)

    def deliveries(self, webhook: str) -> list[dict[str, Any]]:
        """What was sent there last, newest first, each try with its answer."""
        told = self._webhook("GET", f"/{quote(webhook, safe='')}/deliveries")
        return shapes.listed(told, "deliveries")

    def replay_webhook(
        self, webhook: str, since: datetime, *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Sends once more what happened since then; ``queued`` says how many events."""
        sent = {"since": since.astimezone(UTC).isoformat()}
        return self._sent(f"/{quote(webhook, safe='')}/replay", sent, idempotency_key)

    def remove_webhook(self, webhook: str) -> None:
        """For good."""
        self._webhook("DELETE", f"/{quote(webhook, safe='')}")

    def _sent(self, path: str, fields: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        told: dict[str, Any] = self._webhook("POST", path, fields, key)
        return told
