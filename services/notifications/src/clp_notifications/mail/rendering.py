"""The words of a mail: subject, plain text and markup, from templates.

The plain text says everything; the markup may leave out what would make it too big.
Whatever a person chose is data: it is never a template, never markup, never a second
line, and its direction never turns our own words round.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

import css_inline
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from typing_extensions import override

from clp_core.channels import Channel
from clp_notifications.mail.content import File, Kind, Letter, Said
from clp_notifications.mail.display_text import cut, isolated, one_line, shown_text
from clp_notifications.mail.house import House
from clp_notifications.mail.locales import (
    N_,
    Tongue,
    best_of,
    shown_size,
    shown_time,
    tongues,
)
from clp_notifications.mail.measuring import (
    LONGEST_NAME,
    LONGEST_TITLE,
    kept_of_text,
    those_that_fit,
)
from clp_notifications.mail.mime_parts import HTML, TEXT

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
DIRECT: Final = N_("Direct messages with %(whom)s")
DIGEST: Final = N_("Digest")
# A whole sentence in a template, without anything to put in.
SENTENCE: Final = re.compile(r'\{\{ _\("([^"%]+)"\) \}\}')
# What a house that did not name its studio is called.
THE_STUDIO: Final = N_("the studio")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail in words."""

    subject: str
    text: str
    html: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The parts with their kinds, plainest first."""
        return (TEXT, self.text), (HTML, self.html)


@dataclass(frozen=True, slots=True)
class _Templates:
    """The templates in one language."""

    tongue: Tongue
    text: Template
    html: Template


@dataclass(frozen=True, slots=True)
class _Style:
    """How a person's words stand in one of the two bodies."""

    line: Callable[[str], str]
    title_in_sentence: Callable[[str], str]
    message: Callable[[Letter, Said], dict[str, Any]]


class Renderer:
    """Writes mails in their readers' languages; all is read when the program starts."""

    def __init__(self, house: House) -> None:
        self._house = house
        text, html = _source("mail.txt"), _inlined(_source("mail.html"))
        self._templates: Mapping[str, _Templates] = {
            language: _Templates(
                tongue,
                _compiled(text, tongue, markup=False),
                _compiled(html, tongue, markup=True),
            )
            for language, tongue in tongues().items()
        }

    def render(self, letter: Letter, stop_token: str) -> Rendered:
        """Subject, text and markup of a mail."""
        templates = self._templates[best_of((letter.habits.language,))]
        project = _title(letter.project_title)
        channel = self._title_of(letter, templates.tongue)
        shown = those_that_fit(_in_order(letter))
        alone = partial(isolated, direction=templates.tongue.direction)
        same: dict[str, Any] = {
            "language": templates.tongue.language,
            "direction": templates.tongue.direction,
            "is_digest": letter.is_digest,
            "shows_text": letter.shows_text,
            "number": len(letter.said),
            "left_out": len(letter.said) - len(shown),
            "channel_link": self._house.channel_link(letter.channel),
            "stop_link": self._house.stop_link(stop_token),
        }

        def views(style: _Style) -> dict[str, Any]:
            sentence = templates.tongue.said(REASONS[letter.kind])
            title = style.title_in_sentence(project)
            return same | {
                "project": style.line(project),
                "channel": style.line(channel),
                # Markup stays markup, and escapes nothing twice.
                "reason": type(title)(sentence) % {"project": title},
                "sections": self._sections(
                    letter, shown, tongue=templates.tongue, style=style
                ),
            }

        return Rendered(
            # Stable for each channel, and nothing in it but the titles (H5).
            subject=f"[{project}] {channel}",
            text=templates.text.render(
                views(_Style(alone, alone, partial(self._text_view, alone)))
            ),
            html=templates.html.render(views(_Style(str, _isolated, self._html_view))),
        )

    def _title_of(self, letter: Letter, tongue: Tongue) -> str:
        if letter.is_digest:
            return tongue.said(DIGEST)
        return self._channel_title(letter, tongue, letter.channel, letter.partner)

    def _channel_title(
        self, letter: Letter, tongue: Tongue, *named: Channel | str | None
    ) -> str:
        channel, partner = named
        if channel is None or (isinstance(channel, Channel) and not channel.partner):
            return tongue.said(BROADCAST)
        whom = letter.shown_partner(None if partner is None else str(partner))
        whom = whom or tongue.said(self._house.studio_name)
        return tongue.said(DIRECT) % {"whom": _title(whom)}

    def _sections(
        self, letter: Letter, shown: list[Said], *, tongue: Tongue, style: _Style
    ) -> list[dict[str, Any]]:
        """What was said in each channel; only a digest has several, with titles."""
        sections: list[dict[str, Any]] = []
        for channel, group in groupby(shown, key=lambda said: said.channel):
            said = list(group)
            named = (channel, said[0].partner)
            title = (
                self._channel_title(letter, tongue, *named) if letter.is_digest else ""
            )
            sections.append(
                {
                    "title": style.line(title),
                    "messages": [style.message(letter, one) for one in said],
                }
            )
        return sections

    def _text_view(
        self, alone: Callable[[str], str], letter: Letter, said: Said
    ) -> dict[str, Any]:
        view = self._view(letter, said)
        text = shown_text(said.text) if letter.shows_text else ""
        return view | {
            "author": alone(view["author"]),
            "quoted": [f"> {line}" for line in text.split("\n")] if text else [],
            "files": [file | {"name": alone(file["name"])} for file in view["files"]],
        }

    def _html_view(self, letter: Letter, said: Said) -> dict[str, Any]:
        text = shown_text(said.text) if letter.shows_text else ""
        kept = kept_of_text(said, text)
        return self._view(letter, said) | {
            "lines": kept.split("\n") if kept else [],
            "is_cut": len(kept) < len(text),
        }

    def _view(self, letter: Letter, said: Said) -> dict[str, Any]:
        """A message without its text; a mail without content names nobody."""
        channel = said.channel or letter.channel
        seen = {
            "when": shown_time(said.at, letter.habits),
            "link": self._house.message_link(channel, said.number),
        }
        if not letter.shows_text:
            return seen | {"author": "", "automatic": False, "files": []}
        return seen | {
            "author": cut(one_line(said.author), LONGEST_NAME) or "?",
            "automatic": said.automatic,
            "files": [self._file_view(letter, file) for file in said.files],
        }

    def _file_view(self, letter: Letter, file: File) -> dict[str, str]:
        return {
            "name": one_line(file.name) or "?",
            "size": shown_size(file.size, letter.habits),
            "link": self._house.file_link(file.id),
        }


def _source(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


def _inlined(source: str) -> str:
    """The template with its styles where they apply: once, not for each mail."""
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return inliner.inline(source)


class _Environment(Environment):
    """Looks for items: all that templates are given are dictionaries."""

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _compiled(source: str, tongue: Tongue, *, markup: bool) -> Template:
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
        tongue.translations, newstyle=True
    )
    # What says the same in every mail is looked up once.
    said = SENTENCE.sub(lambda found: tongue.said(found[1]), source)
    template = environment.from_string(said)
    # They are gone through for each mail, and are a chain of dictionaries at first.
    template.globals = dict(template.globals)
    return template


def _in_order(letter: Letter) -> list[Said]:
    """What was said, a channel at a time: the broadcast, then by partner."""
    return sorted(
        letter.said,
        key=lambda said: (
            said.channel is not None and said.channel.partner is not None,
            said.partner or "",
            said.channel.name if said.channel else "",
        ),
    )


def _isolated(line: str) -> str:
    return Markup("<bdi>") + line + Markup("</bdi>")


def _title(title: str) -> str:
    return cut(one_line(title), LONGEST_TITLE) or "?"
