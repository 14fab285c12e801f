"""What tests without a Redis share."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration of a test goes."""
    return tmp_path / "gateway.toml"
