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


@dataclass(frozen=True, slots=True, kw_only=True)
class WithSecrets:
    secret: str
    oidc_client_secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithOptionalSecret:
    secret: str = ""


STRONG = "0123456789abcdef0123456789abcdef"
# fmt: off
WEAK_SECRETS = [
    # variable,                  its value,          what the line says
    ("CLP_X_SECRET",             "",                 "needs 32 bytes at least"),
    ("CLP_X_SECRET",             "s",                "needs 32 bytes at least"),
    ("CLP_X_SECRET",             STRONG[:-1],        "needs 32 bytes at least"),
    ("CLP_X_SECRET",             "é" * 15,           "needs 32 bytes at least"),
    ("CLP_X_SECRET",             "...",              "is a placeholder"),
    ("CLP_X_OIDC_CLIENT_SECRET", "...",              "is a placeholder"),
]
# fmt: on


@pytest.mark.parametrize(("variable", "value", "reason"), WEAK_SECRETS)
def test_a_weak_secret_is_refused_in_one_line(
    variable: str, value: str, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    strong = {"CLP_X_SECRET": STRONG}
    others = {name: one for name, one in strong.items() if name != variable}
    for given in ({variable: value}, {f"{variable}_FILE": str(file)}):
        with pytest.raises(InvalidSettings) as refused:
            read_settings(WithSecrets, "CLP_X", others | given)
        (line,) = str(refused.value).splitlines()
        assert line.startswith(f"{variable}: {reason}")


def test_a_weak_shared_secret_is_refused_unless_the_service_has_its_own() -> None:
    weak = {"CLP_SECRET": "s"}
    with pytest.raises(InvalidSettings, match=r"^CLP_SECRET: "):
        read_settings(WithSecrets, "CLP_X", weak)
    read = read_settings(WithSecrets, "CLP_X", weak | {"CLP_X_SECRET": STRONG})
    assert read.secret == STRONG


@pytest.mark.parametrize("value", [STRONG, "é" * 16])
def test_thirty_two_bytes_are_enough(value: str) -> None:
    assert read_settings(WithSecrets, "CLP_X", {"CLP_X_SECRET": value}).secret == value


def test_an_optional_secret_may_be_left_empty() -> None:
    assert not read_settings(WithOptionalSecret, "CLP_X", {"CLP_X_SECRET": ""}).secret
    with pytest.raises(InvalidSettings):
        read_settings(WithOptionalSecret, "CLP_X", {"CLP_X_SECRET": "s"})
