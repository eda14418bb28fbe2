"""What a provider's program answers to an order. Each act gives back the order as it is then."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from liaison.client.shapes import Order

OrderLike = Order | str
"""An order, its id or its ref."""


class Acts(ABC):
    """The answers. Every one takes ``idempotency_key``, and ``if_version``: see ``Client``."""

    @abstractmethod
    def _act(self, order: OrderLike, act: str, how: Mapping[str, Any], **fields: Any) -> Order:
        """How the client sends it."""

    def acknowledge(
        self,
        order: OrderLike,
        *,
        reference: str | None = None,
        note: str | None = None,
        **how: Any,
    ) -> Order:
        """Receipt: the calls stop. ``how`` of every act: ``idempotency_key``, ``if_version``."""
        return self._act(order, "acknowledgement", how, reference=reference, note=note)

    def preserve(
        self,
        order: OrderLike,
        *,
        days: int | None = None,
        until: datetime | None = None,
        targets: Sequence[Mapping[str, Any]] | None = None,
        preserved_at: datetime | None = None,
        reference: str | None = None,
        sha256: str | None = None,
        risk: str | None = None,
        note: str | None = None,
        **how: Any,
    ) -> Order:
        """Kept for ``days`` from now, or ``until``; a second time amends the report.

        ``targets``: each target once, ``{"id", "outcome", "until"?, "note"?}``, where they differ.
        ``risk``: why preservation may not secure the data (Budapest Convention art. 29(6)).
        """
        return self._act(
            order,
            "preservation",
            how,
            days=days,
            until=until,
            targets=targets,
            preserved_at=preserved_at,
            reference=reference,
            sha256=sha256,
            risk=risk,
            note=note,
        )

    def decline(
        self,
        order: OrderLike,
        grounds: Sequence[str],
        explanation: str,
        *,
        preserved_meanwhile: bool,
        **how: Any,
    ) -> Order:
        """Declined on grounds of the closed list (docs/api.md)."""
        return self._act(
            order,
            "refusal",
            how,
            grounds=list(grounds),
            explanation=explanation,
            preserved_meanwhile=preserved_meanwhile,
        )

    def ask(
        self,
        order: OrderLike,
        text: str,
        *,
        question: bool = True,
        files: Iterable[tuple[str, bytes]] = (),
        **how: Any,
    ) -> Order:
        """A question in the thread; with ``question=False`` an answer or a remark.

        ``files``: name and content of each, at most ten, 10 MB each, 25 MB together.
        """
        beside = [{"name": name, "content": b64encode(body).decode()} for name, body in files]
        return self._act(
            order, "messages", how, text=text, question=question, attachments=beside or None
        )

    def doubt(self, order: OrderLike, reason: str, **how: Any) -> Order:
        """The order may be forged: keep the data provisionally; people are alarmed."""
        return self._act(order, "doubt", how, reason=reason)

    def extend(
        self,
        order: OrderLike,
        *,
        days: int | None = None,
        until: datetime | None = None,
        reference: str | None = None,
        note: str | None = None,
        **how: Any,
    ) -> Order:
        """The new date, where the contact point asked for one: ``days`` more, or ``until``."""
        return self._act(
            order, "extension", how, days=days, until=until, reference=reference, note=note
        )

    def dispose(
        self,
        order: OrderLike,
        *,
        reference: str | None = None,
        note: str | None = None,
        **how: Any,
    ) -> Order:
        """What was kept is gone, after the order was released or has expired."""
        return self._act(order, "disposal", how, reference=reference, note=note)

    def name_other_provider(
        self, order: OrderLike, provider: str, path: str, *, target: str | None = None, **how: Any
    ) -> Order:
        """Another provider took part in the transmission (Budapest Convention arts 17, 30)."""
        return self._act(order, "route", how, provider=provider, path=path, target=target)
