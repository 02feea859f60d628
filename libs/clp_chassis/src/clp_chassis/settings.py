"""Settings of a process: declared once, read from the environment, checked at start.

A setting is a field of a dataclass, annotated with what an operator has to know. Help,
checks, documents and example environments are made from these declarations::

    digest_hour: Annotated[int, Setting("the hour of daily digests", HOUR)] = 7
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import urlsplit

from clp_chassis.setting_kinds import (
    ADDRESS,
    BROKER,
    DATABASE,
    LEASE,
    NETWORKS,
    WEB,
    Kind,
    between,
    one_of,
    parse_address,
)
from clp_contracts.broker_users import BROKER_USERS

T = TypeVar("T")
MIN_SECRET_BYTES: Final = 32
# What manuals and example files write where a secret belongs.
PLACEHOLDER: Final = re.compile(
    r"\W+|\W*(your[-_ ]?)?"
    r"(secret|password|placeholder|change[-_ ]?(me|it|this)|example|todo|x+)\W*",
    re.IGNORECASE,
)
BOOLEANS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
MAX_SHOWN: Final = 60
LOG_SHAPES: Final = ("text", "json")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Setting:
    """The meaning of a setting, its values, its unit, and whether it is a secret.

    A secret is never shown. One without a ``kind`` is our own, of 32 bytes at least.
    """

    meaning: str
    kind: Kind | None = None
    unit: str = ""
    is_secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDescription:
    """A setting as documents and help show it; ``default`` is None where required.

    ``shared_variable`` sets it for every service at once, where that exists.
    """

    name: str
    variable: str
    shared_variable: str
    type: type
    default: Any
    setting: Setting

    @property
    def is_own_secret(self) -> bool:
        """Whether it is a secret that an operator makes for us."""
        return self.setting.is_secret and self.setting.kind is None

    @property
    def default_text(self) -> str:
        """The default as a variable would hold it; empty where there is none."""
        if self.default is None:
            return ""
        return str(self.default).lower() if self.type is bool else str(self.default)

    @property
    def expected(self) -> str:
        """The values that it takes, in words."""
        if self.is_own_secret:
            return f"a secret of {MIN_SECRET_BYTES} bytes at least"
        if self.type is bool:
            return "true or false"
        kind = self.setting.kind
        if self.type is str:
            return kind.expected if kind else "text"
        noun = "a whole number" if self.type is int else "a number"
        return f"{noun} {kind.expected}" if kind else noun


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """Settings of every process, whatever its service."""

    # The setting that names the database of the service, where it has one.
    database_setting: ClassVar[str] = "database_url"

    broker_url: Annotated[
        str, Setting("the broker of calls and events", BROKER, is_secret=True)
    ] = "amqp://guest:guest@127.0.0.1:5672//"
    keys_dir: Annotated[
        str, Setting("the folder with the own passport key and trusted.json")
    ] = "keys"
    observe_address: Annotated[
        str, Setting("where /live, /ready and /metrics are served; empty: not", ADDRESS)
    ] = ""
    log_level: Annotated[
        str, Setting("the lowest level that is logged", one_of(*LOG_LEVELS))
    ] = "INFO"
    log_shape: Annotated[str, Setting("the form of log lines", one_of(*LOG_SHAPES))] = (
        "text"
    )
    traces_url: Annotated[
        str, Setting("an OpenTelemetry collector (OTLP over HTTP); empty: none", WEB)
    ] = ""
    calls_at_once: Annotated[
        int, Setting("calls that one person may make at once", between(1))
    ] = 40
    calls_per_second: Annotated[
        float,
        Setting(
            "calls a second of one person in the long run; 500 characters count as one",
            between(0.001),
        ),
    ] = 20.0
    trusted_proxies: Annotated[
        str, Setting("proxies whose X-Forwarded-For names the client", NETWORKS)
    ] = ""

    @property
    def schema_url(self) -> str:
        """The database that holds the schema of the service; empty for none."""
        return getattr(self, self.database_setting, "")


# Settings that several services have.
DatabaseUrl = Annotated[
    str, Setting("the database of the service", DATABASE, is_secret=True)
]
HttpAddressFile = Annotated[
    str, Setting("a file that gets the address that was bound; empty: none")
]
AccessLease = Annotated[
    float, Setting("how long facts about access are leased; its end waits", LEASE, "s")
]

SHARED: Final = frozenset(field.name for field in fields(ProcessSettings))


class InvalidSettings(Exception):
    """A setting is missing or wrong; a line for each names variable and reason."""


@contextmanager
def naming_setting(variable: str) -> Iterator[None]:
    """Blame a variable for a ValueError; its text says what is expected."""
    try:
        yield
    except ValueError as error:
        raise InvalidSettings(f"{variable}: {error}") from None


def describe_settings(cls: type, service: str) -> tuple[SettingDescription, ...]:
    """Describe every setting of a service, its own first.

    Raises:
        TypeError: when a field is not annotated with a `Setting`.
    """
    hints = get_type_hints(cls, include_extras=True)
    own_first = sorted(fields(cls), key=lambda field: field.name in SHARED)
    return tuple(
        SettingDescription(
            name=field.name,
            variable=f"CLP_{service}_{field.name}".upper(),
            shared_variable=f"CLP_{field.name}".upper() if field.name in SHARED else "",
            type=_plain(hints[field.name])[0],
            default=None if field.default is MISSING else field.default,
            setting=_plain(hints[field.name])[1],
        )
        for field in own_first
    )


def _plain(hint: Any) -> tuple[type, Setting]:
    plain, *annotations = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    for annotation in annotations:
        if isinstance(annotation, Setting):
            return plain, annotation
    raise TypeError(f"{hint} is not annotated with a Setting")


def read_settings(
    cls: type[T], service: str, environ: Mapping[str, str] = os.environ
) -> T:
    """Read the settings of a service from variables such as ``CLP_SEARCH_DATA_DIR``.

    What every process has may be set once for all (``CLP_BROKER_URL``); a variable with
    the service's name wins. A secret is kept in a file, named by the variable with the
    suffix ``_FILE`` (``CLP_SEARCH_BROKER_URL_FILE``).

    Raises:
        InvalidSettings: naming each variable that is missing or wrong.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for described in describe_settings(cls, service):
        try:
            values |= read_setting(described, environ)
        except InvalidSettings as error:
            problems.append(str(error))
    if problems:
        raise InvalidSettings("\n".join(problems))
    return cls(**values)


def read_whole_environment(
    cls: type[T], service: str, environ: Mapping[str, str] = os.environ
) -> T:
    """Read the settings of a process, and refuse what else its environment sets.

    Two addresses with one port are refused, and so are variables that begin with
    ``CLP_`` and set nothing; those of other services and clients are theirs to judge.

    Raises:
        InvalidSettings: naming each variable that is missing, wrong or unknown.
    """
    described = describe_settings(cls, service)
    problems = _unknown_names(described, service, environ)
    try:
        settings = read_settings(cls, service, environ)
    except InvalidSettings as error:
        raise InvalidSettings("\n".join([*problems, str(error)])) from None
    if problems := problems + _shared_ports(described, settings):
        raise InvalidSettings("\n".join(problems))
    return settings


def _shared_ports(
    described: Iterable[SettingDescription], settings: object
) -> list[str]:
    addresses = (
        (one.variable, getattr(settings, one.name))
        for one in described
        if one.setting.kind is ADDRESS
    )
    return list(shared_ports((name, text) for name, text in addresses if text))


def shared_ports(addresses: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Name each variable whose address has the port of an earlier one."""
    taken: dict[int, str] = {}
    for variable, address in addresses:
        _, port = parse_address(address)
        other = taken.setdefault(port, variable)
        if port and other != variable:
            yield f"{variable}: {address} has the port of {other}; expected another"


def _unknown_names(
    described: Sequence[SettingDescription], service: str, environ: Mapping[str, str]
) -> list[str]:
    known = {one.variable for one in described} | {
        one.shared_variable for one in described
    }
    others = tuple(
        # `make up` leaves names of its own in the shells that operate it.
        f"CLP_{user}_".upper()
        for user in (*BROKER_USERS, "up")
        if user != service.lower()
    )
    candidates = (name for name in environ if not name.startswith(others))
    return list(unknown_settings(candidates, known, otherwise="--help lists all"))


def unknown_settings(
    names: Iterable[str], known: Collection[str], *, otherwise: str
) -> Iterator[str]:
    """Name each variable that begins with ``CLP_`` and sets nothing, with a hint."""
    for name in sorted(names):
        plain = name.removesuffix("_FILE")
        if name.startswith("CLP_") and plain not in known:
            close = get_close_matches(plain, known, n=1, cutoff=0.75)
            hint = f"did you mean {close[0]}?" if close else otherwise
            yield f"{name}: no such setting; {hint}"


def read_setting(
    described: SettingDescription, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the value of a setting by its name; nothing where the default holds.

    Raises:
        InvalidSettings: when it is wrong, or required and missing.
    """
    for variable in (described.variable, described.shared_variable):
        if variable and (text := _value_of(variable, environ)) is not None:
            return {described.name: _judged(described, variable, text)}
    if described.default is None:
        wanted = _wanted(described)
        if described.is_own_secret:
            wanted = f"expected {described.expected}; {wanted}"
        raise InvalidSettings(f"{described.variable}: is not set; {wanted}")
    return {}


def _wanted(described: SettingDescription) -> str:
    if described.is_own_secret:
        return f"`openssl rand -hex {MIN_SECRET_BYTES}` makes one"
    return f"expected {described.expected}"


def _judged(described: SettingDescription, variable: str, text: str) -> Any:
    """Convert and judge a value; one that is a secret is no part of a refusal."""
    if text == described.default:
        return text
    setting = described.setting
    if reason := _weakness(described, text):
        raise InvalidSettings(f"{variable}: {reason}; {_wanted(described)}")
    try:
        value = _converted(described, text)
    except (ValueError, OverflowError):
        shown = "the value" if setting.is_secret else repr(text[:MAX_SHOWN])
        raise InvalidSettings(
            f"{variable}: {shown} is not usable; {_wanted(described)}"
        ) from None
    return value


def _weakness(described: SettingDescription, text: str) -> str:
    """Why a value is no value, or a secret that can be guessed; else empty."""
    if described.setting.is_secret and _is_placeholder(text):
        return "is a placeholder, not a secret"
    if described.is_own_secret and len(text.encode()) < MIN_SECRET_BYTES:
        return f"needs {MIN_SECRET_BYTES} bytes at least"
    return "" if text else "is empty"


def _is_placeholder(text: str) -> bool:
    password = text
    if "://" in text:
        with suppress(ValueError):
            password = urlsplit(text).password or text
    return PLACEHOLDER.fullmatch(password) is not None


def _converted(described: SettingDescription, text: str) -> Any:
    """Convert a text; raise ValueError where it is none of the expected values."""
    kind = described.setting.kind
    is_bool = described.type is bool
    value = BOOLEANS.get(text.lower()) if is_bool else described.type(text)
    if value is None or (kind is not None and kind.judge(value) is False):
        raise ValueError(text)
    return value


def _value_of(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the value of a variable, or of the file that it names."""
    if (value := environ.get(name)) is not None:
        return value
    if (file := environ.get(f"{name}_FILE")) is None:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8"
        raise InvalidSettings(f"{name}_FILE: cannot read {file}: {reason}") from None
