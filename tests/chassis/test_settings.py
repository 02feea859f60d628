"""Settings: declared once, read from the environment, and named when they are wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from clp_chassis.setting_kinds import (
    ADDRESS,
    BROKER,
    DATABASE,
    DOMAIN,
    ISSUED_SECRET,
    LANGUAGE,
    MAIL_ADDRESS,
    NETWORKS,
    SECONDS,
    TIME_ZONE,
    WEB,
    Kind,
    between,
    one_of,
)
from clp_chassis.settings import (
    InvalidSettings,
    ProcessSettings,
    Setting,
    describe_settings,
    read_settings,
    read_whole_environment,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    broker_url: Annotated[str, Setting("the broker")]
    workers: Annotated[int, Setting("how many", between(0))] = 10
    window_s: Annotated[float, Setting("how long", SECONDS, "s")] = 60.0
    loud: Annotated[bool, Setting("whether")] = False
    relay: Annotated[str, Setting("which")] = ""


def test_defaults_hold_for_unset_variables() -> None:
    assert read_settings(Settings, "x", {"CLP_X_BROKER_URL": "b"}) == Settings(
        broker_url="b"
    )


def test_values_are_converted_to_their_types() -> None:
    environ = {
        "CLP_X_BROKER_URL": "b",
        "CLP_X_WORKERS": "3",
        "CLP_X_WINDOW_S": "0.5",
        "CLP_X_LOUD": "true",
        "CLP_X_RELAY": "r",
    }
    assert read_settings(Settings, "x", environ) == Settings(
        broker_url="b", workers=3, window_s=0.5, loud=True, relay="r"
    )


def test_the_variable_of_one_service_wins_over_the_shared_one() -> None:
    environ = {"CLP_BROKER_URL": "amqp://shared", "CLP_X_BROKER_URL": "amqp://own"}
    assert read_settings(ProcessSettings, "x", environ).broker_url == "amqp://own"
    assert read_settings(ProcessSettings, "y", environ).broker_url == "amqp://shared"


def test_what_one_service_has_is_not_shared() -> None:
    environ = {"CLP_X_BROKER_URL": "b", "CLP_WORKERS": "3"}
    assert read_settings(Settings, "x", environ).workers == 10


def test_every_wrong_variable_is_named() -> None:
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(Settings, "x", {"CLP_X_WORKERS": "many"})
    malformed, missing = str(wrong.value).splitlines()
    assert missing == "CLP_X_BROKER_URL: is not set; expected text"
    assert malformed == (
        "CLP_X_WORKERS: 'many' is not usable; expected a whole number 0 or more"
    )


def test_a_value_may_be_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "broker"
    secret.write_text("amqps://hidden\n")
    environ = {"CLP_X_BROKER_URL_FILE": str(secret)}
    assert read_settings(Settings, "x", environ).broker_url == "amqps://hidden"
    assert (
        read_settings(Settings, "x", environ | {"CLP_X_BROKER_URL": "b"}).broker_url
        == "b"
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environ = {"CLP_X_BROKER_URL_FILE": str(tmp_path / "nowhere")}
    with pytest.raises(
        InvalidSettings,
        match=r"CLP_X_BROKER_URL_FILE: cannot read .*nowhere: No such file",
    ):
        read_settings(Settings, "x", environ)


# fmt: off
WRONG = [
    # what a value may be                  a wrong one                  and another
    (ADDRESS,                              "8000",                      "localhost:http"),
    (ADDRESS,                              "0.0.0.0:65536",             "localhost:"),
    (TIME_ZONE,                            "Mars/Olympus",              "../etc/passwd"),
    (LANGUAGE,                             "english please",            "e"),
    (DOMAIN,                               "clp example",               ".example"),
    (MAIL_ADDRESS,                         "help",                      "help @clp.example"),
    (NETWORKS,                             "10.0.0.1, proxy",           "10.0.0.0/33"),
    (WEB,                                  "clp.example",               "https://clp.example:https"),
    (BROKER,                               "rabbitmq:5672",             "http://rabbitmq"),
    (DATABASE,                             "postgres://db/projects",    "messages.db"),
    (one_of("text", "json"),               "xml",                       "TEXT"),
]
NUMBERS = [
    # range                 wrong ones
    (between(0, 23),        ["99", "-1", "24", "7.5", "seven"]),
    (between(1),            ["0", "-5", "1e3", ""]),
]
RIGHT = [
    (ADDRESS,       ["127.0.0.1:0", "[::1]:8000", "portal:8002"]),
    (TIME_ZONE,     ["UTC", "Europe/Paris"]),
    (LANGUAGE,      ["en", "pt-BR", "zh-Hant-TW"]),
    (DOMAIN,        ["clp.example", "bounce.clp.example"]),
    (MAIL_ADDRESS,  ["help@clp.example"]),
    (NETWORKS,      ["10.0.0.1, 2001:db8::/64,"]),
    (WEB,           ["https://clp.example", "http://127.0.0.1:8080"]),
    (BROKER,        ["amqps://messages:p%40ss@rabbitmq:5671/clp?ca=/etc/ca.pem"]),
    (DATABASE,      ["sqlite:////var/lib/clp/projects.db",
                     "postgresql+psycopg://projects:p@db/projects"]),
]
# fmt: on


def of_kind(kind: Kind, plain: type = str) -> type:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Single:
        value: Annotated[plain, Setting("something", kind)]  # type: ignore[valid-type]

    # Annotations of a local class are looked up among the module's names.
    Single.__annotations__["value"] = Annotated[plain, Setting("something", kind)]
    return Single


@pytest.mark.parametrize(
    ("kind", "plain", "text"),
    [
        *((kind, str, text) for kind, *texts in WRONG for text in texts),
        *((kind, int, text) for kind, texts in NUMBERS for text in texts),
        *((SECONDS, float, text) for text in ("nan", "inf", "-1", "1e9", "soon")),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_one_line(
    kind: Kind, plain: type, text: str
) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_settings(of_kind(kind, plain), "x", {"CLP_X_VALUE": text})
    (line,) = str(refused.value).splitlines()
    assert line.startswith("CLP_X_VALUE: ")
    assert kind.expected in line
    assert not text or repr(text) in line


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in RIGHT for text in texts]
)
def test_a_value_of_its_kind_is_taken_as_it_is(kind: Kind, text: str) -> None:
    read = read_settings(of_kind(kind), "x", {"CLP_X_VALUE": text})
    assert read.value == text


# ---- secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class WithSecrets:
    secret: Annotated[str, Setting("ours", is_secret=True)]
    oidc_client_secret: Annotated[
        str, Setting("theirs", ISSUED_SECRET, is_secret=True)
    ] = ""
    database_url: Annotated[str, Setting("rows", DATABASE, is_secret=True)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithOptionalSecret:
    secret: Annotated[str, Setting("ours", is_secret=True)] = ""


STRONG = "0123456789abcdef0123456789abcdef"
# fmt: off
WEAK_SECRETS = [
    # variable,                  its value,          what the line says
    ("CLP_X_SECRET",             "",                 "needs 32 bytes at least"),
    ("CLP_X_SECRET",             "s",                "needs 32 bytes at least"),
    ("CLP_X_SECRET",             STRONG[:-1],        "needs 32 bytes at least"),
    ("CLP_X_SECRET",             "é" * 15,           "needs 32 bytes at least"),
    ("CLP_X_SECRET",             "...",              "is a placeholder"),
    ("CLP_X_SECRET",             "SECRET",           "is a placeholder"),
    ("CLP_X_SECRET",             "<your-secret>",    "is a placeholder"),
    ("CLP_X_SECRET",             "x" * 40,           "is a placeholder"),
    ("CLP_X_OIDC_CLIENT_SECRET", "...",              "is a placeholder"),
    ("CLP_X_OIDC_CLIENT_SECRET", "change-me",        "is a placeholder"),
    ("CLP_X_DATABASE_URL", "postgresql+psycopg://x:PASSWORD@db/x", "is a placeholder"),
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
            read_settings(WithSecrets, "x", others | given)
        (line,) = str(refused.value).splitlines()
        assert line.startswith(f"{variable}: {reason}")


def test_a_refusal_shows_no_secret() -> None:
    environ = {"CLP_X_SECRET": STRONG, "CLP_X_DATABASE_URL": "mysql://x:hidden@db/x"}
    with pytest.raises(InvalidSettings) as refused:
        read_settings(WithSecrets, "x", environ)
    assert "CLP_X_DATABASE_URL: the value is not usable" in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("value", [STRONG, "é" * 16])
def test_thirty_two_bytes_are_enough(value: str) -> None:
    assert read_settings(WithSecrets, "x", {"CLP_X_SECRET": value}).secret == value


def test_an_optional_secret_may_be_left_empty() -> None:
    assert not read_settings(WithOptionalSecret, "x", {"CLP_X_SECRET": ""}).secret
    with pytest.raises(InvalidSettings):
        read_settings(WithOptionalSecret, "x", {"CLP_X_SECRET": "s"})


# ---- the whole environment of a process


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(ProcessSettings):
    http_address: Annotated[str, Setting("pages", ADDRESS)] = "127.0.0.1:8000"


# fmt: off
UNKNOWN = [
    # variable                   what the line says
    ("CLP_X_HTTP_ADRESS",        "no such setting; did you mean CLP_X_HTTP_ADDRESS?"),
    ("CLP_X_KEYS_DIR_FILES",     "no such setting; did you mean CLP_X_KEYS_DIR?"),
    ("CLP_BROKR_URL",            "no such setting; did you mean CLP_BROKER_URL?"),
    ("CLP_HTTP_ADDRESS",         "no such setting; did you mean CLP_X_HTTP_ADDRESS?"),
    ("CLP_SERACH_DATA_DIR",      "no such setting"),
    ("CLP_X_COLOUR",             "no such setting; --help lists all"),
]
# fmt: on


@pytest.mark.parametrize(("variable", "line"), UNKNOWN)
def test_an_unknown_name_is_refused(variable: str, line: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_whole_environment(Served, "x", {variable: "1"})
    assert str(refused.value).startswith(f"{variable}: {line}")
    assert "\n" not in str(refused.value)


def test_names_of_others_are_theirs() -> None:
    environ = {"CLP_SEARCH_COLOUR": "1", "CLP_OPERATIONS_BROKER_URL": "a", "HOME": "/"}
    assert read_whole_environment(Served, "x", environ) == Served()


def test_wrong_and_unknown_names_are_told_together() -> None:
    environ = {"CLP_X_COLOUR": "1", "CLP_X_LOG_LEVEL": "loud"}
    with pytest.raises(InvalidSettings) as refused:
        read_whole_environment(Served, "x", environ)
    unknown, wrong = str(refused.value).splitlines()
    assert unknown.startswith("CLP_X_COLOUR: ")
    assert wrong.startswith("CLP_X_LOG_LEVEL: 'loud' is not usable")


def test_two_addresses_never_have_one_port() -> None:
    environ = {"CLP_OBSERVE_ADDRESS": "0.0.0.0:8000"}
    with pytest.raises(InvalidSettings) as refused:
        read_whole_environment(Served, "x", environ)
    assert str(refused.value) == (
        "CLP_X_OBSERVE_ADDRESS: 0.0.0.0:8000 has the port of CLP_X_HTTP_ADDRESS;"
        " expected another"
    )
    free = {"CLP_OBSERVE_ADDRESS": "127.0.0.1:0", "CLP_X_HTTP_ADDRESS": "127.0.0.1:0"}
    assert read_whole_environment(Served, "x", free).observe_address == "127.0.0.1:0"


def test_a_field_without_a_declaration_is_an_error_of_ours() -> None:
    @dataclass
    class Bare:
        value: str = ""

    with pytest.raises(TypeError, match="not annotated with a Setting"):
        describe_settings(Bare, "x")
