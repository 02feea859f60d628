"""Templates: Jinja2 with autoescape always on, compiled once per language."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from clp_portal.translation import catalog
from clp_portal.views import urls
from clp_portal.views.text import SegmentKind

EXTENSIONS: Final = ["jinja2.ext.i18n"]


class Renderer:
    """Render templates; ``asset`` gives the address of a static file."""

    def __init__(self, asset: Callable[[str], str]) -> None:
        self._asset = asset
        self._environments: dict[str, Environment] = {}

    def render(self, template: str, language: str, values: Mapping[str, Any]) -> str:
        """Render a template in a language."""
        return self._environment(language).get_template(template).render(values)

    def _environment(self, language: str) -> Environment:
        found = self._environments.get(language)
        if found is None:
            found = self._environments[language] = self._built(language)
        return found

    def _built(self, language: str) -> Environment:
        environment = Environment(
            loader=_loader(),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=EXTENSIONS,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            catalog(language), newstyle=True
        )
        environment.globals |= {
            "asset": self._asset,
            "urls": urls,
            "SegmentKind": SegmentKind,
        }
        return environment


@cache
def _loader() -> PackageLoader:
    return PackageLoader("clp_portal", "templates")
