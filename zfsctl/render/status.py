"""Status as text: a table for people, rows for pipes, and the one line of monitoring."""

from __future__ import annotations

from collections import Counter

from zfsctl.model.finding import Severity
from zfsctl.model.history import RunRecord
from zfsctl.model.names import Place
from zfsctl.model.pool import Pool
from zfsctl.model.replication_status import LinkHealth, ReplicationStatus
from zfsctl.model.status import DatasetStatus, Health, HostStatus, Status, level_of
from zfsctl.render.findings import place_of, render_findings, rows_of_findings
from zfsctl.render.replications import ends_text, render_replications, rows_of_replications
from zfsctl.render.text import Line, Row, Span, Style, line, table, visible
from zfsctl.render.units import counted, from_now, human_bytes, instant_utc, minute_utc, short_duration

HEALTH_STYLES = {
    Health.OK: Style.GOOD,
    Health.WARNING: Style.WARNING,
    Health.CRITICAL: Style.CRITICAL,
    Health.UNKNOWN: Style.CRITICAL,
}
_HEADINGS = ("DATASET", "POLICY", "NEWEST", "NEXT", "SNAPSHOTS", "USED", "STATE")
_OF_SEVERITY = {Severity.INFO: Health.OK, Severity.WARNING: Health.WARNING, Severity.CRITICAL: Health.CRITICAL}
_CHECK_CODES = {Health.OK: 0, Health.WARNING: 1, Health.CRITICAL: 2, Health.UNKNOWN: 3}


def render_status(status: Status, *, now: int, every: bool = False) -> list[Line]:
    """Hosts with their pools, datasets with their snapshots, replications, then the last run and what waits.

    Of a replication the pairs that are not healthy are shown, or with `every` all.

    `now` is what ages are counted from; a cached status is older than that and says so.
    """
    lines = [spans for host in status.hosts for spans in _host(host)]
    if status.datasets:
        heading = tuple(Span(text, Style.QUIET) for text in _HEADINGS)
        lines += table([heading, *(_dataset(dataset, now) for dataset in status.datasets)], right=(4, 5))
    lines += render_replications(status.replications, now=now, every=every)
    lines += render_findings(status.findings)
    if status.last_run is not None:
        lines.append(line(f"Last run: {run_text(status.last_run, now)}"))
    if now - status.generated_at > 60:
        lines.append(line(f"As of {minute_utc(status.generated_at)}, {from_now(status.generated_at, now=now)}."))
    return lines


def rows_of_status(status: Status) -> list[Row]:
    """The same for a pipe; the first cell says what the row is about.

    host: name, health, version, why · pool: host:name, health, size, allocated, free · dataset: place, health,
    policy, newest snapshot, its creation, next due, scheduled, manual, foreign, used by snapshots, why ·
    replication and pair as rows_of_replications has them · run: id, command, state, started, finished, exit code ·
    !: findings.
    """
    rows: list[Row] = []
    for host in status.hosts:
        rows.append(("host", host.host, host.health.value, host.version, host.why))
        rows += [_pool_row(host.host, pool) for pool in host.pools]
    rows += [_dataset_row(dataset) for dataset in status.datasets]
    rows += rows_of_replications(status.replications)
    if status.last_run is not None:
        rows.append(("run", *row_of_run(status.last_run)))
    return rows + rows_of_findings(status.findings)


def run_text(run: RunRecord, now: int) -> str:
    """One run in half a line."""
    parts = [run.command, run.state.value, from_now(run.started_at, now=now)]
    if run.finished_at is not None:
        parts.append(f"took {short_duration(run.finished_at - run.started_at)}")
    changed = [f"{count} {word}" for word, count in (("created", run.created), ("destroyed", run.destroyed)) if count]
    if run.failed:
        changed.append(f"{counted(run.failed, 'step')} failed")
    return ", ".join([*parts, *changed])


def row_of_run(run: RunRecord) -> Row:
    """One run for a pipe."""
    code = "" if run.exit_code is None else str(run.exit_code)
    times = (instant_utc(run.started_at), instant_utc(run.finished_at))
    counts = (str(run.created), str(run.destroyed), str(run.failed))
    return (run.id, run.command, run.state.value, *times, code, *counts)


def render_check(status: Status, *, now: int) -> str:
    """The one line of monitoring plug-ins: state, what is worst, and perfdata behind the bar."""
    parts = [(host.health, host.host, host.why) for host in status.hosts]
    parts += [(part.health, str(Place(part.host, part.dataset)), part.why) for part in status.datasets]
    parts += [(level_of(one.health), one.name, _worst_pair(one)) for one in status.replications]
    counts = Counter(health for health, _, _ in parts)
    parts += [
        (_OF_SEVERITY[finding.severity], place_of(finding) or "zfsctl", finding.message) for finding in status.findings
    ]
    worst_first = (Health.CRITICAL, Health.UNKNOWN, Health.WARNING)
    wrong = [part for health in worst_first for part in parts if part[0] is health]
    looked_at = [(len(status.hosts), "host"), (len(status.datasets), "dataset")]
    looked_at += [(len(status.replications), "replication")] if status.replications else []
    said = ", ".join(counted(number, what) for number, what in looked_at)
    if wrong:
        health, place, why = wrong[0]
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        said = f"{place}: {why or health.value}{more}; {said}"
    ages = [now - dataset.newest_at for dataset in status.datasets if dataset.newest_at is not None]
    figures = [f"{health.value}={counts[health]}" for health in Health]
    figures += [f"newest_age_max={max(ages)}s"] if ages else []
    figures += [f"lag_{one.name}={_lag_figure(one)}" for one in status.replications]
    figures.append(f"approvals={status.approvals_waiting}")
    return check_line(status.health, said, " ".join(figures))


def _worst_pair(replication: ReplicationStatus) -> str:
    """What is wrong with a replication: its worst pair, and how many are as bad."""
    if replication.health is LinkHealth.HEALTHY:
        return ""
    worst = replication.worst_first[0]
    alike = replication.count(worst.health) - 1
    more = f", and {alike} more like it" if alike else ""
    return f"{worst.health.value}: {ends_text(worst)}: {worst.why}{more}"


def _lag_figure(replication: ReplicationStatus) -> str:
    """A value of perfdata with its limits; U is one that could not be found out."""
    if replication.lag is None:
        return "U"
    return f"{replication.lag}s;{replication.warn_after};{replication.max_delay}"


def check_line(health: Health, said: str, figures: str = "") -> str:
    """One line as Nagios reads it: a bar in the text would begin the perfdata, so it is written as a colon."""
    text = visible(said).replace("|", ":")
    return f"ZFSCTL {health.value.upper()} - {text}" + (f" | {figures}" if figures else "")


def check_exit_code(health: Health) -> int:
    """What `status --check` returns: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    return _CHECK_CODES[health]


def _host(host: HostStatus) -> list[Line]:
    state = Span(host.health.value, HEALTH_STYLES[host.health])
    version = f"  OpenZFS {host.version}" if host.version else ""
    why = f"  {host.why}" if host.why else ""
    return [line(Span(host.host, Style.STRONG), f"{version}  ", state, why), *table(_pools(host), indent=2)]


def _pools(host: HostStatus) -> list[tuple[str | Span, ...]]:
    return [
        (
            pool.name,
            Span(pool.health, Style.GOOD if pool.health == "ONLINE" else Style.CRITICAL),
            "read-only" if pool.readonly else "",
            _fill(pool),
        )
        for pool in host.pools
    ]


def _fill(pool: Pool) -> str:
    if pool.size is None or pool.allocated is None:
        return ""
    percent = "" if pool.capacity is None else f" ({pool.capacity}%)"
    return f"{human_bytes(pool.allocated)} of {human_bytes(pool.size)} used{percent}"


def _dataset(dataset: DatasetStatus, now: int) -> tuple[str | Span, ...]:
    newest = "none" if dataset.newest_at is None else from_now(dataset.newest_at, now=now)
    if dataset.next_due is None:
        due = "-"
    else:
        due = from_now(dataset.next_due, now=now) if dataset.next_due > now else "due"
    others = [f"{count} {word}" for word, count in (("manual", dataset.manual), ("foreign", dataset.foreign)) if count]
    counts = f"{dataset.scheduled} + {', '.join(others)}" if others else str(dataset.scheduled)
    state = f"{dataset.health.value}: {dataset.why}" if dataset.why else dataset.health.value
    return (
        str(Place(dataset.host, dataset.dataset)),
        dataset.policy or "-",
        newest,
        due,
        counts,
        human_bytes(dataset.used_by_snapshots),
        Span(state, HEALTH_STYLES[dataset.health]),
    )


def _dataset_row(dataset: DatasetStatus) -> Row:
    return (
        "dataset",
        str(Place(dataset.host, dataset.dataset)),
        dataset.health.value,
        dataset.policy,
        dataset.newest or "",
        instant_utc(dataset.newest_at),
        instant_utc(dataset.next_due),
        str(dataset.scheduled),
        str(dataset.manual),
        str(dataset.foreign),
        human_bytes(dataset.used_by_snapshots),
        dataset.why,
    )


def _pool_row(host: str, pool: Pool) -> Row:
    sizes = ("" if size is None else human_bytes(size) for size in (pool.size, pool.allocated, pool.free))
    return ("pool", f"{host}:{pool.name}", pool.health, *sizes)
