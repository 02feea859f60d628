"""What the portal and the mails both say has one source."""

import pytest

from clp_deploy.shared_locales import SHARED, catalogs, entries, languages, with_shared


def test_the_languages_are_those_of_the_services() -> None:
    assert languages() == ("ar", "fr", "ja")


@pytest.mark.parametrize("language", languages())
def test_a_sentence_of_both_is_shared_and_nothing_else_is(language: str) -> None:
    portal, mails = (set(entries(path)) for path in catalogs(language))
    assert portal & mails == set(entries(SHARED / f"{language}.po"))


@pytest.mark.parametrize("language", languages())
def test_each_service_ships_the_shared_translations(language: str) -> None:
    shared = entries(SHARED / f"{language}.po")
    for path in catalogs(language):
        assert path.read_text() == with_shared(path.read_text(), shared)


def test_only_shared_sentences_are_written() -> None:
    text = 'msgid "a"\nmsgstr "old"\n\nmsgid "b"\nmsgstr "kept"\n'
    assert with_shared(text, {'"a"': '"new"'}) == text.replace("old", "new")
