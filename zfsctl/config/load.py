"""The policy file and its conf.d, read, merged, checked, and handed over as values of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zfsctl.config.files import TomlFile, policy_files, policy_path, read_toml
from zfsctl.config.problems import combined, refuse
from zfsctl.errors import ConfigError
from zfsctl.model.names import LOCAL
from zfsctl.model.policy import (
    DatasetRule,
    Hook,
    HostEntry,
    Policy,
    PolicyFile,
    SshSettings,
    Transport,
)

if TYPE_CHECKING:
    from zfsctl.config.merge import Merged
    from zfsctl.config.shape import HostTable, PolicyDocument, SshTable


COMMAND_LINE = "the command line"
"""Stands for a file in messages about what the command line adds to the policy."""


def load_policy(
    path: Path | None, *, environ: Mapping[str, str], added: Mapping[str, object] | None = None
) -> PolicyFile:
    """The policy in force: `path`, else ZFSCTL_CONFIG, else /etc/zfsctl/zfsctl.toml, and `conf.d/*.toml` beside it.

    What is `added` is checked and merged as if it stood in a file of its own.

    Raises:
        ConfigError: A file is missing, unreadable, no TOML, or wrong by itself; all that is wrong, in one error.
    """
    return load_policy_files(
        policy_files(policy_path(path, environ=environ)), home=environ.get("HOME", ""), added=added
    )


def load_policy_files(
    paths: Sequence[Path], *, home: str = "", added: Mapping[str, object] | None = None
) -> PolicyFile:
    """The policy that these files make up together, in this order.

    Args:
        paths: TOML files; a part of the policy stands in one of them only.
        home: What `~/` in paths stands for; empty to leave it to whoever uses the path.
        added: One more document, of no file.

    Raises:
        ConfigError: As `load_policy`.
    """
    files: list[TomlFile] = []
    unreadable: list[ConfigError] = []
    for path in paths:
        try:
            files.append(read_toml(path))
        except ConfigError as error:
            unreadable.append(error)
    if unreadable:
        # With a file missing, what the others say cannot be judged: names may be defined in it.
        raise combined(unreadable)
    if added is not None:
        files.append(TomlFile(COMMAND_LINE, dict(added)))

    from zfsctl.config.checks import check_document
    from zfsctl.config.merge import merge
    from zfsctl.config.replication_checks import check_replications
    from zfsctl.config.validate import validate

    merged = merge(files)
    validated = validate(merged)
    between = (*check_document(merged, validated), *check_replications(merged, validated))
    refuse([*merged.problems, *validated.problems, *between])
    return _policy_file(validated.document, merged, home)


def _policy_file(document: PolicyDocument, merged: Merged, home: str) -> PolicyFile:
    from zfsctl.config.checks import NO_POLICY

    hosts = _hosts(document, home)
    return PolicyFile(
        files=merged.files,
        timezone=document.timezone,
        prefix=document.prefix,
        read_only=document.read_only,
        hosts=hosts,
        policies={
            name: Policy(name, table.keep.rules(), table.snapshot, table.skip_empty)
            for name, table in document.policies.items()
        },
        rules=tuple(
            DatasetRule(
                where=merged.where(("datasets", position)),
                select=tuple(rule.select),
                policy=None if rule.policy == NO_POLICY else rule.policy,
                exclude=tuple(rule.exclude),
                adopt=tuple(rule.adopt),
            )
            for position, rule in enumerate(document.datasets)
        ),
        hooks=tuple(
            Hook(hook.name, tuple(hook.select), tuple(hook.before), tuple(hook.after), hook.timeout)
            for hook in document.hooks
        ),
        replications=tuple(
            table.replication(merged.where(("replications", position)), hosts)
            for position, table in enumerate(document.replications)
        ),
    )


def _hosts(document: PolicyDocument, home: str) -> dict[str, HostEntry]:
    """Every host by name, this machine first. What `[ssh]` says of all hosts does not reach this machine."""
    local = document.hosts.get(LOCAL)
    hosts = {LOCAL: HostEntry(LOCAL, "", SshSettings(sudo=bool(local and local.sudo)))}
    for name, table in document.hosts.items():
        if name != LOCAL:
            hosts[name] = HostEntry(name, table.hostname or "", _ssh(table, document.ssh, home))
    return hosts


def _ssh(host: HostTable, every: SshTable, home: str) -> SshSettings:
    """What a host says itself, else what `[ssh]` says of all, else the default."""
    fields = set(type(every).model_fields)
    said = {key: value for table in (every, host) for key, value in table if key in fields and value is not None}
    default = SshSettings()
    return SshSettings(
        user=said.get("user"),
        port=said.get("port"),
        identity_file=_at_home(said.get("identity_file"), home),
        known_hosts=_at_home(said.get("known_hosts"), home),
        proxy_jump=said.get("proxy_jump"),
        timeout_seconds=said.get("timeout", default.timeout_seconds),
        sudo=said.get("sudo", default.sudo),
        transport=Transport(said.get("transport", default.transport)),
    )


def _at_home(path: str | None, home: str) -> str | None:
    return f"{home.rstrip('/')}/{path[2:]}" if path and home and path.startswith("~/") else path
