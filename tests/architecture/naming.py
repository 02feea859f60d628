"""One word per concept: names that say nothing, and names that say another word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import CODE, SHIPPED, Finding, Source, sources_of

# A module with such a name collects what has no home.
DRAWERS = frozenset({
    "base", "common", "commons", "generic", "helper", "helpers", "lib", "libs", "misc",
    "miscellaneous", "shared", "stuff", "tools", "util", "utilities", "utils",
})  # fmt: skip

# word nobody says -> word we say. Only words that cannot mean anything else here: "user"
# is the login of a server, "sender" the From of a mail, "thread" the thread of a mail,
# "room" the space that is left.
SAY_INSTEAD = {
    "agency": "partner",
    "badge": "unread",
    "bot": "robot",
    "chat_room": "channel",
    "chatroom": "channel",
    "current_user": "actor",
    "dto": "facts",
    "is_external": "side",
    "is_internal": "side",
    "last_seen": "read marker",
    "private_channel": "direct channel",
    "public_channel": "broadcast channel",
    "requester": "actor",
    "room_id": "channel",
    "room_name": "channel",
    "rooms": "channel",
    "supplier": "partner",
    "to_user": "recipient",
    "username": "handle or the server's login",
    "vendor": "partner",
    "verdict": "decision",
    "viewer": "reader",
    "watcher": "follower",
}


def drawers(root: Path) -> list[Finding]:
    """Modules and folders named like a drawer."""
    found = set()
    for source in sources_of(root, CODE):
        parts = source.path.relative_to(root).with_suffix("").parts
        # The first folder of the tree is the tree's own: libs, services, deploy, tests.
        for part in parts[1:]:
            if part.lower().strip("_") in DRAWERS:
                found.add(source.finding(1, f"a drawer: {part}"))
    return sorted(found)


def foreign_words(root: Path) -> list[Finding]:
    """Names of modules, classes, functions, arguments and fields that say another word."""
    found: list[Finding] = []
    for source in sources_of(root, SHIPPED):
        if "migrations" in source.path.parts:
            continue
        for line, name in _names_in(source):
            said = _snake(name)
            found.extend(
                source.finding(line, f"{name}: say {instead}, not {word}")
                for word, instead in SAY_INSTEAD.items()
                if re.search(rf"(^|_){word}s?(_|$)", said)
            )
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _names_in(source: Source) -> Iterator[tuple[int, str]]:
    yield 1, source.path.stem
    for node in ast.walk(source.syntax):
        match node:
            case ast.ClassDef(name=name, body=body):
                yield node.lineno, name
                yield from _assigned(body)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Module(body=body):
                yield from _assigned(body)
            case _:
                pass


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield statement.lineno, name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield statement.lineno, name
            case _:
                pass
