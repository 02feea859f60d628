"""Draw calls and events between the services, from their entrypoints."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from clp_contracts.broker_users import SERVICES
from clp_deploy.processes import PROCESS_TYPES
from clp_deploy.service_inventory import ServiceInventory, service_inventories

# Clients and servers outside, which the code of the services does not name.
OUTSIDE: Final = (
    '  people(["people, in a browser or through a gateway"])',
    '  directory(["the directory"])',
    '  relay[/"mail relay"/]',
)
FROM_OUTSIDE: Final = (
    f"  people ==> {' & '.join(SERVICES)}",
    "  directory ==> projects",
    "  notifications ==> relay",
)


def picture() -> str:
    """A Mermaid flowchart: thick arrows outside, thin for calls, dotted for events."""
    inventories = service_inventories()
    return "\n".join(
        (
            "```mermaid",
            "flowchart LR",
            *OUTSIDE,
            *(_box(one) for one in inventories),
            *FROM_OUTSIDE,
            *(line for one in inventories for line in _calls(one)),
            *(line for one in inventories for line in _events(one)),
            "```",
        )
    )


def _box(one: ServiceInventory) -> str:
    kinds = [kind.name for kind in PROCESS_TYPES if kind.service == one.service]
    more = [f"and its {kind} workers" for kind in kinds if kind != one.service]
    return f'  {one.service}["{"<br/>".join((one.service, *more))}"]'


def _calls(one: ServiceInventory) -> Iterator[str]:
    by_service: dict[str, list[str]] = defaultdict(list)
    for call in one.calls:
        service, _, method = call.partition(".")
        if service != one.service:
            by_service[service].append(method)
    for service, methods in by_service.items():
        yield f'  {one.service} -- "{", ".join(methods)}" --> {service}'


def _events(one: ServiceInventory) -> Iterator[str]:
    for source in sorted({event.source for event in one.subscriptions}):
        if source != one.service:
            yield f"  {source} -. events .-> {one.service}"
