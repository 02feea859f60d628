"""The pages of error codes, settings, attachment types and the search syntax."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from importlib import import_module
from typing import Final

from clp_chassis.settings import SettingDescription
from clp_contracts.error_codes import CODES, DETAILS
from clp_contracts.error_remedies import REMEDIES
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_deploy.environments import all_settings
from clp_deploy.reference.markdown import code, page, table

SYNTAX: Final = (
    ("night train", "messages with both words, in any order"),
    ('"night train"', "the words side by side"),
    ("epis*", "words that begin so"),
    ("-draft", "not with this word; needs another word or filter"),
    ("from:nat", "by an author of this name or mail address"),
    ("file:script", "with a file of this name, or a part of it"),
    ("has:attachment", "with files"),
    ("-has:attachment", "without files"),
    ("before:2026-11-30", "posted before this day"),
    ("after:2026-11-30", "posted after this day"),
    ("on:2026-11", "posted on this day, or in this month or year"),
    ("PKG-12345", "an identifier, whole or by part"),
    ("明日", "Han, kana, Hangul, Thai, Lao, Khmer and Burmese: any run of characters"),
)


def errors_page() -> str:
    """The page of error codes."""
    rows = (
        (
            code(one),
            CODES[one],
            REMEDIES[one],
            ", ".join(map(code, DETAILS.get(one, ()))),
        )
        for one in CODES
    )
    return page(
        "Error codes",
        "A refusal has a code of this list and a detail, an object with facts for"
        " programs. Codes are only added. A code that ends in `missing` reads the same"
        " for what does not exist and for what is hidden ([the rules](../rules.md)).",
        table(("code", "meaning", "remedy", "always in the detail"), rows),
    )


def settings_page() -> str:
    """The page of settings."""
    return page(
        "Settings",
        "Settings are environment variables. `NAME_FILE` instead of `NAME` names a file"
        " that holds the value. A process checks all of them at its start; `python -m"
        " clp_SERVICE --help` prints them, and `--check` tries them. `python -m"
        " clp_SERVICE migrate` reads one more, `CLP_SERVICE_MIGRATION_URL`, the"
        " database as the role that owns its tables.",
        *_settings(),
    )


def _settings() -> Iterator[str]:
    services = all_settings()
    yield "## Every process"
    yield (
        "`CLP_SERVICE_NAME` instead of `CLP_NAME` sets one for the processes of one"
        " service: `CLP_SEARCH_LOG_LEVEL`."
    )
    (*_, described) = services.values()
    yield _settings_table(
        (one.shared_variable, one) for one in described if one.shared_variable
    )
    for service, described in services.items():
        yield f"## {service}"
        yield _settings_table(
            (one.variable, one) for one in described if not one.shared_variable
        )


def _settings_table(rows: Iterable[tuple[str, SettingDescription]]) -> str:
    return table(
        ("variable", "meaning", "expected", "default"),
        (
            (
                code(variable),
                one.setting.meaning
                + (f", in {unit}" if (unit := one.setting.unit) else ""),
                one.expected,
                "required" if one.default is None else code(one.default_text),
            )
            for variable, one in rows
        ),
    )


def attachments_page() -> str:
    """The page of attachment types."""
    policy = PUBLISHED_ATTACHMENTS
    rows = (
        (code(one), ", ".join(map(str, sorted(policy.admissible_kinds(one)))))
        for one in sorted(policy.extensions)
    )
    return page(
        "Attachment types",
        f"A file has 1 to {policy.max_bytes:,} bytes, a message"
        f" {policy.max_per_message} files at most. Its last extension decides, whatever"
        " its case, and its content must not contradict it. A policy file may add types"
        " ([the rules](../rules.md)).",
        table(("extension", "content that is taken"), rows),
    )


def search_page() -> str:
    """The page of the search syntax; each example is read by the parser."""
    query = import_module("clp_search.query")
    rows = []
    for example, meaning in SYNTAX:
        parsed = query.parse(f"{example} word", UTC)
        if parsed.notes:
            raise ValueError(f"{example}: {parsed.notes}")
        rows.append((code(example), meaning))
    notes = sorted(v for k, v in vars(query).items() if k in NOTES)
    return page(
        "Search syntax",
        f"All parts of a query must hold. A query has {query.MAX_QUERY_LENGTH}"
        f" characters and {query.MAX_KEYWORDS} words at most. Anything else that is"
        " typed is read as plain words; days are days of the reader's time zone, and"
        " full-width signs count as their ASCII forms.",
        table(("typed", "finds"), rows),
        "What was not used as typed is named in `notes` of the response: "
        + ", ".join(map(code, notes))
        + ".",
    )


NOTES: Final = (
    "TOO_MANY",
    "PREFIX_TOO_SHORT",
    "DATE_UNREADABLE",
    "EXCLUSION_EMPTY",
    "NOTHING_TO_FIND",
)
