"""The policy file as values, already checked: what to keep, where, when, and how to reach it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from zfsctl.model.verdicts import Rule

if TYPE_CHECKING:
    from zfsctl.model.replication import Replication


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due: a word or a cron line, read in the policy's time zone."""

    text: str
    """As written: hourly daily weekly monthly, or a cron line."""
    cron: str
    """The cron line that the word stands for, or the line itself."""


SCHEDULE_WORDS: Mapping[str, str] = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
}


@dataclass(frozen=True, slots=True)
class KeepRule:
    """One entry of `keep`: a count or a window, exactly one of them set."""

    rule: Rule
    """LAST WITHIN HOURLY DAILY WEEKLY MONTHLY YEARLY."""
    count: int | None = None
    window: int | None = None
    """Seconds back from the newest such snapshot, edge included."""
    text: str = ""
    """The value as written, such as 48 or 7d."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a dataset's snapshots are taken and kept by."""

    name: str
    keep: tuple[KeepRule, ...]
    """At least one rule."""
    schedule: Schedule | None = None
    """None: taken by hand or by another tool, pruned by these rules."""
    skip_empty: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """`[HOST:]DATASET`: `*` stays inside one name component, `**` crosses slashes. Without host: this machine."""

    text: str
    """As written."""
    host: str
    """A host name or a host pattern."""
    dataset: str


@dataclass(frozen=True, slots=True)
class DatasetRule:
    """One `[[datasets]]`: it rules the datasets its patterns match and all below them."""

    where: str
    """File and key path, for messages."""
    select: tuple[Pattern, ...]
    policy: str | None
    """The name of a policy; None where the file says "none"."""
    exclude: tuple[Pattern, ...] = ()
    """Without a host: on every host."""
    adopt: tuple[str, ...] = ()
    """Globs on the names of others' snapshots that these rules may destroy."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One `[[hooks]]`: an operator's commands around the snapshots of what it selects."""

    name: str
    select: tuple[Pattern, ...]
    before: tuple[str, ...] = ()
    """Run on the dataset's host before its snapshots; if it fails they are not taken."""
    after: tuple[str, ...] = ()
    """Always run afterwards, even when `before` or the snapshot failed."""
    timeout_seconds: int = 60


class Transport(StrEnum):
    """How `run` reaches a host. Bulk data always goes through OpenSSH."""

    FABRIC = "fabric"
    OPENSSH = "openssh"


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How to log in. None leaves it to OpenSSH's own default."""

    user: str | None = None
    port: int | None = None
    identity_file: str | None = None
    known_hosts: str | None = None
    proxy_jump: str | None = None
    timeout_seconds: int = 60
    """Longest wait for a connection, and for the answer to one short question."""
    sudo: bool = False
    """Put `sudo -n` before zfs and zpool."""
    transport: Transport = Transport.FABRIC


@dataclass(frozen=True, slots=True)
class HostEntry:
    """One host of the policy file; `local` always exists."""

    name: str
    hostname: str
    """Address to dial; empty for this machine."""
    ssh: SshSettings = SshSettings()

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, reached without SSH."""
        return not self.hostname


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The policy file and its conf.d, merged and checked."""

    files: tuple[str, ...] = ()
    """The files it was read from, in order."""
    timezone: str = "UTC"
    prefix: str = "zfsctl"
    read_only: bool = False
    hosts: Mapping[str, HostEntry] = field(default_factory=dict)
    """By name, `local` included."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    rules: tuple[DatasetRule, ...] = ()
    hooks: tuple[Hook, ...] = ()
    replications: tuple[Replication, ...] = ()
