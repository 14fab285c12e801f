"""The hot routes in the OpenAPI document: FastAPI does not see them, so they are described by hand."""

from typing import Any, Final

from fastapi import FastAPI

from routers.problems import MEDIA_TYPE
from routers.rest import event_bodies

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:fsm-gateway:problem:unauthorized"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "additionalProperties": True,
}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def _path_parameter(name: str, description: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": kind},
    }


_COMMON_RESPONSES: Final = {
    "401": _problem("Unknown endpoint, or the call does not prove who sent it: one answer for all of it"),
    "413": _problem("The body is over the limit"),
    "415": _problem("The body is compressed"),
    "431": _problem("The headers are over the limit"),
    "408": _problem("The request did not come whole in time"),
    "429": {
        **_problem("The source is over its rate; nothing was kept, send it again"),
        "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
    },
    "503": {
        **_problem("The event could not be stored now; nothing was kept, send it again"),
        "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
    },
}

_SECRET: Final = _path_parameter("secret", "The secret part of the address, as configured", "string")


def _webhook(operation_id: str, summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": ["webhooks"],
        "operationId": operation_id,
        "summary": summary,
        "description": "Method, body, signature and answer are the provider's own. 2xx means that the event "
        "is stored, for the first time, as a repeat, or until its conversation is known.",
        "parameters": [
            _path_parameter("source", "The source's name in the configuration", "string"),
            *parameters,
        ],
        "responses": {
            "200": {"description": "Stored; the body is what the provider wants to read"},
            **_COMMON_RESPONSES,
        },
    }
    if not operation_id.endswith("_by_get"):
        operation["requestBody"] = {"required": True, "content": {"*/*": {"schema": {}}}}
    return operation


PATHS: Final[dict[str, Any]] = {
    "/telegram/{bot_id}": {
        "post": {
            "tags": ["telegram"],
            "operationId": "receive_telegram_update",
            "summary": "Take one update from Telegram",
            "description": "200 means that the update is stored, for the first time or as a repeat.",
            "parameters": [
                _path_parameter("bot_id", "The bot's id: the number before the colon of its token", "integer")
            ],
            "security": [{"TelegramSecretToken": []}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "description": "https://core.telegram.org/bots/api#update",
                            "required": ["update_id"],
                            "properties": {"update_id": {"type": "integer"}},
                            "additionalProperties": True,
                        }
                    }
                },
            },
            "responses": {
                "200": {"description": "Stored"},
                "422": _problem("Not a JSON object with an update_id"),
                **_COMMON_RESPONSES,
            },
        }
    },
    "/webhooks/{source}": {
        "post": _webhook("receive_webhook", "Take one call from a provider"),
        "get": _webhook("receive_webhook_by_get", "Take one call from a provider that calls by GET"),
    },
    "/webhooks/{source}/{secret}": {
        "post": _webhook(
            "receive_secret_webhook", "Take one call from a provider that signs nothing", _SECRET
        ),
        "get": _webhook("receive_secret_webhook_by_get", "The same by GET", _SECRET),
    },
}

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "TelegramSecretToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Telegram-Bot-Api-Secret-Token",
        "description": "The secret_token of setWebhook",
    }
}


def describe(app: FastAPI) -> None:
    """Let *app*'s OpenAPI document show the hot routes beside its own."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            document["paths"] = {**PATHS, **document.get("paths", {})}
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update({"Problem": PROBLEM_SCHEMA, **event_bodies.schemas()})
            components.setdefault("securitySchemes", {}).update(SECURITY_SCHEMES)
            _keep_to_3_1(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this as the way to extend it


def _keep_to_3_1(document: dict[str, Any]) -> None:
    """FastAPI describes a stream's items as OpenAPI 3.2 has it; the document says that it is 3.1."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                for media in response.get("content", {}).values():
                    if media.pop("itemSchema", None) is not None:
                        media["schema"] = {"type": "string", "description": "Server-sent events"}
