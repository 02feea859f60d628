"""Static files: hashed addresses, kept for ever, and nothing of anybody else's."""

import re
from importlib.resources import files

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from clp_contracts.errors import Refused
from clp_portal.http.static_files import BUNDLE, STYLE_SHEETS, StaticFiles
from clp_portal.translation import languages

STATIC = StaticFiles.load()
SCRIPTS = {path: text for path, text in STATIC.contents.items() if path[-3:] == ".js"}
OWN_SCRIPTS = {path: text for path, text in SCRIPTS.items() if "/texts/" not in path}
MAX_MODULES = 14
MAX_SCRIPT_LINES = 1600


def get(version: str, path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(EnvironBuilder("/", headers=named).get_environ())
    return STATIC.response(request, version=version, path=path)


def test_a_file_is_kept_for_ever_under_its_version() -> None:
    response = get(STATIC.version, BUNDLE)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.mimetype == "text/css"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert STATIC.address(BUNDLE) == f"/-/static/{STATIC.version}/{BUNDLE}"


def test_a_page_of_before_gets_the_current_file_and_does_not_keep_it() -> None:
    response = get("0" * 16, BUNDLE)
    assert response.get_data() == STATIC.contents[BUNDLE]
    assert response.headers["Cache-Control"] == "no-cache"


def test_a_file_that_is_known_is_not_sent_again() -> None:
    tag = get("x", BUNDLE).headers["ETag"]
    assert get("x", BUNDLE, If_None_Match=tag).status_code == 304


@pytest.mark.parametrize("path", ["", "css/tokens.css", "../settings.py", "js/nope.js"])
def test_there_is_nothing_else(path: str) -> None:
    with pytest.raises(Refused, match="missing"):
        get(STATIC.version, path)


def test_the_version_follows_from_the_content() -> None:
    again = StaticFiles.load()
    assert again.version == STATIC.version
    assert len(STATIC.version) == 16


def test_every_style_sheet_is_in_the_bundle() -> None:
    folder = files("clp_portal") / "static" / "css"
    there = {f"css/{item.name}" for item in folder.iterdir()}
    assert there == set(STYLE_SHEETS)


def test_scripts_import_only_each_other() -> None:
    for path, content in OWN_SCRIPTS.items():
        imports = re.findall(r'from "([^"]+)"', content.decode())
        for name in imports:
            assert name.startswith("./"), (path, name)
            assert f"js/{name[2:]}" in SCRIPTS, (path, name)


def test_every_language_has_its_texts() -> None:
    for language in languages():
        assert f"js/texts/{language}.js" in SCRIPTS


def test_the_scripts_stay_small() -> None:
    lines = sum(len(content.splitlines()) for content in OWN_SCRIPTS.values())
    assert len(OWN_SCRIPTS) <= MAX_MODULES
    assert lines <= MAX_SCRIPT_LINES


def test_the_scripts_ask_only_for_texts_that_are_there() -> None:
    keys = {
        key
        for content in OWN_SCRIPTS.values()
        for key in re.findall(r'(?:text|counted)\("(\w+)"', content.decode())
    }
    for language in languages():
        there = set(
            re.findall(
                r'^ "(\w+)":', SCRIPTS[f"js/texts/{language}.js"].decode(), re.MULTILINE
            )
        )
        assert keys <= there


def test_scripts_evaluate_no_text() -> None:
    for path, content in OWN_SCRIPTS.items():
        for word in (b"eval(", b"new Function", b"document.write", b".style."):
            assert word not in content, (path, word)


def test_the_browser_keeps_drafts_and_choices_and_nothing_else() -> None:
    keeping = {
        path
        for path, content in OWN_SCRIPTS.items()
        if re.search(rb"Storage\b|indexedDB|caches\.|document\.cookie", content)
    }
    assert keeping == {"js/composer.js", "js/notifications.js", "js/keyboard.js"}


def test_style_sheets_load_nothing() -> None:
    assert b"url(" not in STATIC.contents[BUNDLE]
    assert b"@import" not in STATIC.contents[BUNDLE]
