"""What keeps the demo from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from liaison.demo import running
from liaison.demo.place import alone, demo_settings, environment, is_demos_gateway
from liaison.errors import LiaisonError, SettingsError
from liaison.settings import Env, Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "production"),
        ("ENV", "staging"),
        ("DATABASE_URL", "postgresql://db.example/liaison"),
        ("DATABASE_URL", "sqlite:////srv/liaison.db"),
        ("BASE_URL", "https://liaison.police.example"),
        ("BASE_URL", "http://198.51.100.7:8000"),
        ("BASE_URL", "http://127.0.0.1.evil.example"),
        ("BIND", "0.0.0.0:8000"),
        ("SECRET_KEY", "x"),
        ("ENCRYPTION_KEY", "x"),
        ("SIGNING_KEY", "signing.pem"),
        ("SMTP_URL", "smtp://mail.example"),
        ("TRUSTED_PROXIES", "192.0.2.1"),
        ("HEARTBEAT_URL", "https://watch.example/1"),
        ("BOUNCE_URL", "imaps://u:p@mail.example/INBOX"),
        ("GATEWAY_URL", "gateway+https://k:s@sms.example/?from=X"),
    ],
)
def test_a_production_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    environ = {"LIAISON_DATA_DIR": str(tmp_path), f"LIAISON_{name}": value}
    with pytest.raises(SettingsError, match=f"LIAISON_{name} "):
        demo_settings(environ)
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_every_production_setting_is_named_at_once(tmp_path: Path) -> None:
    environ = {
        "LIAISON_DATA_DIR": str(tmp_path),
        "LIAISON_ENV": "production",
        "LIAISON_SECRET_KEY": "x",
    }
    with pytest.raises(SettingsError) as caught:
        demo_settings(environ)
    assert "LIAISON_ENV" in caught.value.detail
    assert "LIAISON_SECRET_KEY" in caught.value.detail


def test_without_any_it_is_on_this_machine_only(tmp_path: Path) -> None:
    settings = demo_settings({"LIAISON_DATA_DIR": str(tmp_path), "PATH": "/usr/bin"})
    assert settings.env is Env.DEMO
    assert settings.data_dir == tmp_path / "demo"
    assert settings.database_url == f"sqlite:///{tmp_path}/demo/liaison.db"
    assert settings.base_url == "http://127.0.0.1:8000"


def test_in_its_own_environment_it_is_the_same_demo(tmp_path: Path) -> None:
    settings = demo_settings({"LIAISON_DATA_DIR": str(tmp_path)})
    environ = environment(settings)
    assert demo_settings(environ) == settings
    assert Settings.from_env(environ).with_keys() == settings


def test_a_gateway_of_ones_own_on_this_machine_is_used_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "whsec_" + "c2VjcmV0" * 6
    own = f"gateway+http://me:{secret}@localhost:9125/send?from=Liaison"
    environ = {"LIAISON_DATA_DIR": str(tmp_path), "LIAISON_GATEWAY_URL": own}
    settings = running._placed(demo_settings(environ))
    assert settings.gateway_url == environment(settings)["LIAISON_GATEWAY_URL"] == own
    assert running._gateway(settings) is None
    said = capsys.readouterr().out
    assert "the gateway of LIAISON_GATEWAY_URL, localhost:9125" in said
    assert secret not in said
    # Other commands find it by what the running demo has noted.
    running._note(settings, [])
    assert demo_settings({"LIAISON_DATA_DIR": str(tmp_path)}).gateway_url == own
    assert (tmp_path / "demo" / "running.json").stat().st_mode & 0o077 == 0


def test_a_gateway_elsewhere_or_a_wrong_one_is_refused_in_words(tmp_path: Path) -> None:
    environ = {"LIAISON_DATA_DIR": str(tmp_path)}
    elsewhere = "gateway+https://k:whsec_x@sms.example/?from=Liaison"
    with pytest.raises(SettingsError, match="leads elsewhere: the demo sends no text"):
        demo_settings({**environ, "LIAISON_GATEWAY_URL": elsewhere})
    for wrong in ("gateway+http://localhost:9125/", "http://[::1"):
        with pytest.raises(SettingsError, match="LIAISON_GATEWAY_URL"):
            demo_settings({**environ, "LIAISON_GATEWAY_URL": wrong})


def test_without_one_the_demos_own_gateway_is_moved_to_a_free_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = running._placed(demo_settings({"LIAISON_DATA_DIR": str(tmp_path)}))
    assert is_demos_gateway(settings.gateway_url)
    texts = running._gateway(settings)
    assert texts is not None
    texts.shutdown()
    texts.server_close()
    assert f"the demo's own gateway, 127.0.0.1:{texts.server_port}" in capsys.readouterr().out


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(LiaisonError, match="Another demo"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
