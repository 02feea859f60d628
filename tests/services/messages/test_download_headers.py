"""Headers of a download: names (RFC 6266), types from our table, ranges."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_EXTENSIONS
from clp_core.file_names import safe_name
from clp_messages.download_headers import (
    content_disposition,
    media_type_of,
    requested_range,
)

# name                            | plain form
NAMES = [
    ("cue sheet.pdf", "cue sheet.pdf"),
    ('the "final" cut.pdf', "the _final_ cut.pdf"),
    ("a;filename=evil.exe;.pdf", "a_filename=evil.exe_.pdf"),
    ("a\\b%41.pdf", "a_b_41.pdf"),
    ("Zoë.pdf", "Zoe_.pdf"),
    ("字幕.pdf", "__.pdf"),
    ("-rf.pdf", "-rf.pdf"),
    ("<img src=x onerror=alert(1)>.png", "_img src=x onerror=alert(1)_.png"),
]


@pytest.mark.parametrize(("name", "plain"), NAMES)
def test_a_name_in_both_forms(name: str, plain: str) -> None:
    header = content_disposition(name)
    assert f'filename="{plain}"' in header
    assert parse_options_header(header) == ("attachment", {"filename": name})


@pytest.mark.property
@given(name=st.text(min_size=1).map(safe_name).filter(lambda n: isinstance(n, str)))
def test_no_name_adds_a_parameter_or_a_line(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count(";") == 2
    assert header.count('"') == 2
    assert unquote(header.rpartition("''")[2]) == name


def test_a_type_is_never_one_that_runs() -> None:
    for extension in (*PUBLISHED_EXTENSIONS, "html", "svg", "exe", ""):
        kind = media_type_of(f"a.{extension}")
        assert not any(word in kind for word in ("html", "javascript", "svg", "xml;"))
    assert media_type_of("a.html") == "application/octet-stream"
    assert media_type_of("A.PDF") == "application/pdf"


# header                        | of 100 bytes
RANGES = [
    (None, None),
    ("bytes=0-9", range(10)),
    ("bytes=90-", range(90, 100)),
    ("bytes=-10", range(90, 100)),
    ("bytes=-1000", range(100)),
    ("bytes=0-1000", range(100)),
    ("bytes=99-99", range(99, 100)),
    ("bytes= 0-0", range(1)),
    ("Bytes=0-0", range(1)),
    ("bytes=100-", "range.outside"),
    ("bytes=99999999-", "range.outside"),
    ("bytes=-0", "range.outside"),
    ("bytes=5-2", None),
    ("bytes=-", None),
    ("bytes=a-b", None),
    ("items=0-9", None),
    ("bytes=0-1,5-6", None),
    ("bytes=0-" + ",0-" * 1000, None),
    ("bytes=" + "9" * 30 + "-", None),
    ("bytes=٣-٤", None),
]


@pytest.mark.parametrize(("header", "expected"), RANGES)
def test_which_bytes_a_range_selects(header: str | None, expected: object) -> None:
    if isinstance(expected, str):
        with pytest.raises(Refused, match=expected):
            requested_range(header, 100)
    else:
        assert requested_range(header, 100) == expected
