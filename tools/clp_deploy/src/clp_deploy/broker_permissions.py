"""Who may do what on the broker: a user for each service, and three for outsiders.

One more is for an autoscaler: it sees how long a queue is (which RabbitMQ tells whoever
may enter) and touches nothing.

Plain permissions say which queues and exchanges a user touches; topic permissions say
which calls it may make, which it may take, and which events it may announce or hear.
Without the latter, whoever may use the exchange of the calls could listen to all of
them. All of it follows from the entrypoints.

Reply queues carry the name of their user and a random id that is told to nobody but the
service that answers.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clp_chassis.messaging import RETRY_DELAYS_MS, returns_exchange
from clp_chassis.messaging.event_consumer import QUEUE_VERSION
from clp_contracts import projects
from clp_contracts.methods import AUTHORS, PassportKind
from clp_deploy.service_inventory import SERVICES, Dealings, dealings, methods

VHOST: Final = "clp"
CALLS: Final = "nameko-rpc"
UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NOTHING: Final = "^(?!)"
WHAT: Final = ("configure", "write", "read")
GATEWAY: Final = "gateway"
DIRECTORY: Final = "directory"
OPERATIONS: Final = "operations"
OUTSIDERS: Final = (GATEWAY, DIRECTORY, OPERATIONS)
SCALING: Final = "scaling"
USERS: Final = (*SERVICES, *OUTSIDERS, SCALING)
# Calls that programs one version back still make, so that both can run side by side.
# An entry goes one version later.
STILL_CALLED: Final = {"notifications": ("messages.for_mail",)}


def definitions(passwords: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The broker's definitions; a user without a password cannot log in."""
    known = dealings()
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name, (passwords or {}).get(name)) for name in USERS],
        "permissions": [
            *(_service_rights(one) for one in known),
            *(_outsider_rights(name) for name in OUTSIDERS),
            {"user": SCALING, "vhost": VHOST, **dict.fromkeys(WHAT, NOTHING)},
        ],
        "topic_permissions": [
            *(right for one in known for right in _service_topics(one)),
            *(
                right
                for name in OUTSIDERS
                for right in _topics(name, {CALLS: (_may_call(granted(name)), UUID)})
            ),
            *_topics(SCALING, {}),
        ],
        "exchanges": [_exchange(name, kind) for name, kind in _exchanges(known)],
    }


def granted(outsider: str) -> list[str]:
    """The methods that an outsider may call.

    The gateway makes the calls of people and of the robot. What services may call and
    none of ours does is there for other teams': of `projects` for the directory, of the
    others for operations, which may also ask everybody how far they are.
    """
    # What a service's own command asks of it is no call between services.
    ours = {
        call
        for one in dealings()
        for call in one.calls
        if not call.startswith(f"{one.service}.")
    }
    ours.update(*STILL_CALLED.values())
    found = []
    for name, method in methods().items():
        for_services = PassportKind.SERVICE in method.kinds and name not in ours
        is_directory = method.service == projects.SERVICE and method.name != "progress"
        fits = {
            GATEWAY: bool(method.kinds & AUTHORS),
            DIRECTORY: for_services and is_directory,
            OPERATIONS: for_services and not is_directory,
        }
        if fits[outsider]:
            found.append(name)
    return sorted(found)


def password_hash(password: str) -> str:
    """A password as RabbitMQ keeps it (salted SHA-256)."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(
        salt + hashlib.sha256(salt + password.encode()).digest()
    ).decode()


# ---- services


def _service_rights(one: Dealings) -> dict[str, Any]:
    heard = {e.source for e in one.hears}
    own = [*_own_queues(one), _reply_queue(one.service)]
    returns = [re.escape(returns_exchange(name)) for name in one.hearing_services]
    announces = [_events(one.service)] if one.announces else []
    hears = [_events(source) for source in sorted(heard)]
    return _rights(
        one.service,
        configure=[*own, CALLS, *returns, *announces, *hears],
        write=[*own, CALLS, *returns, *announces],
        read=[*own, CALLS, *returns, *hears],
    )


def _own_queues(one: Dealings) -> list[str]:
    queues = [rf"rpc-{one.service}"] if one.answers else []
    waits = "|".join(str(delay) for delay in RETRY_DELAYS_MS)
    for event in one.hears:
        name = f"evt-{event.source}--{event.service}.{event.method}.{QUEUE_VERSION}"
        tail = r"\.[^.]+" if event.everywhere else rf"(\.wait\.({waits})|\.dead)?"
        queues.append(re.escape(name).replace(r"\-", "-") + tail)
    return queues


def _service_topics(one: Dealings) -> Iterable[dict[str, Any]]:
    calls = sorted({*one.calls, *STILL_CALLED.get(one.service, ())})
    topics: dict[str, tuple[str, str]] = {
        CALLS: (_may_call(calls, UUID), rf"{re.escape(one.service)}\.\*|{UUID}")
    }
    for source in sorted({event.source for event in one.hears}):
        types = {t for e in one.hears if e.source == source for t in e.types}
        topics[_name_of_events(source)] = ("", _any_of(sorted(types)))
    if one.announces:
        own = _name_of_events(one.service)
        topics[own] = (_any_of(one.announces), topics.get(own, ("", ""))[1])
    return _topics(one.service, topics)


# ---- outsiders


def _outsider_rights(name: str) -> dict[str, Any]:
    own = [_reply_queue(name), CALLS]
    return _rights(name, configure=own, write=own, read=own)


# ---- shapes


def _user(name: str, password: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": "" if password is None else password_hash(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
    }


def _rights(user: str, **patterns: list[str]) -> dict[str, Any]:
    allowed = {what: f"^({'|'.join(names)})$" for what, names in patterns.items()}
    return {"user": user, "vhost": VHOST, **allowed}


def _topics(
    user: str, topics: Mapping[str, tuple[str, str]]
) -> Iterable[dict[str, Any]]:
    """Rights on every topic exchange: where none are stated, all would be allowed."""
    everywhere = [CALLS, *(_name_of_events(service) for service in SERVICES)]
    for exchange in everywhere:
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


def _exchanges(known: tuple[Dealings, ...]) -> Iterable[tuple[str, str]]:
    yield CALLS, "topic"
    for one in known:
        if one.announces:
            yield _name_of_events(one.service), "topic"
        for name in one.hearing_services:
            yield returns_exchange(name), "direct"


def _reply_queue(user: str) -> str:
    return rf"rpc\.reply-{user}-{UUID}"


def _name_of_events(source: str) -> str:
    return f"{source}.events"


def _events(source: str) -> str:
    return re.escape(_name_of_events(source))


def _may_call(calls: Iterable[str], *others: str) -> str:
    return "|".join([*(re.escape(call) for call in calls), *others])


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in names)
