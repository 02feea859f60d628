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
from clp_notifications.mail.locales import catalogues
from tests.services.notifications.harness import MAILER
from tests.services.notifications.mail_builders import checked
from tests.services.notifications.sample_mails import (
    PARTNERS_READER,
    Piece,
    all_pieces,
    pieces,
)

FOLDER = Path(__file__).parent / "snapshots"
IS_WRITING = os.environ.get("CLP_WRITE_SNAPSHOTS") == "1"
RULE = "=" * 72


def written_out(piece: Piece) -> str:
    """A mail without fault, as text that people can compare."""
    mail = MAILER.compose(piece.letter, address_of(piece.letter.reader.email))
    parts = checked(mail)
    html = re.sub(r' style="[^"]*"', "", parts.html.partition("<body")[2])
    head = [f"Subject: {parts.one('Subject')}", f"List-Id: {parts.one('List-Id')}"]
    return "\n".join([RULE, piece.label, RULE, *head, "", parts.text, "<body" + html])


def snapshot(kind: Kind, language: str) -> str:
    return "\n".join(map(written_out, pieces(kind, language)))


@pytest.mark.parametrize("language", catalogues())
@pytest.mark.parametrize("kind", Kind)
def test_each_type_of_mail_looks_as_it_did(kind: Kind, language: str) -> None:
    file = FOLDER / f"{kind}.{language}.txt"
    found = snapshot(kind, language)
    if IS_WRITING:
        file.write_text(found, "utf-8")
    assert file.exists(), f"{file.name} is missing: make mail-snapshots, and read it"
    assert found == file.read_text("utf-8"), "make mail-snapshots, and read the change"


def test_no_snapshot_is_of_a_mail_that_is_gone() -> None:
    known = {f"{kind}.{language}.txt" for kind in Kind for language in catalogues()}
    assert {file.name for file in FOLDER.iterdir()} == known


def everything_in(piece: Piece) -> str:
    """All that a mail says anywhere, decoded, and its raw bytes."""
    mail = MAILER.compose(piece.letter, address_of(piece.letter.reader.email))
    parts = checked(mail)
    return f"{mail.data.decode()}\n{parts.head}\n{parts.text}\n{parts.html}"


@pytest.mark.parametrize(
    "piece",
    [piece for piece in all_pieces() if not piece.content],
    ids=lambda piece: f"{piece.kind} {piece.language} {piece.direction}",
)
def test_a_mail_without_content_names_no_text_no_file_and_no_author(
    piece: Piece,
) -> None:
    whole = everything_in(piece)
    reader = piece.letter.reader.name
    for said in piece.letter.said:
        assert said.author == reader or said.author not in whole
        assert not any(line in whole for line in said.text.split("\n"))
        assert not any(word in whole for word in said.text.split() if len(word) > 5)
        for file in said.files:
            assert file.name not in whole
            assert file.id not in whole
        assert f"/{said.number}" in whole


@pytest.mark.parametrize(
    "piece",
    [piece for piece in all_pieces() if piece.content],
    ids=lambda piece: f"{piece.kind} {piece.language} {piece.direction}",
)
def test_a_mail_with_content_says_all_of_it_in_its_plain_text(piece: Piece) -> None:
    mail = MAILER.compose(piece.letter, address_of(piece.letter.reader.email))
    text = re.sub("[\u2066-\u2069]", "", checked(mail).text)
    for said in piece.letter.said:
        assert said.author in text
        assert all(f"> {line}" in text for line in said.text.split("\n"))
        assert all(file.name in text for file in said.files)


@pytest.mark.parametrize("kind", Kind)
def test_a_partner_s_reader_never_sees_a_partner_s_name(kind: Kind) -> None:
    for language in catalogues():
        for piece in pieces(kind, language):
            said = tuple(
                one
                for one in piece.letter.said
                if one.channel is None or one.channel.partner in (None, "north")
            )
            theirs = replace(piece.letter, reader=PARTNERS_READER, said=said)
            whole = everything_in(replace(piece, letter=theirs))
            for name in ("North Dubbing", "South Subtitles", "south", "Sam Duarte"):
                assert name not in whole
