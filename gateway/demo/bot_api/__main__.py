"""`python -m gateway.demo.bot_api --port 8081`: the stand-in in a process of its own."""

import argparse
import asyncio
import signal
import sys

from gateway.demo.bot_api.server import BotApi
from gateway.demo.bot_api.telegram import TOKEN


async def serve(api: BotApi) -> None:
    """Run until SIGINT or SIGTERM; the first line printed is the server's URL."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with api:
        sys.stdout.write(f"{api.url}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="gateway.demo.bot_api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", action="append", help=f"of a bot, may be repeated; {TOKEN} without it")
    parser.add_argument("--chat", action="append", type=int, default=[], help="id of a private chat to open")
    parser.add_argument(
        "--enforce-limits", action="store_true", help="refuse what exceeds the sending limits"
    )
    options = parser.parse_args()
    api = BotApi(
        options.port,
        host=options.host,
        tokens=options.token or (TOKEN,),
        enforce_limits=options.enforce_limits,
    )
    for chat_id in options.chat:
        api.chats.open(chat_id)
    asyncio.run(serve(api))


if __name__ == "__main__":
    main()
