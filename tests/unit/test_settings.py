"""Settings: production says which key is missing; demo and test keep theirs in one file."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from liaison.documents.order_jws import Signer
from liaison.domain import listening
from liaison.errors import SettingsError
from liaison.settings import HOW_TO_MAKE, Env, Settings

KEYS = ("LIAISON_SECRET_KEY", "LIAISON_ENCRYPTION_KEY", "LIAISON_SIGNING_KEY")


def production(tmp_path: Path, **given: str) -> Settings:
    """A production installation in an empty directory."""
    return Settings.from_env({"LIAISON_DATA_DIR": str(tmp_path / "var"), **given})


def all_keys(tmp_path: Path) -> dict[str, str]:
    """Every key that production needs."""
    signing = tmp_path / "signing.pem"
    signing.write_text("a key")
    return dict(zip(KEYS, ("s" * 32, "key", str(signing)), strict=True))


def test_what_is_not_said_is_production() -> None:
    assert Settings.from_env({}).env is Env.PRODUCTION
    assert Settings.from_env({"LIAISON_ENV": "  "}).env is Env.PRODUCTION


def test_an_unknown_environment_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="'staging'; it must be demo, test or production"):
        Settings.from_env({"LIAISON_ENV": "staging"})


@pytest.mark.parametrize("missing", KEYS)
def test_production_says_which_key_is_missing_and_how_to_make_it(
    tmp_path: Path, missing: str
) -> None:
    given = {name: value for name, value in all_keys(tmp_path).items() if name != missing}
    with pytest.raises(SettingsError) as refused:
        production(tmp_path, **given).with_keys()
    assert refused.value.detail == (f"{missing} is not set. Make one with: {HOW_TO_MAKE[missing]}")


def test_production_names_all_missing_keys_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        production(tmp_path).with_keys()
    assert [line.partition(" ")[0] for line in refused.value.detail.splitlines()] == list(KEYS)


def test_production_refuses_a_secret_that_can_be_guessed(tmp_path: Path) -> None:
    given = {**all_keys(tmp_path), "LIAISON_SECRET_KEY": "s" * 31}
    with pytest.raises(SettingsError, match="fewer than 32 characters"):
        production(tmp_path, **given).with_keys()


def test_production_sends_no_cookie_in_the_clear(tmp_path: Path) -> None:
    given = {**all_keys(tmp_path), "LIAISON_BASE_URL": "http://portal.police.example"}
    with pytest.raises(SettingsError, match="begins with https://"):
        production(tmp_path, **given).with_keys()
    given["LIAISON_BASE_URL"] = "https://portal.police.example"
    assert production(tmp_path, **given).with_keys().is_secure


def test_production_makes_nothing_by_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        production(tmp_path).with_keys()
    assert list(tmp_path.iterdir()) == []
    complete = production(tmp_path, **all_keys(tmp_path))
    assert complete.with_keys() == complete
    assert [path.name for path in tmp_path.iterdir()] == ["signing.pem"]


def test_a_demos_kept_keys_never_serve_production(tmp_path: Path) -> None:
    Settings(env=Env.DEMO, data_dir=tmp_path / "var").with_keys()
    with pytest.raises(SettingsError):
        production(tmp_path).with_keys()


def test_a_signing_key_that_is_no_file_is_refused(tmp_path: Path) -> None:
    given = all_keys(tmp_path) | {"LIAISON_SIGNING_KEY": str(tmp_path / "lost.pem")}
    with pytest.raises(SettingsError, match="LIAISON_SIGNING_KEY names no file"):
        production(tmp_path, **given).with_keys()


@pytest.mark.parametrize("given", ["x", "0", "-1", "65", "2.0", "٣"])
def test_processes_that_gunicorn_could_not_start_are_refused(given: str) -> None:
    with pytest.raises(SettingsError, match=r"LIAISON_PROCESSES is .*; it must be 1 to 64"):
        listening.processes(given)
    assert listening.processes("64") == 64


@pytest.mark.parametrize(
    "given", ["abc", "8000", "abc:", "127.0.0.1:0", "127.0.0.1:99999", "[::x]:1", "a,b:1", "[a]:1"]
)
def test_where_gunicorn_could_not_listen_is_refused(given: str) -> None:
    with pytest.raises(
        SettingsError, match=r"LIAISON_BIND is .*; it must be an address and a port"
    ):
        listening.places(given)


@pytest.mark.parametrize(
    "given",
    [
        "127.0.0.1:8000",
        "[::1]:80",
        ":8000",
        "*:8000",
        "localhost:1",
        "portal_web:8000",
        "tcp://10.0.0.1:80",
        "unix:/run/l.sock",
        "a:1, unix:/run/l.sock,[::1]:2",
    ],
)
def test_gunicorn_takes_each_place_that_it_is_told_to_listen_at(given: str) -> None:
    found = listening.places(given)
    assert found == [one.strip() for one in given.split(",")]
    config = import_module("gunicorn.config").Config()  # it has no types
    config.set("bind", found)
    assert len(config.address) == len(found)


@pytest.mark.parametrize("name", ["LIAISON_BIND", "LIAISON_PROCESSES"])
def test_how_the_portals_socket_is_spelled_stops_nobody_else(name: str) -> None:
    """A worker that refused it would call nobody."""
    assert Settings.from_env({name: "0.0.0.0 8000"})


@pytest.mark.parametrize("name", ["LIAISON_SECRET_KEY", "LIAISON_ENCRYPTION_KEY"])
def test_the_recipe_for_a_key_makes_one(name: str) -> None:
    recipe = HOW_TO_MAKE[name]
    assert recipe.startswith("python3 -c '")
    assert "cryptography" not in recipe, "an interpreter without our libraries makes it too"
    code = recipe.removeprefix("python3 -c '").removesuffix("'")
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()
    assert len(made) >= 44
    if name == "LIAISON_ENCRYPTION_KEY":
        Fernet(made)


@pytest.mark.parametrize("env", [Env.DEMO, Env.TEST])
def test_demo_and_test_keep_their_keys_for_their_owner_only(tmp_path: Path, env: Env) -> None:
    settings = Settings(env=env, data_dir=tmp_path / "var")
    first = settings.with_keys()
    assert first.secret_key
    Fernet(first.encryption_key)
    assert settings.with_keys() == first
    files = sorted((tmp_path / "var").iterdir())
    assert [file.name for file in files] == ["keys.json", "signing.pem"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert Signer.from_settings(first).kid == Signer.from_settings(settings.with_keys()).kid


def test_a_key_that_is_given_wins_over_the_kept_one(tmp_path: Path) -> None:
    kept = Settings(env=Env.TEST, data_dir=tmp_path).with_keys()
    given = Settings(env=Env.TEST, data_dir=tmp_path, secret_key="given").with_keys()
    assert (given.secret_key, given.encryption_key) == ("given", kept.encryption_key)


PROGRAM = """
import json, sys
from pathlib import Path
from liaison.settings import Env, Settings
for line in sys.stdin:
    made = Settings(env=Env.DEMO, data_dir=Path(line.strip())).with_keys()
    signing = Path(made.signing_key).read_text()
    print(json.dumps([made.secret_key, made.encryption_key, signing]), flush=True)
"""


def test_programs_that_start_together_share_one_keys_file(tmp_path: Path) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(3)
    ]
    for turn in range(60):
        place = tmp_path / str(turn)
        for program in programs:
            assert program.stdin is not None
            program.stdin.write(f"{place}\n")
            program.stdin.flush()
        answers = []
        for program in programs:
            assert program.stdout is not None
            answers.append(json.loads(program.stdout.readline()))
        assert answers[0] == answers[1] == answers[2]
        assert sorted(path.name for path in place.iterdir()) == ["keys.json", "signing.pem"]
    for program in programs:
        program.communicate(timeout=30)


def test_lists_and_addresses_are_read_as_they_are_written() -> None:
    settings = Settings.from_env(
        {
            "LIAISON_BASE_URL": "https://liaison.example/",
            "LIAISON_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
        }
    )
    assert settings.base_url == "https://liaison.example"
    assert settings.is_secure
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    assert not Settings.from_env({}).is_secure
