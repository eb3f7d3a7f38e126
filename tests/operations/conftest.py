"""A fresh simulated world for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operations.world import HOUR, World, new_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@pytest.fixture(scope="session")
def eight_hours(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = new_world(tmp_path_factory.mktemp("aged"))
    world.hours(8)
    world.advance(HOUR)
    return world


@pytest.fixture
def aged(eight_hours: World, tmp_path: Path) -> World:
    """Eight hourly runs later, and an hour after the last: each dataset has one snapshot that no rule keeps."""
    return eight_hours.copy(tmp_path)
