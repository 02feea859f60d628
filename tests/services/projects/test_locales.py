"""Language tags of BCP 47."""

import pytest

from clp_projects.locales import language_tag

KNOWN = [
    # given               in its usual case
    ("fr", "fr"),
    ("FR", "fr"),
    ("pt-br", "pt-BR"),
    ("zh-hant-tw", "zh-Hant-TW"),
    ("es-419", "es-419"),
    ("zh-cmn-Hans-CN", "zh-cmn-Hans-CN"),
    ("sl-rozaj-biske", "sl-rozaj-biske"),
    ("de-CH-1901", "de-CH-1901"),
    ("de-1996", "de-1996"),
    ("en-US-u-islamcal", "en-US-u-islamcal"),
    ("de-a-value-x-private", "de-a-value-x-private"),
    ("x-whatever", "x-whatever"),
    ("i-klingon", "i-klingon"),
    ("qaa-Qaaa-QM", "qaa-Qaaa-QM"),
]

NO_TAG = [
    "",
    "f",
    "fr_FR",
    "fr-",
    "-fr",
    "fr--FR",
    "french-language-x",
    "de-419-DE",
    "a-DE",
    "ar-a-aaa-b-bbb-a-ccc",
    "de-1901-1901",
    "x",
    "fr FR",
    "fr\n",
    "fr-FR\0",
    "ſr",
    "１fr",
    "fr-" + "abcdefgh-" * 20 + "a",
]


@pytest.mark.parametrize(("given", "tag"), KNOWN)
def test_a_tag_is_known_in_any_case(given: str, tag: str) -> None:
    assert language_tag(given) == tag


@pytest.mark.parametrize("given", NO_TAG)
def test_this_is_no_tag(given: str) -> None:
    assert language_tag(given) is None
