"""The part that a forked child plays: a worker, a person who acknowledges, one who issues."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import structlog

from liaison.domain.actors import Actor, Via
from liaison.domain.vocabulary import Role
from liaison.models import Database
from liaison.services import answers, orders
from liaison.settings import Env, Settings
from liaison.worker import Work, open_work, run_once, run_until_signalled
from tests.faults import planted, trips
from tests.faults.trips import Wires


class ShiftedClock:
    """The machine's clock, moved by as many seconds as a file says: for all processes at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Real time goes on; the file may move it either way."""
        return datetime.now(UTC) + timedelta(seconds=float(self._path.read_text() or 0))


def play(spec: dict[str, Any]) -> NoReturn:
    """Plays one part to its end; the exit code is 0 where it went well."""
    code = 1
    try:
        os.setpgrp()
        _quiet()
        wires = Wires(
            Path(spec["log"]), spec.get("point"), spec.get("nth", 1), spec.get("by", trips.KILL)
        )
        if spec.get("plant"):
            planted.BUGS[spec["plant"]]()
        PARTS[spec["part"]](spec, wires)
        code = 0
    except BaseException:  # a child must end as one, whatever happens
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def _settings(spec: dict[str, Any]) -> Settings:
    return Settings(
        env=Env.TEST,
        database_url=spec["url"],
        data_dir=Path(spec["home"]),
        secret_key="the tests' secret, known to anybody who reads this",
        encryption_key=spec["encryption_key"],
        base_url="http://localhost",
        smtp_url=spec["smtp"],
        mail_from="Liaison <liaison@police.example>",
        **spec.get("settings", {}),
    )


def _work(spec: dict[str, Any], wires: Wires) -> Work:
    opened = open_work(_settings(spec), ShiftedClock(Path(spec["clock"])))
    if "longest" in spec:
        senders: dict[Any, Any] = vars(opened.sender)["_senders"]
        for sender in senders.values():
            sender.longest = spec["longest"]
    work = trips.lay(wires, opened)
    assert work is not None
    return work


def _once(spec: dict[str, Any], wires: Wires) -> None:
    run_once(_work(spec, wires))


def _forever(spec: dict[str, Any], wires: Wires) -> None:
    run_until_signalled(_work(spec, wires))


def _acknowledge(spec: dict[str, Any], wires: Wires) -> None:
    _act(spec, wires, "acknowledge", answers.acknowledge)


def _issue(spec: dict[str, Any], wires: Wires) -> None:
    def issue(session: Any, actor: Actor, name: str, now: datetime) -> object:
        return orders.issue(session, actor, name, None, now)

    _act(spec, wires, "issue", issue)


def _act(spec: dict[str, Any], wires: Wires, step: str, verb: Callable[..., object]) -> None:
    trips.lay(wires)
    now = ShiftedClock(Path(spec["clock"])).now()
    given = dict(spec["actor"])
    actor = Actor(
        id=given["id"],
        name=given["name"],
        roles=frozenset(Role(role) for role in given["roles"]),
        authority_id=_uuid(given["authority_id"]),
        provider_id=_uuid(given["provider_id"]),
        person_id=_uuid(given["person_id"]),
        organisation=given["organisation"],
        via=Via("totp", "the tests' session", "198.51.100.7", now),
    )
    database = Database(spec["url"])
    with wires.step(step), database.transaction() as session:
        verb(session, actor, spec["order"], now)
    wires.note("did", step, spec["order"])


def _uuid(text: str | None) -> Any:
    from uuid import UUID

    return UUID(text) if text else None


PARTS: dict[str, Callable[[dict[str, Any], Wires], None]] = {
    "once": _once,
    "forever": _forever,
    "acknowledge": _acknowledge,
    "issue": _issue,
}
