"""Rule 29: names of files made safe, or refused with what is at fault."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clp_core.attachments import DetectedKind, judge_attachment, judge_name
from clp_core.decisions import Decision, Reason
from clp_core.file_names import MAX_NAME_BYTES, safe_name
from tests.cases.loading import FieldCase, field_cases

UNSAFE = Decision(Reason.ATTACHMENT_NAME_UNSAFE)
FAMILY = "👨\u200d👩\u200d👧"

KEPT_AS_GIVEN = [
    "cue sheet.pdf", "Überblick.PDF", "字幕.csv", "日本語／英語.pdf", "ترجمة.pdf", "notes",
    'the "final" cut.pdf', "a;filename=evil.exe;.pdf", "<img src=x onerror=alert(1)>.png",
    "-rf.pdf", "=cmd|'x'!A1.csv", "setup.exe%00.pdf", "..%2f..%2fpasswd.pdf", "a..pdf",
    ".htaccess.pdf", "~$draft.pdf", "console.pdf", "com.pdf", "com10.pdf", "aux1.pdf",
    "my con.pdf", "nulls.pdf", "lpt.pdf", "final .pdf", "Mr. Smith.pdf", f"{FAMILY}.png",
    "می\u200cخواهم.pdf", "Mission: Impossible.pdf", "S01.E02: cut.pdf", "C:a.pdf",
    "12:30 cut.mov", "00:01:02:03.png", "S.W.A.T. 2: x.pdf", "a.mp4:x.pdf", ":a.pdf", "a: b: c.pdf",
    "Con Air.pdf", "com1 cut.pdf", "con: x.pdf", ". a.pdf", "a. b.pdf", "a／b.pdf", "¥a.pdf", "#1.pdf",
    "ａ.pdf", "a.b.c.pdf", "가나다.pdf", "~.pdf", "字" * 84 + "a.p", "script.pdf．exe", "a, b.pdf", "100%.pdf", "x" * 251 + ".pdf",
    "MAX", "X.pdf", "n" * 250 + " .pdf", "n" * 255,
]  # fmt: skip

MADE_SAFE = [
    # what is done               given                           kept
    ("a path left out", "../../../etc/passwd.pdf", "passwd.pdf"),
    ("an absolute path left out", "/etc/cron.d/script.pdf", "script.pdf"),
    ("a Windows path left out", r"..\..\windows\a.pdf", "a.pdf"),
    ("mixed slashes left out", "a/b\\c/d.pdf", "d.pdf"),
    ("letters composed", "re\u0301sume\u0301.pdf", "résumé.pdf"),
    ("the Ångström sign as its letter", "\u212b.pdf", "Å.pdf"),
    ("compatibility letters as given", "ﬁlm．.pdf", "ﬁlm．.pdf"),
    ("the Kelvin sign as its letter", "\u212a.pdf", "K.pdf"),
    ("a syllable composed", "\u1100\u1161.pdf", "가.pdf"),
    ("kana composed", "か\u3099.pdf", "が.pdf"),
    ("a letter of another code point", "\uf900.pdf", "\u8c48.pdf"),
    ("a path of an address left out", "file:///home/nat/a.pdf", "a.pdf"),
    ("a long path of Windows left out", "\\\\?\\C:\\a.pdf", "a.pdf"),
    ("a path and a colon", "C:\\fakepath\\24: Live.pdf", "24: Live.pdf"),
    ("an override in the extension taken out", "a.p\u202edf", "a.pdf"),
    ("a long folder does not count", "x" * 300 + "/a.pdf", "a.pdf"),
    ("a long name with two extensions cut before the last", "x" * 300 + ".tar.pdf", "x" * 251 + ".pdf"),
    ("composed before it is measured", "e\u0301" * 126 + ".pdf", "é" * 125 + ".pdf"),
    ("blanks taken off", " \u3000a.pdf \u00a0", "a.pdf"),
    ("trailing dots taken off", "a.pdf...", "a.pdf"),
    ("trailing dots and blanks taken off", "a.pdf. . .", "a.pdf"),
    ("an invisible tail taken off", "a.pdf\u200b", "a.pdf"),
    ("an invisible head taken off", "\ufeffa.pdf", "a.pdf"),
    ("an override taken out", "annexe\u202egpj.pdf", "annexegpj.pdf"),
    ("an isolate taken out", "a\u2066b\u2069.pdf", "ab.pdf"),
    ("a fake path of a browser left out", r"C:\fakepath\cue sheet.csv", "cue sheet.csv"),
    ("a share left out", r"\\server\share\mix.wav", "mix.wav"),
    ("a home left out", "/Users/nat/Desktop/a.pdf", "a.pdf"),
    ("a mark of direction taken out", "a\u200fb\u061c.pdf", "ab.pdf"),
    ("a filler at the end taken off", "a.pdf\u3164", "a.pdf"),
    ("an embedding taken out", "a\u202ab\u202c.pdf", "ab.pdf"),
    ("line breaks taken out", "a\r\nb.pdf", "ab.pdf"),
    ("line separators taken out", "a\u2028b\u2029.pdf", "ab.pdf"),
    ("C0 controls taken out", "a\x01\x1b[31m\x1f.pdf", "a[31m.pdf"),
    ("DEL and C1 controls taken out", "a\x7f\x80\x85\x9f.pdf", "a.pdf"),
    ("a mark meets its letter again", "e\x07\u0301.pdf", "é.pdf"),
    ("5000 letters cut", "n" * 5000 + ".pdf", "n" * 251 + ".pdf"),
    ("one byte too many cut", "n" * 252 + ".pdf", "n" * 251 + ".pdf"),
    ("765 bytes cut between letters", "字" * 255 + ".pdf", "字" * 83 + ".pdf"),
    ("emoji cut between letters", "🎬" * 100 + ".csv", "🎬" * 62 + ".csv"),
    ("a joined family left whole or out", "n" * 240 + FAMILY + ".pdf", "n" * 240 + ".pdf"),
    ("a family at the very edge kept", "n" * 233 + FAMILY + "nn.pdf", "n" * 233 + FAMILY + ".pdf"),
    ("a mark leaves with its letter", "n" * 249 + "x\u0323\u0307.pdf", "n" * 249 + ".pdf"),
    ("a mark leaves with the letter that would have fitted", "n" * 250 + "x\u0323.pdf", "n" * 250 + ".pdf"),
    ("an X before the cut stays", "n" * 250 + "Xn.pdf", "n" * 250 + "X.pdf"),
    ("one letter is stem enough", "nn." + "x" * 253, "n." + "x" * 253),
    ("a blank before the cut goes", "n" * 250 + " n.pdf", "n" * 250 + ".pdf"),
    ("a dot before the cut goes", "n" * 250 + ".n.pdf", "n" * 250 + ".pdf"),
    ("one letter with more marks than fit, cut between them", "n" + "\u0323" * 300 + ".pdf", "ṇ" + "\u0323" * 124 + ".pdf"),
    ("joiners after one letter leave", "n" + "\u200d" * 300 + ".pdf", "n.pdf"),
    ("no extension, cut all the same", "n" * 300, "n" * 255),
]  # fmt: skip

REFUSED = [
    ("nothing", ""),
    ("a dot", "."),
    ("only dots", ".."),
    ("only blanks", " \u3000"),
    ("only invisible characters", "\u200b\u2060"),
    ("a path that ends there", "folder/"),
    ("a Windows path that ends there", "folder\\"),
    ("an extension only", ".pdf"),
    ("an extension only, blank before", " .pdf"),
    ("an extension only, invisible before", "\u200b.pdf"),
    ("an extension only, dots before", "...pdf"),
    ("an extension only, in a folder", "folder/.pdf"),
    ("a NUL", "setup.exe\x00.pdf"),
    ("a high surrogate", "a\ud83d.pdf"),
    ("a low surrogate", "a\udfff.pdf"),
    ("bytes that were not UTF-8, replaced", "a\ufffd.pdf"),
    ("an NTFS stream", "setup.exe:a.pdf"),
    ("the default NTFS stream", "script.pdf::$DATA"),
    ("only a filler", "\u3164.pdf"),
    ("only blank Braille", "\u2800\u2800.pdf"),
    ("only a note head that is not drawn", "\U0001d159.pdf"),
    ("only a mark of direction", "\u200e.pdf"),
    ("an NTFS stream after more dots", "a.b.EXE:c.pdf"),
    ("an NTFS stream after another colon", "Part 1: a.exe:b.pdf"),
    ("a device with an override in it", "con\u202e.pdf"),
    ("a chain of dots and blanks", "setup.exe. . .pdf"),
    ("a dot, a blank, a dot", "a. .pdf"),
    ("a dot, an invisible character, a dot", "setup.exe.\u200b.pdf"),
    ("a device", "CON.pdf"),
    ("a device in small letters", "nul.csv"),
    ("a device alone", "aux"),
    ("a device with more dots", "prn.tar.pdf"),
    ("a device and a blank", "con .pdf"),
    ("a device in a folder", "folder/con.pdf"),
    ("a console", "CONIN$.pdf"),
    ("the other console", "conout$.pdf"),
    ("a clock", "Clock$.csv"),
    ("a port", "COM1.csv"),
    ("port nought", "com0.csv"),
    ("a printer port", "LPT9.pdf"),
    ("a port in superscript", "COM¹.pdf"),
    ("another in superscript", "lpt³.pdf"),
    ("an extension with no room for a stem", "a." + "x" * 300),
    ("an extension of exactly the room", "a." + "x" * 254),
    ("a wide letter where one byte is left", "字." + "x" * 253),
]


@pytest.mark.parametrize("name", KEPT_AS_GIVEN)
def test_a_harmless_name_is_kept_as_given(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("what", "given_name", "kept"), MADE_SAFE, ids=[row[0] for row in MADE_SAFE]
)
def test_a_name_is_made_safe_with(what: str, given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept, what


@pytest.mark.parametrize(("what", "name"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_name_is_refused_for(what: str, name: str) -> None:
    assert safe_name(name) == UNSAFE, what
    assert judge_name(name) == UNSAFE, what
    assert judge_attachment(name, 1, DetectedKind.PDF) == UNSAFE, what


# name                      what the detail of its refusal says
DETAILS = [
    ("setup.exe:a.pdf", {"character": "U+003A"}),
    ("a\x00.pdf", {"character": "U+0000"}),
    ("a\udfff.pdf", {"character": "U+DFFF"}),
    ("a. .pdf", {"character": "U+0020"}),
    ("a.\u200b.pdf", {"character": "U+200B"}),
    ("\u3164.pdf", {"character": "U+3164"}),
    (" \u2800\u3164.pdf", {"character": "U+2800"}),
    ("\u200b", {"character": "U+200B"}),
    ("folder/\ufeff .pdf", {"character": "U+FEFF"}),
    ("\u202e.pdf", {"character": "U+202E"}),
    ("folder/", {"character": "U+002F"}),
    ("C:\\fakepath\\", {"character": "U+005C"}),
    ("folder/.pdf", {}),
    ("x: a.exe:b.pdf", {"character": "U+003A"}),
    ("nul .csv", {"reserved": "nul"}),
    ("AUX .csv", {"reserved": "AUX"}),
    ("a." + "x" * 254, {"max_bytes": 255}),
    (".pdf", {}),
    ("..", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "detail"), DETAILS, ids=[ascii(n) for n, _ in DETAILS]
)
def test_the_refusal_of_a_name_says(name: str, detail: dict[str, object]) -> None:
    refusal = safe_name(name)
    assert isinstance(refusal, Decision)
    assert refusal.detail == detail


HARD = [
    "/", "\\", ".", " ", "..", "\u200b", "\u202e", "\x00", "\x1f", "\u0301", "\u200d", ":",
    "con", "nul", ".pdf", "é", "字", "🎬", "\ud800", "\u2028", "n" * 120, "ſ", "K", "\u0345",
]  # fmt: skip
names = st.text() | st.lists(st.sampled_from(HARD), max_size=8).map("".join)


@pytest.mark.property
@given(names)
@example("n" * 249 + ". . .pdf")
@example("\u0344" * 130 + ".pdf")
def test_a_safe_name_is_safe(name: str) -> None:
    safe = safe_name(name)
    if isinstance(safe, Decision):
        assert safe == UNSAFE
        return
    assert safe_name(safe) == safe, "made safe twice"
    assert 1 <= len(safe.encode()) <= MAX_NAME_BYTES
    assert unicodedata.is_normalized("NFC", safe)
    assert not set(safe) & set("/\\\x00\u202e\u200f")
    assert not any(unicodedata.category(letter) == "Cc" for letter in safe)
    assert safe == safe.strip().rstrip(".")


@pytest.mark.property
@given(st.text("abc字é ", min_size=1, max_size=300), st.sampled_from(["pdf", "JPG"]))
def test_cutting_never_touches_the_extension(stem: str, extension: str) -> None:
    safe = safe_name(f"x{stem}.{extension}")
    assert isinstance(safe, str)
    assert safe.endswith(f".{extension}")
    assert f"x{stem}".startswith(safe.removesuffix(f".{extension}"))


SHOWN_AS = {
    "name-01": "cue sheet.csv",
    "name-03": "Mission: Impossible - cue sheet.pdf",
}


@pytest.mark.parametrize(
    "case", field_cases("attachment-name"), ids=lambda case: case.id
)
def test_a_name_people_send_is_shown_as(case: FieldCase) -> None:
    assert safe_name(case.input) == SHOWN_AS[case.id], case.why
