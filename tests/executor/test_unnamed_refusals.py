"""A `zfs snapshot` of several datasets that is refused without a word on which of them is to blame."""

from __future__ import annotations

from collections.abc import Sequence

from tests.executor.scripted import Said, ScriptedHost
from zfsctl.executor.create import apply_create
from zfsctl.model.command import Command, Completed
from zfsctl.model.plan import CreateSnapshots, DatasetRef

NAME = "zfsctl-20260101T000000Z"
FULL = "cannot create snapshots : out of space\nno snapshots were created\n"


class FullPool(ScriptedHost):
    """Takes a snapshot of tank/a, and none in which tank/thick takes part."""

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        self.exchanges += 1
        return tuple(self.answer(command) for command in commands)

    def answer(self, command: Command) -> Completed:
        self.asked.append(command)
        argv = command.argv
        if argv[1] == "snapshot":
            thick = any(word.startswith("tank/thick@") for word in argv)
            return Completed(argv, int(thick), "", FULL if thick else "")
        if "name,guid,receive_resume_token" in argv:
            return Completed(argv, 0, "tank/a\t1\t-\ntank/thick\t2\t-\n", "")
        return Completed(argv, 0, f"tank/a@{NAME}\t11\n", "")


def test_each_dataset_is_taken_by_itself() -> None:
    host = FullPool("alpha", {"none": Said()})
    step = CreateSnapshots(
        id="s1",
        host="alpha",
        why="",
        pool="tank",
        snapshot=NAME,
        datasets=(DatasetRef("tank/a", 1), DatasetRef("tank/thick", 2)),
    )

    outcome = apply_create(step, host)

    assert [(member.dataset, str(member.result), member.guid) for member in outcome.members] == [
        ("tank/a", "done", 11),
        ("tank/thick", "failed", None),
    ]
    assert outcome.members[1].detail == "cannot create snapshots : out of space"
    assert str(outcome.result) == "partial"
    assert host.exchanges == 4
