"""The page of events and the AsyncAPI 3 document, from one table of meanings."""

import json
from typing import Any, Final

from clp_contracts import events
from clp_contracts.feed import Change
from clp_deploy.reference.markdown import code, page, table
from clp_deploy.reference.schemas import components

# Of each event type: when it is published, and what its subject is.
MEANINGS: Final = {
    events.PERSON_CHANGED: ("A person was stored with changes.", "person"),
    events.PARTNER_CHANGED: ("A partner was stored with changes.", "partner"),
    events.PROJECT_CHANGED: ("A project was stored with changes.", "project"),
    events.PARTNER_ASSIGNED: ("A partner was assigned to a project.", "partner"),
    events.PARTNER_WITHDRAWN: ("A partner was withdrawn from a project.", "partner"),
    events.PROJECT_FOLLOWED: ("A person follows a project.", "person"),
    events.PROJECT_UNFOLLOWED: ("A person stopped following a project.", "person"),
    events.SCHEDULE_ANNOUNCED: ("A schedule fact was announced.", "announcement"),
    events.MESSAGE_POSTED: ("A message was posted.", "message"),
    events.MESSAGE_EDITED: ("A message was edited.", "message"),
    events.MESSAGE_DELETED: ("A message was deleted.", "message"),
    events.NOTIFICATION_DUE: ("Notifications of a message are due.", "message"),
}
ABOUT: Final = """\
Each service publishes its committed changes to the topic exchange `SERVICE.events`,
with the event type as the routing key, in the order of their positions. An event holds
ids and never a person's text. It may be lost, doubled or late: it says that there is
news, and the call `changes` of the service gives what was missed. [The AsyncAPI 3
document](asyncapi.json) says the same for programs."""

REFERENCE: Final = "#/components/schemas/{name}"


def _service(event_type: str) -> str:
    return event_type.split(".")[1]


def asyncapi() -> dict[str, Any]:
    """The document: a channel for each exchange, a message for each event type."""
    (payload,), definitions = components([Change], REFERENCE)
    services = sorted({_service(one) for one in MEANINGS})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Events of CLP Communications", "version": "0.1.0"},
        "defaultContentType": "application/json",
        "channels": {name: _channel(name) for name in services},
        "operations": {
            f"publish_{name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in services
        },
        "components": {
            "messages": {
                one: {
                    "name": one,
                    "summary": meaning,
                    "description": f"`subject` is the id of the {subject}.",
                    "payload": payload,
                }
                for one, (meaning, subject) in MEANINGS.items()
            },
            "schemas": definitions,
        },
    }


def _channel(service: str) -> dict[str, Any]:
    own = [one for one in MEANINGS if _service(one) == service]
    exchange = {"name": f"{service}.events", "type": "topic", "durable": True}
    return {
        "address": f"{service}.events",
        "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in own},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _detail_of(event_type: str) -> str:
    return ", ".join(map(code, events.DETAIL_FIELDS[event_type]))


def asyncapi_text() -> str:
    """The document as JSON, which is YAML as well."""
    return json.dumps(asyncapi(), indent=1) + "\n"


def events_page() -> str:
    """The page of events."""
    payload = (
        ("position", "the place in the feed of the service, without gaps"),
        ("type", "the event type"),
        ("subject", "the id of what changed"),
        ("project", "the project, or empty"),
        ("at", "when it was committed (RFC 3339)"),
        ("detail", "short facts as texts, such as the trace it belongs to"),
    )
    return page(
        "Events",
        ABOUT,
        table(
            ("event", "when", "subject", "in `detail`"),
            (
                (code(one), when, subject, _detail_of(one))
                for one, (when, subject) in MEANINGS.items()
            ),
        ),
        "The payload of every event:",
        table(("field", "meaning"), ((code(a), b) for a, b in payload)),
    )
