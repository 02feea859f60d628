"""The types and sizes of attachments are a deployment's file, told to people."""

from pathlib import Path

import pytest

from clp_chassis.settings import InvalidSettings
from clp_core.attachments import PUBLISHED_ATTACHMENTS, PUBLISHED_EXTENSIONS
from clp_messages.attachment_policy import load_attachment_policy
from clp_messages.service import open_attachment_policy
from clp_messages.settings import Settings
from clp_messages.use_cases import policies

TOML = """
extra_extensions = ["srt", "vtt", "ttml", "docx", "xlsx", "zip", "aaf"]
max_bytes = 2_000_000
[kinds]
aaf = ["archive"]
"""


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_without_a_file_the_policy_is_the_published_one() -> None:
    assert load_attachment_policy("") is PUBLISHED_ATTACHMENTS


def test_a_deployment_adds_types_and_changes_sizes(tmp_path: Path) -> None:
    policy = load_attachment_policy(written(tmp_path, "policy.toml", TOML))

    assert policy.accepted_extensions == PUBLISHED_EXTENSIONS | {
        "srt", "vtt", "ttml", "docx", "xlsx", "zip", "aaf",
    }  # fmt: skip
    assert policy.max_bytes == 2_000_000
    assert policy.max_per_message == 10
    assert [str(kind) for kind in policy.admissible_kinds("aaf")] == ["archive"]


def test_the_file_may_be_json(tmp_path: Path) -> None:
    file = written(tmp_path, "policy.json", '\ufeff{"max_per_message": 3}')

    assert load_attachment_policy(file).max_per_message == 3


MISTAKES = [
    ("policy.toml", "max_bytes = 0", "max_bytes: must be at least 1"),
    ("policy.toml", "extra_extensions = 'srt'", "extra_extensions: must be a list of words"),
    ("policy.toml", "extra_extensions = ['.srt']", "extra_extensions: '.srt' is not written in lower-case letters and digits without a dot"),
    ("policy.toml", "colour = 1", "colour: no policy has this field"),
    ("policy.toml", "[kinds]\nexe = ['program']", "kinds: exe may not admit program"),
    ("policy.json", "[]", "must be a table of fields"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "sentence"), MISTAKES)
def test_a_mistake_is_refused_at_start_in_one_sentence(
    name: str, text: str, sentence: str, tmp_path: Path
) -> None:
    file = written(tmp_path, name, text)

    with pytest.raises(InvalidSettings) as refused:
        open_attachment_policy(
            Settings(attachment_policy=file, database_url="sqlite:///unused.db")
        )

    assert str(refused.value) == f"CLP_MESSAGES_ATTACHMENT_POLICY: {file}: {sentence}"


@pytest.mark.parametrize(
    ("name", "content"), [("a.toml", b"= 1"), ("a.json", b"{"), ("a.toml", b"\xff")]
)
def test_a_file_that_is_not_read_is_named(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ValueError, match=name):
        load_attachment_policy(str(tmp_path / name))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        load_attachment_policy(str(tmp_path / "none.toml"))


def test_people_are_told_the_limits(tmp_path: Path) -> None:
    policy = load_attachment_policy(written(tmp_path, "policy.toml", TOML))

    told = policies.published(policy)

    assert told.extensions == tuple(sorted(policy.accepted_extensions))
    assert (told.max_bytes, told.max_files) == (2_000_000, 10)
    assert (told.max_characters, told.max_people) == (10_000, 50)
