"""Draw pictures of the mails, as phones and desktops show them, for review.

``python -m tests.services.notifications.screenshots`` (`make mail-pictures`) draws them
with Chromium into `.cache/mail-pictures`, and copies those that documents show to
`docs/pictures`. No test compares pixels, as they depend on fonts.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.content import Kind
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mail_builders import checked
from tests.services.notifications.sample_mails import SampleMail, samples
from tests.support.chromium import ARGUMENTS, CHROMIUM
from tests.support.command_line import command_parser

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / ".cache/mail-pictures"
IN_DOCUMENTS: Final = {
    "broadcast-en-390-light.png": "mail-broadcast.png",
    "digest-ar-390-dark.png": "mail-digest-dark.png",
}
WIDTHS: Final = (320, 390, 1200)
# The values of Chromium's own setting.
SCHEMES: Final = {"dark": 0, "light": 1}
SHOWN: Final = (
    (Kind.BROADCAST, "en", "ltr", True),
    (Kind.MENTION, "ja", "ltr", True),
    (Kind.DIRECT, "fr", "ltr", False),
    (Kind.DIGEST, "ar", "rtl", True),
)
# Chromium's window is never as narrow as a phone; a frame in it is.
FRAME: Final = """<!doctype html><meta charset="utf-8">
<style>*{{margin:0}}iframe{{border:0;width:{width}px;height:{height}px;display:block}}</style>
<iframe srcdoc="{mail}" onload="document.title=
this.contentDocument.documentElement.scrollHeight"></iframe>"""


def main() -> None:
    """Draw all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        for sample in _shown():
            html = _markup_of(sample)
            for width in WIDTHS:
                for scheme in SCHEMES:
                    _draw(html, width, scheme, _file_of(sample, width, scheme), scratch)
    for name, document in IN_DOCUMENTS.items():
        shutil.copyfile(FOLDER / name, ROOT / "docs/pictures" / document)


def _shown() -> Iterator[SampleMail]:
    for kind, language, direction, content in SHOWN:
        for sample in samples(kind, language):
            if (sample.direction, sample.content) == (direction, content):
                yield sample


def _file_of(sample: SampleMail, width: int, scheme: str) -> Path:
    content = "" if sample.content else "-without-content"
    return FOLDER / f"{sample.kind}-{sample.language}{content}-{width}-{scheme}.png"


def _markup_of(sample: SampleMail) -> str:
    mail = COMPOSER.compose(sample.mail, address_of(sample.mail.reader.email))
    return checked(mail).html


def _draw(html: str, width: int, scheme: str, file: Path, scratch: str) -> None:
    height = _height_of(html, width, scheme, scratch)
    page = _page(html, width, height, scratch)
    # A window narrower than Chromium allows is cut to the frame by the picture's size.
    _chromium(scheme, f"--window-size={width},{height}", f"--screenshot={file}", page)
    size = file.stat().st_size / 1000
    sys.stdout.write(f"{file.name}: {width} x {height}, {size:.0f} kB\n")


def _height_of(html: str, width: int, scheme: str, scratch: str) -> int:
    dom = _chromium(scheme, "--dump-dom", _page(html, width, 10, scratch))
    found = re.search(r"<title>(\d+)</title>", dom)
    if found is None:
        raise SystemExit("Chromium returned no height of the mail")
    return int(found[1])


def _page(html: str, width: int, height: int, scratch: str) -> str:
    page = Path(scratch) / "page.html"
    page.write_text(FRAME.format(width=width, height=height, mail=escape(html)))
    return page.as_uri()


def _chromium(scheme: str, *arguments: str) -> str:
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless=new",
            *ARGUMENTS,
            "--hide-scrollbars",
            f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
            *arguments,
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


if __name__ == "__main__":
    command_parser().parse_args()
    main()
