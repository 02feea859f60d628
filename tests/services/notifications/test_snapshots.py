"""Every mail type in every language, as it was last looked at.

`make mail-snapshots` writes the files again; whoever does so reads the difference.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.content import Kind
from clp_notifications.mail.locales import languages
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mail_builders import checked
from tests.services.notifications.sample_mails import (
    PARTNERS_READER,
    SampleMail,
    all_samples,
    samples,
)

FOLDER = Path(__file__).parent / "snapshots"
IS_WRITING = os.environ.get("TESTS_WRITE_SNAPSHOTS") == "1"
RULE = "=" * 72


def written_out(sample: SampleMail) -> str:
    """A mail without fault, as text that people can compare."""
    mail = COMPOSER.compose(sample.mail, address_of(sample.mail.reader.email))
    parts = checked(mail)
    html = re.sub(r' style="[^"]*"', "", parts.html.partition("<body")[2])
    head = [f"Subject: {parts.one('Subject')}", f"List-Id: {parts.one('List-Id')}"]
    return "\n".join([RULE, sample.label, RULE, *head, "", parts.text, "<body" + html])


def snapshot(kind: Kind, language: str) -> str:
    return "\n".join(map(written_out, samples(kind, language)))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", Kind)
def test_each_type_of_mail_looks_as_it_did(kind: Kind, language: str) -> None:
    file = FOLDER / f"{kind}.{language}.txt"
    found = snapshot(kind, language)
    if IS_WRITING:
        file.write_text(found, "utf-8")
    assert file.exists(), f"{file.name} is missing: make mail-snapshots, and read it"
    assert found == file.read_text("utf-8"), "make mail-snapshots, and read the change"


def test_no_snapshot_is_of_a_mail_that_is_gone() -> None:
    known = {f"{kind}.{language}.txt" for kind in Kind for language in languages()}
    assert {file.name for file in FOLDER.iterdir()} == known


def everything_in(sample: SampleMail) -> str:
    """All that a mail says anywhere, decoded, and its raw bytes."""
    mail = COMPOSER.compose(sample.mail, address_of(sample.mail.reader.email))
    parts = checked(mail)
    return f"{mail.data.decode()}\n{parts.head}\n{parts.text}\n{parts.html}"


@pytest.mark.parametrize(
    "sample",
    [sample for sample in all_samples() if not sample.content],
    ids=lambda sample: f"{sample.kind} {sample.language} {sample.direction}",
)
def test_a_mail_without_content_names_no_text_no_file_and_no_author(
    sample: SampleMail,
) -> None:
    whole = everything_in(sample)
    reader = sample.mail.reader.name
    for said in sample.mail.messages:
        assert said.author == reader or said.author not in whole
        assert not any(line in whole for line in said.text.split("\n"))
        assert not any(word in whole for word in said.text.split() if len(word) > 5)
        for file in said.files:
            assert file.name not in whole
            assert file.id not in whole
        assert f"/{said.number}" in whole


@pytest.mark.parametrize(
    "sample",
    [sample for sample in all_samples() if sample.content],
    ids=lambda sample: f"{sample.kind} {sample.language} {sample.direction}",
)
def test_a_mail_with_content_says_all_of_it_in_its_plain_text(
    sample: SampleMail,
) -> None:
    mail = COMPOSER.compose(sample.mail, address_of(sample.mail.reader.email))
    text = re.sub("[\u2066-\u2069]", "", checked(mail).text)
    for said in sample.mail.messages:
        assert said.author in text
        assert all(f"> {line}" in text for line in said.text.split("\n"))
        assert all(file.name in text for file in said.files)


@pytest.mark.parametrize("kind", Kind)
def test_a_partner_s_reader_never_sees_a_partner_s_name(kind: Kind) -> None:
    for language in languages():
        for sample in samples(kind, language):
            said = tuple(
                one
                for one in sample.mail.messages
                if one.channel is None or one.channel.partner in (None, "north")
            )
            theirs = replace(sample.mail, reader=PARTNERS_READER, messages=said)
            whole = everything_in(replace(sample, mail=theirs))
            for name in ("North Dubbing", "South Subtitles", "south", "Sam Duarte"):
                assert name not in whole
