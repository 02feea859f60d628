"""The vectors of the reference, and what of a reply agrees with them."""

import json
from pathlib import Path
from typing import Any

from clp_contracts.methods import PassportKind
from clp_suite.suite import Suite

REFERENCE = Path(__file__).parents[2] / "docs/reference"
VECTORS: list[dict[str, Any]] = json.loads((REFERENCE / "vectors.json").read_text())
SERVICES = ("directory",)


def passport_of(suite: Suite, vector: dict[str, Any]) -> str:
    kind = PassportKind.SERVICE if vector["as"] in SERVICES else PassportKind.PERSON
    service = vector["method"].partition(".")[0]
    return suite.passport(vector["as"], kind, audience=service)


def agrees(expected: Any, found: Any) -> bool:
    """Whether a result holds what is expected; it may hold more."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and agrees(value, found[name])
            for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(agrees, expected, found))
    return bool(expected == found)


def disagreements(replies: list[dict[str, Any]]) -> list[str]:
    """The vectors whose reply, as the broker carries it, is another one."""
    found = []
    for vector, reply in zip(VECTORS, replies, strict=True):
        error = reply.get("error") or {}
        if "refusal" in vector:
            holds = error.get("exc_args", [""])[0] == vector["refusal"]
        else:
            holds = not error and agrees(vector["response"], reply["result"])
        if not holds:
            found.append(f"{vector} got {reply}")
    return found
