"""Settings from the environment, checked before anything starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from marshmallow import ValidationError

from clp_contracts.serialization import settings_schema

T = TypeVar("T")
MIN_SECRET_BYTES: Final = 32
PLACEHOLDER: Final = "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """Settings of every process, whatever its service.

    ``observe_address`` (``HOST:PORT``) is where ``/live``, ``/ready`` and ``/metrics``
    are served; empty for none. ``log_shape`` is ``text`` or ``json``. ``traces_url``
    names an OpenTelemetry collector (OTLP over HTTP); empty for no traces.
    ``calls_at_once`` and ``calls_per_second`` are the rate limit of one person.
    ``trusted_proxies`` lists the addresses or networks, with commas, of proxies whose
    ``X-Forwarded-For`` names the client.
    """

    broker_url: str = "amqp://guest:guest@127.0.0.1:5672//"
    keys_dir: str = "keys"
    observe_address: str = ""
    log_level: str = "INFO"
    log_shape: str = "text"
    traces_url: str = ""
    calls_at_once: int = 40
    calls_per_second: float = 20.0
    trusted_proxies: str = ""


class InvalidSettings(Exception):
    """A setting is missing or wrong; names each variable and the reason."""


def read_settings(
    cls: type[T], prefix: str, environ: Mapping[str, str] = os.environ
) -> T:
    """Read a dataclass of settings from variables such as ``CLP_SEARCH_DATA_DIR``.

    A variable with the service's name wins over the one without (``CLP_DATA_DIR``), so
    that the processes can share an environment. A secret is kept in a file, named by
    the variable with the suffix ``_FILE`` (``CLP_SEARCH_BROKER_URL_FILE``).

    A ``secret`` of our own, where it is set, has at least 32 bytes; the literal ``...``
    of a manual is refused for secrets of others too (``oidc_client_secret``).

    Raises:
        InvalidSettings: naming each variable that is missing or wrong.
    """
    values: dict[str, Any] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        for name in (f"{prefix}_{field.name}", f"CLP_{field.name}"):
            if (value := _value_of(name.upper(), environ)) is not None:
                if value != field.default:
                    _require_strong_secret(name.upper(), field.name, value)
                values[field.name] = value
                break
    try:
        loaded: T = settings_schema(cls).load(values)
    except ValidationError as error:
        lines = (
            f"{prefix}_{name}".upper() + f": {reason}"
            for name, reason in sorted(error.messages_dict.items())
        )
        raise InvalidSettings("\n".join(lines)) from None
    return loaded


def _require_strong_secret(variable: str, field: str, value: str) -> None:
    """Refuse a secret that can be guessed."""
    if field.endswith("secret") and value == PLACEHOLDER:
        raise InvalidSettings(f"{variable}: is a placeholder, not a secret")
    if field == "secret" and len(value.encode()) < MIN_SECRET_BYTES:
        raise InvalidSettings(
            f"{variable}: needs {MIN_SECRET_BYTES} bytes at least; "
            "`openssl rand -hex 32` makes one"
        )


def _value_of(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the value of a variable, or of the file that it names."""
    if (value := environ.get(name)) is not None:
        return value
    if (file := environ.get(f"{name}_FILE")) is None:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise InvalidSettings(f"{name}_FILE: cannot read {file}: {reason}") from None
