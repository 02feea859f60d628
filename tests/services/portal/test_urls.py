"""Addresses: where pages are, and what counts as an address of this portal."""

import pytest

from clp_portal.views.urls import (
    channel_url,
    local_path,
    message_url,
    project_url,
    sign_in_url,
)


def test_addresses_of_channels_and_messages() -> None:
    assert project_url("p1") == "/p1"
    assert channel_url("p1/direct/north") == "/p1/direct/north"
    assert channel_url("p1/broadcast", before=7) == "/p1/broadcast?before=7"
    assert message_url("p1/broadcast", 7) == "/p1/broadcast/7#m7"
    assert message_url("p1/broadcast", 7, edit=1) == "/p1/broadcast/7?edit=1#m7"


def test_what_is_typed_is_quoted() -> None:
    assert channel_url("p1/broadcast", q="a&b=ü") == "/p1/broadcast?q=a%26b%3D%C3%BC"
    assert sign_in_url("/p1?q=a&b") == "/-/sign-in?next=%2Fp1%3Fq%3Da%26b"
    assert sign_in_url("/") == "/-/sign-in"


@pytest.mark.parametrize("given", ["/", "/p1/broadcast/7", "/-/projects?q=a%20b"])
def test_an_own_address_is_kept(given: str) -> None:
    assert local_path(given) == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "p1",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/" + "a" * 3000,
    ],
)
def test_any_other_address_leads_home(given: str) -> None:
    assert local_path(given) == "/"
