"""The page on adding a provider suffices: the file that it shows works as it stands."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from routers.payments.events import PaymentSucceeded
from routers.provider import Example, Provider
from routers.refusal import Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, genuine

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-provider.md"


@pytest.fixture(name="code", scope="module")
def _code() -> str:
    [code] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return str(code)


@pytest.fixture(name="provider", scope="module")
def _provider(code: str) -> Provider:
    module = ModuleType("lemonade")
    exec(compile(code, "lemonade.py", "exec"), module.__dict__)
    provider = module.__dict__["PROVIDER"]
    assert isinstance(provider, Provider)
    return provider


def test_the_file_of_the_page_receives_a_payment(provider: Provider) -> None:
    """Verified, translated, with its token and a key that a repeat shares."""
    sent = genuine(provider, "order.paid")
    provider.verify(sent, [Secret(SECRET)], NOW)
    translation = provider.translate(sent, NOW)

    assert isinstance(translation.event, PaymentSucceeded)
    assert (translation.event.amount_minor, translation.event.currency) == (4200, "EUR")
    assert (translation.token, translation.idempotency_key) == (TOKEN, f"paid-{TOKEN}")


def test_the_file_of_the_page_is_closed_to_others(provider: Provider) -> None:
    """Another secret, and a time that is off."""
    for example, secret in (
        (Example(TOKEN, NOW), b"another"),
        (Example(TOKEN, NOW - timedelta(hours=1)), SECRET),
    ):
        with pytest.raises(Refused):
            provider.verify(genuine(provider, "order.paid", example), [Secret(secret)], NOW)


def test_the_file_of_the_page_passes_the_checks(code: str, tmp_path: Path) -> None:
    """Whoever begins with it need not mend it first."""
    file = tmp_path / "lemonade.py"
    (tmp_path / "__init__.py").touch()
    file.write_text(code, encoding="utf-8")
    config = PAGE.parents[1] / "pyproject.toml"
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(config), str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
