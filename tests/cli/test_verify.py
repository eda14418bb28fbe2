"""``liaison order verify``: a signed order is checked with no portal and no database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liaison.cli import main
from liaison.documents.order_jws import Signer
from liaison.settings import Env, Settings

ORDER = {
    "id": "019abc00-0000-7000-8000-000000000001",
    "ref": "EM-2026-0412",
    "issued_at": "2026-11-23T12:00:00Z",
    "authority": {"name": "National 24/7 contact point"},
    "provider": {"name": "Meridian Telecom"},
    "facts": "A child is missing.",
}


def test_what_is_ours_is_told_from_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIAISON_ENV", "test")
    monkeypatch.setenv("LIAISON_DATA_DIR", str(tmp_path / "var"))
    signer = Signer.from_settings(Settings(env=Env.TEST, data_dir=tmp_path / "var").with_keys())
    strange = Signer.from_settings(Settings(env=Env.TEST, data_dir=tmp_path / "x").with_keys())
    files = {
        "good": signer.sign(ORDER),
        "drill": signer.sign(ORDER | {"test": True}),
        "strange": strange.sign(ORDER),
        "none": "EM-2026-0412",
        "keys": json.dumps(signer.keys.jwks()),
        "theirs": json.dumps(strange.keys.jwks()),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def run(name: str, *more: str) -> Result:
        return CliRunner().invoke(main, ["order", "verify", str(tmp_path / name), *more])

    good = run("good")
    assert good.exit_code == 0, good.output
    assert "EM-2026-0412: the signature is good. SHA-256 " in good.output
    assert "to Meridian Telecom" in good.output
    assert "child" not in good.output
    assert "TEST: a drill" in run("drill").output
    for name in ("strange", "none"):
        refused = run(name)
        assert refused.exit_code == 1
        assert "Do not act on it." in refused.output
        assert "Traceback" not in refused.output
    # Elsewhere, with the keys as they were published and no setting of ours.
    monkeypatch.delenv("LIAISON_ENV")
    assert run("good", "--jwks", str(tmp_path / "keys")).exit_code == 0
    assert run("good", "--jwks", str(tmp_path / "theirs")).exit_code == 1
    assert "no JWK set" in run("good", "--jwks", str(tmp_path / "none")).output
    assert not (tmp_path / "var" / "liaison.db").exists()
