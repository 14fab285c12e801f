"""The HTTP server that aiogram's client takes for Telegram."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from gateway.demo.bot_api.calls import Outcome
from gateway.demo.bot_api.control import control_routes
from gateway.demo.bot_api.faults import Fault, FaultKind
from gateway.demo.bot_api.methods import find
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.refusals import (
    Refusal,
    bad_request,
    too_many_requests,
    unauthorized,
    unknown_method,
)
from gateway.demo.bot_api.telegram import TOKEN, Request, Telegram

# https://core.telegram.org/bots/api#sending-files
_MAX_BODY_BYTES = 50 * 1024 * 1024

_REFUSALS = {
    FaultKind.SERVER_ERROR: Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"),
    FaultKind.BAD_GATEWAY: Refusal(HTTPStatus.BAD_GATEWAY, "Bad Gateway"),
}


class BotApi(Telegram):
    """
    Telegram, reachable over HTTP between `async with`; `/_control/` is for tests in another process.

    Entered again it is back on its port with all its chats, as after an outage.
    *port* 0 takes a free one. The first of *tokens* is the bot that `chats` and `updates` are about.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        tokens: Sequence[str] = (TOKEN,),
        enforce_limits: bool = False,
    ) -> None:
        super().__init__(tokens, enforce_limits=enforce_limits)
        self._host, self._port = host, port
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What `TelegramAPIServer.from_base` takes."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.add_routes(control_routes(self))
        self._closing.clear()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; calls that hang are dropped."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, http: web.Request) -> web.StreamResponse:
        try:
            request = await self._request(http)
        except Refusal as refusal:
            return web.json_response(refusal.as_json(), status=refusal.code)
        fault = self.faults.take(request.name, request.parameters.integer("chat_id"))
        if fault is None:
            return _answered(self.perform(request))
        return await self._answer_faultily(http, request, fault)

    async def _request(self, http: web.Request) -> Request:
        """
        What the bot asks for.

        Raises:
            Refusal: no bot has this token, there is no such method, or the body is unreadable.
        """
        account = self.accounts.get(http.match_info["token"])
        if account is None:
            raise unauthorized()
        found = find(http.match_info["method"])
        if found is None:
            raise unknown_method()
        return Request(account, *found, await _parameters(http))

    async def _answer_faultily(self, http: web.Request, request: Request, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.DELAY:
                await self._wait(fault.seconds)
                return _answered(self.perform(request))
            case FaultKind.LATE_ANSWER:
                answer = self.perform(request)
                await self._wait(fault.seconds)
                return _answered(answer)
            case FaultKind.LOST_ANSWER:
                self.perform(request, applied=Outcome.LOST)
                return _dropped(http)
            case FaultKind.HANG:
                self.note(request, Outcome.FAULT)
                await self._closing.wait()
                return _dropped(http)
            case FaultKind.DROP:
                self.note(request, Outcome.FAULT)
                return _dropped(http)
        refusal = _REFUSALS.get(fault.kind) or too_many_requests(int(fault.seconds))
        self.note(request, Outcome.FAULT, refusal=refusal)
        return web.json_response(refusal.as_json(), status=refusal.code)

    async def _wait(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


async def _parameters(http: web.Request) -> Parameters:
    """
    The parameters of the query string, of a form, or of a JSON body.

    Raises:
        Refusal: the JSON body is no object.
    """
    values: dict[str, Any] = dict(http.query)
    files: dict[str, str] = {}
    if http.content_type == "application/json":
        try:
            values |= await http.json()
        except (TypeError, ValueError) as error:
            raise bad_request("can't parse JSON object") from error
    else:
        for name, value in (await http.post()).items():
            if isinstance(value, web.FileField):
                files[name] = value.filename
            else:
                values[name] = value
    return Parameters(values, files)


def _answered(answer: tuple[int, dict[str, Any]]) -> web.Response:
    status, body = answer
    return web.json_response(body, status=status)


def _dropped(http: web.Request) -> web.Response:
    """Close the connection under the client; the response is what nobody will get."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response()
