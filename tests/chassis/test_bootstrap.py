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


def test_a_proxy_that_is_no_address_is_named(keys: Path) -> None:
    settings = ProcessSettings(keys_dir=str(keys), trusted_proxies="10.0.0.1, proxy")
    with pytest.raises(InvalidSettings, match="CLP_TRUSTED_PROXIES: 'proxy'"):
        ProcessContext.from_settings("notes", settings)
