"""Drafts over REST: field by field, and nothing of any other feature's."""

from typing import Any

import pytest

from routers.rest.drafts import merge
from routers.rest.nesting import DEEPEST
from tests.http.rest.conftest import USER, Rest

DRAFTS = f"/v1/bots/main/users/{USER}/drafts"


async def test_a_draft_is_put_read_patched_and_removed(rest: Rest) -> None:
    """Each answer is the draft as it is then, and its revision."""
    put = await rest.ask("PUT", f"{DRAFTS}/shop", json={"item": "tea", "note": "hot"})
    assert put.json() == {"item": "tea", "note": "hot"}

    patched = await rest.ask("PATCH", f"{DRAFTS}/shop", json={"note": None, "price_minor": 4200})
    assert patched.json() == {"item": "tea", "price_minor": 4200}
    assert int(patched.headers["etag"].strip('"')) == int(put.headers["etag"].strip('"')) + 1

    read = await rest.ask("GET", f"{DRAFTS}/shop")
    assert (read.json(), read.headers["etag"]) == (patched.json(), patched.headers["etag"])

    assert (await rest.ask("DELETE", f"{DRAFTS}/shop")).status_code == 204
    assert (await rest.ask("GET", f"{DRAFTS}/shop")).json() == {}


async def test_a_draft_is_replaced_whole(rest: Rest) -> None:
    """PUT leaves no field of the former draft."""
    await rest.ask("PUT", f"{DRAFTS}/shop", json={"item": "tea", "note": "hot"})

    assert (await rest.ask("PUT", f"{DRAFTS}/shop", json={"item": "coffee"})).json() == {"item": "coffee"}


async def test_another_features_draft_is_not_touched(rest: Rest) -> None:
    """Whatever is done to the first one."""
    await rest.ask("PUT", f"{DRAFTS}/profile", json={"name": "Ada"})

    await rest.ask("PUT", f"{DRAFTS}/shop", json={"item": "tea"})
    await rest.ask("PATCH", f"{DRAFTS}/shop", json={"item": None})
    await rest.ask("DELETE", f"{DRAFTS}/shop")

    assert (await rest.ask("GET", f"{DRAFTS}/profile")).json() == {"name": "Ada"}


async def test_an_object_in_a_patch_is_merged_into_the_one_that_is_there(rest: Rest) -> None:
    """RFC 7396 goes all the way down; a list is replaced."""
    await rest.ask("PUT", f"{DRAFTS}/shop", json={"to": {"city": "Berlin", "zip": "10115"}, "items": [1, 2]})

    patch = {"to": {"zip": None, "street": "A"}, "items": [3], "new": {"a": {"b": None, "c": 1}}}
    patched = await rest.ask("PATCH", f"{DRAFTS}/shop", json=patch)

    assert patched.json() == {
        "to": {"city": "Berlin", "street": "A"},
        "items": [3],
        "new": {"a": {"c": 1}},
    }


@pytest.mark.parametrize(
    "target, patch, merged",
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        (["a", "b"], {"a": "b"}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_follows_the_examples_of_the_rfc(target: Any, patch: dict[str, Any], merged: Any) -> None:
    """https://www.rfc-editor.org/rfc/rfc7396, appendix A, as far as the patch is an object."""
    assert merge(target, patch) == merged


@pytest.mark.parametrize("body", ["[1]", '"text"', "null", "7"])
async def test_a_draft_is_an_object(rest: Rest, body: str) -> None:
    """Anything else is refused, and nothing changes."""
    for method, kind in (("PUT", "application/json"), ("PATCH", "application/merge-patch+json")):
        answer = await rest.ask(method, f"{DRAFTS}/shop", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422
    assert (await rest.ask("GET", f"{DRAFTS}/shop")).headers["etag"] == '"0"'


async def test_a_field_may_not_be_nested_without_end(rest: Rest) -> None:
    """What nobody could read again is refused, at the place where it is."""
    deep: Any = 1
    for _ in range(DEEPEST + 1):
        deep = [deep]

    answer = await rest.ask("PUT", f"{DRAFTS}/shop", json={"fine": [1], "a/b": deep})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/a~1b")


async def test_values_come_back_exactly(rest: Rest) -> None:
    """Large integers, empty lists and objects, any text."""
    draft = {"huge": 2**80, "list": [], "object": {}, "text": "\u0000 é 漢 🦊", "": 1, "a:b": None, "pi": 0.1}

    put = await rest.ask("PUT", f"{DRAFTS}/shop", json=draft)

    assert put.json() == draft
    assert (await rest.ask("GET", f"{DRAFTS}/shop")).json() == draft


async def test_a_draft_with_a_model_holds_only_what_the_model_says(rest: Rest) -> None:
    """Every field that does not fit is named, and none of them is stored; what fits is stored as typed."""
    for method in ("PUT", "PATCH"):
        refused = await rest.ask(method, f"{DRAFTS}/profile", json={"name": "Ada", "age": "old", "pet": 1})
        assert refused.status_code == 422
        assert refused.json()["type"] == "urn:fsm-gateway:problem:draft-invalid"
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/age", "/pet"]
    assert (await rest.ask("GET", f"{DRAFTS}/profile")).json() == {}

    assert (await rest.ask("PATCH", f"{DRAFTS}/profile", json={"age": "36"})).json() == {"age": 36}
