"""The mapping for OpenSearch covers every field of a document."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from clp_search.engine import Document, SortKey

MAPPING: Any = json.loads(
    (Path(__file__).parents[3] / "services/search/opensearch.json").read_text()
)
PROPERTIES = MAPPING["mappings"]["properties"]
# Stored with a document to be shown, and searched through its terms only.
SHOWN = {"author", "author_name", "text", "attachments", "revision"}


def test_every_field_of_a_document_is_mapped_and_nothing_else() -> None:
    assert set(PROPERTIES) == {f.name for f in fields(Document)} | {"terms"}
    assert MAPPING["mappings"]["dynamic"] == "strict"


def test_no_text_of_a_person_has_another_analyser() -> None:
    assert all(PROPERTIES[name]["index"] is False for name in SHOWN)
    analysed = {name for name, kind in PROPERTIES.items() if kind["type"] == "text"}
    assert analysed <= SHOWN


def test_documents_are_sorted_by_their_keys() -> None:
    assert MAPPING["settings"]["index"]["sort.field"] == list(SortKey._fields)
    assert MAPPING["settings"]["index"]["sort.order"] == ["desc"] * len(SortKey._fields)
