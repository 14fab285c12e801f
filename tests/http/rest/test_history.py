"""Why a user is in this state: over REST, and on the command line."""

import sys

import anyio.to_thread
import pytest

from gateway.cli import main
from tests.http.rest.conftest import USER, Rest


async def _moved(rest: Rest) -> str:
    body = {"meta": {"type": "shop.order", "user_id": USER, "bot": "main"}, "payload": {"item": "tea"}}
    sent = await rest.ask("POST", "/v1/events", json=body, headers={"Idempotency-Key": "order-1"})
    await rest.settled()
    await rest.ask("PUT", f"/v1/bots/main/users/{USER}/state", json={"state": "Shop:paid"})
    await rest.settled()
    return str(sent.json()["id"])


async def test_the_history_names_what_brought_a_user_where_they_are(rest: Rest) -> None:
    """Event, source and key, the states, the drafts' fields, what the chat was owed; the newest first."""
    event = await _moved(rest)

    newest, oldest = (await rest.ask("GET", f"/v1/bots/main/users/{USER}/history")).json()["transitions"]

    assert newest.pop("at") >= oldest.pop("at")
    assert oldest == {
        "source": "api:office",
        "type": "shop.order",
        "idempotency_key": "order-1",
        "event": event,
        "from": None,
        "to": "Shop:paying",
        "revision": newest["revision"] - 1,
        "drafts": {"shop": ["item"]},
        "did": ["show content"],
    }
    assert (newest["type"], newest["event"], newest["to"]) == ("rest.state", None, "Shop:paid")


async def test_the_history_names_the_messages_that_were_sent_edited_and_deleted(rest: Rest) -> None:
    """Each with its place in the chat, so that it is known what the user has seen."""
    await _moved(rest)

    deliveries = (await rest.ask("GET", f"/v1/bots/main/users/{USER}/history")).json()["deliveries"]

    told = [(each["did"], each["outcome"], each["verb"], each["messages"]) for each in deliveries]
    assert told == [
        ("delete", "done", "deleted", [f"{USER}:1"]),
        ("show content", "done", "sent", [f"{USER}:1"]),
    ]


async def test_explain_prints_the_same(
    rest: Rest,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For a person at a terminal, and as JSON lines for a machine."""
    event = await _moved(rest)
    config = tmp_path_factory.mktemp("explain") / "gateway.toml"
    config.write_text(
        f'[telegram.bots.main]\ntoken = "{rest.api.token}"\nsecret_token = "s"\n'
        f'[redis]\nurl = "{redis_url}"\n'
    )
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["gateway", "explain", *arguments, "--config", str(config)])
        with pytest.raises(SystemExit) as ended:
            await anyio.to_thread.run_sync(main)
        assert ended.value.code == 0
        return capsys.readouterr().out

    table = await run("main", str(USER))
    lines = await run("main", str(USER), "--json")
    nobody = await run("main", "7")

    for part in ("api:office shop.order order-1", "Shop:paying", "Shop:paid", "shop: item", event):
        assert part in table
    assert f"{USER}:" in table
    assert len(lines.splitlines()) == 4
    assert "Nothing is known" in nobody
