"""The templates of the robot: neutral by default, replaceable by a deployment."""

from pathlib import Path

import pytest

from clp_chassis.settings import InvalidSettings
from clp_contracts.projects import ANNOUNCEMENT_FACTS, Announcement
from clp_core.mentions import resolve_mentions
from clp_core.people import ROBOT
from clp_messages.robot_texts import RobotTexts
from clp_messages.service import load_robot_texts
from clp_messages.settings import Settings
from tests.core.sample_world import BROADCAST, IVY, P1

EVERY_FACT = {
    "launch_date": "2027-05-01",
    "previous_date": "2027-04-01",
    "due": "2027-04-03",
    "status": "passed",
    "language": "pt-BR",
    "partner": "North Dubbing",
}


def announcement(kind: str, **facts: str) -> Announcement:
    return Announcement(id="a1", project="p1", kind=kind, facts=facts)


def folder_with(folder: Path, **templates: str) -> Path:
    for kind, text in templates.items():
        (folder / f"{kind}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ANNOUNCEMENT_FACTS)
def test_no_default_text_names_a_language_or_a_partner(kind: str) -> None:
    text = RobotTexts().render(announcement(kind, **EVERY_FACT))
    assert "pt-BR" not in text
    assert "North" not in text


# Facts that hold what other programs would run or follow.
HOSTILE = [
    "{{ 7 * 7 }}",
    "{% include '/etc/passwd' %}",
    "{{ due.__class__ }}",
    "{# a note #}",
    "<b>passed</b>",
    "**passed** `x`",
    "@Ivy Lane",
    "> a quotation",
    "%s %(status)s {status}",
    "\N{RIGHT-TO-LEFT OVERRIDE}dessap",
    "Ünïcodé 確認 🎬",
]


@pytest.mark.parametrize("status", HOSTILE)
def test_a_fact_stands_in_a_text_as_it_was_given(status: str) -> None:
    text = RobotTexts().render(announcement("qc_status_changed", status=status))
    assert text == f"The QC status of the final master is now: {status}."


@pytest.mark.parametrize("status", HOSTILE)
def test_no_fact_mentions_anybody(status: str) -> None:
    text = RobotTexts().render(announcement("qc_status_changed", status=status))
    found = resolve_mentions(
        text, author=ROBOT, channel=BROADCAST, project=P1, owners=[IVY]
    )
    assert found.outcomes == ()


def test_a_deployment_replaces_templates_one_by_one(tmp_path: Path) -> None:
    template = (
        "Audio{% if language is defined %} ({{ language }}){% endif %} is here.\n"
    )
    texts = RobotTexts.load(folder_with(tmp_path, audio_available=template))
    assert texts.render(announcement("audio_available")) == "Audio is here."
    assert (
        texts.render(announcement("audio_available", language="fr"))
        == "Audio (fr) is here."
    )
    assert texts.render(announcement("bid_due", due="2027-04-03")) == (
        "A bid is due: 2027-04-03."
    )


# kind                | template              | what the operator reads
BROKEN = [
    ("bid_due", "due {{ due", "bid_due.txt: unexpected end of template"),
    ("bid_due", "{{ language }}", "bid_due.txt: 'language' is undefined"),
    ("bid_due", "{{ due.__class__ }}", "bid_due.txt: access to attribute"),
    ("bid_due", " \n", "bid_due.txt: text.empty"),
    ("bid_due", "\u200b\u3164", "bid_due.txt: text.empty"),
    ("bid_due", "{{ due }}\0", "bid_due.txt: text.malformed"),
    ("bid_due", "{{ ''.__class__.__mro__ }}", "bid_due.txt: access to attribute"),
    ("bid_due", "{% include '../settings.py' %}", "bid_due.txt: ../settings.py"),
    ("bid_due", "{{ due | nothing }}", "bid_due.txt: No filter named 'nothing'"),
    (
        "bid_due",
        "{% for n in range(1000000) %}x{% endfor %}",
        "bid_due.txt: Range too big.",
    ),
    ("bid_due", "{{ 1 / 0 }}", "bid_due.txt: division by zero"),
    ("bid_due", "{{ due + 1 }}", "bid_due.txt: can only concatenate str"),
    (
        "bid_due",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "bid_due.txt: maximum",
    ),
    ("audio_available", "{{ due }}", "audio_available.txt: 'due' is undefined"),
    ("bid_due", "x" * 10_001, "bid_due.txt: text.too_long"),
    ("party", "Hurray", "party.txt: expected only audio_available.txt, bid_due.txt"),
]


def settings(robot_texts_dir: str = "") -> Settings:
    return Settings(robot_texts_dir=robot_texts_dir, database_url="sqlite:///unused.db")


@pytest.mark.parametrize(("kind", "template", "error"), BROKEN)
def test_a_template_that_cannot_be_used_is_refused_at_start(
    tmp_path: Path, kind: str, template: str, error: str
) -> None:
    folder = folder_with(tmp_path, **{kind: template})
    with pytest.raises(InvalidSettings) as refused:
        load_robot_texts(settings(robot_texts_dir=str(folder)))
    assert str(refused.value).startswith(f"CLP_MESSAGES_ROBOT_TEXTS_DIR: {error}")
    assert "\n" not in str(refused.value)


def test_a_template_in_another_encoding_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "bid_due.txt").write_bytes("Fällig: {{ due }}".encode("cp1252"))
    with pytest.raises(InvalidSettings, match=r"bid_due\.txt: 'utf-8' codec can't"):
        load_robot_texts(settings(robot_texts_dir=str(tmp_path)))


def test_a_missing_folder_is_refused_at_start(tmp_path: Path) -> None:
    missing = settings(robot_texts_dir=str(tmp_path / "nowhere"))
    with pytest.raises(InvalidSettings, match="No such file or directory"):
        load_robot_texts(missing)


def test_without_a_folder_the_defaults_are_used() -> None:
    texts = load_robot_texts(settings())
    assert texts.render(announcement("audio_available")) == "Audio is available."
