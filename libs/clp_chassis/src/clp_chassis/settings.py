"""Settings from the environment, checked before anything starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from marshmallow import ValidationError

from clp_contracts.serialization import settings_schema

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What an operator sets for every process, whatever its service.

    ``observe_address`` (``HOST:PORT``) is where ``/live``, ``/ready`` and ``/metrics``
    are served; empty for nowhere. ``log_shape`` is ``text`` or ``json``. ``traces_url``
    names an OpenTelemetry collector (OTLP over HTTP); empty for no traces.
    """

    broker_url: str = "amqp://guest:guest@127.0.0.1:5672//"
    keys_dir: str = "keys"
    observe_address: str = ""
    log_level: str = "INFO"
    log_shape: str = "text"
    traces_url: str = ""


class WrongSettings(Exception):
    """The environment does not describe a service that can run."""


def read_settings(
    shape: type[T], prefix: str, environ: Mapping[str, str] = os.environ
) -> T:
    """Read a dataclass of settings from variables such as ``CLP_SEARCH_DATA_DIR``.

    A variable of the one service wins over the one without its name
    (``CLP_DATA_DIR``), so that four processes can share an environment. A value that
    should not be in an environment is left in a file, and its variable followed by
    ``_FROM`` names the file (``CLP_SEARCH_BROKER_URL_FROM``).

    Raises:
        WrongSettings: naming each variable that is missing or wrong.
    """
    values: dict[str, Any] = {}
    for known in fields(shape):  # type: ignore[arg-type]
        for name in (f"CLP_{known.name}", f"{prefix}_{known.name}"):
            if (given := _given(name.upper(), environ)) is not None:
                values[known.name] = given
    try:
        loaded: T = settings_schema(shape).load(values)
    except ValidationError as error:
        lines = (
            f"{prefix}_{name}".upper() + f": {reason}"
            for name, reason in sorted(error.messages_dict.items())
        )
        raise WrongSettings("\n".join(lines)) from None
    return loaded


def _given(name: str, environ: Mapping[str, str]) -> str | None:
    """A variable's value, or what the file says that it names."""
    if (value := environ.get(name)) is not None:
        return value
    if (file := environ.get(f"{name}_FROM")) is None:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
        raise WrongSettings(f"{name}_FROM: cannot read {file}: {why}") from None
