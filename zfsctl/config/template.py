"""The first policy file of a machine, for `zfsctl config init`: commented, cautious, and right as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zfsctl.model.dataset import Dataset
from zfsctl.model.names import LOCAL, pool_of
from zfsctl.model.pool import Pool

_HEAD = """\
# The policy of zfsctl on this machine: what is snapshotted, when, and what is kept.
# zfsctl.toml(5) explains every key. After a change: zfsctl config check, then zfsctl run --dry-run

{timezone}# where a day begins; snapshot names stay in UTC
# read_only = true               # every command behaves as with --dry-run

# Other machines, reached over SSH; nothing has to be installed there.
# [ssh]
# user = "zfsadmin"              # also: port identity_file known_hosts proxy_jump timeout sudo transport
# [hosts]
# alpha = "alpha.lan"            # then select "alpha:tank/data" below
# vault = {{ hostname = "10.0.0.9", port = 2222, sudo = true }}

# What is kept is the union of the rules: a number counts, a duration is a window back from the newest snapshot.
# Snapshots of other tools and snapshots taken by hand are never touched by them.
[policies.standard]
snapshot = "hourly"              # hourly daily weekly monthly, or a cron line such as "0 */6 * * *"
keep = {{ hourly = 48, daily = 14, weekly = 8, monthly = 12 }}
skip_empty = true                # no snapshot when nothing was written since the last one

[policies.light]
snapshot = "daily"
keep = {{ daily = 7, weekly = 4 }}
skip_empty = true

# Each rule is about the datasets it selects and all below them. A dataset follows one rule: the longest name wins.
# policy = "none" opts datasets out.
"""

_REPLICATION = """\
# Copies of a dataset and all below it, on another pool or host; "vault" has to stand in [hosts].
# [[replications]]
# name = "to-vault"              # stays: it is part of bookmark names and hold tags
# sender = "tank/data"
# receiver = "vault:backup/data"
# keep = { daily = 30 }          # on the receiver; absent: as the sender's policy says
# away = "45d"                   # the receiver may be unplugged that long
"""

_EXAMPLE = """\
# [[datasets]]
# select = ["tank/data"]         # no pool was found on this machine
# policy = "standard"
"""

_MOST_DATASETS = 20
"""So many names of one pool are listed as a comment; more would bury the rules."""


def render_policy_template(
    pools: Sequence[Pool], datasets: Mapping[str, Dataset] | None = None, *, timezone: str = "UTC"
) -> str:
    """A policy file for the pools of this machine; it loads as it is.

    Each pool that takes writes gets one rule; any other stands there as a comment, with the reason.

    Args:
        pools: The imported pools, in the order in which they should appear.
        datasets: Every dataset by name, to show what lies below each pool; None when that is not known.
        timezone: Where a day begins; a name that the tz database has.
    """
    parts = [_HEAD.format(timezone=f'timezone = "{timezone}"'.ljust(32) + " ")]
    parts.extend(_rule(pool, _children(pool, datasets or {})) for pool in pools)
    if not pools:
        parts.append(_EXAMPLE)
    parts.append(_REPLICATION)
    return "\n".join(parts)


def _rule(pool: Pool, children: Sequence[str]) -> str:
    lines = [f"# Below {pool.name}: {child}" for child in _listed(children)]
    selection = f"{LOCAL}:{pool.name}" if ":" in pool.name else pool.name
    rule = [
        "[[datasets]]",
        f'select = ["{selection}"]',
        '# exclude = ["**/tmp"]           # * stays inside one name component, ** crosses slashes',
        'policy = "standard"',
    ]
    if not pool.takes_writes:
        why = "it is read-only" if pool.readonly else f"it is {pool.health}"
        lines.append(f"# {pool.name} takes no snapshots now: {why}")
        rule = [f"# {line.removeprefix('# ')}" for line in rule]
    return "\n".join([*lines, *rule, ""])


def _children(pool: Pool, datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """What lies right below a pool."""
    return tuple(name for name in datasets if pool_of(name) == pool.name and name.count("/") == 1)


def _listed(children: Sequence[str]) -> Sequence[str]:
    more = len(children) - _MOST_DATASETS
    return children if more <= 0 else [*children[:_MOST_DATASETS], f"and {more} more"]
