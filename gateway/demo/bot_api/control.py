"""The control surface: what a test in another process sees and does, as JSON."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from aiohttp import web

from gateway.demo.bot_api.account import Account
from gateway.demo.bot_api.chats import ChatType, Standing
from gateway.demo.bot_api.faults import FaultKind
from gateway.demo.bot_api.telegram import Telegram

_DEEDS = ("message", "press", "pre_checkout", "shipping", "paid", "blocked", "unblocked")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_routes(telegram: Telegram) -> list[web.RouteDef]:
    """
    The routes under `/_control/`. `?bot=<id>` chooses a bot, the first one without it.

    Unknown chats and bots are answered 404, wrong fields 400, both with an `error`.
    """
    control = _Control(telegram)
    return [
        web.get("/_control/chats", _told(control.list_chats)),
        web.post("/_control/chats", _told(control.open_chats)),
        web.get("/_control/chats/{chat_id}", _told(control.show_chat)),
        web.patch("/_control/chats/{chat_id}", _told(control.change_chat)),
        web.delete("/_control/chats/{chat_id}/messages/{message_id}", _told(control.lose_message)),
        web.get("/_control/calls", _told(control.list_calls)),
        web.get("/_control/counts", _told(control.count_calls)),
        web.get("/_control/queries", _told(control.list_queries)),
        web.get("/_control/faults", _told(control.list_faults)),
        web.post("/_control/faults", _told(control.add_fault)),
        web.delete("/_control/faults", _told(control.clear_faults)),
        web.post("/_control/updates", _told(control.make_update)),
        web.post("/_control/clock", _told(control.advance_clock)),
        web.put("/_control/limits", _told(control.switch_limits)),
        web.post("/_control/reset", _told(control.reset)),
    ]


def _told(deed: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    """Answer with the JSON of what *deed* returns, or with what was wrong in the request."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await deed(request))
        except LookupError as error:
            return web.json_response({"error": f"not found: {error}"}, status=404)
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return handler


class _Control:
    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    async def list_chats(self, request: web.Request) -> Any:
        return [chat.as_seen() for chat in self._account(request).chats]

    async def open_chats(self, request: web.Request) -> Any:
        """`{"ids": [...], "type": "private", "name": null}`"""
        wanted = await request.json()
        kind = ChatType(wanted.get("type", "private"))
        chats = self._account(request).chats
        return [chats.open(chat_id, kind, wanted.get("name")).as_seen() for chat_id in wanted["ids"]]

    async def show_chat(self, request: web.Request) -> Any:
        return self._account(request).chats[int(request.match_info["chat_id"])].as_seen()

    async def change_chat(self, request: web.Request) -> Any:
        """`{"standing": "open|blocked|deactivated", "migrate_to": <id>}`, either or both."""
        wanted = await request.json()
        chats = self._account(request).chats
        chat = chats[int(request.match_info["chat_id"])]
        if "standing" in wanted:
            chat.standing = Standing(wanted["standing"])
        if "migrate_to" in wanted:
            chats.migrate(chat.id, int(wanted["migrate_to"]))
        return chat.as_seen()

    async def lose_message(self, request: web.Request) -> Any:
        """The user deletes a message; no update tells the bot."""
        chat = self._account(request).chats[int(request.match_info["chat_id"])]
        del chat.messages[int(request.match_info["message_id"])]
        return chat.as_seen()

    async def list_calls(self, request: web.Request) -> Any:
        """`?method=` and `?chat_id=` narrow it down."""
        chat_id = request.query.get("chat_id")
        calls = self._telegram.calls.of(
            request.query.get("method"), None if chat_id is None else int(chat_id)
        )
        return [call.as_json() for call in calls]

    async def count_calls(self, _: web.Request) -> Any:
        return self._telegram.calls.counts()

    async def list_queries(self, request: web.Request) -> Any:
        return [query.as_json() for query in self._account(request).queries.all()]

    async def list_faults(self, _: web.Request) -> Any:
        return self._faults()

    async def add_fault(self, request: web.Request) -> Any:
        """`{"kind": "lost_answer", "times": 1, "method": null, "chat_id": null, "seconds": 1}`"""
        wanted = await request.json()
        kind = FaultKind(wanted.pop("kind", None))
        self._telegram.faults.add(kind, **wanted)
        return self._faults()

    async def clear_faults(self, _: web.Request) -> Any:
        self._telegram.faults.clear()
        return self._faults()

    async def make_update(self, request: web.Request) -> Any:
        """`{"deed": "press", ...}` with the arguments of that method of `Updates`; answers the update."""
        wanted = await request.json()
        deed = wanted.pop("deed", None)
        if deed not in _DEEDS:
            raise ValueError(f"deed must be one of {', '.join(_DEEDS)}")
        return getattr(self._telegram.updates_of(self._account(request)), deed)(**wanted)

    async def advance_clock(self, request: web.Request) -> Any:
        """`{"advance_seconds": 3600}`"""
        wanted = await request.json()
        self._telegram.clock.advance(timedelta(seconds=wanted["advance_seconds"]))
        return {"now": self._telegram.clock.now()}

    async def switch_limits(self, request: web.Request) -> Any:
        """`{"enforced": true}`"""
        wanted = await request.json()
        self._telegram.enforce_limits(bool(wanted["enforced"]))
        return wanted

    async def reset(self, _: web.Request) -> Any:
        self._telegram.reset()
        return {}

    def _faults(self) -> Any:
        faults = self._telegram.faults.pending()
        return [{**asdict(fault), "kind": fault.kind.value} for fault in faults]

    def _account(self, request: web.Request) -> Account:
        bot_id = request.query.get("bot")
        return self._telegram.account if bot_id is None else self._telegram.account_of(int(bot_id))
