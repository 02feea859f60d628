"""Render subject, plain text and HTML of a mail from templates.

The plain text is complete; the HTML may leave out what would make it too large (H12).
Whatever a person chose is data: never a template, never markup, never a second line,
and its direction never changes that of our own text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

import css_inline
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape
from typing_extensions import override

from clp_core.channels import Channel
from clp_notifications.mail.content import (
    File,
    Kind,
    MailContent,
    MailMessage,
    SenderIdentity,
)
from clp_notifications.mail.display_text import cut, isolated, one_line, shown_text
from clp_notifications.mail.locales import (
    N_,
    MailLocale,
    best_language,
    locale_of,
    shown_size,
    shown_time,
)
from clp_notifications.mail.mime_parts import HTML, TEXT

MAX_TITLE: Final = 400
MAX_NAME: Final = 120
# The HTML stays below 60 kB (H12): this much for texts, the rest for our markup.
MAX_MESSAGE_BYTES: Final = 48_000
MESSAGE_OVERHEAD: Final = 1_200
FILE_OVERHEAD: Final = 500
MAX_MESSAGES: Final = 40
LINE_END: Final = Markup("<br>")
# Bytes of one character in HTML: an escaped quote, or the tag of a line end.
MAX_ESCAPED_BYTES: Final = 5

REASONS: Final[dict[Kind, str]] = {
    Kind.MENTION: N_("You get this mail because you were mentioned."),
    Kind.BROADCAST: N_(
        "You get this mail because you follow %(project)s, and this is a broadcast."
    ),
    Kind.DIRECT: N_(
        "You get this mail because you follow %(project)s, "
        "and this is a direct message."
    ),
    Kind.DIGEST: N_(
        "You get this mail because you follow %(project)s, "
        "and this is a digest of its messages."
    ),
}
BROADCAST: Final = N_("Broadcast")
DIRECT: Final = N_("Direct messages with %(name)s")
DIGEST: Final = N_("Digest")
# A sentence in a template without parameters.
SENTENCE: Final = re.compile(r'\{\{ _\("([^"%]+)"\) \}\}')
# The name of a studio that the deployment does not name.
THE_STUDIO: Final = N_("the studio")


@dataclass(frozen=True, slots=True)
class Rendered:
    """Subject and bodies of a mail."""

    subject: str
    text: str
    html: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The bodies with their content types, plain text first."""
        return (TEXT, self.text), (HTML, self.html)


@dataclass(frozen=True, slots=True)
class _Templates:
    """The templates in one language."""

    locale: MailLocale
    text: Template
    html: Template


@dataclass(frozen=True, slots=True)
class _Style:
    """The form of text from people in one of the two bodies."""

    line: Callable[[str], str]
    title_in_sentence: Callable[[str], str]
    message: Callable[[MailContent, MailMessage], dict[str, Any]]


class Renderer:
    """Renders mails in their readers' languages."""

    def __init__(self, identity: SenderIdentity) -> None:
        self._identity = identity

    def render(self, content: MailContent, unsubscribe_token: str) -> Rendered:
        """Render subject, plain text and HTML of a mail."""
        language = best_language((content.locale_preferences.language,))
        templates = _templates_in(language)
        project = _title(content.project_title)
        channel = self._title_of(content, templates.locale)
        shown = messages_that_fit(_in_order(content))
        isolate = partial(isolated, direction=templates.locale.direction)
        shared: dict[str, Any] = {
            "language": templates.locale.language,
            "direction": templates.locale.direction,
            "is_digest": content.is_digest,
            "shows_text": content.shows_text,
            "number": len(content.messages),
            "left_out": len(content.messages) - len(shown),
            "channel_link": self._identity.channel_link(content.channel),
            "stop_link": self._identity.unsubscribe_link(unsubscribe_token),
        }

        def context(style: _Style) -> dict[str, Any]:
            sentence = templates.locale.translate(REASONS[content.kind])
            title = style.title_in_sentence(project)
            return shared | {
                "project": style.line(project),
                "channel": style.line(channel),
                # Markup stays markup and is not escaped twice.
                "reason": type(title)(sentence) % {"project": title},
                "sections": self._sections(
                    content, shown, locale=templates.locale, style=style
                ),
            }

        return Rendered(
            # Stable for each channel; it holds nothing but titles (H5).
            subject=f"[{project}] {channel}",
            text=templates.text.render(
                context(_Style(isolate, isolate, partial(self._text_view, isolate)))
            ),
            html=templates.html.render(
                context(_Style(str, _isolated, self._html_view))
            ),
        )

    def _title_of(self, content: MailContent, locale: MailLocale) -> str:
        if content.is_digest:
            return locale.translate(DIGEST)
        return self._channel_title(
            content, locale, channel=content.channel, partner=content.partner
        )

    def _channel_title(
        self,
        content: MailContent,
        locale: MailLocale,
        *,
        channel: Channel | None,
        partner: str | None,
    ) -> str:
        if channel is None or channel.partner is None:
            return locale.translate(BROADCAST)
        name = content.shown_partner(partner)
        name = name or locale.translate(self._identity.studio_name)
        return locale.translate(DIRECT) % {"name": _title(name)}

    def _sections(
        self,
        content: MailContent,
        shown: list[MailMessage],
        *,
        locale: MailLocale,
        style: _Style,
    ) -> list[dict[str, Any]]:
        """The messages of each channel; only a digest has several, with titles."""
        sections: list[dict[str, Any]] = []
        for channel, group in groupby(shown, key=lambda message: message.channel):
            messages = list(group)
            title = ""
            if content.is_digest:
                partner = messages[0].partner
                title = self._channel_title(
                    content, locale, channel=channel, partner=partner
                )
            sections.append(
                {
                    "title": style.line(title),
                    "messages": [style.message(content, one) for one in messages],
                }
            )
        return sections

    def _text_view(
        self, isolate: Callable[[str], str], content: MailContent, message: MailMessage
    ) -> dict[str, Any]:
        view = self._view(content, message)
        text = shown_text(message.text) if content.shows_text else ""
        return view | {
            "author": isolate(view["author"]),
            "quoted": "> " + text.replace("\n", "\n> ") if text else "",
            "files": [file | {"name": isolate(file["name"])} for file in view["files"]],
        }

    def _html_view(self, content: MailContent, message: MailMessage) -> dict[str, Any]:
        text = shown_text(message.text) if content.shows_text else ""
        kept = text_that_fits(message, text)
        return self._view(content, message) | {
            "text": escape(kept).replace("\n", LINE_END),
            "is_cut": len(kept) < len(text),
        }

    def _view(self, content: MailContent, message: MailMessage) -> dict[str, Any]:
        """A message without its text; a mail without content names no author."""
        channel = content.channel_of(message)
        view: dict[str, Any] = {
            "when": shown_time(message.at, content.locale_preferences),
            "link": self._identity.message_link(channel, message.number),
            "can_reply": content.can_reply_to(message),
        }
        if not content.shows_text:
            return view | {"author": "", "automatic": False, "files": []}
        return view | {
            "author": cut(one_line(message.author), MAX_NAME) or "?",
            "automatic": message.automatic,
            "files": [self._file_view(content, file) for file in message.files],
        }

    def _file_view(self, content: MailContent, file: File) -> dict[str, str]:
        return {
            "name": one_line(file.name) or "?",
            "size": shown_size(file.size, content.locale_preferences),
            "link": self._identity.file_link(file.id),
        }


@cache
def _templates_in(language: str) -> _Templates:
    """The templates in one language, compiled for its first mail.

    Compiling all languages would take a third of the time that delivery starts in.
    """
    locale = locale_of(language)
    return _Templates(
        locale,
        _compiled(_source("mail.txt"), locale, markup=False),
        _compiled(_inlined_source("mail.html"), locale, markup=True),
    )


def _source(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


@cache
def _inlined_source(name: str) -> str:
    """A template with its styles inlined: once, not for each mail."""
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return inliner.inline(_source(name))


class _Environment(Environment):
    """Looks attributes up as items first: templates get dictionaries only."""

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _compiled(source: str, locale: MailLocale, *, markup: bool) -> Template:
    environment = _Environment(
        # Plain text has nothing to escape.
        autoescape=markup,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        locale.translations, newstyle=True
    )
    # Sentences without parameters are translated once.
    translated = SENTENCE.sub(lambda found: locale.translate(found[1]), source)
    template = environment.from_string(translated)
    # Copied for each mail; a chain of dictionaries unless flattened here.
    template.globals = dict(template.globals)
    return template


def _in_order(content: MailContent) -> list[MailMessage]:
    """The messages by channel: the broadcast first, then by partner."""
    return sorted(
        content.messages,
        key=lambda message: (
            message.channel is not None and message.channel.partner is not None,
            message.partner or "",
            message.channel.name if message.channel else "",
        ),
    )


def _isolated(line: str) -> str:
    return Markup("<bdi>") + line + Markup("</bdi>")


def _title(title: str) -> str:
    return cut(one_line(title), MAX_TITLE) or "?"


def messages_that_fit(messages: Sequence[MailMessage]) -> list[MailMessage]:
    """The first messages that fit into the HTML; at least one."""
    if len(messages) == 1:
        return [*messages]
    shown: list[MailMessage] = []
    room = MAX_MESSAGE_BYTES
    for one in messages[:MAX_MESSAGES]:
        room -= _markup_size(one)
        if shown and room < 0:
            break
        shown.append(one)
    return shown


def text_that_fits(message: MailMessage, text: str) -> str:
    """The start of a message's text that fits beside the rest of the message."""
    if not message.files and len(text) * MAX_ESCAPED_BYTES <= MAX_MESSAGE_BYTES // 2:
        return text
    room = MAX_MESSAGE_BYTES - _markup_size(message) + _size(text)
    if _size(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _size(text[:middle]) <= room else (low, middle - 1)
        )
    return cut(text, max(low, 1))


def _size(text: str) -> int:
    """Bytes of a text in HTML, where each line end becomes a tag."""
    return len(escape(text).encode()) + len(LINE_END) * text.count("\n")


def _markup_size(message: MailMessage) -> int:
    size_of_files = sum(
        _size(one_line(file.name)) + FILE_OVERHEAD for file in message.files
    )
    return MESSAGE_OVERHEAD + _size(shown_text(message.text)) + size_of_files
