"""Broker addresses always enable full certificate checks."""

import ssl

import pytest

from clp_contracts.broker_address import BrokerAddress
from clp_contracts.client import connect


@pytest.mark.parametrize(
    ("address", "url", "tls"),
    [
        pytest.param(
            "amqp://u:p@h:5672/clp", "amqp://u:p@h:5672/clp", None, id="plain"
        ),
        pytest.param(
            "amqps://u:p@h:5671/clp?ca=/etc/clp/ca.pem",
            "amqps://u:p@h:5671/clp",
            {"ca_certs": "/etc/clp/ca.pem"},
            id="an own authority",
        ),
        pytest.param(
            "amqps://u:p@h/clp",
            "amqps://u:p@h/clp",
            {"ca_certs": None},
            id="the system's authorities",
        ),
        pytest.param(
            "inprocess://name/", "inprocess://name/", None, id="inside one process"
        ),
    ],
)
def test_an_address_selects_tls_and_its_authority(
    address: str, url: str, tls: dict[str, object] | None
) -> None:
    checks = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "h"}
    parsed = BrokerAddress.read(address)
    assert parsed.url == url
    assert parsed.tls == (None if tls is None else tls | checks)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("amqps://u:p@h/clp?cert_reqs=CERT_NONE", "unknown parameters: cert_reqs"),
        ("amqps://u:p@h/clp?ca=x&verify=no", "unknown parameters: verify"),
        ("amqp://u:p@h/clp?ca=/etc/clp/ca.pem", "must begin with amqps"),
    ],
)
def test_an_address_cannot_weaken_the_checks(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        connect(address, "passport")


def test_the_user_of_an_address_is_read() -> None:
    assert BrokerAddress.read("amqp://search:p@h//").user == "search"
    assert BrokerAddress.read("inprocess://x/").user == "nobody"
