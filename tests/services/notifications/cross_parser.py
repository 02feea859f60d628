"""Compare an npm parser with Python's parser and the raw bytes on our mails.

``python -m tests.services.notifications.cross_parser FOLDER [NUMBER]`` (`make
mail-parsers`) reads the samples and so many generated mails with npm's ``postal-mime``
from FOLDER. A disagreement is a fault, whoever is right.
"""

import base64
import email
import email.policy
import json
import subprocess
import sys
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.composer import OutgoingMail
from tests.services.notifications.generated import mails
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_mails import all_samples
from tests.support.command_line import command_parser

PROGRAM: Final = Path(__file__).parent / "parsers" / "read_mails.mjs"
SEED: Final = 2026
READ: Final = ("to", "from", "subject", "text", "html")


def main(folder: str, number: int) -> None:
    """Compare three readings of every mail; ends with an error when two differ."""
    composed = list(_compose(number))
    readings = _read_by_node(folder, composed)
    differing = 0
    for mail, theirs in zip(composed, readings, strict=True):
        ours, pythons = _cut(mail), _read_by_python(mail)
        for part in READ:
            if not ours[part] == pythons[part] == _tidied(part, theirs[part]):
                differing += 1
                found = (ours[part], pythons[part], theirs[part])
                _say(f"{part} of a mail to {mail.recipient}:", *map(repr, found))
    _say(f"{len(composed)} mails, {differing} disagreements")
    raise SystemExit(differing > 0)


def _say(line: str, *readings: str) -> None:
    lines = [line, *(f"  {reading[:300]}" for reading in readings)]
    sys.stdout.write("\n".join(lines) + "\n")


def _compose(number: int) -> Iterator[OutgoingMail]:
    for sample in all_samples():
        yield COMPOSER.compose(sample.mail, address_of(sample.mail.reader.email))
    for _, mail in mails(number, SEED):
        yield mail


def _read_by_node(folder: str, composed: list[OutgoingMail]) -> list[dict[str, Any]]:
    lines = "\n".join(base64.b64encode(mail.data).decode() for mail in composed)
    done = subprocess.run(
        ["node", str(PROGRAM), folder],
        input=lines,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _read_by_python(mail: OutgoingMail) -> dict[str, Any]:
    read = email.message_from_bytes(mail.data, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    found: dict[str, Any] = {"subject": str(read["Subject"])}
    parts = cut_up(mail.data)
    for name in ("to", "from"):
        phrase, _, rest = parts.one(name.title()).rpartition("<")
        # Python's newer parser puts a space between the encoded words of a name.
        found[name] = (_shown(phrase.strip()), rest.removesuffix(">"))
    for part, kind in (("text", "plain"), ("html", "html")):
        body = read.get_body((kind,))
        assert body is not None
        found[part] = _tidied(part, body.get_content())
    return found


def _shown(phrase: str) -> str:
    if phrase.startswith('"'):
        return phrase[1:-1]
    return str(make_header(decode_header(phrase)))


def _cut(mail: OutgoingMail) -> dict[str, Any]:
    """The fields cut from the raw lines, and the envelope recipient."""
    parts = cut_up(mail.data)
    found = _read_by_python(mail)
    return found | {
        "to": (found["to"][0], str(mail.recipient)),
        "text": _tidied("text", parts.text),
        "html": _tidied("html", parts.html),
    }


def _tidied(part: str, value: Any) -> Any:
    """Normalize what parsers return in several forms: lists of one, line ends, edges."""
    if part in ("to", "from"):
        if isinstance(value, tuple):
            return value
        (mailbox,) = value if isinstance(value, list) else [value]
        return (mailbox["name"], mailbox["address"])
    if part == "subject":
        return value
    return value.replace("\r\n", "\n").strip("\n")


if __name__ == "__main__":
    parser = command_parser()
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("number", metavar="NUMBER", type=int, nargs="?", default=1000)
    arguments = parser.parse_args()
    main(arguments.folder, arguments.number)
