"""The operator of both real hosts, for every test here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.links import Link
from tests.real.operators import Operator
from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host


@pytest.fixture
def operator(alpha: Host, beta: Host, tmp_path: Path) -> Operator:
    """Knows alpha and beta, and has no rules yet."""
    return Operator(tmp_path, {"alpha": alpha, "beta": beta})


@pytest.fixture
def link(operator: Operator, pool_on: PoolFactory, alpha: Host, beta: Host) -> Link:
    """A tree on a pool of alpha, not there yet, and its receiver on one of beta."""
    return Link(operator, pool_on(alpha), pool_on(beta))
