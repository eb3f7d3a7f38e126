"""One real process: signals, pipes, and a person at a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Zfsctl, snapshots
from zfsctl.cli.progress import Progress
from zfsctl.model.event import Event, StepFinished

PROGRAM = (sys.executable, "-m", "zfsctl")


def names(folder: Path) -> list[str]:
    """The snapshots of tank/db."""
    document = json.loads((folder / "fleet.json").read_text())
    return [each["name"] for each in document["hosts"]["local"]["pools"]["tank"]["datasets"]["tank/db"]["snapshots"]]


def on_terminal(*words: str | Path, typed: str = "", environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Run zfsctl for a person who types `typed` at the first question; exit code and all that was seen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **(environ or {})},
        close_fds=True,
    )
    os.close(theirs)
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end was closed: Linux says EIO
            break
        if not chunk:
            break
        seen += chunk
        if typed and (b"[y/N] " in seen or b"to go on: " in seen):
            os.write(ours, typed.encode())
            typed = ""
    os.close(ours)
    return process.wait(10), seen.decode().replace("\r\n", "\n")


def test_a_prune_on_a_terminal_shows_the_plan_and_asks(sandbox: Path) -> None:
    code, seen = on_terminal("prune", "tank/db", "--sandbox", sandbox, "--no-color", typed="y\n")

    assert code == 0
    assert "  - zfsctl-20261120T040000Z" in seen
    assert "Destroy 4 snapshots? [y/N]" in seen
    assert seen.count("no rule keeps it") == 4
    assert "Done: 4 destroys" in seen
    assert len(names(sandbox)) == 4


@pytest.mark.slow
def test_anything_but_yes_is_no(sandbox: Path) -> None:
    code, seen = on_terminal("prune", "--sandbox", sandbox, typed="\n")

    assert code == 5
    assert "the answer was not yes" in seen
    assert len(names(sandbox)) == 8


@pytest.mark.slow
def test_with_no_input_not_even_a_terminal_is_asked(sandbox: Path) -> None:
    code, seen = on_terminal("prune", "--sandbox", sandbox, "--no-input")

    assert code == 5
    assert "[y/N]" not in seen


@pytest.mark.slow
def test_a_terminal_gets_colours_unless_somebody_objects(sandbox: Path) -> None:
    coloured = on_terminal("run", "-n", "--sandbox", sandbox)[1]
    plain = on_terminal("run", "-n", "--sandbox", sandbox, environ={"NO_COLOR": "1"})[1]

    assert "\x1b[32m" in coloured
    assert "\x1b" not in plain
    assert "tank/db  (critical)" in plain
    assert plain.rstrip().splitlines()[-1].startswith("Plan: 4 snapshots, 8 destroys")


@pytest.mark.slow
def test_a_document_on_a_terminal_is_indented_and_alone(sandbox: Path) -> None:
    code, seen = on_terminal("prune", "--yes", "--json", "--sandbox", sandbox)

    assert code == 0
    assert json.loads(seen)["schema"] == "zfsctl.result/1"
    assert '\n  "schema"' in seen


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_noise(sandbox: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "schema", "result"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert (process.wait(20), said) == (141, b"")


def test_a_run_goes_on_when_nobody_reads_what_it_says(sandbox: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "run", "-v", "--sandbox", str(sandbox)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    process.stderr.close()

    assert process.wait(60) in (0, 141)
    assert len(names(sandbox)) == 5


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        pytest.param(">/dev/full", 1, "error: the answer could not be written: No space left on device\n", id="full"),
        pytest.param(">&-", 0, "", id="closed"),
    ],
)
def test_an_output_that_takes_nothing_is_no_crash(redirection: str, code: int, said: str) -> None:
    shell = f'"{sys.executable}" -m zfsctl schema plan {redirection}'
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        pytest.param(signal.SIGTERM, 143, "terminated", id="term", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 143, "terminated", id="hangup", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, "interrupted", id="ctrl-c"),
    ],
)
def test_a_signal_stops_a_command_cleanly(sandbox: Path, number: signal.Signals, code: int, said: str) -> None:
    with (sandbox / "fleet.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [*PROGRAM, "run", "--json", "--sandbox", str(sandbox)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        _wait_until_it_waits(process.pid)
        process.send_signal(number)
        time.sleep(0.2)
    out, error = process.communicate(timeout=20)

    assert process.returncode == code
    assert json.loads(out)["data"]["errors"][0]["code"] == said
    assert "Traceback" not in error
    assert len(names(sandbox)) == 8


def _wait_until_it_waits(pid: int) -> None:
    """Until a thread of the process sleeps in flock(2)."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "wchan").read_text().startswith(("flock", "locks_lock", "__flock", "fcntl_setlk")) or (
                task / "syscall"
            ).read_text().startswith("73 "):
                return
        time.sleep(0.05)
    raise AssertionError("it never waited for the lock")


def test_a_run_that_is_stopped_halfway_says_what_it_did(
    zfsctl: Zfsctl, sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen = Progress.listen

    def stop_after_the_first(self: Progress, event: Event) -> None:
        listen(self, event)
        if isinstance(event, StepFinished) and len(self.outcomes) == 1:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Progress, "listen", stop_after_the_first)
    ended = zfsctl("run", "--json", "--host", "local", "--sandbox", sandbox)
    data = ended.document["data"]

    assert ended.code == data["exit_code"] == 143
    assert data["outcomes"][0]["result"] == "done"
    assert data["errors"][-1]["code"] == "terminated"
    assert len(data["steps"]) == 2

    monkeypatch.undo()
    again = zfsctl("run", "--sandbox", sandbox)
    assert again.code == 0
    assert names(sandbox) == [*(each["name"] for each in snapshots()[5:]), "zfsctl-20261120T120000Z"]


@pytest.mark.slow
def test_progress_on_a_terminal_leaves_no_trace(sandbox: Path) -> None:
    _, seen = on_terminal("snapshot", "--sandbox", sandbox, "--no-color")

    assert "\r\x1b[K" in seen
    assert seen.rstrip().endswith("Done: 4 snapshots.")


def test_verbose_tells_each_step(zfsctl: Zfsctl, sandbox: Path) -> None:
    told = zfsctl("prune", "--yes", "-v", "--sandbox", sandbox).stderr

    assert told.count("done  ") == 2
