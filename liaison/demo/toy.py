"""The toy provider: a program that polls the endpoint as a provider's own would, and answers.

It polls, and listens for webhooks, which tell it no more than that something is new.

Run by the demo as ``python -m liaison.demo.toy``; address and key come by the environment.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from liaison.client import Client, ClientError, Entry, Follower, HistoryBroken, Order, Problem
from liaison.demo import hooks

PAUSE = 4.0
"""Seconds between what it sees and what it does, so that people can watch."""
DAYS = 90
CONFLICT = 409


class Toy:
    """Follows its stream, acknowledges what is new, confirms it, and prints what it does."""

    def __init__(self, client: Client, *, pause: float = PAUSE) -> None:
        self.client, self.pause = client, pause
        self._follower: Follower | None = None
        self._waiting: list[Entry] = []

    def round(self, wait: int = 20) -> int:
        """One poll, and the answers to what came; how many orders it answered."""
        self._follower = self._follower or self.client.follow()
        self._waiting += self._follower.page(wait=wait)
        answered = 0
        while self._waiting:
            entry = self._waiting[0]
            if entry.type == "order.issued" and entry.order:
                answered += self._answer(self.client.order(entry.order.id))
            del self._waiting[0]  # what failed before here comes once more in the next round
        return answered

    def _answer(self, order: Order) -> bool:
        if order.state not in ("issued", "acknowledged"):
            return False
        ref, reference = order.ref, f"TOY-{order.ref}"
        number = len(order["targets"])
        say(f"{ref} has come ({order.urgency}, {number} target{'s' * (number != 1)})")
        time.sleep(self.pause)
        # The same act has the same key, however often it is tried.
        try:
            if order.state == "issued":
                key = f"toy:{order.id}:acknowledgement"
                self.client.acknowledge(order, reference=reference, idempotency_key=key)
                say(f"{ref} acknowledged")
                time.sleep(self.pause)
            key = f"toy:{order.id}:preservation"
            self.client.preserve(order, days=DAYS, reference=reference, idempotency_key=key)
            say(f"{ref} preserved for {DAYS} days")
        except Problem as problem:
            if problem.status != CONFLICT:
                raise
            say(f"somebody else acted first: {problem.detail}")
        return True


def say(text: str) -> None:
    """One line on the terminal."""
    print(f"  toy provider: {text}", flush=True)


def main() -> None:
    """Polls until it is stopped; what goes wrong is told and tried again."""
    port, secret = int(os.environ["TOY_HOOK_PORT"]), os.environ["TOY_HOOK_SECRET"]
    server = hooks.listen(port, secret, say)
    threading.Thread(target=server.serve_forever, name="webhooks", daemon=True).start()
    with Client(os.environ["TOY_URL"], os.environ["TOY_KEY"]) as client:
        toy = Toy(client)
        while True:
            try:
                toy.round()
            except HistoryBroken as broken:
                say(f"stops, for its stream was changed: {broken}")
                threading.Event().wait()  # for good: who started it would start it again
            except ClientError as error:
                say(f"no answer that it understands ({type(error).__name__}); tries again")
                time.sleep(5)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
