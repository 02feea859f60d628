"""JSON Schemas of all requests and responses, for callers in other languages."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from clp_deploy.reference.markdown import as_plain_text
from clp_deploy.service_inventory import methods

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Final = "#/$defs/{name}"


def schemas() -> dict[str, Any]:
    """One document: each method's request and response, and the shapes they hold.

    A service refuses unknown arguments; a caller ignores unknown fields of a response,
    which a newer service may add.
    """
    found = methods()
    requests = [one.request for one in found.values()]
    shapes = dict.fromkeys((*requests, *(one.response for one in found.values())))
    references, definitions = components(shapes, REFERENCE)
    for request in requests:
        definitions[request.__name__]["additionalProperties"] = False
    named = dict(zip(shapes, references, strict=True))
    return {
        "$schema": DRAFT,
        "title": "Calls of CLP Communications",
        "methods": {
            name: {"request": named[one.request], "response": named[one.response]}
            for name, one in sorted(found.items())
        },
        "$defs": definitions,
    }


def components(
    shapes: Iterable[type], template: str
) -> tuple[Sequence[dict[str, Any]], dict[str, Any]]:
    """References to shapes, and the definitions of all that they hold."""
    references, definitions = msgspec.json.schema_components(
        shapes, ref_template=template
    )
    for shape in definitions.values():
        if "description" in shape:
            shape["description"] = as_plain_text(shape["description"])
    return references, definitions


def schemas_text() -> str:
    """The document as JSON."""
    return json.dumps(schemas(), indent=1, sort_keys=True) + "\n"
