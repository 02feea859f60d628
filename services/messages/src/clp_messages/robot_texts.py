"""The robot's texts: templates, one per kind of announcement (rule 37)."""

from pathlib import Path
from typing import Final, Self

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from clp_contracts.projects import ANNOUNCEMENT_FACTS, Announcement
from clp_core.messages import judge_text

SUFFIX: Final = ".txt"
DEFAULTS: Final = PackageLoader("clp_messages", "templates")
# What a template can raise: it computes, and its file may be of another encoding.
UNUSABLE: Final = (
    TemplateError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


class RobotTexts:
    """Renders the text of an announcement.

    The default templates name no language and no partner: a broadcast is read by every
    partner (rule 54). A deployment may replace them, one by one.
    """

    def __init__(self, loader: BaseLoader = DEFAULTS) -> None:
        # Texts are plain text, so nothing is escaped. A missing fact is an error, never
        # an empty place in a message.
        self._templates = ImmutableSandboxedEnvironment(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the templates of a folder; a kind without one keeps its default.

        Raises:
            ValueError: with a sentence for the operator, if the folder holds another
                file, or a template that needs more than the facts of its kind.
        """
        _check_names(folder)
        texts = cls(ChoiceLoader([FileSystemLoader(folder), DEFAULTS]))
        for kind in ANNOUNCEMENT_FACTS:
            texts.check(kind)
        return texts

    def check(self, kind: str) -> None:
        """Render a kind with nothing but the facts that it always has.

        Raises:
            ValueError: with a sentence for the operator.
        """
        facts = dict.fromkeys(ANNOUNCEMENT_FACTS[kind], "2027-01-31")
        sample = Announcement(id="sample", project="sample", kind=kind, facts=facts)
        try:
            text = self.render(sample)
        except UNUSABLE as error:
            sentence = (
                str(error).splitlines()[0] if str(error) else type(error).__name__
            )
            raise ValueError(f"{kind}{SUFFIX}: {sentence}") from None
        if not (decision := judge_text(text)):
            raise ValueError(f"{kind}{SUFFIX}: {decision.reason}")

    def render(self, announcement: Announcement) -> str:
        """Render the text of an announcement."""
        template = self._templates.get_template(f"{announcement.kind}{SUFFIX}")
        return template.render(announcement.facts).strip()


DEFAULT_TEXTS: Final = RobotTexts()


def _check_names(folder: Path) -> None:
    expected = {f"{kind}{SUFFIX}" for kind in ANNOUNCEMENT_FACTS}
    try:
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise ValueError(f"{folder}: {error.strerror}") from None
    if unknown := sorted(names - expected):
        raise ValueError(
            f"{', '.join(unknown)}: expected only {', '.join(sorted(expected))}"
        )
