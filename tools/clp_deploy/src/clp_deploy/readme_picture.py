"""Draws who talks to whom, as the services' entrypoints and calls say it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from clp_deploy.processes import PROCESS_TYPES
from clp_deploy.service_inventory import SERVICES, Dealings, dealings

# Whom the code of a service does not name: who asks from outside, and where mails go.
OUTSIDE: Final = (
    '  gateway(["people, through the gateway"])',
    '  directory(["the directory"])',
    '  relay[/"mail relay"/]',
)
FROM_OUTSIDE: Final = (
    f"  gateway ==> {' & '.join(SERVICES)}",
    "  directory ==> projects",
    "  notifications ==> relay",
)


def picture() -> str:
    """A Mermaid drawing: thick lines from and to outside, calls, and events dotted."""
    known = dealings()
    return "\n".join(
        (
            "```mermaid",
            "flowchart LR",
            *OUTSIDE,
            *(_box(one) for one in known),
            *FROM_OUTSIDE,
            *(line for one in known for line in _calls(one)),
            *(line for one in known for line in _events(one)),
            "```",
        )
    )


def _box(one: Dealings) -> str:
    kinds = [kind.name for kind in PROCESS_TYPES if kind.service == one.service]
    more = [f"and its {kind} workers" for kind in kinds if kind != one.service]
    return f'  {one.service}["{"<br/>".join((one.service, *more))}"]'


def _calls(one: Dealings) -> Iterator[str]:
    by_service: dict[str, list[str]] = defaultdict(list)
    for call in one.calls:
        service, _, method = call.partition(".")
        if service != one.service:
            by_service[service].append(method)
    for service, methods in by_service.items():
        yield f'  {one.service} -- "{", ".join(methods)}" --> {service}'


def _events(one: Dealings) -> Iterator[str]:
    for source in sorted({heard.source for heard in one.hears}):
        if source != one.service:
            yield f"  {source} -. events .-> {one.service}"
