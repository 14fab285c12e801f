"""One conversation over REST: read, moved under conditions, shown a scene, forgotten."""

from datetime import timedelta

import orjson
from aiogram.fsm.state import State
from redis.asyncio import Redis

from state.conversation import Conversation
from state.history import History
from state.screen import place_of
from state.storage import ConversationStorage
from tests.http.rest.conftest import USER, Rest

HOME = f"/v1/bots/main/users/{USER}"


async def test_a_user_that_was_never_seen_has_nothing(rest: Rest) -> None:
    """Reading it makes nothing of it: revision 0, as an ETag too."""
    answer = await rest.ask("GET", HOME)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"0"')
    assert answer.json() == {
        "bot": rest.bot_id,
        "user": USER,
        "chat": USER,
        "thread": None,
        "business": None,
        "state": None,
        "revision": 0,
        "drafts": {},
        "data": {},
        "screen": {},
    }


async def test_a_conversation_is_read_whole(rest: Rest, redis: Redis) -> None:
    """State, each draft, the rest of the data, and what the chat shows; integers of any size as they are."""
    storage = ConversationStorage(redis)
    conversation = Conversation.private(rest.bot_id, USER)
    await storage.update_data(conversation.storage_key(), {"language": "de", "huge": 2**70})
    await storage.drafts.update(conversation, "shop", {"item": "tea"})
    await rest.ask("POST", f"{HOME}/scene", json={"scene": "shop", "payload": {"item": "tea"}})
    await rest.settled()

    answer = await rest.ask("GET", HOME)

    seen = answer.json()
    assert answer.headers["etag"] == f'"{seen["revision"]}"'
    assert (seen["state"], seen["data"], seen["drafts"]) == (
        "Shop:browsing",
        {"language": "de", "huge": 2**70},
        {"shop": {"item": "tea"}},
    )
    shown = seen["screen"]["content"]
    assert rest.api.chats[USER].texts() == ["For sale: tea"]
    assert (shown["chat"], shown["sent_at"][-6:]) == (USER, "+00:00")


async def test_a_bot_goes_by_its_name_and_by_its_id(rest: Rest) -> None:
    """Any other is not there."""
    await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:paying"})

    by_id = await rest.ask("GET", f"/v1/bots/{rest.bot_id}/users/{USER}")
    other = await rest.ask("GET", f"/v1/bots/other/users/{USER}")

    assert by_id.json()["state"] == "Shop:paying"
    assert (other.status_code, other.json()["type"]) == (404, "urn:fsm-gateway:problem:unknown-bot")


async def test_a_key_of_one_bot_touches_no_other(rest: Rest) -> None:
    """Nor does it learn which others there are."""
    others = await rest.key(bots=frozenset({1}))

    for bot in ("main", "no-such-bot"):
        answer = await rest.client.get(f"/v1/bots/{bot}/users/{USER}", headers=others)
        assert (answer.status_code, answer.json()["detail"]) == (403, "The key is for other bots.")


async def test_other_chats_of_the_user_are_conversations_of_their_own(rest: Rest) -> None:
    """`chat` names a group; without it the private chat is meant."""
    await rest.ask("PUT", f"{HOME}/state?chat=-100500", json={"state": "Shop:paying"})

    assert (await rest.ask("GET", HOME)).json()["state"] is None
    there = (await rest.ask("GET", f"{HOME}?chat=-100500")).json()
    assert (there["chat"], there["state"]) == (-100500, "Shop:paying")


async def test_the_chat_of_a_business_is_a_conversation_of_its_own(rest: Rest) -> None:
    """`business` names it, for reading, writing, scenes and events; what it shows goes by that connection."""
    there = "?business=biz%3A1"
    await rest.ask("PUT", f"{HOME}/state{there}", json={"state": "Shop:browsing"})
    meta = {"type": "shop.order", "user_id": USER, "business_connection_id": "biz:1"}
    cloud = {"specversion": "1.0", "id": "1", "source": "/s", "type": "shop.order", "userid": str(USER)}
    headers = {"Content-Type": "application/cloudevents+json"}
    await rest.ask("POST", "/v1/events", json={"meta": meta, "payload": {"item": "tea"}})
    content = orjson.dumps(cloud | {"businessid": "biz:1", "data": {"size": 2}})
    await rest.ask("POST", "/v1/events", content=content, headers=headers)
    await rest.settled()

    private, business = (await rest.ask("GET", HOME)).json(), (await rest.ask("GET", HOME + there)).json()

    assert (private["state"], private["drafts"], private["business"]) == (None, {}, None)
    assert (business["state"], business["drafts"]) == ("Shop:paying", {"shop": {"item": "tea", "size": 2}})
    assert (business["business"], business["chat"]) == ("biz:1", USER)
    assert {call.parameters["business_connection_id"] for call in rest.api.calls} == {"biz:1"}
    listed = await rest.ask("POST", "/v1/conversations:query", json={"bot": "main", "state": "Shop:paying"})
    assert [each["business"] for each in listed.json()["conversations"]] == ["biz:1"]
    assert len((await rest.ask("GET", f"{HOME}/history{there}")).json()["transitions"]) == 3


async def test_a_group_that_became_a_supergroup_is_found_by_both_ids(rest: Rest) -> None:
    """A service that knows the old id goes on as before."""
    await rest.ask("PUT", f"{HOME}/state?chat=-5", json={"state": "Shop:paying"})
    await rest.storage.migrations.note(rest.bot_id, -5, -1005)
    await rest.ask("PATCH", f"{HOME}/drafts/shop?chat=-5", json={"item": "tea"})

    seen = [(await rest.ask("GET", f"{HOME}?chat={chat}")).json() for chat in (-5, -1005)]

    assert seen[0] == seen[1]
    assert [seen[0][name] for name in ("chat", "state", "drafts")] == [
        -1005,
        "Shop:paying",
        {"shop": {"item": "tea"}},
    ]


async def test_setting_a_state_is_a_change_like_any_other(rest: Rest, redis: Redis) -> None:
    """It stands in the history under the key's name, and the garbage of the state that is left goes."""
    conversation = Conversation.private(rest.bot_id, USER)
    storage = ConversationStorage(redis, scripts=rest.scripts)
    messages = rest.api.chats[USER].messages
    await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:paying"})
    message = rest.api.updates.message(USER, "my address")["message"]
    unit = await storage.unit_of_work(conversation)
    unit.track(place_of(USER, message["message_id"]), message["date"] * 1000)
    await storage.commit(unit)
    assert message["message_id"] in messages

    answer = await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:paid"})
    await rest.settled()

    assert answer.json()["state"] == "Shop:paid"
    assert message["message_id"] not in messages
    last = (await History(rest.scripts.calls, rest.scripts.keys).of(conversation)).transitions[0]
    assert (last.source, last.from_state, last.to_state) == ("api:office", "Shop:paying", "Shop:paid")


async def test_a_state_is_set_from_the_expected_ones_only(rest: Rest) -> None:
    """Otherwise 412 says what is there instead, and nothing changes; null stands for no state."""
    first = await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:browsing", "from": [None]})
    assert first.status_code == 200

    refused = await rest.ask(
        "PUT", f"{HOME}/state", json={"state": "Shop:paid", "from": ["Shop:paying", None]}
    )
    assert refused.status_code == 412
    assert refused.json()["present"]["state"] == "Shop:browsing"
    assert refused.headers["etag"] == first.headers["etag"]

    allowed = await rest.ask(
        "PUT", f"{HOME}/state", json={"state": None, "from": ["Shop:paying", "Shop:browsing"]}
    )
    assert (allowed.status_code, allowed.json()["state"]) == (200, None)


async def test_a_change_computed_from_an_old_revision_is_refused(rest: Rest) -> None:
    """If-Match names the revision; 412 brings the present one, from which to try again."""
    old = (await rest.ask("GET", HOME)).headers["etag"]
    made = await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:browsing"}, headers={"If-Match": old})

    for method, path, body in (
        ("PUT", f"{HOME}/state", {"state": "Shop:paid"}),
        ("PUT", f"{HOME}/drafts/shop", {"item": "tea"}),
        ("PATCH", f"{HOME}/drafts/shop", {"item": "tea"}),
        ("PATCH", f"{HOME}/drafts/shop", {"deep": {"item": "tea"}}),
        ("DELETE", f"{HOME}/drafts/shop", None),
        ("DELETE", HOME, None),
    ):
        late = await rest.ask(method, path, json=body, headers={"If-Match": old})
        assert (late.status_code, late.headers["etag"]) == (412, made.headers["etag"])

    present = await rest.ask("GET", HOME)
    assert (present.json()["state"], present.json()["drafts"]) == ("Shop:browsing", {})
    good = await rest.ask(
        "PUT", f"{HOME}/state", json={"state": "Shop:paid"}, headers={"If-Match": present.headers["etag"]}
    )
    assert good.status_code == 200


async def test_a_state_that_no_feature_knows_is_refused(rest: Rest) -> None:
    """A misspelt state would strand the user; the pointer names the place."""
    answer = await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:payed"})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:fsm-gateway:problem:unknown-state")
    assert answer.json()["errors"][0]["pointer"] == "/state"
    assert (await rest.ask("GET", HOME)).json()["revision"] == 0


async def test_what_is_wrong_in_a_body_is_named_by_its_pointer(rest: Rest) -> None:
    """The rule and the place, never the value."""
    answer = await rest.ask(
        "PUT", f"{HOME}/state", json={"state": 7, "from": ["Shop:paid", 8], "x": "secret"}
    )

    found = {error["pointer"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert found == {"/state", "/from/1", "/x"}
    assert "secret" not in answer.text


async def test_a_scene_is_entered_and_shown(rest: Rest) -> None:
    """State and view are one change; the next view edits the same message."""
    for item in ("tea", "coffee"):
        answer = await rest.ask("POST", f"{HOME}/scene", json={"scene": "shop", "payload": {"item": item}})
        assert (answer.status_code, answer.json()["state"]) == (200, "Shop:browsing")
        await rest.settled()

    assert rest.api.chats[USER].texts() == ["For sale: coffee"]
    account = await History(rest.scripts.calls, rest.scripts.keys).of(Conversation.private(rest.bot_id, USER))
    did = [(each.type, each.did) for each in account.transitions]
    assert did == [("rest.scene", ["show content"])] * 2
    assert [each.verb for _, each in account.deliveries] == ["edited", "sent"]


async def test_a_scene_that_cannot_be_entered_changes_nothing(rest: Rest) -> None:
    """One that there is not, one that fails on its payload, one whose guard says no."""
    unknown = await rest.ask("POST", f"{HOME}/scene", json={"scene": "nowhere"})
    failed = await rest.ask("POST", f"{HOME}/scene", json={"scene": "shop", "payload": {"no": "item"}})
    refused = await rest.ask("POST", f"{HOME}/scene", json={"scene": "vault"})

    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/scene")
    assert (failed.status_code, failed.json()["type"]) == (422, "urn:fsm-gateway:problem:scene-failed")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:fsm-gateway:problem:scene-refused")
    assert (await rest.ask("GET", HOME)).json()["revision"] == 0
    assert rest.api.chats[USER].texts() == []


async def test_a_forgotten_conversation_is_gone(rest: Rest, redis: Redis) -> None:
    """State, drafts, data and history: nothing that bears its name is left in Redis."""
    await rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:browsing"})
    await rest.ask("PUT", f"{HOME}/drafts/shop", json={"item": "tea"})

    assert (await rest.ask("DELETE", HOME)).status_code == 204
    assert (await rest.ask("GET", HOME)).json()["revision"] == 0
    assert await redis.keys(f"*{rest.bot_id}:{USER}:{USER}*") == []


async def test_users_are_counted_and_listed_by_state(rest: Rest, redis: Redis) -> None:
    """Page by page, each conversation once; a cursor of somebody else's making is refused."""
    storage = ConversationStorage(redis, expires_after=timedelta(days=1))
    for user in range(1, 24):
        where = Conversation.private(rest.bot_id, user).storage_key()
        await storage.set_state(where, State("paying", "Shop") if user % 2 else State("paid", "Shop"))

    counts = (await rest.ask("GET", "/v1/bots/main/states")).json()
    assert counts == {"states": {"Shop:paying": 12, "Shop:paid": 11}}

    found, cursor = [], None
    for _ in range(10):
        query = {"bot": "main", "state": "Shop:paying", "limit": 5, "cursor": cursor}
        page = (await rest.ask("POST", "/v1/conversations:query", json=query)).json()
        found += [each["user"] for each in page["conversations"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(found) == list(range(1, 24, 2))
    assert cursor is None

    query = {"bot": "main", "state": "Shop:paying", "cursor": "made-up"}
    assert (await rest.ask("POST", "/v1/conversations:query", json=query)).status_code == 422
