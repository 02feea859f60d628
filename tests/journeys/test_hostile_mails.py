"""Hostile addresses, names, titles and texts, from the call that stores them to the mail.

Each row of the case files ends in its wanted verdict, whatever carries the mail: files
in a folder on the embedded suite, SMTP on the processes.
"""

import email
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.header import decode_header, make_header
from functools import partial
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clp_contracts.errors import Refused
from clp_core.visible_text import is_blank
from clp_suite.sample_data import PORTAL
from tests.cases.loading import HostileCase, hostile_cases
from tests.journeys.scenario import Scenario
from tests.services.notifications.mailcheck import MailParts, cut_up, text_of_markup

# Neutralised where it is stored: what would act unseen is no name and no title.
REFUSED_NAMES: Final = frozenset(
    f"display_name-{number}" for number in ("007", "008", "023", "024", "028", "029")
)
REFUSED_TITLES: Final = frozenset(
    f"subject-{number}" for number in ("001", "002", "003", "006")
)
# Neutralised by dropping the mark of direction, and stored.
WITHOUT_MARKS: Final = {
    "display_name-014": "Dana txt.exe",
    "subject-016": "Launch gpj.exe",
}
REFUSED_TEXTS: Final = {
    "body-022": "text.malformed",
    "body-029": "text.empty",
    "body-033": "request.malformed",
    "body-034": "text.empty",
    "body-035": "text.too_long",
    "body-036": "text.too_long",
}
ON_THE_WIRE: Final = {
    "address-035": "dana@xn--bcher-kva.example",
    "address-036": "dana@xn--prtner-3nf.example",
}
LINE_END: Final = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
PICTURES: Final = re.compile("[\u2400-\u2421\ufffd]")


@dataclass(frozen=True)
class Mailed:
    """A mail, and the texts it shows in its two parts."""

    content: MailParts

    @property
    def to(self) -> str:
        return self.content.one("To").rpartition("<")[2].removesuffix(">")

    @property
    def name(self) -> str:
        phrase = self.content.one("To").rpartition("<")[0].strip()
        return phrase[1:-1] if phrase.startswith('"') else readable(phrase)

    @property
    def texts(self) -> tuple[str, str]:
        lines = [x[2:] for x in self.content.text.split("\n") if x.startswith("> ")]
        return "\n".join(lines), text_of_markup(self.content.html)


def readable(header: str) -> str:
    return str(make_header(decode_header(header)))


def mails_of(scenario: Scenario) -> list[Mailed]:
    """The raw mails of this scenario; none breaks the framing of another."""
    scenario.mails()
    raw = scenario.suite.mails()[scenario._mails_before :]
    for mail in raw:
        assert email.message_from_bytes(mail).defects == []
    return [Mailed(cut_up(mail)) for mail in raw]


def put(scenario: Scenario, person: str, **facts: str) -> str | None:
    """Store a person of north; gives the code of a refusal."""
    record = {"name": "Dana K", "email": f"{person}@north.example"} | facts
    store = partial(scenario.directory.projects.put_person, id=person, **record)
    refusal = refusal_of(partial(store, partner="north", roles=[PORTAL]))
    if refusal is None:
        scenario.follow(person)
    return refusal


def refusal_of(call: Callable[[], object]) -> str | None:
    """The code with which a call is refused, if it is."""
    try:
        call()
    except Refused as refused:
        return refused.code
    return None


def as_read(text: str) -> str:
    """A text as shown: one form of line end and no controls."""
    return CONTROLS.sub("", LINE_END.sub("\n", text)).strip()


def test_each_hostile_address_has_the_outcome_of_its_row(scenario: Scenario) -> None:
    wanted: dict[str, str] = {}
    for case in hostile_cases("address"):
        person = f"{case.id}-{scenario.project}"
        refusal = put(scenario, person, email=case.value)
        rejects = case.expect.startswith("reject")
        assert refusal == ("address.malformed" if rejects else None), case.id
        if not rejects:
            wanted[person] = ON_THE_WIRE.get(case.id, case.value)
    posted = scenario.post("ivy", scenario.broadcast, "Hello")
    suppressed = wanted.pop(f"address-015-{scenario.project}")
    assert sorted(mail.to for mail in mails_of(scenario)) == sorted(wanted.values())
    assert suppressed == "dana@nowhere.invalid"
    (story,) = scenario.operations.notifications.explain(
        message=posted.id, person=f"address-015-{scenario.project}"
    ).people
    assert (story.state, story.transitions[-1].reason) == (
        "suppressed",
        "undeliverable",
    )


def test_each_hostile_name_has_the_outcome_of_its_row(scenario: Scenario) -> None:
    names: dict[str, str] = {}
    for case in hostile_cases("display_name"):
        person = f"{case.id}-{scenario.project}"
        refusal = put(scenario, person, name=case.value)
        refuses = case.id in REFUSED_NAMES
        assert refusal == ("name.malformed" if refuses else None), case
        if not refuses:
            shown = WITHOUT_MARKS.get(case.id, case.value)
            names[f"{person}@north.example"] = shown
    scenario.post("ivy", scenario.broadcast, "Hello")
    found = {mail.to: mail.name for mail in mails_of(scenario)}
    cut = {to: n if len(n) <= 120 else n[:119] + "…" for to, n in names.items()}
    assert found == cut
    assert len(found) == len(hostile_cases("display_name")) - len(REFUSED_NAMES)


def test_each_hostile_title_has_the_outcome_of_its_row(scenario: Scenario) -> None:
    subjects: dict[str, str] = {}
    for case in hostile_cases("subject"):
        project = f"{scenario.project}-{case.id}"
        refusal = refusal_of(
            partial(
                scenario.directory.projects.put_project, id=project, title=case.value
            )
        )
        wanted = "title.malformed" if case.id in REFUSED_TITLES else None
        assert refusal == wanted, case.id
        if refusal:
            continue
        scenario.directory.projects.assign_partner(project=project, partner="north")
        scenario.as_("nat").projects.follow(project=project)
        scenario.post("ivy", f"{project}/broadcast", "salary 100k")
        title = WITHOUT_MARKS.get(case.id, case.value)
        title = title if len(title) <= 400 else title[:399] + "…"
        subject = f"[{title}] Broadcast"
        subjects[project] = subject if len(subject) <= 400 else subject[:399] + "…"
    mails = mails_of(scenario)
    threads = {mail.content.one("References") for mail in mails}
    assert len(threads) == len(mails) == len(subjects)
    for mail in mails:
        project = mail.content.one("References").split(".")[1]
        assert readable(mail.content.one("Subject")) == subjects[project]


def test_each_hostile_text_has_the_outcome_of_its_row(scenario: Scenario) -> None:
    scenario.follow("nat")
    accepted: list[HostileCase] = []
    for case in hostile_cases("body"):
        refusal = refusal_of(
            partial(scenario.post, "ivy", scenario.broadcast, case.value)
        )
        assert refusal == REFUSED_TEXTS.get(case.id), case.id
        if refusal is None:
            accepted.append(case)
    posted = dict(enumerate(accepted, start=1))
    mails = mails_of(scenario)
    assert len(mails) == len(posted) == 19
    for mail in mails:
        link = re.search(rf"{re.escape(scenario.broadcast)}/(\d+)", mail.content.text)
        assert link
        wanted = as_read(posted.pop(int(link[1])).value)
        assert [PICTURES.sub("", text).strip() for text in mail.texts] == [wanted] * 2
    assert posted == {}


texts = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
    min_size=1,
    max_size=300,
).filter(lambda text: not is_blank(text))


@pytest.mark.property
@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(texts, min_size=12, max_size=12))
def test_any_text_is_read_as_it_was_written(
    scenario: Scenario, some: list[str]
) -> None:
    """From the call that posts it, through the store and the mail, to the reader."""
    scenario.follow("nat")
    before = len(mails_of(scenario))
    posted = {scenario.post("ivy", scenario.broadcast, x).number: x for x in some}
    mails = mails_of(scenario)[before:]
    assert len(mails) == len(posted)
    for mail in mails:
        link = re.search(rf"{re.escape(scenario.broadcast)}/(\d+)", mail.content.text)
        assert link
        wanted = PICTURES.sub("", as_read(posted[int(link[1])])).strip()
        assert [PICTURES.sub("", text).strip() for text in mail.texts] == [wanted] * 2
