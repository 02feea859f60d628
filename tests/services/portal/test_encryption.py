"""Values that travel through the browser: unread, unchanged, for one purpose."""

import pytest

from clp_portal.auth.encryption import Encryption

ENCRYPTION = Encryption("a secret of the tests")


def test_what_comes_back_is_what_was_sent() -> None:
    token = ENCRYPTION.encrypt("sign-in", {"state": "s", "next": "/p1"})
    assert ENCRYPTION.decrypt("sign-in", token, ttl_s=60) == {
        "state": "s",
        "next": "/p1",
    }
    assert "/p1" not in token


def test_another_purpose_another_secret_or_a_change_gives_nothing() -> None:
    token = ENCRYPTION.encrypt("sign-in", {"state": "s"})
    assert ENCRYPTION.decrypt("notice", token, ttl_s=60) is None
    assert Encryption("another").decrypt("sign-in", token, ttl_s=60) is None
    assert ENCRYPTION.decrypt("sign-in", token[:-2] + "AA", ttl_s=60) is None


def test_an_old_value_gives_nothing() -> None:
    token = ENCRYPTION.encrypt("sign-in", {"state": "s"})
    assert ENCRYPTION.decrypt("sign-in", token, ttl_s=-1) is None


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 5000])
def test_what_is_no_token_gives_nothing(token: str) -> None:
    assert ENCRYPTION.decrypt("sign-in", token, ttl_s=60) is None
