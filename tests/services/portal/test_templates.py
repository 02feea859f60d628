"""Templates: escaped always, nothing inline, no address of anybody else."""

import re
from importlib.resources import files
from typing import Any

import pytest

from clp_portal.rendering import Renderer
from clp_portal.translation import Locale

FOLDER = files("clp_portal") / "templates"
SOURCES = {item.name: item.read_text() for item in FOLDER.iterdir()}
INLINE = (
    (r"<style", "a style element"),
    (r"\sstyle=", "a style attribute"),
    (r"\son\w+=", "an event handler"),
    (r"<script(?![^>]*\ssrc=)", "a script without an address"),
    (r"javascript:", "a script as an address"),
    (r"\|\s*safe", "unescaped text"),
    (r"autoescape", "a switch of escaping"),
    (r"https?://", "a foreign address"),
)


def test_nothing_is_inline_and_nothing_is_unescaped() -> None:
    for name, source in SOURCES.items():
        for pattern, what in INLINE:
            assert not re.search(pattern, source, re.IGNORECASE), (name, what)


def test_every_form_that_changes_something_is_a_post() -> None:
    for name, source in SOURCES.items():
        for form in re.findall(r"<form[^>]*>", source):
            assert 'role="search"' in form or 'method="post"' in form, (name, form)


def test_a_key_is_never_restored_by_the_browser() -> None:
    for name, source in SOURCES.items():
        for field in re.findall(r'<input[^>]*name="key"[^>]*>', source):
            assert 'autocomplete="off"' in field, name


@pytest.fixture
def values() -> dict[str, Any]:
    return {
        "me": None,
        "locale": Locale(),
        "path": "/",
        "is_development": False,
        "code": "<script>alert(1)</script>",
        "sentence": '"><img src=x onerror=alert(1)>',
        "status": 404,
    }


def test_what_comes_from_outside_is_escaped(values: dict[str, Any]) -> None:
    page = Renderer(lambda path: path).render("problem.html", "en", values)
    assert "&lt;script&gt;" in page
    assert "<img" not in page
    assert "alert(1)&lt;/script" in page


def test_a_value_that_is_missing_is_an_error(values: dict[str, Any]) -> None:
    del values["sentence"]
    with pytest.raises(Exception, match="sentence"):
        Renderer(lambda path: path).render("problem.html", "en", values)
