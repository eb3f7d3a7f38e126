"""The policy in force as one TOML file: conf.d merged, `[ssh]` spread over the hosts, words of the file kept."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.config.checks import NO_POLICY
from zfsctl.config.sizes import size_text
from zfsctl.model.policy import DatasetRule, Hook, HostEntry, KeepRule, Policy, PolicyFile
from zfsctl.model.replication import Replication
from zfsctl.planner.wording import window_text

TomlTable = dict[str, object]


def render_policy_file(policy: PolicyFile) -> str:
    """The policy as TOML. Loaded again it is the same policy, but for the names of the files it came from."""
    import tomli_w

    document: TomlTable = {
        "timezone": policy.timezone,
        "prefix": policy.prefix,
        "read_only": policy.read_only,
        "hosts": {name: _host(host) for name, host in policy.hosts.items() if not host.is_local or host.ssh.sudo},
        "policies": {name: _policy(one) for name, one in policy.policies.items()},
        "datasets": [_rule(rule) for rule in policy.rules],
        "hooks": [_hook(hook) for hook in policy.hooks],
        "replications": [_replication(one) for one in policy.replications],
    }
    return tomli_w.dumps({key: value for key, value in document.items() if value not in ({}, [])})


def _host(host: HostEntry) -> TomlTable:
    if host.is_local:
        return {"sudo": host.ssh.sudo}
    ssh = host.ssh
    table: TomlTable = {
        "hostname": host.hostname,
        "user": ssh.user,
        "port": ssh.port,
        "identity_file": ssh.identity_file,
        "known_hosts": ssh.known_hosts,
        "proxy_jump": ssh.proxy_jump,
        "timeout": f"{ssh.timeout_seconds}s",
        "sudo": ssh.sudo,
        "transport": ssh.transport.value,
    }
    return {key: value for key, value in table.items() if value is not None}


def _policy(policy: Policy) -> TomlTable:
    table: TomlTable = {} if policy.schedule is None else {"snapshot": policy.schedule.text}
    table["keep"] = _keep(policy.keep)
    table["skip_empty"] = policy.skip_empty
    return table


def _rule(rule: DatasetRule) -> TomlTable:
    return _filled(
        {
            "select": [pattern.text for pattern in rule.select],
            "exclude": [pattern.text for pattern in rule.exclude],
            "policy": rule.policy or NO_POLICY,
            "adopt": list(rule.adopt),
        }
    )


def _hook(hook: Hook) -> TomlTable:
    return _filled(
        {
            "name": hook.name,
            "select": [pattern.text for pattern in hook.select],
            "before": list(hook.before),
            "after": list(hook.after),
            "timeout": f"{hook.timeout_seconds}s",
        }
    )


def _replication(one: Replication) -> TomlTable:
    table: TomlTable = {
        "name": one.name,
        "sender": one.sender.text,
        "receiver": f"{one.receiver_host}:{one.receiver_dataset}",
        "route": one.route.value,
        "warn_after": window_text(one.warn_after),
        "max_delay": window_text(one.max_delay),
        "repair": one.repair.value,
        "keep": _keep(one.keep) if one.keep else None,
        "raw": one.raw.value,
        "initial": one.initial.value,
        "snapshots": one.snapshots.value,
        "bandwidth": None if one.bandwidth is None else size_text(one.bandwidth),
        "parallel": one.parallel,
        "pending_limit": window_text(one.pending_limit),
        "away": None if one.away is None else window_text(one.away),
        "properties": list(one.properties),
        "compress": one.compress,
    }
    return _filled({key: value for key, value in table.items() if value is not None})


def _keep(rules: Sequence[KeepRule]) -> TomlTable:
    return {rule.rule.value: rule.text if rule.count is None else rule.count for rule in rules}


def _filled(table: TomlTable) -> TomlTable:
    return {key: value for key, value in table.items() if value != []}
