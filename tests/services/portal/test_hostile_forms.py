"""Forms of nobody, and forms that stop, hold nothing up."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from werkzeug.datastructures import FileStorage

from clp_chassis.http import request_body
from clp_portal.http import decoding
from clp_portal.web import UploadedFile
from clp_suite import EmbeddedSuite
from tests.chassis.raw_http import Wire, request
from tests.services.portal.browser import Browser
from tests.services.portal.conftest import NORTH

SIZE = 2_000_000


@pytest.mark.parametrize(("person", "kept"), [(None, 0), ("ivy", SIZE)])
def test_t28_files_of_nobody_are_not_kept(
    browser: Callable[..., Browser],
    monkeypatch: pytest.MonkeyPatch,
    person: str | None,
    kept: int,
) -> None:
    read: list[int] = []

    def noting(file: FileStorage) -> UploadedFile:
        uploaded = file_of(file)
        read.append(uploaded.size)
        return uploaded

    file_of = decoding._file
    monkeypatch.setattr(decoding, "_file", noting)
    fields = {"action": "post", "text": "With a file.", "key": "k"}
    page = browser(person).upload(
        f"/{NORTH}", fields, {"a.csv": b"a,b\n" * (SIZE // 4)}
    )
    assert read == [kept]
    assert (page.status == 401) is (person is None)


def test_t29_a_form_that_stops_is_refused_by_the_clock(
    suite: EmbeddedSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "CHUNK_TIMEOUT_S", 0.1)
    monkeypatch.setattr(request_body, "MIN_BYTES_PER_S", 1_000_000)
    address = urlsplit(suite.portal_url)
    head = request(
        "POST",
        f"/{NORTH}",
        Content_Type="application/x-www-form-urlencoded",
        Content_Length="1000",
        Sec_Fetch_Site="same-origin",
    )
    with Wire((str(address.hostname), int(address.port or 0))) as wire:
        wire.send(head, b"text=")
        assert wire.read_response().status == 408


@pytest.mark.parametrize(("fields", "status"), [(200, 401), (201, 400)])
def test_t28_a_form_of_many_fields_is_refused_before_it_is_decoded(
    browser: Callable[..., Browser], fields: int, status: int
) -> None:
    """To decode 200,000 fields held the process for a third of a second."""
    form = [("text", "x")] * fields
    assert browser(None).submit(f"/{NORTH}", form).status == status
