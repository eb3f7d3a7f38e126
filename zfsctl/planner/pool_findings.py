"""A pool that cannot be changed: one finding, the same whoever comes upon it."""

from __future__ import annotations

from zfsctl.model.finding import Finding, Severity
from zfsctl.model.pool import Pool

POOL_TAKES_NO_WRITES = "pool-takes-no-writes"


def why_no_writes(pool: Pool) -> str:
    """Why the pool takes no changes; empty when it takes them."""
    if pool.takes_writes:
        return ""
    return f"pool {pool.name} is {pool.health}" if not pool.is_healthy else (f"pool {pool.name} is imported read-only")


def no_writes(host: str, pool: Pool) -> Finding:
    """The finding about a pool that takes no changes. Equal for equal pools, so that it is shown once."""
    return Finding(
        Severity.CRITICAL,
        POOL_TAKES_NO_WRITES,
        host,
        pool.name,
        f"{host}:{pool.name}: nothing was changed there, {why_no_writes(pool)}",
        f"zpool status -v {pool.name}",
    )
