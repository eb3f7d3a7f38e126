"""This machine as a host: real processes, no shell in between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hosts.loopback import eventually
from zfsctl.errors import HostTimeoutError
from zfsctl.hosts.local import LocalHost
from zfsctl.hosts.process import local_environment
from zfsctl.model.command import Command, Completed

HOST = LocalHost(timeout=10)


def sh(script: str) -> Command:
    return Command(("sh", "-c", script))


def alive(pid_file: Path) -> bool:
    """Whether the process that wrote its number there still runs."""
    try:
        state = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return False
    return state != "Z"


@given(arguments=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_arguments_arrive_as_they_were(arguments: list[str]) -> None:
    assert HOST.run(Command(("printf", "%s\\0", *arguments))).stdout.split("\0") == [*(arguments or [""]), ""]


def test_output_errors_and_exit_code_come_back() -> None:
    command = sh("printf '\\377\\376 out'; echo err >&2; exit 255")

    assert HOST.run(command) == Completed(command.argv, 255, "\udcff\udcfe out", "err\n")


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        pytest.param(Command(("no-such-program-here",)), 127, id="not-there"),
        pytest.param(Command(("/etc/passwd",)), 126, id="not-executable"),
        pytest.param(Command(("true", "x" * 200_000)), 126, id="argument-too-long"),
        pytest.param(sh("kill -9 $$"), 137, id="killed"),
    ],
)
def test_a_command_that_does_not_run_ends_as_in_a_shell(command: Command, exit_code: int) -> None:
    done = HOST.run(command)

    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert bool(done.stderr) == (exit_code != 137)
    with HOST.lines(command) as lines:
        assert list(lines) == []
        assert lines.completed.exit_code == exit_code


def test_the_language_the_time_zone_and_sbin_are_set() -> None:
    done = HOST.run(sh("echo $LC_ALL $TZ; echo $PATH"))

    assert done.stdout.startswith("C.UTF-8 UTC\n")
    assert done.stdout.endswith(":/usr/local/sbin:/usr/sbin:/sbin\n")
    assert local_environment()["PATH"].startswith(os.environ["PATH"])


def test_input_is_empty_unless_given() -> None:
    text = "line\n" * 100_000

    assert HOST.run(Command(("cat",))).stdout == ""
    assert HOST.run(Command(("cat",), stdin=text)).stdout == text
    assert HOST.run(Command(("true",), stdin=text)).exit_code == 0
    with HOST.lines(Command(("cat",), stdin=text)) as lines:
        assert sum(1 for _ in lines) == 100_000


def test_our_own_input_is_not_touched() -> None:
    program = """
import sys
from zfsctl.hosts.local import LocalHost
from zfsctl.model.command import Command
LocalHost().run(Command(("cat",)))
print(len(sys.stdin.read()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input="x" * 1000, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("1000\n", "")


def test_several_commands_are_one_question() -> None:
    host = LocalHost()
    answers = host.run_all([sh("exit 1"), Command(("echo", "two"))])

    assert [(a.exit_code, a.stdout) for a in answers] == [(1, ""), (0, "two\n")]
    assert host.run_all([]) == ()
    assert host.exchanges == 1


def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(HostTimeoutError) as raised:
        HOST.run(sh(f"sleep 32.1 & echo $! >{tmp_path}/pid; wait"), timeout=0.3)

    assert "on local did not answer within 0.3 s" in raised.value.message
    assert time.monotonic() - began < 5
    assert eventually(lambda: not alive(tmp_path / "pid"))


def test_a_timeout_counts_for_all_commands_together() -> None:
    with pytest.raises(HostTimeoutError):
        HOST.run_all([Command(("sleep", "0.4")), Command(("sleep", "0.4")), Command(("sleep", "0.4"))], timeout=0.6)


def test_a_command_that_closes_its_output_and_goes_on_is_waited_for() -> None:
    assert HOST.run(sh("exec >&- 2>&-; sleep 0.2; exit 5")).exit_code == 5
    with pytest.raises(HostTimeoutError):
        HOST.run(sh("exec >&- 2>&-; sleep 32.2"), timeout=0.3)


def test_a_program_left_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    done = HOST.run(sh(f"sleep 3 & echo $! >{tmp_path}/pid; echo done"))

    assert (done.exit_code, done.stdout) == (0, "done\n")
    assert time.monotonic() - began < 2
    assert alive(tmp_path / "pid")


def test_leaving_a_listing_early_ends_the_whole_group(tmp_path: Path) -> None:
    with HOST.lines(sh(f"sleep 32.3 & echo $! >{tmp_path}/pid; echo first; wait")) as lines:
        assert next(iter(lines)) == "first"
        assert alive(tmp_path / "pid")

    assert eventually(lambda: not alive(tmp_path / "pid"))


def test_a_listing_that_falls_silent() -> None:
    seen: list[str] = []
    with pytest.raises(HostTimeoutError), HOST.lines(sh("echo row; sleep 32.4"), timeout=0.3) as lines:
        seen.extend(lines)

    assert seen == ["row"]


def test_a_listing_longer_than_its_timeout_is_fine_while_it_goes_on() -> None:
    with HOST.lines(sh("for i in 1 2 3 4; do echo $i; sleep 0.2; done"), timeout=0.6) as lines:
        assert list(lines) == ["1", "2", "3", "4"]


def test_a_reader_who_takes_long_is_not_a_silent_command() -> None:
    with HOST.lines(Command(("seq", "200000")), timeout=0.3) as lines:
        rows = iter(lines)
        next(rows)
        time.sleep(0.5)
        assert sum(1 for _ in rows) == 199_999


@given(text=st.text(st.sampled_from("ab\n\r\u2028é"), max_size=50))
def test_lines_are_what_lies_between_newlines(text: str) -> None:
    with HOST.lines(Command(("cat",), stdin=text)) as lines:
        assert list(lines) == (text.removesuffix("\n").split("\n") if text else [])


def test_much_on_stderr_blocks_nothing() -> None:
    script = "head -c 3000000 /dev/zero | tr '\\0' e >&2; echo out"

    assert len(HOST.run(sh(script)).stderr) == 3_000_000
    with HOST.lines(sh(script)) as lines:
        assert list(lines) == ["out"]
        assert "bytes left out" in lines.completed.stderr


def test_what_a_command_says_at_its_very_end_is_never_lost() -> None:
    # It sleeps about as long as the reader waits at a time, so that its end falls between two looks.
    pauses = (0.098, 0.099, 0.1, 0.101, 0.102, 0.103, 0.199, 0.2, 0.201, 0.202)
    with ThreadPoolExecutor(len(pauses)) as pool:
        answers = list(pool.map(lambda pause: HOST.run(sh(f"sleep {pause}; echo last")).stdout, pauses))

    assert answers == ["last\n"] * len(pauses)


def test_nothing_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        HOST.run(Command(("true",), stdin="x"))
        HOST.run(Command(("no-such-program-here",)))
        with HOST.lines(Command(("yes",))) as lines:
            next(iter(lines))

    assert len(os.listdir("/proc/self/fd")) == before


def test_sudo_stands_before_zfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "sudo"
    fake.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    done = LocalHost(sudo=True).run(Command(("zfs", "list", "a b")))

    assert done == Completed(("zfs", "list", "a b"), 0, "-n|zfs|list|a b|", "")
