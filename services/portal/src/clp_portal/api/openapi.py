"""The API's description (OpenAPI 3.1), computed from the contracts by msgspec."""

from functools import cache
from typing import Any, Final

import msgspec

from clp_portal.api.routes import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    OPERATIONS,
    UPLOAD_PATH,
    Operation,
)
from clp_portal.http.cookies import SESSION
from clp_portal.problems import MEDIA_TYPE, known_codes

REF: Final = "#/components/schemas/{name}"
VERSION: Final = "1"
JSON: Final = "application/json"
UPLOADED: Final = {
    "type": "object",
    "title": "UploadedAttachment",
    "description": "A stored file; post its id with a message.",
    "required": ["id", "name", "size"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "size": {"type": "integer"},
    },
}


@cache
def openapi() -> dict[str, Any]:
    """Return the whole description."""
    shapes = {operation.method.request for operation in OPERATIONS}
    shapes |= {operation.method.response for operation in OPERATIONS}
    _, schemas = msgspec.json.schema_components(
        sorted(shapes, key=lambda shape: shape.__name__), ref_template=REF
    )
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        described = _operation(operation, schemas)
        paths.setdefault(operation.path, {})[operation.verb.lower()] = described
    paths.setdefault(UPLOAD_PATH, {})["post"] = _upload()
    return {
        "openapi": "3.1.0",
        "info": {"title": "CLP Communications", "version": VERSION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {
                **schemas,
                "Problem": _problem(),
                "UploadedAttachment": UPLOADED,
            },
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION}
            },
        },
        "security": [{"session": []}],
    }


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    request = schemas[operation.method.request.__name__]
    known = request.get("properties", {})
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": known[name]}
        for name in operation.path_names
    ]
    required = set(request.get("required", ()))
    parameters += [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": known[name],
        }
        for name in operation.query
    ]
    parameters += [_header(name) for name in operation.header_names]
    described: dict[str, Any] = {
        "operationId": _operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.method.service],
        "parameters": parameters,
        "responses": {
            str(operation.status): {
                "description": _first_line(operation.method.response),
                "content": {JSON: {"schema": _ref(operation.method.response)}},
            },
            "default": _default(),
        },
    }
    if operation.body_names:
        described["requestBody"] = _body(operation, known, required)
    return described


def _body(
    operation: Operation, known: dict[str, Any], required: set[str]
) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {name: known[name] for name in operation.body_names},
        "required": [name for name in operation.body_names if name in required],
        "additionalProperties": False,
    }
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _upload() -> dict[str, Any]:
    return {
        "operationId": "messages_upload_attachment",
        "summary": "Upload a file for a channel, as the raw body.",
        "tags": ["messages"],
        "parameters": [
            {
                "name": name,
                "in": place,
                "required": True,
                "schema": {"type": "string"},
            }
            for name, place in (("channel", "path"), ("name", "query"))
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {}}},
        },
        "responses": {
            "201": {
                "description": "The stored file.",
                "content": {JSON: {"schema": {"$ref": _named("UploadedAttachment")}}},
            },
            "default": _default(),
        },
    }


def _header(name: str) -> dict[str, Any]:
    if name == "key":
        schema = {"type": "string", "minLength": 1, "maxLength": 128}
        return {
            "name": IDEMPOTENCY_KEY,
            "in": "header",
            "required": True,
            "description": "Makes a repeated call harmless.",
            "schema": schema,
        }
    return {
        "name": IF_MATCH,
        "in": "header",
        "required": False,
        "description": "The revision to be replaced; of another one nothing is done.",
        "schema": {"type": "string"},
    }


def _default() -> dict[str, Any]:
    return {
        "description": "A problem (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _named("Problem")}}},
    }


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": list(known_codes())},
            "detail": {"type": "string"},
            "fields": {"type": "object"},
            "facts": {
                "type": "object",
                "description": "The limit, list or character that it is about.",
            },
            "instance": {"type": "string", "format": "uri"},
        },
    }


def _operation_id(operation: Operation) -> str:
    verb = "" if operation.verb in {"GET", "POST"} else f"_{operation.verb.lower()}"
    return f"{operation.method.service}_{operation.method.name}{verb}"


def _ref(shape: type) -> dict[str, str]:
    return {"$ref": _named(shape.__name__)}


def _named(name: str) -> str:
    return REF.format(name=name)


def _first_line(shape: type) -> str:
    return (shape.__doc__ or "").strip().partition("\n")[0]


def summary() -> list[dict[str, str]]:
    """List the operations for a page: verb, path and summary."""
    return [
        {
            "verb": verb.upper(),
            "path": path,
            "summary": one["summary"],
        }
        for path, verbs in openapi()["paths"].items()
        for verb, one in verbs.items()
    ]
