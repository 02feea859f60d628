"""Serialize requests and responses, which are frozen dataclasses.

A request comes from anybody: Marshmallow validates every field, and the refusal names
each wrong one. A response comes from a trusted service: msgspec converts it by type and
ignores unknown fields, at a fraction of the cost.
"""

import json
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from math import isfinite
from typing import (
    Any,
    Final,
    Protocol,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from marshmallow import RAISE, Schema, ValidationError, post_load, validate
from marshmallow import fields as wire
from typing_extensions import override

from clp_contracts.errors import Refused

T = TypeVar("T")
Item_co = TypeVar("Item_co", covariant=True)

# Above every policy, so that rules refuse with their own codes; low enough to bound
# the work of one request.
MAX_TEXT_LENGTH: Final = 2_000_000
MAX_ITEMS: Final = 10_000
# A broker message of any service; what surrounds a request takes a little of it.
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
MAX_REQUEST_BYTES: Final = MAX_MESSAGE_BYTES - 64 * 1024
MAX_ESCAPED_BYTES: Final = 6
LIMIT: Final = "limit"
# What a column of a database holds.
MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1


class Number(wire.Float):
    """A number with a fraction; a text or a truth value is none."""

    @override
    def _validated(self, value: Any) -> float:
        if type(value) not in {int, float}:
            raise self.make_error("invalid")
        return super()._validated(value)


class StrictBoolean(wire.Boolean):
    """A boolean; Marshmallow would take the numbers 1 and 0 for one as well."""

    @override
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if type(value) is not bool:
            raise self.make_error("invalid", input=value)
        return value


SCALARS: Final[Mapping[type, type[wire.Field[Any]]]] = {
    str: wire.String,
    float: Number,
    bool: StrictBoolean,
    datetime: wire.AwareDateTime,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """A request without arguments."""


def load(shape: type[T], values: Mapping[str, Any]) -> T:
    """Validate a request.

    Raises:
        Refused: ``request.malformed``, with every wrong, missing or unknown field.
    """
    if (plain := _load_plain(shape, values)) is not None:
        return plain
    try:
        loaded: T = schema_of(shape).load(values)
    except ValidationError as error:
        raise Refused.because("request.malformed", fields=error.messages) from None
    return loaded


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_TEXT_LENGTH


def _is_integer(value: Any) -> bool:
    return type(value) is int and MIN_INTEGER <= value <= MAX_INTEGER


def _are_texts(value: Any) -> bool:
    return type(value) is list and len(value) <= MAX_ITEMS and all(map(_is_text, value))


# What a field of this type takes as it is.
PLAIN_VALUES: Final[Mapping[Any, Callable[[Any], bool]]] = {
    str: _is_text,
    str | None: lambda value: value is None or _is_text(value),
    int: _is_integer,
    int | None: lambda value: value is None or _is_integer(value),
    bool: lambda value: type(value) is bool,
    float: lambda value: type(value) is float and isfinite(value),
    tuple[str, ...]: _are_texts,
}


@cache
def _plain_fields(shape: Any) -> Mapping[str, Callable[[Any], bool]] | None:
    """Return a check for each field; None for a request with nested or other fields."""
    hints = get_type_hints(shape)
    if any(hints[one.name] not in PLAIN_VALUES for one in fields(shape)):
        return None
    checks = {one.name: PLAIN_VALUES[hints[one.name]] for one in fields(shape)}
    if LIMIT in checks:
        checks[LIMIT] = lambda value: type(value) is int and value >= 1
    return checks


def _load_plain(shape: type[T], values: Mapping[str, Any]) -> T | None:
    """Return a request whose values are all as they should be, without Marshmallow.

    That is all of them but hostile ones; None where there may be an error to report.
    """
    checks = _plain_fields(cast("Any", shape))
    if checks is None or any(
        name not in checks or not checks[name](value) for name, value in values.items()
    ):
        return None
    try:
        return shape(**{name: _frozen(value) for name, value in values.items()})
    except TypeError:
        # A missing field.
        return None


def load_response(shape: type[T], values: Mapping[str, Any]) -> T:
    """Read a response; ignore unknown fields, so that services may add some."""
    return msgspec.convert(values, shape)


def dump(value: Any) -> Any:
    """Convert a value to what JSON can carry."""
    return msgspec.to_builtins(value, str_keys=True)


def encode(value: Any) -> bytes:
    """Encode a value as JSON, in one step."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Half of a surrogate pair: JSON can say it, UTF-8 cannot.
        return json.dumps(dump(value)).encode()


def arguments(request: Any) -> dict[str, Any]:
    """Return the arguments of a request, without those at their defaults.

    Values are checked by type first: a string is no list of its letters, bytes are no
    string.

    A client with a new optional argument can so call an older service, as happens
    during a rolling update, unless it uses the argument.
    """
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    _check_types(values, type(request))
    defaults = {field.name: field.default for field in fields(request)}
    sent = {
        name: dump(value) for name, value in values.items() if value != defaults[name]
    }
    _check_size(sent)
    return sent


def _check_size(sent: dict[str, Any]) -> None:
    """Refuse what no service would read: it would wait for a response in vain."""
    length = sum(len(v) if isinstance(v, str) else len(repr(v)) for v in sent.values())
    if length * MAX_ESCAPED_BYTES <= MAX_REQUEST_BYTES:
        return
    if len(json.dumps(sent)) > MAX_REQUEST_BYTES:
        raise Refused.because("request.malformed", max_bytes=MAX_REQUEST_BYTES)


class Items(Protocol[Item_co]):
    """A collection that is no string: a type checker rejects ``str`` and ``bytes``."""

    def __contains__(self, value: object, /) -> bool: ...
    def __iter__(self) -> Iterator[Item_co]: ...
    def __len__(self) -> int: ...


def items(values: Items[T]) -> tuple[T, ...]:
    """Return a tuple of the values; leave whole what `arguments` refuses.

    That is a string, which has items, and what has none.
    """
    untyped: object = values
    if isinstance(untyped, str | bytes | bytearray) or not isinstance(
        untyped, Iterable
    ):
        return cast("tuple[T, ...]", untyped)
    return tuple(values)


def _check_types(values: Mapping[str, Any], shape: type) -> None:
    try:
        msgspec.convert(values, shape, from_attributes=True)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        field = re.split(r"[.`\[]", path)[0]
        raise Refused.because("request.malformed", fields={field: [message]}) from None


_schemas: dict[tuple[Any, str], Schema] = {}


def schema_of(shape: Any) -> Schema:
    """Return the Marshmallow schema of a request, built once."""
    key = (shape, "request")
    if key not in _schemas:
        _schemas[key] = _built_schema(shape)
    return _schemas[key]


def _built_schema(shape: Any) -> Schema:
    hints = get_type_hints(shape)
    members: dict[str, Any] = {
        f.name: _wire_field(hints[f.name], f) for f in fields(shape)
    }

    def build(_schema: Schema, values: dict[str, Any], **_: Any) -> Any:
        return shape(**{key: _frozen(value) for key, value in values.items()})

    members["build"] = post_load(build)
    schema: Schema = type(f"{shape.__name__}Schema", (Schema,), members)(unknown=RAISE)
    return schema


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _wire_field(hint: Any, declared: "Field[Any]") -> wire.Field[Any]:
    options: dict[str, Any] = {
        "required": declared.default is MISSING and declared.default_factory is MISSING
    }
    if declared.name == LIMIT:
        # Services cap a limit that is above their maximum.
        options["validate"] = validate.Range(min=1)
    return _field_of(hint, options)


def _field_of(hint: Any, options: dict[str, Any]) -> wire.Field[Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return _field_of(inner, options | {"allow_none": True})
    if get_origin(hint) is tuple:
        item = _field_of(get_args(hint)[0], {"required": True})
        options.setdefault("validate", validate.Length(max=MAX_ITEMS))
        return wire.List(item, **options)
    if get_origin(hint) in {dict, Mapping} or hint is dict:
        return wire.Dict(keys=wire.String(), **options)
    if is_dataclass(hint):
        return wire.Nested(schema_of(hint), **options)
    return _scalar(hint, options)


def _scalar(hint: type, options: dict[str, Any]) -> wire.Field[Any]:
    if hint is int:
        options.setdefault("validate", validate.Range(MIN_INTEGER, MAX_INTEGER))
        return wire.Integer(strict=True, **options)
    if hint is str:
        options.setdefault("validate", validate.Length(max=MAX_TEXT_LENGTH))
    return SCALARS[hint](**options)
