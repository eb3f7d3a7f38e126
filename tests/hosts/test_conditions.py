"""A command with a condition is run only where the same shell sees what was seen before."""

from __future__ import annotations

import pytest

from tests.hosts.test_framing import answer, shells
from zfsctl.hosts.local import LocalHost
from zfsctl.model.command import CONDITION_FAILED, CONDITION_TEXT, Command, Condition

SEEN = 'a b\nit\'s\t$HOME "c" !x'

CASES = [
    pytest.param(("printf", "%s\\n", SEEN), SEEN, True, id="the same"),
    pytest.param(("printf", "%s", SEEN), f"{SEEN}\n", True, id="newlines at the end do not matter"),
    pytest.param(("printf", "%s", "other"), SEEN, False, id="something else"),
    pytest.param(("true",), SEEN, False, id="nothing"),
    pytest.param(("false",), "", True, id="nothing was seen before either"),
    pytest.param(("no-such-program",), SEEN, False, id="it cannot look"),
]


@shells
@pytest.mark.parametrize(("look", "seen", "runs"), CASES)
def test_a_condition_is_looked_at_by_the_shell_that_runs_the_command(
    shell: list[str], look: tuple[str, ...], seen: str, runs: bool
) -> None:
    guarded = Command(("sh", "-c", "echo done; exit 3"), only_if=Condition(look, seen))

    first, second = answer([guarded, Command(("echo", "next"))], shell=tuple(shell))

    if runs:
        assert (first.exit_code, first.stdout, first.stderr) == (3, "done\n", "")
    else:
        assert (first.exit_code, first.stdout, first.stderr) == (CONDITION_FAILED, "", f"{CONDITION_TEXT}\n")
    assert (second.exit_code, second.stdout, second.stderr) == (0, "next\n", "")


@pytest.mark.parametrize(("look", "seen", "runs"), CASES)
def test_this_machine_looks_too(look: tuple[str, ...], seen: str, runs: bool) -> None:
    done = LocalHost().run(Command(("echo", "done"), only_if=Condition(look, seen)))

    assert (done.exit_code, done.stdout) == ((0, "done\n") if runs else (CONDITION_FAILED, ""))
