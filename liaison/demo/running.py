"""Runs the demo: portal, worker, mailbox and toy provider, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from liaison.demo import accounts, children, hooks
from liaison.demo.build import prepare, say
from liaison.demo.children import Child
from liaison.demo.place import (
    PORT,
    ROOT,
    alone,
    demo_settings,
    environment,
    gateway_url,
    is_demos_gateway,
    noted,
)
from liaison.domain.gateway import Gateway
from liaison.errors import SettingsError
from liaison.settings import Settings

HOST = "127.0.0.1"
SOON = ("--graceful-timeout", "2")
"""Seconds; Ctrl-C means now, whatever a browser still holds open."""
START_WAIT = 90.0
"""Seconds that the portal has to answer: a busy machine takes long. Its death is seen at once."""


def run(settings: Settings) -> int:
    """Starts everything, says who can sign in, and watches; the exit code."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with alone(settings.data_dir):
        _stop_leftovers(settings)
        settings = demo_settings()  # again: what a killed demo noted is gone now
        prepare(settings)
        settings = _placed(settings)
        _note(settings, [])
        try:
            return _run(settings)
        finally:
            (settings.data_dir / "running.json").unlink(missing_ok=True)


def _run(settings: Settings) -> int:
    from liaison.demo import mailbox

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    mail_port = urlsplit(settings.smtp_url).port or 0
    mail = mailbox.start(settings.data_dir / "mail", mail_port)
    say(f"mailbox on {HOST}:{mail_port}")
    texts = _gateway(settings)
    programs = _programs(settings)
    try:
        for child in programs:
            say(f"starting {child.name}" + (f" (log: {child.log})" if child.log else ""))
            child.start()
            _note(settings, programs)
            if child.name == "portal" and not _answers(settings, child, ended):
                return _failed(child)
        _waits_for_the_worker(settings, ended)
        if not ended.is_set():
            _tell(settings)
        return _watch(settings, programs, ended)
    finally:
        say("stopping")
        children.stop(programs)
        mail.stop()
        if texts is not None:
            texts.shutdown()
        say("stopped")


def _gateway(settings: Settings) -> ThreadingHTTPServer | None:
    """Starts the demo's gateway and says where texts and calls go; None where it is another's."""
    from liaison.demo import gateway

    url = settings.gateway_url
    if is_demos_gateway(url):
        texts = gateway.start(settings.data_dir / "texts", url)
        say(f"texts and calls go to the demo's own gateway, {HOST}:{texts.server_port}")
        return texts
    named = Gateway.from_url(url)
    say(
        f"texts and calls go to the gateway of LIAISON_GATEWAY_URL, {named.host}:{named.port}; "
        "/demo/texts shows those of the story only"
    )
    return None


def _programs(settings: Settings) -> list[Child]:
    own = environment(settings)
    place = urlsplit(settings.base_url)
    bind = f"{HOST}:{place.port}"
    known = accounts.kept(settings.data_dir)
    conf = str(ROOT / "gunicorn.conf.py")
    liaison = "import sys; from liaison.cli import main; sys.argv[0] = 'liaison'; main()"
    port = _any_port()
    toy = {
        **own,
        "TOY_URL": settings.base_url,
        "TOY_KEY": known["keys"][accounts.TOY],
        "TOY_HOOK_PORT": str(port),
        "TOY_HOOK_SECRET": hooks.register(settings, port),
    }
    return [
        Child(
            "portal",
            [sys.executable, "-m", "gunicorn", "-c", conf, "-b", bind, "--graceful-timeout", "2"],
            {**own, "LIAISON_BIND": bind, "LIAISON_PROCESSES": "1"},
            settings.data_dir / "portal.log",
        ),
        Child(
            "worker",
            [sys.executable, "-c", liaison, "worker"],
            own,
            settings.data_dir / "worker.log",
        ),
        Child("toy provider", [sys.executable, "-m", "liaison.demo.toy"], toy),
    ]


def _answers(settings: Settings, portal: Child, ended: threading.Event) -> bool:
    """Waits until the portal answers; False where it died or never did."""
    deadline = time.monotonic() + START_WAIT
    while time.monotonic() < deadline and portal.is_alive and not ended.is_set():
        try:
            with urllib.request.urlopen(f"{settings.base_url}/healthz", timeout=2) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            ended.wait(0.1)
    return ended.is_set()


def _waits_for_the_worker(settings: Settings, ended: threading.Event) -> None:
    """Whoever reads that all runs looks at once for what a worker does; slow is no fault."""
    deadline = time.monotonic() + START_WAIT / 3  # whatever keeps it, the portal is there
    while time.monotonic() < deadline and not ended.is_set():
        try:
            with urllib.request.urlopen(f"{settings.base_url}/readyz", timeout=2):  # noqa: S310 - our own
                return
        except urllib.error.HTTPError as error:
            if b"no heartbeat" not in error.read():
                return
        except (urllib.error.URLError, OSError):
            pass
        ended.wait(0.1)


def _watch(settings: Settings, programs: list[Child], ended: threading.Event) -> int:
    """Starts again what dies; ends the demo where that does not help."""
    while not ended.wait(0.5):
        for child in programs:
            if child.is_alive:
                continue
            if child.died_too_often():
                return _failed(child)
            say(f"the {child.name} ended by itself; starting it again")
            child.start()
            _note(settings, programs)
    return 0


def _failed(child: Child) -> int:
    say(f"the {child.name} does not run; the demo ends. Its last words:")
    print(child.last_words(), file=sys.stderr)
    return 1


def _tell(settings: Settings) -> None:
    found = accounts.listing(settings)
    key = next(k["key"] for k in found["api_keys"] if k["provider"] == "Meridian Telecom")
    rows = [("e-mail", "password", "code now", "role", "organisation")] + [
        (
            a["email"],
            a["password"],
            a["totp_now"],
            a["role"].replace("_", " "),
            a["organisation"],
        )
        for a in found["accounts"]
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    table = "\n".join(
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    exports = "LIAISON_ENV=demo"
    if settings.data_dir != Path("var/demo").resolve():
        exports += f" LIAISON_DATA_DIR={settings.data_dir}"
    print(
        f"""
  The portal         {settings.base_url}
  The mailbox        {settings.base_url}/demo/mail
  The telephones     {settings.base_url}/demo/texts
  API reference      {settings.base_url}/api/docs
  For an engineer    {settings.base_url}/api/docs/start

{table}

  Codes change every 30 s and count once. New ones: {_command()} demo --accounts

  A provider's program (Meridian Telecom):
  curl -sS -H 'Authorization: Bearer {key}' '{settings.base_url}/api/v1/events?limit=5'

  Watch an emergency climb: serve one on {accounts.REHEARSES}. The second rung comes after a
  minute; "Reply 1" at the telephones, or spoc@rehearsal.example, stops it.

  Let twenty minutes pass for the other ladders:
  {exports} {_command()} worker --once --as-of +20m

  Ctrl-C stops all. `rm -r {settings.data_dir}` begins anew.
""",
        flush=True,
    )


def _command() -> str:
    beside = Path(sys.executable).with_name("liaison")
    return str(beside) if beside.exists() else "liaison"


def _placed(settings: Settings) -> Settings:
    """The settings with ports that are free on this machine."""
    wanted = urlsplit(settings.base_url).port or PORT
    port = _free_port(wanted)
    if port != wanted:
        say(f"port {wanted} is taken; the portal listens on {port}")
    named = settings.gateway_url
    return replace(
        settings,
        base_url=f"http://{HOST}:{port}",
        smtp_url=f"smtp://{HOST}:{_free_port(8025)}",
        gateway_url=gateway_url(_free_port(8125)) if is_demos_gateway(named) else named,
    )


def _free_port(first: int) -> int:
    for port in range(first, min(first + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise SettingsError(f"No port is free between {first} and {first + 99}.")


def _any_port() -> int:
    """One that no other demo picks before the program that listens there has started."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _note(settings: Settings, programs: list[Child]) -> None:
    """Where the demo is to be found, and the ids of its programs."""
    pids = [str(child.process.pid) for child in programs if child.process is not None]
    running = {
        "url": settings.base_url,
        "smtp_url": settings.smtp_url,
        "gateway_url": settings.gateway_url,
        "pids": " ".join(pids),
    }
    path = settings.data_dir / "running.json"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)  # a gateway of the developer's own has a secret
    draft.write_text(json.dumps(running), encoding="utf-8")
    draft.replace(path)


def _stop_leftovers(settings: Settings) -> None:
    pids = [int(pid) for pid in noted(settings.data_dir).get("pids", "").split()]
    found = children.stop_leftovers(pids, f"LIAISON_DATA_DIR={settings.data_dir}")
    if found:
        say(f"stopped {found} programs of a demo that was killed")
    (settings.data_dir / "running.json").unlink(missing_ok=True)
