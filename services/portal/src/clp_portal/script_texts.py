"""The sentences that scripts say, per language.

Sentences with a number come as an object, a form for each plural category of CLDR.
"""

from collections.abc import Mapping
from typing import Any, Final

from babel import Locale as CldrLocale

from clp_portal.translation import N_, catalog

CATEGORIES: Final = ("zero", "one", "two", "few", "many", "other")
TEXTS: Final[Mapping[str, str]] = {
    "close": N_("Close"),
    "offline": N_("You are offline. What you write is kept."),
    "away": N_("The connection is lost. Numbers may be old."),
    "failed": N_("This did not work. Try again."),
    "not_sent": N_("Not sent."),
    "send_again": N_("Send again"),
    "discard": N_("Discard"),
    "unreachable": N_("The service cannot be reached. Your text is kept."),
    "uploading": N_("Uploading %(name)s"),
    "uploaded": N_("%(name)s is ready"),
    "remove": N_("Remove %(name)s"),
    "wait_for_uploads": N_("Wait until the files are uploaded."),
    "upload_failed": N_("The upload broke off. Try again."),
    "delete_question": N_(
        "Delete this message? Its place stays, its text and files go."
    ),
    "delete": N_("Delete"),
    "cancel": N_("Cancel"),
    "shortcuts": N_("Keyboard"),
    "use_keys": N_("Use these keys"),
    "key_search": N_("search"),
    "key_move": N_("next and previous message"),
    "key_reply": N_("reply to the author of the message"),
    "key_edit": N_("edit your message"),
    "key_help": N_("this list"),
    "people": N_("People to mention"),
    "said": N_("%(author)s: %(text)s"),
    "in_project": N_("%(count)s in %(project)s"),
    "gone": N_("This project is not open to you any more."),
    "sign_in": N_("Sign in"),
    "notifications_blocked": N_("The browser does not allow notifications."),
    "session_over": N_("Your session is over. Sign in again; your text is kept."),
}
PLURALS: Final[Mapping[str, tuple[str, str]]] = {
    "people_found": ("%(num)s person found", "%(num)s people found"),
    "new_messages": ("%(num)s new message", "%(num)s new messages"),
    "new_below": ("%(num)s new message below", "%(num)s new messages below"),
}


def script_texts(language: str) -> dict[str, Any]:
    """Return every sentence of the scripts in a language."""
    found = catalog(language)
    texts: dict[str, Any] = {
        key: found.gettext(sentence) for key, sentence in TEXTS.items()
    }
    return texts | {key: _forms(language, *pair) for key, pair in PLURALS.items()}


def _forms(language: str, one: str, many: str) -> dict[str, str]:
    """Return a form for each plural category, found by a number of that category."""
    rule = CldrLocale.parse(language).plural_form
    forms: dict[str, str] = {}
    for number in range(200):
        forms.setdefault(rule(number), catalog(language).ngettext(one, many, number))
    return {name: forms[name] for name in CATEGORIES if name in forms}
