"""An example environment for each process type, drawn from its settings."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from importlib import import_module
from typing import Any, Final

from clp_deploy.broker_permissions import VHOST
from clp_deploy.processes import ProcessType

# What a deployment sets, where the defaults are for one host.
EXAMPLES: Final = {
    "broker_url": "amqps://{service}:PASSWORD@rabbitmq:5671/"
    + VHOST
    + "?ca=/etc/clp/tls/ca.pem",
    "database_url": "postgresql+psycopg://{service}:PASSWORD@postgresql:5432/{service}"
    "?sslmode=verify-full&sslrootcert=/etc/clp/tls/ca.pem",
    "keys_dir": "/etc/clp/keys",
    "files_dir": "/var/lib/clp/files",
    "data_dir": "/var/lib/clp/index",
    "http_address": "0.0.0.0:{port}",
    "mail_url": "smtp+starttls://USER:PASSWORD@relay.example:587",
    "base_url": "https://clp.example",
    "secret": "SECRET",
}
PORTS: Final = {"messages": "8000", "notifications": "8001"}


def example_environment(process_type: ProcessType) -> str:
    """The text of an environment file: what is to be set, then what may be."""
    shape = import_module(f"{process_type.package}.settings").Settings
    return "".join(f"{line}\n" for line in _lines(process_type, shape))


def _lines(process_type: ProcessType, shape: Any) -> Iterator[str]:
    prefix = f"CLP_{process_type.service.upper()}"
    command = " ".join(process_type.command)
    yield f"# The environment of `{process_type.name}` (python -m {command})."
    yield "# Written by `make deploy-files` from its settings. What is commented is so"
    yield "# by default."
    yield "# NAME_FROM instead of NAME names a file that holds the value."
    yield ""
    told = sorted(fields(shape), key=lambda one: one.name not in EXAMPLES)
    for field in told:
        name = f"{prefix}_{field.name}".upper()
        if field.name in EXAMPLES:
            service = process_type.service
            port = PORTS.get(service, "0")
            value = EXAMPLES[field.name].format(service=service, port=port)
            yield f"{name}={value}"
        else:
            yield f"#{name}={_default(field)}"


def _default(field: Field[Any]) -> str:
    return "" if field.default is MISSING else str(field.default)
