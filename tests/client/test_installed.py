"""What a provider's engineer installs: our wheel and httpx, in an environment with nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import venv
from importlib import metadata
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.client.served import ROOT, started
from tests.world import World

HTTPX = ("httpx", "httpcore", "h11", "certifi", "idna", "anyio", "typing-extensions")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with its programs."""
    home = tmp_path_factory.mktemp("provider")
    # Built from a copy: building leaves folders beside what is built.
    left_out = shutil.ignore_patterns(".git", ".venv", "var", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, home / "source", ignore=left_out)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    offline = ["--no-deps", "--no-index", "--quiet"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "-w", str(home), str(home / "source")],
        check=True,
        cwd=home,
    )
    venv.create(home / "env", with_pip=False, symlinks=True)
    python = str(home / "env" / "bin" / "python")
    (wheel,) = home.glob("liaison-*.whl")
    subprocess.run([*pip, "--python", python, "install", *offline, str(wheel)], check=True)
    (site,) = (home / "env" / "lib").glob("python*/site-packages")
    for name in HTTPX:
        _copied(name, site)
    return home / "env" / "bin"


def _copied(name: str, site: Path) -> None:
    """A library as it is installed here, where its hash was compared with the lock's."""
    found = metadata.distribution(name)
    assert f"\n{name}=={found.version} " in (ROOT / "requirements.lock").read_text()
    for file in found.files or ():
        if ".." not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)


def says(command: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(command), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_base_needs_httpx_alone_and_says_what_is_missing(installed: Path) -> None:
    loaded = (
        "import sys, liaison, liaison.client; "
        "print(sorted({n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names)))"
    )
    answer = says(installed / "python", "-c", loaded)
    assert answer.returncode == 0, answer.stderr
    libraries = set(eval(answer.stdout)) - {"__main__", "sitecustomize", "usercustomize"}
    assert libraries <= {"liaison", *(name.replace("-", "_") for name in HTTPX)}

    served = says(installed / "liaison", "serve")
    assert served.returncode == 1
    (line,) = served.stderr.splitlines()
    assert "pip install 'liaison[server]'" in line
    assert says(installed / "liaison-poll", "--version").stdout.startswith("liaison-poll ")
    assert says(installed / "liaison-poll", "--json").returncode == 2


@pytest.mark.one_database
def test_the_pages_own_command_polls_a_live_portal_and_answers(
    installed: Path, app: Flask, world: World, tmp_path: Path
) -> None:
    order = world.issue()
    command = tmp_path / "answer.py"
    page = (ROOT / "docs" / "client.md").read_text()
    command.write_text(page.split("```python\n")[1].split("```")[0])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with started(
            f"http://127.0.0.1:{server.server_port}",
            *("--once", "--types", "order.issued", "--cursor", str(tmp_path / "cursor")),
            *("--exec", f"{installed / 'python'} {command}"),
            program=(str(installed / "liaison-poll"),),
            LIAISON_KEY=world.key("Meridian Telecom"),
            PYTHONPATH="",
        ) as running:
            _, err = running.communicate(timeout=60)
            assert running.returncode == 0, err
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    answered = world.order(order.name)
    assert (answered.state, answered.provider_reference) == ("acknowledged", "NOC-8812")
