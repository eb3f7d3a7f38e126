"""Sends and receives that were captured on a real OpenZFS 2.3, played on the sandbox."""

from __future__ import annotations

import shlex

from tests.sandbox.test_captured import FOLDER, Stage
from tests.testbed import scenes_failures
from tests.testbed.capture import read_captured
from zfsctl.sandbox.building import create_pool
from zfsctl.sandbox.workload import write

MEBIBYTE = 1 << 20
FIRST = "tank/photos@zfsctl-20261101T000000Z"


def build(desk):
    """The datasets of the captured scenes, as far as sends and receives are about them."""
    create_pool(desk.state, "local", "bk", 1 << 30)
    desk.do("zfs create tank/photos", "zfs create -o encryption=on -o keyformat=passphrase tank/enc")
    write(desk.state, "local", "tank/photos", 3 * MEBIBYTE)
    desk.do(f"zfs snapshot {FIRST}")
    write(desk.state, "local", "tank/photos", 2 * MEBIBYTE)
    desk.do("zfs snapshot tank/photos@inherits")
    write(desk.state, "local", "tank/photos", 10)
    desk.do("zfs snapshot tank/photos@odd", "zfs snapshot tank/enc@both")
    shell(desk, f"zfs send {FIRST} | zfs receive -u -s bk/photos")
    shell(desk, "zfs send tank/photos@inherits | head -c 700000 | zfs receive -u -s bk/partial || true")
    shell(desk, f"zfs send -i {FIRST} tank/photos@odd | head -c 700000 | zfs receive -u -s bk/photos || true")
    shell(desk, "zfs send -w tank/enc@both | zfs receive -u bk/raw")


def shell(desk, line):
    done = desk.ask(shlex.join(("sh", "-c", line)))
    assert done.exit_code == 0, done


class ShellStage(Stage):
    """Plays lines of a shell as well."""

    def ask(self, command):
        return self.desk.ask(shlex.join(("sh", "-c", command)))


def test_every_captured_refusal_of_a_transfer_is_given_word_for_word(desk):
    build(desk)
    stage = ShellStage(desk)

    scenes_failures.partly_received(stage)

    assert len(stage.compared) == 14
    assert not stage.wrong, "\n".join(stage.wrong)


def test_full_pools_and_quotas_answer_as_captured(desk):
    build(desk)
    create_pool(desk.state, "local", "full", 64 * MEBIBYTE)
    write(desk.state, "local", "full", 31 * MEBIBYTE)
    desk.do("zfs create -o quota=2M tank/quota")
    write(desk.state, "local", "tank/quota", MEBIBYTE)

    for name in ("receive-pool-full", "receive-over-quota"):
        real = read_captured(FOLDER / f"{name}.txt")
        done = desk.ask(shlex.join(("sh", "-c", real.command)))
        assert (done.exit_code, done.stdout, done.stderr) == (real.rc, real.stdout, real.stderr)


def test_what_an_unfinished_receive_shows_is_what_was_captured(desk):
    build(desk)
    columns = "name,inconsistent,written,encryption,keystatus,encryptionroot,clones"
    real = read_captured(FOLDER / "list-datasets-received.txt").stdout.splitlines()
    shown = [
        (name, inconsistent, *rest)
        for name, *_, _, encryption, keystatus, root, inconsistent, _ in (row.split("\t") for row in real)
        for rest in [(encryption, keystatus, root)]
    ]
    rows = desk.rows(f"zfs list -Hp -r -t filesystem,volume -o {columns} bk")

    assert [(name, bad, *rest) for name, bad, _, *rest, _ in rows] == shown
    captured = read_captured(FOLDER / "list-snapshots-received.txt").stdout.splitlines()
    clones = {row.split("\t")[0]: row.split("\t")[8] for row in captured}
    seen = desk.rows("zfs list -Hp -r -t snapshot -o name,clones bk")
    assert dict(seen) == clones
