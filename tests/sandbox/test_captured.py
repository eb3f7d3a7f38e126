"""The sandbox plays the scenes that were captured on a real OpenZFS 2.3, and must give the captured answers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from tests.testbed import scenes_failures
from tests.testbed.capture import read_captured
from zfsctl.model.command import Completed
from zfsctl.sandbox.building import create_pool

FOLDER = Path(__file__).parents[1] / "zfs" / "captured" / "2.3"

SCENES = (
    scenes_failures.prepare,
    scenes_failures.snapshot,
    scenes_failures.destroy,
    scenes_failures.hold_and_bookmark,
    scenes_failures.clone_promote_rename,
    scenes_failures.roll_back,
    scenes_failures.list_and_set,
)

NOT_SIMULATED = {
    "destroy-mounted": "a snapshot that is mounted by hand",
    "destroy-mounted-in-use": "a snapshot that is mounted by hand",
    "destroy-dataset-busy": "a process in a mounted filesystem",
    "snapshot-limit": "limits on the number of snapshots, which root may pass anyway",
    "create-nested-too-deep": "the limit on nesting",
    "program-missing": "the words of the login shell",
}

_LOOP = re.compile(r"for (\w+) in ([^;]+); do (.*?); done")
_OUTSIDE = (
    "mkdir",
    "mount",
    "umount",
    "zfs allow",
    "zfs unallow",
    "(cd",
    "sleep",
    "zfs list",
    "zfs set snapshot_limit",
)


class Stage:
    """Stands where the camera stood: plays the setup on the sandbox and compares each answer."""

    def __init__(self, desk):
        self.desk = desk
        self.compared = []
        self.wrong = []

    def do(self, script: str, **_: object) -> str:
        for line in script.splitlines():
            text = _LOOP.sub(lambda loop: "; ".join(self._turns(loop)), line)
            for command in text.split(";"):
                plain = command.strip()
                if plain and not plain.startswith(_OUTSIDE):
                    self.desk.do(plain)
        return ""

    @staticmethod
    def _turns(loop: re.Match[str]) -> list[str]:
        variable, words, body = loop.groups()
        return [body.replace(f"${variable}", word) for word in words.split()]

    def ask(self, command: str) -> Completed:
        return self.desk.ask(command)

    def take(self, name: str, command: str | Sequence[str], *, user: str | None = None, **_: object) -> None:
        if (user is not None and name != "snapshot-delegated") or name in NOT_SIMULATED:
            return
        real = read_captured(FOLDER / f"{name}.txt")
        done = self.ask(command if isinstance(command, str) else shlex.join(command))
        assert real.command == (command if isinstance(command, str) else shlex.join(command))
        seen = (done.exit_code, _without_guids(done.stdout), _before_usage(done.stderr))
        # An abort, which ssh reports as 255.
        rc = 134 if real.stderr.startswith("internal error") else real.rc
        wanted = (rc, _without_guids(real.stdout), _before_usage(real.stderr))
        self.compared.append(name)
        if seen != wanted:
            self.wrong.append(f"{name}: {real.command[:120]}\n  real:    {wanted}\n  sandbox: {seen}")


def _before_usage(text: str) -> list[str]:
    lines = text.splitlines()
    end = next((place for place, line in enumerate(lines) if line.startswith("usage:")), len(lines))
    return sorted(line for line in lines[:end] if line)


def _without_guids(text: str) -> str:
    """What differs from run to run: guids and sizes."""
    return re.sub(r"(\t|reclaim\t)\d+$", r"\1NUMBER", text, flags=re.MULTILINE)


def test_every_captured_refusal_is_given_word_for_word(desk):
    create_pool(desk.state, "local", "bk", 1 << 30)
    desk.do("zfs create tank/photos", "zfs create bk/photos")
    stage = Stage(desk)

    for scene in SCENES:
        scene(stage)

    assert len(stage.compared) > 80
    assert not stage.wrong, "\n".join(stage.wrong)
