"""`/docs`: the description for people, one page with no script and nothing from elsewhere."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

METHODS: Final = ("get", "put", "post", "patch", "delete")
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h3 { margin-top: 2.5rem; } code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #8881; padding: .75rem; overflow-x: auto; } table { border-collapse: collapse; }
td, th { border-bottom: 1px solid #8884; padding: .25rem .75rem .25rem 0; text-align: left; }
nav a { display: inline-block; margin-right: 1rem; } .method { text-transform: uppercase; }
"""
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def documentation_router() -> APIRouter:
    """Return the route of the page."""
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(page(request.app.openapi(), str(request.base_url).rstrip("/")), headers=_HEADERS)

    return router


def page(document: Mapping[str, Any], base_url: str) -> str:
    """Return *document*, an OpenAPI description, as one page; examples call *base_url*."""
    info = document["info"]
    sections: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                told = _operation(method, path, operation, document, base_url)
                sections.setdefault(operation.get("tags", ["other"])[0], []).append(told)
    contents = "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in sections)
    body = "".join(
        f'<section id="{escape(tag)}"><h2>{escape(tag)}</h2>{"".join(told)}</section>'
        for tag, told in sections.items()
    )
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{escape(info.get('summary', ''))} "
        f'As a file: <a href="openapi.json">openapi.json</a>.</p><nav>{contents}</nav>{body}</body></html>'
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any], base_url: str
) -> str:
    parts = [
        f'<h3 id="{escape(operation["operationId"])}">{escape(operation.get("summary", ""))}</h3>',
        f'<p><code><span class="method">{method}</span> {escape(path)}</code></p>',
    ]
    parts += [f"<p>{escape(text)}</p>" for text in operation.get("description", "").split("\n\n") if text]
    scopes = [scope for each in operation.get("security", ()) for scope in each.get("ApiKey", ())]
    if scopes:
        parts.append(f"<p>Scope: <code>{escape(', '.join(scopes))}</code></p>")
    parts.append(_table("Parameters", _parameters(operation)))
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        for example in _examples(media, document):
            parts.append(f"<pre>{escape(_call(method, base_url + path, kind, example))}</pre>")
    answers = ((status, answer.get("description", "")) for status, answer in operation["responses"].items())
    parts.append(_table("Answers", answers))
    return "".join(parts)


def _parameters(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation.get("parameters", ()):
        needed = ", required" if parameter.get("required") else ""
        said = parameter.get("description") or parameter.get("schema", {}).get("description", "")
        yield f"{parameter['name']} ({parameter['in']}{needed})", said


def _table(title: str, rows: Any) -> str:
    told = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(said)}</td></tr>" for name, said in rows
    )
    return f"<h4>{title}</h4><table>{told}</table>" if told else ""


def _examples(media: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    schema = media.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    shown = [each["value"] for each in media.get("examples", {}).values()] or schema.get("examples")
    if not shown:
        properties = schema.get("properties", {})
        made = {name: each["examples"][0] for name, each in properties.items() if each.get("examples")}
        shown = [made] if made else []
    for value in shown:
        yield value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _call(method: str, url: str, kind: str, body: str) -> str:
    return (
        f'curl -X {method.upper()} {url} -H "Authorization: Bearer $KEY" \\\n'
        f'  -H "Content-Type: {kind}" --data-binary @- <<EOF\n{body.rstrip()}\nEOF'
    )
