"""The history of health: what changed, when it was seen, and how long that is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from zfsctl.model.health_change import HealthChange
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import Place
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.state import trimming
from zfsctl.state.journal import Journal, open_journal
from zfsctl.state.protocol import NullJournal
from zfsctl.state.schema import MIGRATIONS
from zfsctl.state.trimming import KEPT_SECONDS, trim

NOW = 1_795_185_000
PAIR = PairStatus(
    "alpha", "tank/a", "beta", "bk/a", LinkHealth.HEALTHY, LinkState.CURRENT, "", 0, 0, "@s", NOW - 60, ""
)
LATE = replace(PAIR, health=LinkHealth.WARNING, state=LinkState.BEHIND, why="BEHIND by 2 snapshots", lag=90_000)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with open_journal(tmp_path / "state.db") as opened:
        assert isinstance(opened, Journal)
        yield opened


def stands(*pairs: PairStatus, name: str = "out") -> ReplicationStatus:
    return ReplicationStatus(name, 86_400, 259_200, pairs)


def told(journal: Journal, name: str | None = "out") -> list[tuple[int, str, str | None, str]]:
    """When, of what dataset, from what, to what; newest first."""
    return [
        (change.at - NOW, change.sender.dataset if change.sender else "", change.old, change.new)
        for change in journal.health_changes(name, 99)
    ]


def test_what_is_seen_for_the_first_time_is_noted(journal: Journal) -> None:
    journal.note_health([stands(LATE)], NOW)

    assert journal.health_changes("out") == (
        HealthChange(
            NOW,
            "out",
            Place("alpha", "tank/a"),
            Place("beta", "bk/a"),
            None,
            LinkHealth.WARNING,
            LinkState.BEHIND,
            90_000,
            "BEHIND by 2 snapshots",
        ),
        HealthChange(NOW, "out", None, None, None, LinkHealth.WARNING, None, 90_000, "BEHIND by 2 snapshots"),
    )


def test_only_a_change_is_noted_and_with_it_what_was_before(journal: Journal) -> None:
    other = replace(PAIR, sender="tank/b", receiver="bk/b")
    for seconds, pair in enumerate((PAIR, replace(PAIR, lag=5), LATE, replace(LATE, lag=90_001), PAIR)):
        journal.note_health([stands(pair, other)], NOW + seconds)

    assert told(journal) == [
        (4, "tank/a", "warning", "healthy"),
        (4, "", "warning", "healthy"),
        (2, "tank/a", "healthy", "warning"),
        (2, "", "healthy", "warning"),
        (0, "tank/b", None, "healthy"),
        (0, "tank/a", None, "healthy"),
        (0, "", None, "healthy"),
    ]


def test_without_a_name_replications_are_told_of_as_a_whole(journal: Journal) -> None:
    journal.note_health([stands(PAIR), stands(LATE, name="usb")], NOW)

    assert [(change.replication, change.new) for change in journal.health_changes()] == [
        ("usb", LinkHealth.WARNING),
        ("out", LinkHealth.HEALTHY),
    ]
    assert len(journal.health_changes(limit=1)) == 1
    assert journal.health_changes("gone") == ()


def test_another_process_goes_on_with_the_history(journal: Journal, tmp_path: Path) -> None:
    journal.note_health([stands(PAIR)], NOW)
    with open_journal(tmp_path / "state.db") as other:
        other.note_health([stands(PAIR)], NOW + 1)
        other.note_health([stands(LATE)], NOW + 2)

    assert [change[0] for change in told(journal)] == [2, 2, 0, 0]


def test_a_name_that_is_no_utf_8_changes_once(journal: Journal) -> None:
    odd = replace(PAIR, sender="tank/\udcff", why="\udcff")
    for _ in range(2):
        journal.note_health([stands(odd)], NOW)

    assert len(told(journal)) == 2


def test_what_is_old_goes_but_how_each_stood_last_stays(journal: Journal) -> None:
    journal.note_health([stands(PAIR)], NOW)
    journal.note_health([stands(LATE)], NOW + 1)
    trim(journal._db, NOW + KEPT_SECONDS + 9)
    journal.note_health([stands(LATE)], NOW + KEPT_SECONDS + 9)

    assert told(journal) == [(1, "tank/a", "healthy", "warning"), (1, "", "healthy", "warning")]


def test_of_too_many_changes_the_oldest_go(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "KEPT_CHANGES", 3)
    for seconds, pair in enumerate((PAIR, LATE, PAIR, LATE)):
        journal.note_health([stands(pair)], NOW + seconds)
    trim(journal._db, NOW)

    assert [change[0] for change in told(journal)] == [3, 3, 2]


def test_a_file_of_before_there_was_such_a_history_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = Database(path)
    MIGRATIONS.apply(old, stop_before="replication_health")
    assert "replication_health" not in old.table_names()
    old.close()

    with open_journal(path, read_only=True) as reading:
        assert reading.health_changes() == ()
    with open_journal(path) as writing:
        writing.note_health([stands(PAIR)], NOW)
        assert len(writing.health_changes()) == 1


def test_without_a_journal_nothing_is_noted() -> None:
    with NullJournal() as journal:
        journal.note_health([stands(PAIR)], NOW)

        assert journal.health_changes() == ()
