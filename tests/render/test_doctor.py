"""What `doctor` found, for people."""

from __future__ import annotations

from zfsctl.model.diagnosis import Diagnosis, SetAside
from zfsctl.model.finding import Finding, Severity
from zfsctl.render.doctor import render_diagnosis
from zfsctl.render.text import painted

AT = 1_795_185_000
FIRST = SetAside(
    host="beta",
    dataset="bk/a.zfsctl-aside-20261118T143000Z",
    home="bk/a",
    replication="copy",
    since=AT - 2 * 86_400,
    datasets=("bk/a.zfsctl-aside-20261118T143000Z",),
    snapshots=2,
    used=3 << 20,
    written=1 << 20,
)
SECOND = SetAside(
    host="beta",
    dataset="bk/a.zfsctl-aside-20261119T143000Z",
    home="bk/a",
    replication="copy",
    since=AT - 86_400,
    datasets=("bk/a.zfsctl-aside-20261119T143000Z",),
    snapshots=1,
    used=1 << 20,
    written=0,
    obstacles=("bk/a.zfsctl-aside-20261119T143000Z is mounted",),
    after=("bk/a.zfsctl-aside-20261118T143000Z",),
)
FINDING = Finding(Severity.WARNING, "empty-parent", "beta", "bk/old", "nothing lies below", "zfs destroy bk/old")


def text(*findings: Finding, asides: tuple[SetAside, ...] = ()) -> str:
    return "".join(painted(render_diagnosis(Diagnosis(AT, ("beta",), findings, asides)), colour=False))


def test_findings_first_then_copies_in_their_order_with_what_speaks_against_each() -> None:
    assert text(FINDING, asides=(FIRST, SECOND)) == (
        "warning: beta:bk/old: nothing lies below\n"
        "  try: zfs destroy bk/old\n"
        "\n"
        "beta:bk/a.zfsctl-aside-20261118T143000Z  set aside 2 d ago, 2 snapshots, frees 3M\n"
        "  1M of it are in no snapshot\n"
        "  try: zfsctl doctor --release beta:bk/a.zfsctl-aside-20261118T143000Z --dry-run\n"
        "beta:bk/a.zfsctl-aside-20261119T143000Z  set aside 24 h ago, 1 snapshot, frees 1M\n"
        "  stays: bk/a.zfsctl-aside-20261119T143000Z is mounted\n"
        "  after: beta:bk/a.zfsctl-aside-20261118T143000Z\n"
        "Looked at 1 host: 1 finding, 2 copies set aside (4M).\n"
    )


def test_nothing_found() -> None:
    assert text() == "Looked at 1 host: nothing is left over.\n"
