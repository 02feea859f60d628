"""The words of a mail: subject, plain text and markup, from templates.

The plain text says everything; the markup may leave out what would make it too big.
Whatever a person chose is data: it is never a template, never markup, never a second
line, and its direction never turns our own words round.
"""

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from importlib.resources import files
from typing import Any, Final

import css_inline
from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from clp_notifications.mail.house import House
from clp_notifications.mail.letter import File, Kind, Letter, Said
from clp_notifications.mail.visible import cut, isolated, one_line, shown_text

LONGEST_TITLE: Final = 400
LONGEST_NAME: Final = 120
# The markup stays below 60 kB (H12): this much for people's words, the rest for ours.
ROOM_FOR_MESSAGES: Final = 48_000
ROOM_AROUND_MESSAGE: Final = 800
ROOM_AROUND_FILE: Final = 500
MOST_MESSAGES: Final = 40
REASONS: Final[dict[Kind, str]] = {
    Kind.MENTION: "You get this mail because you were mentioned.",
    Kind.BROADCAST: (
        "You get this mail because you follow %(project)s, and this is a broadcast."
    ),
    Kind.DIRECT: (
        "You get this mail because you follow %(project)s, "
        "and this is a direct message."
    ),
}
UNITS: Final = ("B", "kB", "MB")
THOUSAND: Final = 1024


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail in words."""

    subject: str
    text: str
    html: str


class Renderer:
    """Writes mails in one language; templates are read and inlined at start-up."""

    def __init__(self, house: House, language: str = "en") -> None:
        self._house = house
        self._language = language
        self._translations = NullTranslations()
        self._text = self._template("mail.txt", markup=False)
        self._html = self._template("mail.html", markup=True)

    def _template(self, name: str, *, markup: bool) -> Any:
        environment = Environment(
            autoescape=markup,  # noqa: S701 - plain text has nothing to escape
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            self._translations, newstyle=True
        )
        source = (files(__package__) / "templates" / name).read_text("utf-8")
        if markup:
            source = css_inline.CSSInliner(
                keep_at_rules=True, load_remote_stylesheets=False
            ).inline(source)
        return environment.from_string(source)

    def render(self, letter: Letter, stop_token: str) -> Rendered:
        """Subject, text and markup of a mail."""
        shown, left_out = self._shown(letter)
        project, channel = _title(letter.project_title), self._channel_title(letter)
        words = {
            "language": self._language,
            "channel_link": self._house.channel_link(letter.channel),
            "left_out": left_out,
            "stop_link": self._house.stop_link(stop_token),
        }
        in_text = {
            "project": isolated(project),
            "channel": isolated(channel),
            "reason": self._reason(letter.kind, isolated(project)),
            "messages": [self._text_view(letter, said) for said in shown],
        }
        in_markup = {
            "project": project,
            "channel": channel,
            "reason": self._reason(
                letter.kind, Markup("<bdi>{}</bdi>").format(project)
            ),
            "messages": [self._html_view(letter, said) for said in shown],
        }
        return Rendered(
            # Stable for each channel, and nothing in it but the titles (H5).
            subject=f"[{project}] {channel}",
            text=self._text.render(words | in_text),
            html=self._html.render(words | in_markup),
        )

    def _shown(self, letter: Letter) -> tuple[list[Said], int]:
        """As many messages as fit, the oldest first; at least one."""
        shown: list[Said] = []
        room = ROOM_FOR_MESSAGES
        for said in letter.said[:MOST_MESSAGES]:
            room -= _markup_size(said)
            if shown and room < 0:
                break
            shown.append(said)
        return shown, len(letter.said) - len(shown)

    def _channel_title(self, letter: Letter) -> str:
        gettext = self._translations.gettext
        if letter.channel.partner is None:
            return gettext("Broadcast")
        whom = letter.shows_partner or self._house.studio_name
        return gettext("Direct messages with %(whom)s") % {"whom": _title(whom)}

    def _reason(self, kind: Kind, project: str) -> str:
        """One sentence that says the same as the header (H10)."""
        sentence = self._translations.gettext(REASONS[kind])
        # Markup stays markup, and escapes nothing twice.
        return type(project)(sentence) % {"project": project}

    def _text_view(self, letter: Letter, said: Said) -> dict[str, Any]:
        text = shown_text(said.text)
        view = self._view(letter, said)
        return view | {
            "author": isolated(view["author"]),
            "quoted": [f"> {line}" for line in text.split("\n")] if text else [],
            "files": [
                file | {"name": isolated(file["name"])} for file in view["files"]
            ],
        }

    def _html_view(self, letter: Letter, said: Said) -> dict[str, Any]:
        text = shown_text(said.text)
        kept = _fitting(text, ROOM_FOR_MESSAGES - _markup_size(said) + _size(text))
        return self._view(letter, said) | {
            "lines": kept.split("\n") if kept else [],
            "is_cut": len(kept) < len(text),
        }

    def _view(self, letter: Letter, said: Said) -> dict[str, Any]:
        return {
            "author": cut(one_line(said.author), LONGEST_NAME) or "?",
            "automatic": said.automatic,
            "when": self._when(said.at),
            "link": self._house.message_link(letter.channel, said.number),
            "files": [self._file_view(file) for file in said.files],
        }

    def _file_view(self, file: File) -> dict[str, str]:
        return {
            "name": one_line(file.name) or "?",
            "size": self._shown_size(file.size),
            "link": self._house.file_link(file.id),
        }

    def _when(self, at: datetime) -> str:
        return format_datetime(at, "d MMMM y, HH:mm 'UTC'", locale=self._language)

    def _shown_size(self, size: float) -> str:
        unit = 0
        while size >= THOUSAND and unit < len(UNITS) - 1:
            size, unit = size / THOUSAND, unit + 1
        number = format_decimal(size, "#,##0.#", locale=self._language)
        return f"{number} {UNITS[unit]}"


def _title(title: str) -> str:
    return cut(one_line(title), LONGEST_TITLE) or "?"


def _size(text: str) -> int:
    """Bytes of a text in markup, where each line end becomes a tag."""
    return len(escape(text).encode()) + len("<br>") * text.count("\n")


def _markup_size(said: Said) -> int:
    size_of_files = sum(
        _size(one_line(file.name)) + ROOM_AROUND_FILE for file in said.files
    )
    return ROOM_AROUND_MESSAGE + _size(shown_text(said.text)) + size_of_files


def _fitting(text: str, room: int) -> str:
    """The start of a text that takes at most so many bytes in markup."""
    if _size(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _size(text[:middle]) <= room else (low, middle - 1)
        )
    return cut(text, max(low, 1))
