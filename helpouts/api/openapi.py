"""The API's own description: OpenAPI 3.1, made from the routes and shapes that the views are made from."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from helpouts.api import operations as _operations  # noqa: F401  # declares the routes
from helpouts.api.routes import ROUTES, Route
from helpouts.api.schemas import SCHEMAS, ref

VERSION = "1.0.0"
ABOUT = """What people do on the site, for programs that act for one person. Make a token on the page “Access tokens” of
your account and send it as `Authorization: Bearer …`. Errors are Problem Details (RFC 9457). Instants are RFC 3339,
money is in minor units of its currency."""


def document(site_name: str, base: str) -> dict[str, Any]:
    """The whole document for the site at the public address ``base``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{site_name} API", "version": VERSION, "description": ABOUT},
        "servers": [{"url": f"{base}/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A personal access token."}
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    status, shape = route.answer
    errors = {400, 401, 403, 429, *route.errors}
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": {"schema": ref(shape)}},
            },
            **{
                str(code): {
                    "description": HTTPStatus(code).phrase,
                    "content": {"application/problem+json": {"schema": ref("Problem")}},
                }
                for code in sorted(errors)
            },
        },
        "security": [{"token": [route.scope]}] if route.scope else [{}, {"token": []}],
    }
    if route.body:
        content = {"application/json": {"schema": ref(route.body)}}
        made["requestBody"] = {"required": bool(SCHEMAS[route.body].get("required")), "content": content}
    return made


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.path_parameters
    ]
    found += [
        {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "description": one.description,
            "schema": one.schema,
        }
        for one in route.query
    ]
    if route.key:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": route.key == "required",
                "description": "New for each thing that is to be done; a request that is sent again has one effect.",
                "schema": {"type": "string", "maxLength": 66},
            }
        )
    return found
