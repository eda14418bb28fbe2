"""The toy provider: a program that polls the endpoint as a provider's own would, and answers.

It polls, and listens for webhooks, which tell it no more than that something is new.

Run by the demo as ``python -m liaison.demo.toy``; address and key come by the environment.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

from liaison.demo import hooks

PAUSE = 4.0
"""Seconds between what it sees and what it does, so that people can watch."""
DAYS = 90


class Toy:
    """Keeps its cursor, acknowledges what is new, confirms it, and prints what it does."""

    def __init__(self, client: httpx.Client, *, pause: float = PAUSE) -> None:
        self.client, self.pause = client, pause
        self.after = 0

    def round(self, wait: int = 20) -> int:
        """One poll, and the answers to what came; how many orders it answered."""
        answered = 0
        for order_id in self._issued(wait):
            order = self._get(f"/api/v1/orders/{order_id}")
            if order["state"] in ("issued", "acknowledged"):
                self._answer(order)
                answered += 1
        return answered

    def _issued(self, wait: int) -> Iterator[str]:
        page = self._get("/api/v1/events", {"after": self.after, "wait": wait, "limit": 100})
        for event in page["events"]:
            if event["type"] == "order.issued":
                yield event["order"]["id"]
        self.after = page["next"]

    def _answer(self, order: dict[str, Any]) -> None:
        ref, path = order["ref"], f"/api/v1/orders/{order['id']}"
        say(f"{ref} has come ({order['urgency']}, {len(order['targets'])} targets)")
        time.sleep(self.pause)
        if order["state"] == "issued":
            self._post(f"{path}/acknowledgement", {"reference": f"TOY-{ref}"})
            say(f"{ref} acknowledged")
            time.sleep(self.pause)
        self._post(f"{path}/preservation", {"days": DAYS, "reference": f"TOY-{ref}"})
        say(f"{ref} preserved for {DAYS} days")

    def _get(self, path: str, query: dict[str, int] | None = None) -> Any:
        answer = self.client.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        # The same act has the same key, however often it is tried.
        key = {"Idempotency-Key": f"toy:{path}"}
        answer = self.client.post(path, json=body, headers=key)
        if answer.status_code == httpx.codes.CONFLICT:
            say(f"somebody else acted first: {answer.json().get('detail')}")
            return
        answer.raise_for_status()


def say(text: str) -> None:
    """One line on the terminal."""
    print(f"  toy provider: {text}", flush=True)


def main() -> None:
    """Polls until it is stopped; what goes wrong is told and tried again."""
    headers = {"Authorization": f"Bearer {os.environ['TOY_KEY']}"}
    timeout = httpx.Timeout(40.0)
    port, secret = int(os.environ["TOY_HOOK_PORT"]), os.environ["TOY_HOOK_SECRET"]
    server = hooks.listen(port, secret, say)
    threading.Thread(target=server.serve_forever, name="webhooks", daemon=True).start()
    with httpx.Client(base_url=os.environ["TOY_URL"], headers=headers, timeout=timeout) as client:
        toy = Toy(client)
        while True:
            try:
                toy.round()
            except (httpx.HTTPError, KeyError, ValueError) as error:
                say(f"no answer that it understands ({type(error).__name__}); tries again")
                time.sleep(5)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
