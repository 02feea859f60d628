"""``python -m tests.browser.odd_world FOLDER``: a portal whose world fits no sketch.

Very long titles and names, emoji, right-to-left names, two hundred projects, channels
with no message, with the robot's only, and with tombstones.
"""

import sys
from pathlib import Path
from typing import Final

import eventlet

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_suite.sample_data import PORTAL
from clp_suite.suite import Suite

# The ids of the sample world: the development sign-in offers no others.
# person, name, partner
PEOPLE: Final = (
    ("ivy", "Ivy Lane", None),
    ("ian", "Maximiliana Konstantinopoulos-Featherstonehaugh " * 3, None),
    ("nat", "🦓🎬", "long"),
    ("nia", "Лев 🦁 Толстой", "long"),
    ("sam", "نور الهدى", "rtl"),
    ("wes", "X", "one"),
)
PARTNERS: Final = {
    "long": "The Extraordinarily Long-Named Dubbing and Subtitling Cooperative of Upper "
    "and Lower Northumberland",
    "rtl": "استوديو الأصوات",
    "one": "字",
    "word": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten",
}
TITLES: Final = {
    "long": "The Strange and Never Quite Explained Disappearance of the Lighthouse "
    "Keeper's Second Daughter, as Told by Those Who Were Not There: Season Four",
    "word": "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3,
    "rtl": "القطار الليلي",
    "emoji": "🎬 🦓",
    "empty": "Nothing Said",
    "robot": "Only the Robot",
    "busy": "Much Said",
}
LANGUAGES: Final = ("fr", "fr-CA", "es", "es-419", "pt-BR", "ar", "ja", "zh-Hant", "ko")
LONG: Final = "long/direct/long"
TEXTS: Final = (
    ("ivy", "x" * 400),
    ("nat", "https://example.com/" + "a-very-long-path/" * 20),
    ("nat", "🦓"),
    ("nia", "One line.\n\nAn empty line above.\n\tA tab, and   spaces.\n" * 3),
    ("ian", "@🦓🎬 and @Лев 🦁 Толстой, look. @Nobody Here too."),
    ("ivy", "مرحبا @Лев 🦁 Толстой in the middle of مرحبا."),
    ("ivy", "Word " * 300),
    ("nia", "To be deleted."),
    ("nia", "To be edited."),
)
FILES: Final = (
    "a.csv",
    "a file name that is so long that it cannot fit into any card of a page.csv",
    "ملف.csv",
)
PROJECTS: Final = 200


def set_up(suite: Suite) -> None:
    """Store people, partners and projects, and let everybody follow everything."""
    directory = suite.client(service="directory").projects
    for partner, name in PARTNERS.items():
        directory.put_partner(id=partner, name=name)
    for person, name, partner in PEOPLE:
        directory.put_person(
            id=person,
            name=name.strip(),
            email=f"{person}@{partner or 'studio'}.example",
            partner=partner,
            internal=partner is None,
            roles=[PORTAL],
        )
    more = {f"many{n}": f"Project {n}" for n in range(PROJECTS - len(TITLES))}
    for project, title in {**TITLES, **more}.items():
        directory.put_project(id=project, title=title)
        for partner in PARTNERS if project in TITLES else ("long",):
            directory.assign_partner(
                project=project, partner=partner, languages=list(LANGUAGES)
            )
        for person, _, partner in PEOPLE:
            if project in TITLES or partner in {None, "long"}:
                suite.client(person).projects.follow(project=project)


def talk(suite: Suite) -> None:
    """Post what is odd, then delete and edit some of it."""
    posted = [
        suite.client(author).messages.post(channel=LONG, text=text, key=f"odd-{n}")
        for n, (author, text) in enumerate(TEXTS)
    ]
    suite.client("ivy").messages.delete(message=posted[-2].id)
    suite.client("nia").messages.edit(message=posted[-1].id, text="Edited.")
    files = [
        suite.files("nia").upload(channel=LONG, name=name, body=b"a,b\n")
        for name in FILES
    ]
    suite.client("nia").messages.post(channel=LONG, key="odd-files", attachments=files)
    for kind in ("audio_available", "audio_available"):
        suite.client(service="directory").projects.announce(
            project="robot", kind=kind, key=f"{kind}-1"
        )
    for number in range(120):
        suite.client("ivy").messages.post(
            channel="busy/broadcast", text=f"Line {number}.", key=f"busy-{number}"
        )
    suite.settle()


if __name__ == "__main__":
    with EmbeddedSuite(Path(sys.argv[1]), portal=True, rate_limit=NO_LIMIT) as world:
        set_up(world)
        talk(world)
        sys.stdout.write(f"  Open {world.portal_url} \n")
        sys.stdout.flush()
        while True:
            eventlet.sleep(3600)
