"""Load the case files; their heads document the forms of a value."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent

# The standard antivirus test text, in halves, so that no scanner removes this file.
EICAR: Final = (
    r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + r"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileCase:
    """One row of ``hostile.json``; `facts` holds what only some rows have."""

    id: str
    area: str
    name: str
    expect: str
    why: str
    facts: Mapping[str, Any]

    @property
    def value(self) -> str:
        """The input itself, written out."""
        return written_out(self.facts["value"])

    @property
    def filename(self) -> str:
        """The name of the file; bytes that are not UTF-8 become lone surrogates."""
        if "filename_hex" in self.facts:
            raw = bytes.fromhex(self.facts["filename_hex"])
            return raw.decode("utf-8", errors="surrogateescape")
        return written_out(self.facts["filename"])

    def content(self, max_bytes: int) -> bytes:
        """The bytes of the file; MAX is the limit of the policy."""
        form = self.facts["content"]
        if form.get("eicar"):
            return EICAR.encode()
        if "text" in form:
            return str(form["text"]).encode()
        if "size" in form:
            return bytes(form["size"])
        head = bytes.fromhex(form.get("hex", ""))
        tail = bytes.fromhex(form.get("tail_hex", ""))
        wanted = {"MAX": max_bytes, "MAX+1": max_bytes + 1}
        length = wanted.get(form.get("pad_to"), form.get("pad_to", 0))
        return head + bytes(max(0, length - len(head) - len(tail))) + tail


@cache
def hostile_cases(area: str) -> tuple[HostileCase, ...]:
    """The rows of one area, in the order of the file."""
    common = ("id", "area", "name", "expect", "why")
    return tuple(
        HostileCase(
            **{key: row[key] for key in common},
            facts={key: row[key] for key in row if key not in common},
        )
        for row in _read("hostile.json")["cases"]
        if row["area"] == area
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCase:
    """One row of ``field.json``: an input, and what is wanted of it."""

    id: str
    area: str
    input: Any
    wanted: Any
    why: str

    def content(self) -> bytes:
        """The bytes of a file; a text is encoded as the row says."""
        if "bytes_base64" in self.input:
            return b64decode(self.input["bytes_base64"])
        return str(self.input["text"]).encode(self.input["encoding"])


@cache
def field_cases(area: str) -> tuple[FieldCase, ...]:
    """The rows of one area, in the order of the file."""
    fields = ("id", "area", "input", "wanted", "why")
    return tuple(
        FieldCase(**{field: row[field] for field in fields})
        for row in _read("field.json")["rows"]
        if row["area"] == area
    )


@cache
def search_cases() -> tuple[Mapping[str, Any], ...]:
    """The rows of ``search.json``: a text, a query, and whether it is found."""
    return tuple(_read("search.json"))


def written_out(form: object) -> str:
    """A value in any of its forms, as text."""
    match form:
        case str(text):
            return text
        case {"repeat": [part, int(times)]}:
            return written_out(part) * times
        case {"concat": parts}:
            return "".join(map(written_out, parts))
        case {"numbered_terms": [prefix, count]}:
            return " ".join(f"{prefix}{number}" for number in range(count))
        case _:
            raise ValueError(f"no form of a value: {form!r}")


def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
