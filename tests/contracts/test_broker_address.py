"""The address of the broker: never less than the certificate checks it promises."""

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
            id="an authority of one's own",
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
def test_an_address_says_how_sure_to_be(
    address: str, url: str, tls: dict[str, object] | None
) -> None:
    checks = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "h"}
    read = BrokerAddress.read(address)
    assert read.url == url
    assert read.tls == (None if tls is None else tls | checks)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("amqps://u:p@h/clp?cert_reqs=CERT_NONE", "knows no cert_reqs"),
        ("amqps://u:p@h/clp?ca=x&verify=no", "knows no verify"),
        ("amqp://u:p@h/clp?ca=/etc/clp/ca.pem", "begins with amqps"),
    ],
)
def test_an_address_cannot_ask_for_fewer_checks(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        connect(address, "passport")


def test_a_user_is_named_for_what_belongs_to_it() -> None:
    assert BrokerAddress.read("amqp://search:p@h//").user == "search"
    assert BrokerAddress.read("inprocess://x/").user == "nobody"
