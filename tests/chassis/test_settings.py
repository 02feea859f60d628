"""Settings: read from the environment, and named when they are wrong."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from clp_chassis.settings import InvalidSettings, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    broker_url: str
    workers: int = 10
    window_s: float = 60.0
    loud: bool = False
    relay: str | None = None


def test_defaults_hold_for_unset_variables() -> None:
    assert read_settings(Settings, "CLP_X", {"CLP_X_BROKER_URL": "b"}) == Settings(
        broker_url="b"
    )


def test_values_are_converted_to_their_types() -> None:
    environ = {
        "CLP_X_BROKER_URL": "b",
        "CLP_X_WORKERS": "3",
        "CLP_X_WINDOW_S": "0.5",
        "CLP_X_LOUD": "true",
        "CLP_X_RELAY": "r",
        "CLP_X_UNKNOWN": "is somebody else's",
    }
    assert read_settings(Settings, "CLP_X", environ) == Settings(
        broker_url="b", workers=3, window_s=0.5, loud=True, relay="r"
    )


def test_the_variable_of_one_service_wins_over_the_shared_one() -> None:
    environ = {"CLP_BROKER_URL": "shared", "CLP_X_BROKER_URL": "own"}
    assert read_settings(Settings, "CLP_X", environ).broker_url == "own"
    assert read_settings(Settings, "CLP_Y", environ).broker_url == "shared"


def test_every_wrong_variable_is_named() -> None:
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(Settings, "CLP_X", {"CLP_X_WORKERS": "many"})
    assert "CLP_X_BROKER_URL" in str(wrong.value)
    assert "CLP_X_WORKERS" in str(wrong.value)


def test_a_value_may_be_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "broker"
    secret.write_text("amqps://hidden\n")
    environ = {"CLP_X_BROKER_URL_FILE": str(secret)}
    assert read_settings(Settings, "CLP_X", environ).broker_url == "amqps://hidden"
    assert (
        read_settings(Settings, "CLP_X", environ | {"CLP_X_BROKER_URL": "b"}).broker_url
        == "b"
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environ = {"CLP_X_BROKER_URL_FILE": str(tmp_path / "nowhere")}
    with pytest.raises(
        InvalidSettings, match=r"CLP_X_BROKER_URL_FILE: cannot read .*nowhere"
    ):
        read_settings(Settings, "CLP_X", environ)
