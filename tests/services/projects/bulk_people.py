"""Insert many people: names, addresses, roles and prefix entries."""

import random
from itertools import islice
from typing import Any

from sqlalchemy import insert, text

from clp_chassis.persistence.database import Database
from clp_core.mentions import address_key, name_key, prefix_entries
from clp_projects.tables import INTERNAL, Base
from tests.support.sample_world import NOON, PORTAL

FIRST = [
    "Ada",
    "Bo",
    "Cem",
    "Dara",
    "Eve",
    "Finn",
    "Gia",
    "Hugo",
    "Ines",
    "Jun",
    "Kai",
    "Lea",
    "Milo",
    "Noor",
    "Oto",
    "Pia",
]
LAST = [
    "Abe",
    "Brandt",
    "Costa",
    "Dahl",
    "Egger",
    "Fonseca",
    "Green",
    "Haas",
    "Ito",
    "Jansen",
    "Kowal",
    "Lund",
]
PARTNERS = 200
PROJECTS = 500
AT_ONCE = 2_000

Rows = dict[str, list[dict[str, Any]]]


def fill(database: Database, people: int) -> None:
    """Add people, one in five of the studio, and projects that some of them follow."""
    chance = random.Random(7)
    _write(database, _places(chance))
    numbers = iter(range(people))
    while batch := list(islice(numbers, AT_ONCE)):
        _write(database, _people(batch, chance))
    # What a database knows of its tables decides how it looks things up.
    with database.writing(notify=False) as session:
        session.execute(text("ANALYZE"))


def _places(chance: random.Random) -> Rows:
    partners = [f"x{number}" for number in range(PARTNERS)]
    projects = [f"y{number}" for number in range(PROJECTS)]
    return {
        "partners": [
            {"id": partner, "name": f"Partner {partner}"} for partner in partners
        ],
        "projects": [
            {
                "id": project,
                "title": f"Title {project}",
                "title_key": f"title {project}",
            }
            for project in projects
        ],
        "assignments": [
            {
                "project": project,
                "partner": partner,
                "languages": ["fr"],
                "withdrawn_at": None,
            }
            for project in projects
            for partner in chance.sample(partners, 8)
        ],
        "announcements": [
            {
                "id": f"a{project}",
                "project": project,
                "key": "k",
                "kind": "audio_available",
                "facts": {"language": "fr"},
                "announced_at": NOON,
            }
            for project in projects
        ],
    }


def _people(numbers: list[int], chance: random.Random) -> Rows:
    rows: Rows = {
        "people": [],
        "person_roles": [],
        "prefix_entries": [],
        "followers": [],
    }
    for number in numbers:
        person = f"c{number}"
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}{number % 997}"
        email = f"{person}@{chance.choice(LAST).lower()}.example"
        partner = None if number % 5 == 0 else f"x{number % PARTNERS}"
        rows["people"].append(
            {
                "id": person,
                "name": name,
                "email": email,
                "partner": partner,
                "active": True,
                "name_key": name_key(name),
                "address_key": address_key(email),
            }
        )
        rows["person_roles"] += [{"person": person, "role": role} for role in PORTAL]
        rows["prefix_entries"] += [
            {
                "person": person,
                "rank": int(place),
                "key": key,
                "partner": partner or INTERNAL,
            }
            for place, key in frozenset(prefix_entries(name, email))
        ]
        rows["followers"] += [
            {"project": f"y{project}", "person": person, "followed_at": NOON}
            for project in chance.sample(range(PROJECTS), 2)
        ]
    return rows


def _write(database: Database, rows: Rows) -> None:
    with database.writing(notify=False) as session:
        for table, values in rows.items():
            session.execute(insert(Base.metadata.tables[table]), values)
