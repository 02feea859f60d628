"""The context of a process: keys, limits and proxies, as its settings name them."""

import json
from pathlib import Path

import pytest

from clp_chassis.bootstrap import ProcessContext
from clp_chassis.concurrency.rate_limiter import RateLimit
from clp_chassis.security.passports import new_key, private_pem
from clp_chassis.settings import InvalidSettings, ProcessSettings


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "notes.pem").write_bytes(private_pem(new_key()))
    (tmp_path / "trusted.json").write_text(json.dumps({}))
    return tmp_path


def test_limits_and_proxies_come_from_the_settings(keys: Path) -> None:
    settings = ProcessSettings(
        keys_dir=str(keys),
        calls_at_once=7,
        calls_per_second=3.5,
        trusted_proxies="10.0.0.1, 2001:db8::/64,",
    )
    context = ProcessContext.from_settings("notes", settings)
    assert context.rate_limit == RateLimit(burst=7, per_second=3.5)
    assert context.trusted_proxies == ("10.0.0.1", "2001:db8::/64")


def test_t32_every_process_has_the_rate_limit_of_the_settings(keys: Path) -> None:
    settings = ProcessSettings(keys_dir=str(keys))
    usual = ProcessContext.from_settings("notes", settings).rate_limit
    assert (
        ProcessContext.from_files("notes", "inprocess://x/", keys).rate_limit == usual
    )
    assert usual == RateLimit(burst=40, per_second=20.0)


# fmt: off
UNUSABLE = [
    # file           its content        the line says
    ("notes.pem",    None,              "notes.pem: No such file or directory"),
    ("notes.pem",    "no key at all",   "notes.pem: is damaged"),
    ("trusted.json", None,              "trusted.json: No such file or directory"),
    ("trusted.json", "{",               "trusted.json: is damaged"),
    ("trusted.json", "[]",              "trusted.json: is no JSON object"),
]
# fmt: on


@pytest.mark.parametrize(("file", "content", "reason"), UNUSABLE)
def test_unusable_keys_are_one_line_that_names_the_setting(
    keys: Path, file: str, content: str | None, reason: str
) -> None:
    (keys / file).unlink()
    if content is not None:
        (keys / file).write_text(content)
    with pytest.raises(InvalidSettings) as refused:
        ProcessContext.from_settings("notes", ProcessSettings(keys_dir=str(keys)))
    (line,) = str(refused.value).splitlines()
    assert line.startswith("CLP_NOTES_KEYS_DIR: ")
    assert reason in line
    assert "python -m clp_deploy.keys" in line
