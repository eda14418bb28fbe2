"""``liaison demo`` as a visitor starts it: every program real, in a folder of the tests' own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from liaison.demo import build, place, story
from liaison.demo.stage import Stage
from tests.http_sink import closed_port

LIAISON = "from liaison.cli import main; main()"

Play = Callable[[Stage, datetime], None]


@contextmanager
def running(home: str, play: Play = lambda *_: None) -> Iterator[Path]:
    """Its folder, while it runs. Its own story is a year long; ``play`` tells a shorter one."""
    given = {
        "LIAISON_DATA_DIR": home,
        "LIAISON_BASE_URL": f"http://127.0.0.1:{closed_port()}",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story, "play", play)
        build.prepare(place.demo_settings(given))
    process = subprocess.Popen(
        [sys.executable, "-c", LIAISON, "demo"],
        env={**clean(), **given},
        cwd=place.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C stops all" in line:
                break
        else:
            pytest.fail(f"The demo did not start:\n{said}")
        yield Path(home) / "demo"
    finally:
        process.terminate()
        print(said, process.communicate(timeout=30)[0])  # pytest shows it where a test fails


def clean() -> dict[str, str]:
    """The environment without settings of ours."""
    return {k: v for k, v in os.environ.items() if not k.startswith("LIAISON_")}
