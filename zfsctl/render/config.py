"""What `config check` found, as text."""

from __future__ import annotations

from zfsctl.model.checking import ConfigCheck, LoginCheck, ReplicationCheck, RuleCheck, TreeCheck
from zfsctl.model.names import Place
from zfsctl.render.findings import render_findings, rows_of_findings
from zfsctl.render.text import Line, Row, Span, Style, line
from zfsctl.render.units import counted


def render_config_check(check: ConfigCheck) -> list[Line]:
    """Files, logins, what each rule selects and what each replication sends where, for a terminal."""
    lines = [line(Span("read", Style.QUIET), f"  {name}") for name in check.files]
    lines += [_login(login) for login in check.logins]
    for rule in check.rules:
        lines += _rule(rule)
    for replication in check.replications:
        lines += _replication(replication)
    lines += render_findings(check.findings)
    verdict = Span("All well.", Style.GOOD) if check.clean else Span("Something is wrong.", Style.CRITICAL)
    return [*lines, line(verdict)]


def rows_of_config_check(check: ConfigCheck) -> list[Row]:
    """The same for a pipe: rows begin with file, login, rule, replication or !.

    A replication has a row for each dataset that it sends, with its receiver; where none is known, one for the tree.
    """
    rows: list[Row] = [("file", name) for name in check.files]
    rows += [
        ("login", login.host, login.way, "ok" if login.works else "failed", login.version, login.why)
        for login in check.logins
    ]
    for rule in check.rules:
        places = [str(Place(host, dataset)) for host, dataset in rule.datasets]
        rows += [("rule", rule.where, rule.policy or "none", place) for place in places or [""]]
    for replication in check.replications:
        for tree in replication.trees:
            pairs = [(Place(tree.sender.host, name), tree.receiver_of(name)) for name in tree.datasets]
            rows += [
                ("replication", replication.where, replication.name, str(sender), str(receiver), _unknown(tree))
                for sender, receiver in pairs or [(tree.sender, tree.receiver)]
            ]
    return rows + rows_of_findings(check.findings)


def _login(login: LoginCheck) -> Line:
    if not login.works:
        return line(Span("login", Style.QUIET), f"  {login.host} ({login.way})  ", Span(login.why, Style.CRITICAL))
    version = f"  OpenZFS {login.version}" if login.version else ""
    return line(Span("login", Style.QUIET), f"  {login.host} ({login.way})  ", Span("ok", Style.GOOD), version)


def _rule(rule: RuleCheck) -> list[Line]:
    count = counted(len(rule.datasets), "dataset")
    policy = rule.policy or "none"
    head = line(Span(rule.where, Style.STRONG), f"  {', '.join(rule.select)}  ({policy})  {count}")
    return [head, *(line(f"  = {Place(host, dataset)}") for host, dataset in rule.datasets)]


def _replication(one: ReplicationCheck) -> list[Line]:
    head = line(Span(one.where, Style.STRONG), f"  {one.name}  ({one.route.value})")
    return [head, *(_tree(tree) for tree in one.trees)]


def _tree(tree: TreeCheck) -> Line:
    known = counted(len(tree.datasets), "dataset")
    said = Span(_unknown(tree), Style.CRITICAL) if not tree.datasets else known
    return line(f"  > {tree.sender} → {tree.receiver}  ", said)


def _unknown(tree: TreeCheck) -> str:
    """Why a tree has no datasets; empty where it has."""
    if tree.why:
        return f"not known: {tree.why}"
    return "" if tree.datasets else "nothing is there"
