"""All policies of the rules as one value, with the published defaults."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self, cast

from clp_core.attachments import AttachmentPolicy, DetectedKind
from clp_core.decisions import Code, InvalidValue
from clp_core.mentions.policy import MentionPolicy
from clp_core.messages import TextPolicy
from clp_core.people import AccessPolicy
from clp_core.routing import RoutingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The limits and choices of a deployment.

    The defaults are the published ones.

    >>> Policies().text.max_characters
    10000
    >>> Policies.from_mapping({"routing": {"mention_routing": "adds"}}).routing
    RoutingPolicy(mention_routing=MentionRouting.ADDS)
    """

    access: AccessPolicy = field(default_factory=AccessPolicy)
    text: TextPolicy = field(default_factory=TextPolicy)
    mentions: MentionPolicy = field(default_factory=MentionPolicy)
    attachments: AttachmentPolicy = field(default_factory=AttachmentPolicy)
    routing: RoutingPolicy = field(default_factory=RoutingPolicy)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Self:
        """Read policies from parsed TOML or JSON; omitted fields keep their defaults.

        Raises:
            InvalidValue: with the field's path, as in ``attachments.max_bytes: ...``.
        """
        published = cls()
        sections = {part.name: getattr(published, part.name) for part in fields(cls)}
        changed: dict[str, Any] = {}
        for name, values in mapping.items():
            if name not in sections:
                raise InvalidValue(f"{name}: no policy has this name")
            if not isinstance(values, Mapping):
                raise InvalidValue(f"{name}: must be a table of fields")
            table = cast("Mapping[str, object]", values)
            changed[name] = _with_values(sections[name], name, table)
        return cls(**changed)


def _with_values(section: Any, name: str, values: Mapping[str, object]) -> Any:
    published: dict[str, object] = {
        part.name: getattr(section, part.name) for part in fields(section)
    }
    changed: dict[str, object] = {}
    for key, value in values.items():
        if key not in published:
            raise InvalidValue(f"{name}.{key}: no policy has this field")
        try:
            changed[key] = _shaped_like(published[key], value)
        except InvalidValue as problem:
            raise InvalidValue(f"{name}.{key}: {problem}") from None
    try:
        return type(section)(**{**published, **changed})
    except InvalidValue as problem:  # which already names the field
        raise InvalidValue(f"{name}.{problem}") from None


def _shaped_like(published: object, value: object) -> object:
    """Validate a value against the type of the published one."""
    match published:
        case Code():
            return _member_of(type(published), value)
        case int():
            return _whole_number(value)
        case Mapping():
            return _kinds(value)
        case _:
            return _words(value)


def _whole_number(value: object) -> int:
    # `bool` is a subclass of `int`, and no limit.
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidValue("must be a whole number")


def _member_of(kind: type[Code], value: object) -> Code:
    choices = {member.value: member for member in kind}
    if not isinstance(value, str) or value not in choices:
        raise InvalidValue(f"must be one of {', '.join(choices)}")
    return choices[value]


def _kinds(value: object) -> Mapping[str, frozenset[Code]]:
    if not isinstance(value, Mapping):
        raise InvalidValue("must be a table of lists")
    table = cast("Mapping[object, object]", value)
    return {str(name): _kinds_of(words) for name, words in table.items()}


def _kinds_of(words: object) -> frozenset[Code]:
    return frozenset(_member_of(DetectedKind, word) for word in _words(words))


def _words(value: object) -> frozenset[str]:
    # A `str` is a collection of letters, and here a mistake.
    if isinstance(value, list | tuple | set | frozenset):
        items = cast("Collection[object]", value)
        words = frozenset(item for item in items if isinstance(item, str))
        if all(isinstance(item, str) for item in items):
            return words
    raise InvalidValue("must be a list of words")
