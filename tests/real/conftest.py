"""The operator of both real hosts, for every test here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.operators import Operator
from tests.testbed.host import Host


@pytest.fixture
def operator(alpha: Host, beta: Host, tmp_path: Path) -> Operator:
    """Knows alpha and beta, and has no rules yet."""
    return Operator(tmp_path, {"alpha": alpha, "beta": beta})
