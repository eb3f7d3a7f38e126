"""How a saved plan says what is left out of it."""

from __future__ import annotations

from zfsctl.model.finding import Finding, Severity


def stale(host: str, dataset: str, what: str) -> Finding:
    """A finding about a dataset, or about its host where that is empty."""
    place = f"{host}:{dataset}" if dataset else host
    return Finding(Severity.WARNING, "stale", host, dataset, f"{place}: {what}", "zfsctl run --dry-run")
