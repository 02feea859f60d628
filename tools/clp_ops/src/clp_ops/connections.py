"""Connect to the services with a key of the folder that ``--keys`` names."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from amqp.exceptions import AMQPError

from clp_chassis.clock import now
from clp_chassis.reachability import place_of, reason_of, require_broker
from clp_chassis.security.passports import Issuer
from clp_chassis.setting_kinds import BROKER as BROKER_KIND
from clp_chassis.settings import naming_setting
from clp_contracts.broker_address import BrokerAddress
from clp_contracts.client import Clients, connect

OPERATIONS: Final = "operations"
DIRECTORY: Final = "directory"
PEOPLE: Final = "people"
BROKER: Final = "CLP_BROKER_URL"
KEYS: Final = "CLP_KEYS_DIR"

Environ = Mapping[str, str]


def connected_as(subject: str, args: Namespace, environ: Environ) -> Clients:
    """Return clients that call as a service, with its key and broker account.

    Raises:
        SystemExit: with a sentence, when an address or a key is missing.
    """
    own = f"CLP_{subject.upper()}_BROKER_URL"
    broker = environ.get(own) or environ.get(BROKER)
    if broker is None:
        raise SystemExit(f"name the broker: {BROKER}=amqp://user:password@host:5672//")
    with naming_setting(own if own in environ else BROKER):
        if BROKER_KIND.judge(broker) is False:
            raise ValueError(f"expected {BROKER_KIND.expected}")
        BrokerAddress.read(broker)
    passport = issuer_of(subject, args, environ).for_service(subject)
    _require_broker(broker)
    return connect(broker, passport, args.timeout)


def _require_broker(url: str) -> None:
    """Say at once, and once, that no call can be made."""
    try:
        require_broker(url)
    except (OSError, AMQPError) as error:
        raise SystemExit(
            f"the broker {place_of(url)}: {reason_of(error)}; is the address right?"
        ) from None


def issuer_of(name: str, args: Namespace, environ: Environ) -> Issuer:
    """Return who issues passports with a key of the folder of keys.

    Raises:
        SystemExit: with a sentence, when the folder has no such key.
    """
    keys = args.keys or Path(environ.get(KEYS, "keys"))
    path = keys / f"{name}.pem"
    if not path.exists():
        raise SystemExit(
            f"{keys} holds no {name}.pem; name its folder: --keys, or {KEYS}"
        )
    try:
        return Issuer.from_file(path, now)
    except PermissionError:
        raise SystemExit(f"{path} is not readable by this account") from None
    except (ValueError, TypeError):
        raise SystemExit(f"{path} is no private key") from None
