"""Generate the tables and the flowchart of README.md from the code.

``python -m clp_deploy.readme_tables`` writes them between their markers.
"""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from clp_core import (
    ROBOT,
    Author,
    Channel,
    ChannelKind,
    PartnerId,
    Person,
    PersonId,
    Project,
    ProjectId,
    Side,
    Trigger,
    may_post,
    may_read,
)
from clp_core.routing import ROUTES, Route
from clp_deploy.readme_picture import picture

README: Final = Path(__file__).resolve().parents[4] / "README.md"

NORTH: Final = PartnerId("north")
SOUTH: Final = PartnerId("south")
NIGHT_TRAIN: Final = Project(id=ProjectId("p1"), assigned=frozenset({NORTH, SOUTH}))
WITHOUT_NORTH: Final = Project(
    id=ProjectId("p1"), assigned=frozenset({SOUTH}), withdrawn=frozenset({NORTH})
)


def _person(name: str, partner: PartnerId | None, *roles: str) -> Person:
    return Person(
        id=PersonId(name),
        name=name,
        email=f"{name}@example.org",
        partner=partner,
        roles=frozenset(roles),
    )


# Label of the row, the person and the state of the project.
ACTORS: Final[tuple[tuple[str, Author, Project], ...]] = (
    (
        "internal, with access",
        _person("ivy", None, "dub_portal_user"),
        NIGHT_TRAIN,
    ),
    (
        "external, partner assigned",
        _person("nat", NORTH, "dub_portal_user"),
        NIGHT_TRAIN,
    ),
    (
        "external, partner not (or no longer) assigned",
        _person("nat", NORTH, "dub_portal_user"),
        WITHOUT_NORTH,
    ),
    ("robot", ROBOT, NIGHT_TRAIN),
    (
        "anybody without access",
        _person("lin", None, "dub_portal_user", "dialogue_list_author"),
        NIGHT_TRAIN,
    ),
)
CHANNELS: Final[tuple[tuple[str, PartnerId | None], ...]] = (
    ("broadcast", None),
    ("direct of own partner", NORTH),
    ("direct of another partner", SOUTH),
)
KINDS: Final = {
    ChannelKind.BROADCAST: "broadcast",
    ChannelKind.DIRECT: "direct message",
}
FOLLOWERS: Final = {
    (ChannelKind.BROADCAST, Side.EXTERNAL): "external followers, of all partners",
    (ChannelKind.DIRECT, Side.EXTERNAL): "external followers, of that partner",
    (ChannelKind.DIRECT, Side.INTERNAL): "internal followers",
}


def visibility_table() -> str:
    """The table of visibility, with the core's decision in each cell."""
    rows = (
        (str(number), who, *(_allowed(actor, project, of) for _, of in CHANNELS))
        for number, (who, actor, project) in enumerate(ACTORS, start=1)
    )
    return _table(("#", "who", *(name for name, _ in CHANNELS)), rows)


def routing_table() -> str:
    """The table of routing, from the routes of the core."""
    routed = sorted(
        (route.rule, *_route_row(kind, author, route))
        for (kind, author), route in ROUTES.items()
        if route is not None
    )
    mention = ("R4", "any message that mentions people", "only the mentioned people")
    rows = (*routed, (*mention, f"`{Trigger.MENTION}`"))
    return _table(("#", "message", "who is told", "trigger"), rows)


def _allowed(actor: Author, project: Project, partner: PartnerId | None) -> str:
    channel = Channel(project.id, partner)
    rules = {"read": may_read, "post": may_post}
    allowed = [name for name, rule in rules.items() if rule(actor, channel, project)]
    return ", ".join(allowed) or "nothing"


def _route_row(kind: ChannelKind, author: Side, route: Route) -> tuple[str, str, str]:
    return (
        f"{KINDS[kind]}, from {author}",
        FOLLOWERS[kind, route.audience],
        f"`{route.trigger}`",
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(head)
    lines = (names, ("---",) * len(names), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables() -> Mapping[str, str]:
    """Every table and the flowchart, by the name in its markers."""
    return {
        "visibility": visibility_table(),
        "routing": routing_table(),
        "picture": picture(),
    }


def with_tables(page: str, drawn: Mapping[str, str]) -> str:
    """The page with each table between its markers.

    Raises:
        LookupError: when the page has no markers for a table.
    """
    for name, table in drawn.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, opened, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise LookupError(f"the page has no markers for the table {name!r}")
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


def main() -> None:
    """Write the tables into README.md."""
    argparse.ArgumentParser(
        prog="python -m clp_deploy.readme_tables", description=main.__doc__
    ).parse_args()
    page = README.read_text(encoding="utf-8")
    README.write_text(with_tables(page, tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
