"""What `config check` found: who answers, what each rule of the policy file selects, and what goes where."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import Place
from zfsctl.model.route import Route


@dataclass(frozen=True, slots=True)
class LoginCheck:
    """One way of reaching one host, tried just now."""

    host: str
    way: str
    """`run` (short questions) or `lines` (large output and streams)."""
    why: str = ""
    """Why it did not work; empty when it did."""
    version: str = ""
    """OpenZFS userland as the host reported it this way, empty when not known."""

    @property
    def works(self) -> bool:
        """Whether the host answered this way."""
        return not self.why


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One rule of the policy file and the datasets that follow it."""

    where: str
    """File and key path."""
    select: tuple[str, ...]
    """The patterns as written."""
    policy: str
    """Empty where the rule says "none"."""
    datasets: tuple[tuple[str, str], ...]
    """Host and dataset of each, in listing order."""


@dataclass(frozen=True, slots=True)
class TreeCheck:
    """What one host sends by a replication, and where it arrives."""

    sender: Place
    receiver: Place
    datasets: tuple[str, ...] = ()
    """The sender's dataset and all below it, in listing order; empty where it is not there or not known."""
    why: str = ""
    """Why it is not known what is there; empty when it is."""

    def receiver_of(self, dataset: str) -> Place:
        """Where one of the datasets arrives."""
        return Place(self.receiver.host, self.receiver.dataset + dataset.removeprefix(self.sender.dataset))


@dataclass(frozen=True, slots=True)
class ReplicationCheck:
    """One replication of the policy file, and the trees that it sends."""

    name: str
    where: str
    """File and key path."""
    route: Route
    trees: tuple[TreeCheck, ...]
    """One for each sending host that was to be asked."""


@dataclass(frozen=True, slots=True)
class ConfigCheck:
    """Everything that `config check` looked at."""

    files: tuple[str, ...]
    logins: tuple[LoginCheck, ...] = ()
    rules: tuple[RuleCheck, ...] = ()
    findings: tuple[Finding, ...] = ()
    replications: tuple[ReplicationCheck, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether every host answered every way and nothing is critical."""
        return all(login.works for login in self.logins) and not any(
            finding.severity is Severity.CRITICAL for finding in self.findings
        )
