"""RabbitMQ users and permissions, derived from the entrypoints of the services.

One user for each service, three for clients outside and one for an autoscaler, which
may read the length of a queue (RabbitMQ shows it to any user of the virtual host) and
nothing else.

Permissions limit the queues and exchanges of a user; topic permissions limit the calls
it may make and serve and the events it may publish and consume. Without the latter,
every user of the RPC exchange could read all calls.

The name of a reply queue holds its user and a random id that only the called service
learns. Replies have an exchange of their own.

No account may declare or delete a shared exchange; the definitions hold them. What the
broker cannot refuse is a detour: a dead letter or a binding between exchanges that ends
at an exchange its account may write to, a copy by the header ``CC``, an exchange that
is named like a reply queue. So the services check each caller themselves.

Policies bound the queues that accounts from outside can fill: a broker that runs out of
memory stops every publisher. Of an argument of a queue and a policy the lower counts.
Another one keeps dead events, however often an operator looks at them.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clp_chassis.messaging import RETRY_DELAYS_MS, retry_exchange
from clp_chassis.messaging.event_consumer import QUEUE_VERSION
from clp_contracts.broker_users import (
    BROKER_USERS,
    CLIENTS,
    GATEWAY,
    SCALING,
    SERVICES,
)
from clp_contracts.exchanges import REPLIES, REPLY_KEY, REQUESTS
from clp_contracts.methods import PEOPLE
from clp_contracts.rpc_connection import REPLY_QUEUE_TTL_MS
from clp_deploy.service_inventory import (
    ServiceInventory,
    methods,
    service_inventories,
    subjects_of_methods,
)

VHOST: Final = "clp"
NOTHING: Final = "^(?!)"
PRIVILEGES: Final = ("configure", "write", "read")
MIB: Final = 1024 * 1024
# A connection waits for one reply at a time, so few are ever in its queue.
REPLY_QUEUE_LIMITS: Final = {
    "expires": REPLY_QUEUE_TTL_MS,
    "max-length": 1000,
    "max-length-bytes": 32 * MIB,
}
# Callers give up after ten seconds; a request refused here fails at once.
REQUEST_QUEUE_LIMITS: Final = {
    "message-ttl": 300_000,
    "max-length": 100_000,
    "max-length-bytes": 64 * MIB,
    "overflow": "reject-publish",
}
# RabbitMQ 4 drops what came back twenty times, and `clp-ops queues` returns what it
# shows. Policies of RabbitMQ 3.10 take no negative number, which would be no limit.
DEAD_LETTER_LIMITS: Final = {"delivery-limit": 1_000_000_000}


def definitions(passwords: Mapping[str, str] | None = None) -> dict[str, Any]:
    """RabbitMQ's definitions; a user without a password cannot log in."""
    inventories = service_inventories()
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name, (passwords or {}).get(name)) for name in BROKER_USERS],
        "permissions": [
            *(_service_permissions(one) for one in inventories),
            *(_client_permissions(name) for name in CLIENTS),
            {"user": SCALING, "vhost": VHOST, **dict.fromkeys(PRIVILEGES, NOTHING)},
        ],
        "topic_permissions": [
            *(topic for one in inventories for topic in _service_topics(one)),
            *(
                topic
                for name in CLIENTS
                for topic in _topics(
                    name,
                    {
                        REQUESTS: (_any_of(allowed_calls(name)), ""),
                        REPLIES: ("", REPLY_KEY),
                    },
                )
            ),
            *_topics(SCALING, {}),
        ],
        "exchanges": [_exchange(name, kind) for name, kind in _exchanges(inventories)],
        "policies": [
            _policy("replies", r"^rpc\.reply-", REPLY_QUEUE_LIMITS),
            _policy("requests", "^rpc-", REQUEST_QUEUE_LIMITS),
            _policy("dead letters", r"\.dead_letters$", DEAD_LETTER_LIMITS),
        ],
    }


def allowed_calls(client: str) -> list[str]:
    """The methods that a client outside may call.

    The gateway makes the calls of people; the directory and operations call the methods
    that name them.
    """
    if client == GATEWAY:
        return sorted(n for n, method in methods().items() if method.kinds & PEOPLE)
    return sorted(
        n for n, subjects in subjects_of_methods().items() if client in subjects
    )


def password_hash(password: str) -> str:
    """A password hash in RabbitMQ's format (salted SHA-256)."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(
        salt + hashlib.sha256(salt + password.encode()).digest()
    ).decode()


# ---- services


def _service_permissions(one: ServiceInventory) -> dict[str, Any]:
    sources = {e.source for e in one.subscriptions}
    own = [*_own_queues(one), _reply_queue(one.service)]
    retries = [re.escape(retry_exchange(name)) for name in one.subscribing_services]
    published = [_events(one.service)] if one.publishes else []
    consumed = [_events(source) for source in sorted(sources)]
    return _permission(
        one.service,
        configure=[*own, *retries],
        write=[*own, REQUESTS, REPLIES, *retries, *published],
        read=[*own, REQUESTS, REPLIES, *retries, *consumed],
    )


def _own_queues(one: ServiceInventory) -> list[str]:
    queues = [rf"rpc-{one.service}"] if one.methods else []
    delays = "|".join(str(delay) for delay in RETRY_DELAYS_MS)
    for event in one.subscriptions:
        name = f"evt-{event.source}--{event.service}.{event.method}.{QUEUE_VERSION}"
        tail = (
            r"\.[^.]+" if event.broadcast else rf"(\.retry\.({delays})|\.dead_letters)?"
        )
        queues.append(re.escape(name).replace(r"\-", "-") + tail)
    return queues


def _service_topics(one: ServiceInventory) -> Iterable[dict[str, Any]]:
    topics: dict[str, tuple[str, str]] = {
        REQUESTS: (_any_of(one.calls), rf"{re.escape(one.service)}\.\*"),
        REPLIES: (REPLY_KEY, REPLY_KEY),
    }
    for source in sorted({event.source for event in one.subscriptions}):
        types = {t for e in one.subscriptions if e.source == source for t in e.types}
        topics[_name_of_events(source)] = ("", _any_of(sorted(types)))
    if one.publishes:
        own = _name_of_events(one.service)
        topics[own] = (_any_of(one.publishes), topics.get(own, ("", ""))[1])
    return _topics(one.service, topics)


# ---- clients outside


def _client_permissions(name: str) -> dict[str, Any]:
    own = _reply_queue(name)
    return _permission(
        name, configure=[own], write=[own, REQUESTS], read=[own, REPLIES]
    )


# ---- definitions


def _user(name: str, password: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": "" if password is None else password_hash(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
    }


def _permission(user: str, **patterns: list[str]) -> dict[str, Any]:
    allowed = {name: f"^({'|'.join(some)})$" for name, some in patterns.items()}
    return {"user": user, "vhost": VHOST, **allowed}


def _topics(
    user: str, topics: Mapping[str, tuple[str, str]]
) -> Iterable[dict[str, Any]]:
    """Permissions on every topic exchange; RabbitMQ allows what is not listed."""
    exchanges = [REQUESTS, REPLIES, *map(_name_of_events, SERVICES)]
    for exchange in exchanges:
        write, read = topics.get(exchange, ("", ""))
        yield {
            "user": user,
            "vhost": VHOST,
            "exchange": exchange,
            "write": f"^({write})$" if write else NOTHING,
            "read": f"^({read})$" if read else NOTHING,
        }


def _exchange(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "type": kind,
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _policy(name: str, pattern: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "pattern": pattern,
        "apply-to": "queues",
        "priority": 0,
        "definition": dict(limits),
    }


def _exchanges(inventories: tuple[ServiceInventory, ...]) -> Iterable[tuple[str, str]]:
    yield REQUESTS, "topic"
    yield REPLIES, "topic"
    for one in inventories:
        if one.publishes:
            yield _name_of_events(one.service), "topic"
        for name in one.subscribing_services:
            yield retry_exchange(name), "direct"


def _reply_queue(user: str) -> str:
    return rf"rpc\.reply-{user}-{REPLY_KEY}"


def _name_of_events(source: str) -> str:
    return f"{source}.events"


def _events(source: str) -> str:
    return re.escape(_name_of_events(source))


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in names)
