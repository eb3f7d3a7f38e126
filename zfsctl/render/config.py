"""What `config check` found, as text."""

from __future__ import annotations

from zfsctl.model.checking import ConfigCheck, LoginCheck, RuleCheck
from zfsctl.model.names import Place
from zfsctl.render.findings import render_findings, rows_of_findings
from zfsctl.render.text import Line, Row, Span, Style, line
from zfsctl.render.units import counted


def render_config_check(check: ConfigCheck) -> list[Line]:
    """Files, logins, and what each rule selects, for a terminal."""
    lines = [line(Span("read", Style.QUIET), f"  {name}") for name in check.files]
    lines += [_login(login) for login in check.logins]
    for rule in check.rules:
        lines += _rule(rule)
    lines += render_findings(check.findings)
    verdict = Span("All well.", Style.GOOD) if check.clean else Span("Something is wrong.", Style.CRITICAL)
    return [*lines, line(verdict)]


def rows_of_config_check(check: ConfigCheck) -> list[Row]:
    """The same for a pipe: rows begin with file, login, rule or !."""
    rows: list[Row] = [("file", name) for name in check.files]
    rows += [
        ("login", login.host, login.way, "ok" if login.works else "failed", login.version, login.why)
        for login in check.logins
    ]
    for rule in check.rules:
        places = [str(Place(host, dataset)) for host, dataset in rule.datasets]
        rows += [("rule", rule.where, rule.policy or "none", place) for place in places or [""]]
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
