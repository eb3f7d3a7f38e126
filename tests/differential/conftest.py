"""The sandbox is an OpenZFS 2.3: it is held against hosts of that series alone."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.testbed.fixtures import teller
from tests.testbed.recipe import DEFAULT_SERIES

SEED = os.environ.get("ZFSCTL_DIFFERENTIAL_SEED") or secrets.token_hex(4)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    """What decides on the generated commands: fresh in each run, told at the terminal, and repeated by
    ZFSCTL_DIFFERENTIAL_SEED.
    """
    teller(request.config)(f"generated commands, seed {SEED}")
    return SEED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the comparison out of runs on hosts of another series."""
    if config.getoption("--openzfs") == DEFAULT_SERIES:
        return
    ours = [item for item in items if "tests/differential/" in item.nodeid and item.get_closest_marker("zfs")]
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]
