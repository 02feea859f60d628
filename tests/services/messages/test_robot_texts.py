"""The templates of the robot: neutral by default, replaceable by a deployment."""

from pathlib import Path

import pytest

from clp_chassis.settings import InvalidSettings
from clp_contracts.projects import ANNOUNCEMENT_FACTS, Announcement
from clp_messages.robot_texts import RobotTexts
from clp_messages.service import load_robot_texts
from clp_messages.settings import Settings

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


def test_a_missing_folder_is_refused_at_start(tmp_path: Path) -> None:
    missing = settings(robot_texts_dir=str(tmp_path / "nowhere"))
    with pytest.raises(InvalidSettings, match="No such file or directory"):
        load_robot_texts(missing)


def test_without_a_folder_the_defaults_are_used() -> None:
    texts = load_robot_texts(settings())
    assert texts.render(announcement("audio_available")) == "Audio is available."
