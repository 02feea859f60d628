"""The values that settings accept: in words, and as functions that judge a value."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clp_contracts.mail_addresses import parse_mail_address

MAX_PORT: Final = 65_535
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
DOMAIN_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Kind:
    """The values that a setting accepts.

    ``expected`` says it in words; for any other value ``judge`` raises ValueError or
    returns False.
    """

    expected: str
    judge: Callable[[Any], object]


def parse_address(address: str) -> tuple[str, int]:
    """Parse ``HOST:PORT``; port 0 is a free one that the system picks.

    Raises:
        ValueError: for anything else.
    """
    host, separator, port = address.rpartition(":")
    number = int(port) if port.isdecimal() else -1
    if not separator or not 0 <= number <= MAX_PORT or host.strip() != host:
        raise ValueError("not HOST:PORT")
    return host.strip("[]"), number


def _time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError("no such time zone") from None


def _networks(text: str) -> None:
    for network in split_list(text):
        ip_network(network)


def split_list(text: str) -> tuple[str, ...]:
    """The parts of a list with commas, without blanks around them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _matching(expected: str, pattern: re.Pattern[str]) -> Kind:
    return Kind(expected, lambda text: pattern.fullmatch(text) is not None)


def one_of(*values: str) -> Kind:
    """One of a few words."""
    return Kind(f"one of {', '.join(values)}", values.__contains__)


def between(least: float, most: float = math.inf) -> Kind:
    """A number in a range, both ends included."""
    words = f"from {least:,} to {most:,}" if most < math.inf else f"{least:,} or more"
    # An infinity or a NaN would wait forever, or compare as nothing does.
    return Kind(words, lambda n: math.isfinite(n) and least <= n <= most)


def url(*schemes: str, form: str) -> Kind:
    """A URL with one of a few schemes; ``form`` shows what one looks like."""

    def judge(text: str) -> bool:
        parts = urlsplit(text)
        # Reading the port raises ValueError where it is no number.
        return parts.scheme in schemes and (parts.port is None or parts.port >= 0)

    return Kind(form, judge)


# A month: longer is a slip of the keyboard.
SECONDS: Final = between(0, 31 * 86_400)
# Ending an access waits as long; rule 7 gives it 2.5 s.
LEASE: Final = between(0, 2)
ADDRESS: Final = Kind("HOST:PORT", parse_address)
TIME_ZONE: Final = Kind("an IANA time zone such as Europe/Paris", _time_zone)
LANGUAGE: Final = _matching("a BCP 47 language tag such as pt-BR", LANGUAGE_TAG)
DOMAIN: Final = _matching("a domain name", DOMAIN_NAME)
MAIL_ADDRESS: Final = Kind("a mail address", parse_mail_address)
NETWORKS: Final = Kind("IP addresses or networks, with commas", _networks)
# A secret that somebody else made: its strength is not ours to judge.
ISSUED_SECRET: Final = Kind("the secret as it was issued", bool)
BROKER: Final = url(
    "amqp",
    "amqps",
    "inprocess",
    form="amqps://USER:PASSWORD@HOST:5671/VHOST?ca=FILE, or amqp://…",
)
DATABASE: Final = url(
    "postgresql+psycopg",
    "sqlite",
    form="postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or sqlite:////FILE",
)
WEB: Final = url("http", "https", form="https://HOST, or http://HOST:PORT")
