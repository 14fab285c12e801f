"""
``make client``: a typed client, generated from the description, used as docs/rest.md shows it.

The generator has an environment of its own, since its dependencies and ours do not go together. Nothing of it
is kept.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gateway.demo.bot_api import BotApi
from gateway.embedded import EmbeddedRedis
from state.api_keys import ApiKeys, Scope
from state.connection import connect
from state.grouping import GroupedCalls
from state.keys import Keys
from tests.acceptance.gateway_process import GatewayProcess

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / ".venv-client"


def main() -> int:
    """Generate the client, check the documented use of it by type, and run it against a gateway."""
    python = _environment()
    with tempfile.TemporaryDirectory(prefix="gateway-client-") as folder:
        generated = Path(folder)
        _run(
            ENVIRONMENT / "bin" / "openapi-python-client",
            "generate",
            *("--path", ROOT / "openapi" / "openapi.json"),
            *("--config", HERE / "generator.yaml"),
            *("--meta", "none", "--output-path", generated / "gateway_client"),
        )
        script = generated / "office.py"
        script.write_text(_documented_use())
        environ = {**os.environ, "MYPYPATH": folder, "PYTHONPATH": folder}
        options = ("--strict", "--config-file=", "--python-executable", python)
        _run(sys.executable, "-m", "mypy", *options, script, environ=environ)
        return asyncio.run(_use(python, script, generated, environ))


def _environment() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        _run(sys.executable, "-m", "venv", ENVIRONMENT)
        _run(python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt")
    return python


def _documented_use() -> str:
    text = (ROOT / "docs" / "rest.md").read_text("utf-8")
    [use] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(use)


async def _use(python: Path, script: Path, folder: Path, environ: dict[str, str]) -> int:
    async with EmbeddedRedis(folder / "redis", supervised=False) as store, BotApi() as api:
        redis = await connect(store.url)
        now_ms = time.time_ns() // 1_000_000
        keys = ApiKeys(GroupedCalls(redis), Keys())
        _, key = await keys.create("office", frozenset(Scope), now_ms=now_ms)
        await redis.aclose()
        async with GatewayProcess(folder, "tests.acceptance.counting_bot:gateway", api, store.url) as gateway:
            reach = {"GATEWAY_URL": str(gateway.http.base_url).rstrip("/"), "GATEWAY_KEY": key}
            process = await asyncio.create_subprocess_exec(python, script, env=environ | reach)
            return await process.wait()


def _run(*command: str | Path, environ: dict[str, str] | None = None) -> None:
    subprocess.run([str(part) for part in command], check=True, env=environ)


if __name__ == "__main__":
    sys.exit(main())
