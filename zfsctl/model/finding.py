"""What an operator should know, found on the way to a plan, a status or a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters; the monitoring words."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an operator should know, with a line to try; not a step."""

    severity: Severity
    code: str
    host: str
    dataset: str
    """Empty when it is about the host."""
    message: str
    hint: str = ""
