"""Settings are strict and layered, and refuse secrets in files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from store.errors import SettingsError
from store.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("ATTEST_")]:
        monkeypatch.delenv(name)


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "attest.toml").write_text("port = 1001\nmax_quotes = 2\nmode = 'quotes'\n")
    monkeypatch.setenv("ATTEST_PORT", "1002")
    monkeypatch.setenv("ATTEST_MAX_QUOTES", "3")
    settings = load_settings(tmp_path, port=1003)
    assert (settings.port, settings.max_quotes, settings.mode, settings.host) == (1003, 3, "quotes", "127.0.0.1")


def test_a_flag_that_is_none_was_not_given(tmp_path: Path) -> None:
    assert load_settings(tmp_path, port=None).port == Settings.model_fields["port"].default


def test_the_home_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTEST_HOME", str(tmp_path / "a"))
    assert load_settings().home == tmp_path / "a"
    assert load_settings(tmp_path / "b").home == tmp_path / "b"


def test_an_unknown_key_in_the_file_names_the_nearest_known_one(tmp_path: Path) -> None:
    (tmp_path / "attest.toml").write_text("embeding_model = 'x'\n")
    with pytest.raises(SettingsError, match=r"embeding_model.*attest\.toml.*did you mean embedding_model\?"):
        load_settings(tmp_path)


def test_an_unknown_variable_names_the_nearest_known_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTEST_CHROMA", "x")
    with pytest.raises(SettingsError, match=r"ATTEST_CHROMA .*did you mean ATTEST_CHROMA_URL\?"):
        load_settings(tmp_path)


def test_an_unknown_flag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="colour"):
        load_settings(tmp_path, colour="blue")


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("port = 70000", "port"),
        ("port = 'many'", "port"),
        ("mode = 'poems'", "mode"),
        ("passage_tokens = 1", "passage"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_name(tmp_path: Path, file: str, named: str) -> None:
    (tmp_path / "attest.toml").write_text(file)
    with pytest.raises(SettingsError, match=named):
        load_settings(tmp_path)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "attest.toml").write_bytes(b"port = \xff")
    with pytest.raises(SettingsError, match=r"attest\.toml can't be read"):
        load_settings(tmp_path)


def test_a_key_is_read_from_the_environment_only_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTEST_API_KEY", "sesame")
    settings = load_settings(tmp_path)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sesame"
    assert "sesame" not in repr(settings) + str(settings) + settings.model_dump_json()
    (tmp_path / "attest.toml").write_text("api_key = 'sesame'")
    with pytest.raises(SettingsError, match="ATTEST_API_KEY") as refused:
        load_settings(tmp_path)
    assert "sesame" not in str(refused.value)


def test_a_wrong_key_is_not_shown_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTEST_PORT", "sesame-port")
    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path)
    assert "sesame" not in str(refused.value)


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.M))
    assert documented == set(Settings.model_fields)
