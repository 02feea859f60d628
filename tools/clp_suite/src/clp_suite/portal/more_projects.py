"""More of the sample world: other projects, and a conversation of some days."""

from typing import Final

from clp_suite.demo.play import BROADCAST, NORTH
from clp_suite.suite import Suite

PROJECTS: Final = (
    ("p2", "Paper Moon", {"north": ["fr", "fr-CA"], "west": ["ja"]}),
    ("p3", "The Lighthouse Keeper's Daughter", {"north": ["fr"]}),
    ("p4", "Harbour Lights", {"south": ["es"], "west": ["ar"]}),
)
FOLLOWED: Final = {
    "ivy": ("p2", "p3", "p4"),
    "ian": ("p2",),
    "nat": ("p2", "p3"),
    "wes": ("p2", "p4"),
    "sam": ("p4",),
}
LINES: Final = (
    ("ivy", NORTH, "The final mix is due on Friday. Is that possible for you?"),
    ("nat", NORTH, "Yes. We record scenes 4 to 9 tomorrow and mix on Thursday."),
    ("nia", NORTH, "@Ivy Lane in scene 7, is it “the night train” or a name?"),
    ("ivy", NORTH, "A name: keep “Night Train” as it is, please."),
    ("ivy", NORTH, "The pronunciation guide has it as well, on page 3."),
    ("nia", NORTH, "مرحبا، سأراجع المشهد الثاني اليوم."),
    ("ivy", BROADCAST, "Reel 3 was exported again: two lines moved by four frames."),
    (
        "ivy",
        "p2/direct/north",
        "Welcome aboard. The locked cut comes on Monday.",
    ),
    ("ivy", "p3/broadcast", "We begin in spring. More soon."),
    ("ian", NORTH, "Thank you both, this is what I needed for the schedule."),
)


def add_projects(suite: Suite) -> None:
    """Add projects and messages to the demo's story."""
    directory = suite.client(service="directory").projects
    for project, title, partners in PROJECTS:
        directory.put_project(id=project, title=title)
        for partner, languages in partners.items():
            directory.assign_partner(
                project=project, partner=partner, languages=languages
            )
    for person, projects in FOLLOWED.items():
        for project in projects:
            suite.client(person).projects.follow(project=project)
    for number, (author, channel, text) in enumerate(LINES):
        suite.client(author).messages.post(
            channel=channel, text=text, key=f"portal-{number}"
        )
    suite.settle()
