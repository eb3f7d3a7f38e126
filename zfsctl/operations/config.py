"""The policy file: write a first one, check one against the hosts, show the one in force."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zfsctl.errors import ExitCode, UsageError, ZfsctlError
from zfsctl.executor.collect import FactsRequest, collect_facts
from zfsctl.hosts.protocol import Fleet
from zfsctl.model.checking import ConfigCheck, LoginCheck, ReplicationCheck, RuleCheck, TreeCheck
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import LOCAL, Place, is_at_or_below
from zfsctl.model.policy import HostEntry
from zfsctl.model.replication import Chosen, Replication
from zfsctl.operations.assemble import host_findings
from zfsctl.operations.session import Session, SessionOptions
from zfsctl.planner.idle_rules import idle_findings
from zfsctl.planner.matching import made_by_us, selects_host
from zfsctl.planner.selection import hosts_in_use, select_datasets
from zfsctl.zfs.about import argv_version, parse_version


@dataclass(frozen=True, slots=True)
class FirstPolicy:
    """A policy file that was written."""

    path: Path
    text: str
    problems: tuple[str, ...]
    """Why the pools of this machine are not all in it; empty when they are."""
    has_rules: bool
    """Whether it selects anything; not where no pool takes writes."""


def init_policy(options: SessionOptions) -> FirstPolicy:
    """Write a commented policy for the pools of this machine.

    Raises:
        UsageError: There is a file already, or it cannot be written.
    """
    from zfsctl.config.files import policy_path
    from zfsctl.config.template import render_policy_template

    path = options.config or (
        options.sandbox / "zfsctl.toml" if options.sandbox else policy_path(None, environ=options.environ)
    )
    if path.exists():
        raise UsageError(
            f"{path}: nothing was written, there is a policy already",
            why="a policy file is never overwritten",
            hint=f"zfsctl config check -c {path}",
            where=str(path),
        )
    facts = _facts_of_this_machine(options).hosts[LOCAL]
    text = render_policy_template(facts.pools, facts.datasets or None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(
            f"{path}: the policy was not written", why=error.strerror or str(error), where=str(path)
        ) from error
    return FirstPolicy(path, text, facts.problems, any(pool.takes_writes for pool in facts.pools))


def check_policy(session: Session) -> ConfigCheck:
    """Log in to every host both ways, and find what each rule selects and what each replication sends where.

    Raises:
        ConfigError: Two rules fit one dataset equally well.
    """
    policy = session.policy
    names = session.host_names(tuple(policy.hosts) if session.options.hosts else _hosts_to_try(session))
    logins = check_logins(session.fleet, names)
    facts = session.collect({name: lambda _: () for name in names})
    selection = select_datasets(policy, facts)
    findings = selection.findings(session.options.hosts, hint="zfs list -t filesystem,volume")
    replications = tuple(_check_replication(one, policy.hosts, facts) for one in policy.replications)
    return ConfigCheck(
        files=policy.files,
        logins=logins,
        rules=tuple(
            RuleCheck(
                where=rule.where,
                select=tuple(pattern.text for pattern in rule.select),
                policy=rule.policy or "",
                datasets=tuple((one.host, one.dataset.name) for one in selection.datasets if one.rule is rule),
            )
            for rule in policy.rules
        ),
        findings=(
            *host_findings(facts),
            *findings,
            *idle_findings(policy, facts, selection),
            *_about_replications(replications, policy.replications),
        ),
        replications=replications,
    )


def exit_code_of_check(check: ConfigCheck) -> ExitCode:
    """2 when a selection matches nothing; else 12 or 3 for hosts that do not answer both ways; else 0."""
    if any(finding.code == "no-match" for finding in check.findings):
        return ExitCode.USAGE
    silent = {login.host for login in check.logins if not login.works}
    if not silent:
        return ExitCode.DONE if check.clean else ExitCode.FAILED
    return ExitCode.UNREACHABLE if silent == {login.host for login in check.logins} else ExitCode.PARTIAL


def policy_text(session: Session) -> str:
    """The policy in force as one TOML file: conf.d merged, defaults filled in."""
    from zfsctl.config.show import render_policy_file

    return render_policy_file(session.policy)


def check_logins(fleet: Fleet, names: Sequence[str]) -> tuple[LoginCheck, ...]:
    """Try both ways of reaching each host, hosts in parallel."""
    if not names:
        return ()
    with ThreadPoolExecutor(min(len(names), 40), "login") as pool:
        return tuple(check for checks in pool.map(lambda name: _try(fleet, name), names) for check in checks)


def _try(fleet: Fleet, name: str) -> tuple[LoginCheck, LoginCheck]:
    return _try_run(fleet, name), _try_lines(fleet, name)


def _try_run(fleet: Fleet, name: str) -> LoginCheck:
    try:
        done = fleet.host(name).run(argv_version())
        if done.exit_code != 0:
            return LoginCheck(name, "run", done.stderr.strip() or f"zfs version: exit {done.exit_code}")
        return LoginCheck(name, "run", version=parse_version(done.stdout))
    except ZfsctlError as error:
        return LoginCheck(name, "run", str(error))


def _try_lines(fleet: Fleet, name: str) -> LoginCheck:
    try:
        with fleet.host(name).lines(argv_version()) as stream:
            text = "".join(f"{line}\n" for line in stream)
            done = stream.completed
        if done.exit_code != 0:
            return LoginCheck(name, "lines", done.stderr.strip() or f"zfs version: exit {done.exit_code}")
        return LoginCheck(name, "lines", version=parse_version(text))
    except ZfsctlError as error:
        return LoginCheck(name, "lines", str(error))


def _check_replication(one: Replication, hosts: Collection[str], facts: Facts) -> ReplicationCheck:
    from zfsctl.config.flows import flows_of

    return ReplicationCheck(
        name=one.name,
        where=one.where,
        route=one.route,
        trees=tuple(
            _check_tree(flow.sender, flow.receiver, facts.hosts[flow.sender.host])
            for flow in flows_of(("replications", 0), one, hosts)
            if flow.sender.host in facts.hosts
        ),
    )


def _check_tree(sender: Place, receiver: Place, host: HostFacts) -> TreeCheck:
    if not host.complete:
        why = "its listing is not complete" if host.reached else f"{sender.host} did not answer"
        return TreeCheck(sender, receiver, why=why)
    outside = made_by_us(host)
    names = tuple(name for name in host.datasets if is_at_or_below(name, sender.dataset) and not outside(name))
    return TreeCheck(sender, receiver, names)


def _about_replications(checks: Sequence[ReplicationCheck], replications: Sequence[Replication]) -> Iterator[Finding]:
    """Senders that are not there, and receivers that will hold what no rule destroys."""
    for check, replication in zip(checks, replications, strict=True):
        for tree in check.trees:
            if not tree.datasets and not tree.why:
                yield Finding(
                    Severity.CRITICAL,
                    "no-match",
                    tree.sender.host,
                    "",
                    f'{check.where}: "{replication.sender.text}" sends nothing from {tree.sender.host}',
                    f"zfs list -r -t filesystem,volume on {tree.sender.host}",
                )
        if replication.snapshots is Chosen.ALL:
            yield Finding(
                Severity.WARNING,
                "never-pruned",
                replication.receiver_host,
                "",
                f"{check.where}: others' snapshots are sent too, and no rule ever destroys them on the receiver",
                'snapshots = "owned", and adopt = ["..."] for those that rules may destroy',
            )


def _hosts_to_try(session: Session) -> tuple[str, ...]:
    """Every host that is dialled, and this machine where a rule or a replication is about it."""
    policy = session.policy
    used = hosts_in_use(policy)
    here = any(one.receiver_host == LOCAL or selects_host(one.sender, LOCAL) for one in policy.replications)
    return tuple(name for name, entry in policy.hosts.items() if name in used or not entry.is_local or here)


def _facts_of_this_machine(options: SessionOptions) -> Facts:
    if options.sandbox:
        from zfsctl.sandbox.fleet import open_sandbox

        sandbox = open_sandbox(options.sandbox)
        return collect_facts(sandbox, [FactsRequest(LOCAL, lambda _: ())], now=sandbox.now())
    from zfsctl.hosts.fleet import RealFleet

    fleet = RealFleet({LOCAL: HostEntry(LOCAL, "")}, timeout=options.timeout_seconds)
    try:
        return collect_facts(fleet, [FactsRequest(LOCAL, lambda _: ())], now=int(time.time()))
    finally:
        fleet.close()
