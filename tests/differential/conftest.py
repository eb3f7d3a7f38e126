"""The sandbox is an OpenZFS 2.3: it is held against hosts of that series alone."""

from __future__ import annotations

import pytest

from tests.testbed.recipe import DEFAULT_SERIES


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the comparison out of runs on hosts of another series."""
    if config.getoption("--openzfs") == DEFAULT_SERIES:
        return
    ours = [item for item in items if "tests/differential/" in item.nodeid and item.get_closest_marker("zfs")]
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]
