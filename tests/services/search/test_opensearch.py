"""The mapping for OpenSearch has a place for everything that an engine is told."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from clp_search.engine import Document, Key

MAPPING: Any = json.loads(
    (Path(__file__).parents[3] / "services/search/opensearch.json").read_text()
)
PROPERTIES = MAPPING["mappings"]["properties"]
# Kept with a document to be shown, and found through its terms only.
SHOWN = {"author", "author_name", "text", "attachments", "revision"}


def test_every_field_of_a_document_has_its_place_and_nothing_else_has() -> None:
    assert set(PROPERTIES) == {f.name for f in fields(Document)} | {"terms"}
    assert MAPPING["mappings"]["dynamic"] == "strict"


def test_no_text_of_a_person_is_analysed_by_somebody_else() -> None:
    assert all(PROPERTIES[name]["index"] is False for name in SHOWN)
    analysed = {name for name, kind in PROPERTIES.items() if kind["type"] == "text"}
    assert analysed <= SHOWN


def test_documents_lie_in_the_order_of_their_keys() -> None:
    assert MAPPING["settings"]["index"]["sort.field"] == list(Key._fields)
    assert MAPPING["settings"]["index"]["sort.order"] == ["desc"] * len(Key._fields)
