"""Shapes on the wire: frozen dataclasses.

An ask comes from anybody, so it is judged field by field (marshmallow) and refused with
the fields named. A reply comes from a service that the caller chose to ask: it is read
strictly by type and forgivingly otherwise (msgspec), at a small part of the cost.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, post_load, validate
from marshmallow import fields as wire

from clp_contracts.errors import Refused

T = TypeVar("T")

# Far above every policy, so that a rule gives its own code; below what hurts a service.
LONGEST_TEXT: Final = 2_000_000
MOST_ITEMS: Final = 10_000

SCALARS: Final[Mapping[type, type[wire.Field[Any]]]] = {
    str: wire.String,
    int: wire.Integer,
    float: wire.Float,
    bool: wire.Boolean,
    datetime: wire.AwareDateTime,
}


def listed(*values: str, default: str) -> Any:
    """Declare a text field that takes one of a few values."""
    return field(default=default, metadata={"one_of": values})


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The shape of an ask without arguments."""


def load(shape: type[T], values: Mapping[str, Any]) -> T:
    """Read an ask; fields nobody agreed on are refused.

    Raises:
        Refused: ``ask.malformed``, naming the fields.
    """
    try:
        loaded: T = schema_of(shape).load(values)
    except ValidationError as error:
        raise Refused.because("ask.malformed", fields=error.messages) from None
    return loaded


def load_reply(shape: type[T], values: Mapping[str, Any]) -> T:
    """Read a reply; fields of a newer service are ignored."""
    return msgspec.convert(values, shape)


def dump(value: Any) -> Any:
    """Turn a shape into what JSON can carry."""
    return msgspec.to_builtins(value, str_keys=True)


def arguments(ask: Any) -> dict[str, Any]:
    """An ask as it is sent: what it leaves at its default is left out.

    So a caller that knows of a new argument, and does not use it, is understood by a
    service that never heard of it, as while programs are being replaced.
    """
    said = {field.name: getattr(ask, field.name) for field in fields(ask)}
    left = {field.name: field.default for field in fields(ask)}
    return {name: dump(value) for name, value in said.items() if value != left[name]}


_schemas: dict[tuple[Any, str], Schema] = {}


def schema_of(shape: Any) -> Schema:
    """The marshmallow schema of an ask, built once."""
    key = (shape, "ask")
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
    if one_of := declared.metadata.get("one_of"):
        options["validate"] = validate.OneOf(one_of)
    return _field_of(hint, options)


def _field_of(hint: Any, options: dict[str, Any]) -> wire.Field[Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return _field_of(inner, options | {"allow_none": True})
    if get_origin(hint) is tuple:
        item = _field_of(get_args(hint)[0], {"required": True})
        options.setdefault("validate", validate.Length(max=MOST_ITEMS))
        return wire.List(item, **options)
    if get_origin(hint) in {dict, Mapping} or hint is dict:
        return wire.Dict(keys=wire.String(), **options)
    if is_dataclass(hint):
        return wire.Nested(schema_of(hint), **options)
    return _scalar(hint, options)


def _scalar(hint: type, options: dict[str, Any]) -> wire.Field[Any]:
    if hint is int:
        return wire.Integer(strict=True, **options)
    if hint is bool:
        return wire.Boolean(truthy={True}, falsy={False}, **options)
    if hint is str:
        options.setdefault("validate", validate.Length(max=LONGEST_TEXT))
    return SCALARS[hint](**options)


def settings_schema(shape: Any) -> Schema:
    """The schema of a dataclass whose values arrive as strings."""
    key = (shape, "settings")
    if key not in _schemas:
        hints = get_type_hints(shape)
        members = {
            f.name: SCALARS[_plain(hints[f.name])](required=f.default is MISSING)
            for f in fields(shape)
        }

        def build(_schema: Schema, values: dict[str, Any], **_: Any) -> Any:
            return shape(**values)

        made = type(
            f"{shape.__name__}Schema", (Schema,), members | {"b": post_load(build)}
        )
        _schemas[key] = made(unknown=EXCLUDE)
    return _schemas[key]


def _plain(hint: Any) -> Any:
    return next((arg for arg in get_args(hint) if arg is not type(None)), hint)
