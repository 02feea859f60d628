"""The types and sizes of attachments, as a deployment's file says (rules 26 to 28)."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from clp_core.attachments import PUBLISHED_ATTACHMENTS, AttachmentPolicy
from clp_core.decisions import InvalidValue
from clp_core.policies import Policies

SECTION: Final = "attachments."


def load_attachment_policy(file: str) -> AttachmentPolicy:
    """Read a policy from a TOML or JSON file; without a file it is the published one.

    Raises:
        ValueError: with a sentence for the operator that names the field.
    """
    if not file:
        return PUBLISHED_ATTACHMENTS
    fields = _fields_of(Path(file))
    try:
        return Policies.from_mapping({"attachments": fields}).attachments
    except InvalidValue as problem:
        raise ValueError(f"{file}: {str(problem).removeprefix(SECTION)}") from None


def _fields_of(path: Path) -> Mapping[str, object]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        fields = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if isinstance(fields, dict):
        return cast("dict[str, Any]", fields)
    raise ValueError(f"{path}: must be a table of fields")
