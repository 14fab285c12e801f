"""What docs/state.md shows runs, and gives what its comments say."""

import ast
import re
from pathlib import Path
from typing import Any

from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from gateway import Feature
from state import ConversationStorage
from state.conversation import Conversation
from tests.redis.conftest import Run

PAGE = Path(__file__).parents[2] / "docs" / "state.md"


async def test_every_example_of_the_page_gives_what_it_says(
    run: Run, conversation: Conversation, redis: Redis, redis_url: str
) -> None:
    """The blocks are one session; a comment behind an expression that is a value is its result."""
    container = (await run(Feature("booking"))).container
    names: dict[str, Any] = {
        "state": FSMContext(ConversationStorage(redis), conversation.storage_key()),
        "container": container,
        "bot": container.bot,
        "user_id": conversation.user_id,
        "REDIS_URL": redis_url,
        "__name__": "page",
    }
    checked = 0
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            said = re.search(r"  # (.+)$", lines[(statement.end_lineno or 1) - 1])
            if isinstance(statement, ast.Expr) and said:
                found = await _value(ast.unparse(statement.value), names)
                assert found == ast.literal_eval(said[1]), ast.unparse(statement)
                checked += 1
            else:
                await _run(ast.unparse(statement), names)
    await names["storage"].close()

    assert checked > 5


async def _value(source: str, names: dict[str, Any]) -> Any:
    await _run(f"_ = {source}", names)
    return names["_"]


async def _run(source: str, names: dict[str, Any]) -> None:
    code = compile(source, str(PAGE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)
    if running is not None:
        await running
