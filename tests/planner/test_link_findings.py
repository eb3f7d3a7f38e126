"""What is said of a pair that is not sent: how bad it is, about what, and what to try."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.planner.notation import dataset, receiver, sender
from tests.planner.replicating import DAY, RULE, plan
from zfsctl.model.finding import Severity
from zfsctl.model.replication import Repair
from zfsctl.planner.lineage import End

EXPLAIN = "zfsctl explain r"
NEVER = replace(RULE, repair=Repair.NEVER)


def full(end: End) -> End:
    return replace(end, host=replace(end.host, datasets={"bk": replace(dataset("bk"), available=1)}))


@pytest.mark.parametrize(
    ("alpha", "beta", "severity", "place", "says", "hint"),
    [
        pytest.param(
            sender(None), receiver("20T12"), Severity.CRITICAL, "beta:bk/a", "alpha:tank/a does not exist", None,
            id="the-sender-is-gone",
        ),
        pytest.param(
            sender("20T12"), receiver("20T12r"), Severity.INFO, "beta:bk/a",
            "a receive is running that cannot be resumed, so it is not ours", EXPLAIN,
            id="somebody-receives",
        ),
        pytest.param(
            sender("20T12 20T13"), receiver("20T12", mounted=True, readonly=False), Severity.CRITICAL, "beta:bk/a",
            "the receiver is mounted and writable: somebody may be at work on it", EXPLAIN,
            id="in-use",
        ),
        pytest.param(
            sender("20T12 20T14"), receiver("20T12", token="20T12>20T13"), Severity.CRITICAL, "beta:bk/a",
            "and it was not begun by zfsctl", "ssh beta zfs receive -A bk/a",
            id="anothers-receive-in-the-way",
        ),
        pytest.param(
            sender("20T12w"), full(receiver(None)), Severity.CRITICAL, "beta:bk/a",
            "it needs about 4096 bytes and the receiver has 1", EXPLAIN,
            id="no-room",
        ),
        pytest.param(
            sender("20T12 20T13"), receiver("20T12", readonly=False), Severity.WARNING, "beta:bk/a",
            "the copy is not read-only; whoever mounts it and writes to it breaks the chain",
            "ssh beta zfs set readonly=on bk/a",
            id="a-copy-that-can-be-written-to",
        ),
        pytest.param(
            sender("20T12 20T13", encryption="aes-256-gcm", keystatus="unavailable"), receiver("20T12"),
            Severity.CRITICAL, "beta:bk/a", "its chain is not raw and the sender's key is not loaded",
            "ssh alpha zfs load-key tank/a",
            id="no-key",
        ),
    ],
)  # fmt: skip
def test_findings(alpha: End, beta: End, severity: Severity, place: str, says: str, hint: str | None) -> None:
    (finding,) = plan(alpha, beta, NEVER).findings

    assert (finding.severity, f"{finding.host}:{finding.dataset}") == (severity, place)
    assert finding.message.startswith("r: alpha:tank/a → beta:bk/a: ")
    assert finding.message.endswith(says)
    assert hint is None or finding.hint == hint


def test_what_waits_for_too_long_is_a_warning_about_the_sender() -> None:
    beta = receiver("20T12", mounted=True, readonly=False)
    found: list[Any] = list(
        plan(sender("20T12 20T13", clock="25T00"), beta, replace(NEVER, pending_limit=DAY)).findings
    )

    (late,) = [finding for finding in found if finding.code == "pending-limit"]
    assert (late.severity, late.host, late.dataset) == (Severity.WARNING, "alpha", "tank/a")
