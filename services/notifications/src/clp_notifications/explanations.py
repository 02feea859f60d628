"""Explain rules, facts and transitions in sentences of the reader's language (rule 25).

The sentences of `clp_core.routing` and `states` are translated here, by the catalogs of
mails, so that there is one source for each language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts.transition_reasons import SENTENCES, TransitionReason
from clp_core.channels import Channel
from clp_notifications.mail.display_text import isolated
from clp_notifications.mail.locales import (
    DEFAULT_LOCALE_PREFERENCES,
    N_,
    LocalePreferences,
    best_language,
    locale_of,
    shown_time,
)
from clp_notifications.states import MailMode

ANY_ROUTE: Final = "R1-R4"
NOT_CONCERNED: Final = N_("not told: neither follows the project nor is mentioned")
NOT_YET: Final = N_("not looked at yet")

# For operators, who read them in English.
RULES: Final[Mapping[str, str]] = {
    "R1": "a broadcast is told to the external followers of the project",
    "R2": "a direct message of a partner is told to the internal followers",
    "R3": "a direct message of the studio is told to that partner's followers",
    "R4": "a message that mentions people is told to the people it mentions",
    "R1-R3": "followers are told of messages to their side",
    ANY_ROUTE: "only followers and mentioned people are told",
    "2": "people without access to the portal are never told",
    "13": "an edit tells only people whom it mentions anew",
    "22": "a mention replaces telling the followers",
    "23": "neither the author nor people who may not read the channel are told",
}
MODES: Final[Mapping[MailMode, str]] = {
    MailMode.AT_ONCE: N_("wants each mail at once"),
    MailMode.BATCHED: N_("wants mails batched for a short while"),
    MailMode.DAILY: N_("wants one digest a day"),
    MailMode.OFF: N_("wants no mail about this project"),
}
BY_DEFAULT: Final = N_("wants mails batched for a short while, by default")
COMPLAINED: Final = N_("wants no mail about this project: reported a mail as spam")
IN_BROADCAST: Final = N_("the message is in %(channel)s, the broadcast")
IN_DIRECT: Final = N_("the message is in %(channel)s, a direct channel")
AUTHOR: Final = N_("%(author)s is the author")
MENTIONED: Final = N_("the text mentions this person")
NOT_MENTIONED: Final = N_("the text does not mention this person")
DUE: Final = N_("waits in a mail that is due at %(when)s")
DUE_IN_DIGEST: Final = N_("waits in a digest mail that is due at %(when)s")
ROUTING_AND_MAIL: Final = N_("%(routing)s; %(mail)s")
# Reasons that reveal what a reader read or chose.
CHOICES: Final = frozenset(
    {TransitionReason.READ, TransitionReason.MAIL_OFF, TransitionReason.UNFOLLOWED}
)
READER_CHOICE: Final = "reader_choice"
NOT_NEEDED: Final = N_("withdrawn: not needed by its reader")


@dataclass(frozen=True, slots=True)
class ExplanationLocale:
    """The language and time zone of an explanation."""

    preferences: LocalePreferences = DEFAULT_LOCALE_PREFERENCES

    def sentence(self, sentence: str, **values: str) -> str:
        """Translate a sentence and fill it in; values keep their own direction."""
        locale = locale_of(best_language((self.preferences.language,)))
        translated = locale.translate(sentence)
        if not values:
            return translated
        return translated % {
            name: isolated(value, locale.direction) for name, value in values.items()
        }

    def routing_and_mail(self, routing: str, mail: str) -> str:
        """Join what routing decided and what became of the mail."""
        joined = locale_of(best_language((self.preferences.language,)))
        values = {"routing": self.sentence(routing), "mail": mail}
        return joined.translate(ROUTING_AND_MAIL) % values

    def reason(
        self, reason: TransitionReason, *, sees_choices: bool
    ) -> tuple[str, str]:
        """Code and sentence of a transition, without choices of others (rule 31)."""
        if reason in CHOICES and not sees_choices:
            return READER_CHOICE, self.sentence(NOT_NEEDED)
        if reason is TransitionReason.COMPLAINED and not sees_choices:
            reason = TransitionReason.ACCEPTED
        return reason.value, self.sentence(SENTENCES[reason])

    def facts_of_message(
        self, channel: Channel, author: str, *, is_mentioned: bool
    ) -> tuple[str, ...]:
        """The facts that the rules use, of the message and one person."""
        kind = IN_BROADCAST if channel.partner is None else IN_DIRECT
        return (
            self.sentence(kind, channel=channel.name),
            self.sentence(AUTHOR, author=author),
            self.sentence(MENTIONED if is_mentioned else NOT_MENTIONED),
        )

    def mail_mode(self, mode: MailMode | None, *, has_complained: bool = False) -> str:
        """The mail mode of the person for the project."""
        if has_complained:
            return self.sentence(COMPLAINED)
        return self.sentence(BY_DEFAULT if mode is None else MODES[mode])

    def due(self, due_at: datetime, *, in_digest: bool) -> str:
        """The time at which a waiting mail is due, in the reader's time zone."""
        when = shown_time(due_at, self.preferences)
        return self.sentence(DUE_IN_DIGEST if in_digest else DUE, when=when)
