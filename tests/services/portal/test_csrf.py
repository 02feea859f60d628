"""Cross-site requests: every unsafe verb, by what browsers say of where it comes from."""

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from clp_contracts.errors import Refused
from clp_portal.http.csrf import require_same_origin

PUBLIC_URL = "https://portal.example"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def request(method: str, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    builder = EnvironBuilder("/", method=method, headers=named, base_url=PUBLIC_URL)
    return Request(builder.get_environ())


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_own_pages_may_do_everything(method: str, site: str) -> None:
    require_same_origin(request(method, Sec_Fetch_Site=site), PUBLIC_URL)


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "SAME-ORIGIN"])
def test_other_sites_may_do_nothing(method: str, site: str) -> None:
    with pytest.raises(Refused, match="foreign_origin"):
        require_same_origin(request(method, Sec_Fetch_Site=site), PUBLIC_URL)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://portal.example.evil.example",
        "https://portal.example:8443",
        "ftp://portal.example",
        "",
    ],
)
def test_a_foreign_origin_is_refused_where_the_site_is_not_said(origin: str) -> None:
    with pytest.raises(Refused, match="foreign_origin"):
        require_same_origin(request("POST", Origin=origin), PUBLIC_URL)


@pytest.mark.parametrize("origin", ["https://portal.example", "http://portal.example"])
def test_the_own_origin_is_let_through(origin: str) -> None:
    require_same_origin(request("POST", Origin=origin), PUBLIC_URL)


def test_behind_a_proxy_the_public_address_counts() -> None:
    given = request("POST", Origin="https://portal.example", Host="10.0.0.7:8080")
    require_same_origin(given, PUBLIC_URL)


def test_what_the_browser_says_of_the_site_wins_over_the_origin() -> None:
    given = request(
        "POST", Sec_Fetch_Site="cross-site", Origin="https://portal.example"
    )
    with pytest.raises(Refused, match="foreign_origin"):
        require_same_origin(given, PUBLIC_URL)


def test_a_program_says_neither() -> None:
    require_same_origin(request("POST"), PUBLIC_URL)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_links_from_anywhere_may_be_followed(method: str) -> None:
    require_same_origin(request(method, Sec_Fetch_Site="cross-site"), PUBLIC_URL)
