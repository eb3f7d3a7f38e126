"""What is sent to a remote shell and how its answer is taken apart, against real shells of this machine."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zfsctl.hosts.framing import Clipping, Frame, FrameReader, Transcript, decode, encode, remote_line, with_sudo
from zfsctl.model.command import CONDITION_FAILED, Command, Completed, Condition

SHELLS = [["sh"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"], ["mksh"], ["zsh"]]
shells = pytest.mark.parametrize("shell", [pytest.param(s, id=s[0]) for s in SHELLS if shutil.which(s[0])])

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
names = st.one_of(
    texts, st.sampled_from(["", "-n", "--", "a b", "it's", '"', "$HOME", "`id`", "a\nb", "\\", "*", "~", "#x"])
)
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def answer(
    commands: list[Command], *, shell: tuple[str, ...] = ("sh",), before: str = "", piece: int = 65536
) -> tuple[Completed, ...]:
    """Run the script of these commands as a login shell would, and take its answer apart in pieces."""
    frame = Frame()
    line, stdin = remote_line(frame.script(commands))
    done = subprocess.run([*shell, "-c", before + line], input=stdin, capture_output=True, check=True)
    transcript = Transcript(frame, commands)
    for reader, data in ((transcript.out, done.stdout), (transcript.err, done.stderr)):
        for start in range(0, len(data), piece):
            reader.feed(data[start : start + piece])
    assert transcript.ended
    return transcript.completed()


@one_folder
@given(
    outputs=st.lists(
        st.tuples(st.binary(max_size=200), st.binary(max_size=50), st.integers(0, 255)), min_size=1, max_size=3
    ),
    piece=st.integers(1, 100),
)
def test_any_bytes_and_exit_codes_come_back_as_they_were(
    tmp_path: Path, outputs: list[tuple[bytes, bytes, int]], piece: int
) -> None:
    commands = []
    for index, (out, err, code) in enumerate(outputs):
        (tmp_path / f"out{index}").write_bytes(out)
        (tmp_path / f"err{index}").write_bytes(err)
        script = f"cat {tmp_path}/out{index}; cat {tmp_path}/err{index} >&2; exit {code}"
        commands.append(Command(("sh", "-c", script)))

    answers = answer(commands, piece=piece)

    assert outputs == [(encode(a.stdout), encode(a.stderr), a.exit_code) for a in answers]


@one_folder
@given(arguments=st.lists(names, min_size=1, max_size=5))
def test_any_arguments_arrive_as_they_were(arguments: list[str]) -> None:
    (done,) = answer([Command(("printf", "%s\\0", *arguments))])

    assert [*arguments, ""] == done.stdout.split("\0")


@one_folder
@given(text=texts)
def test_any_input_arrives_as_it_was(text: str) -> None:
    (done,) = answer([Command(("cat",), stdin=text)])

    assert text == done.stdout


@one_folder
@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_script_cut_anywhere_runs_nothing(tmp_path: Path, cut: float) -> None:
    commands = [
        Command(("touch", str(tmp_path / "a"))),
        Command(("touch", str(tmp_path / "b")), stdin="x"),
        Command(("true",)),
    ]
    script = encode(Frame().script(commands)).rstrip(b"\n")

    subprocess.run(["sh", "-s"], input=script[: int(len(script) * cut)], capture_output=True, check=False)

    assert list(tmp_path.iterdir()) == []


@shells
def test_every_shell_runs_the_scripts(shell: list[str]) -> None:
    commands = [
        Command(("printf", "no newline")),
        Command(("cat",), stdin="it's\nfed"),
        Command(("sh", "-c", "echo out; echo err >&2; exit 255")),
        Command(("no-such-program-here",)),
        Command(("sh", "-c", "kill -9 $$")),
    ]

    answers = answer(commands, shell=tuple(shell))

    assert [a.exit_code for a in answers] == [0, 0, 255, 127, 137]
    assert [a.stdout for a in answers] == ["no newline", "it's\nfed", "out\n", "", ""]
    assert answers[2].stderr == "err\n"


@shells
def test_a_watched_script_ends_with_its_command(shell: list[str]) -> None:
    frame = Frame()
    script = frame.script_watched(Command(("sh", "-c", "echo out; echo err >&2; exit 7")))

    # Its input stays open: it is the command's end that ends the script.
    with subprocess.Popen([*shell, "-c", script], stdin=-1, stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.wait(10)
        out, err = process.stdout.read(), process.stderr.read()

    assert out == frame.begin + b"\nout\n" + frame.end(0) + b"7\n"
    assert err.startswith(frame.begin + b"\nerr\n" + frame.end(0) + b"7\n")


@shells
def test_a_watched_command_ends_when_the_input_does(shell: list[str]) -> None:
    frame = Frame()
    script = frame.script_watched(Command(("sleep", "60")))

    done = subprocess.run([*shell, "-c", script], input=b"", capture_output=True, check=False, timeout=10)

    assert done.stdout == frame.begin + b"\n" + frame.end(0) + b"143\n"


@pytest.mark.parametrize("word", ["if", "exit", "A=b", "return", "exec", "{", "!", "cd"])
def test_a_word_of_the_shell_is_looked_up_as_a_program(word: str) -> None:
    first, second = answer([Command((word, "x")), Command(("echo", "after"))])

    assert first.exit_code in (126, 127)
    assert second == Completed(("echo", "after"), 0, "after\n", "")


@pytest.mark.parametrize("argv", [(), ("",), ("-rf",), ("zfs", "a\0b")], ids=repr)
def test_no_script_is_made_of_what_no_program_can_be_started_with(argv: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        Frame().script([Command(argv)])


def test_a_banner_on_both_streams_is_dropped() -> None:
    (done,) = answer(
        [Command(("sh", "-c", "echo out; echo err >&2"))], before="printf welcome; echo 'no newline' >&2; "
    )

    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_a_command_that_prints_its_own_script_ends_nothing() -> None:
    commands = [Command(("sh", "-c", "tr '\\0' ' ' </proc/$PPID/cmdline; env")), Command(("echo", "second"))]

    first, second = answer(commands)

    assert "m begin" in first.stdout
    assert second.stdout == "second\n"


def test_the_language_the_time_zone_and_sbin_are_set() -> None:
    (done,) = answer([Command(("sh", "-c", "echo $LC_ALL $TZ; echo $PATH"))])

    assert done.stdout.startswith("C.UTF-8 UTC\n")
    assert done.stdout.endswith(":/usr/local/sbin:/usr/sbin:/sbin\n")


def test_an_answer_without_its_last_marker_has_not_ended() -> None:
    frame = Frame()
    transcript = Transcript(frame, [Command(("one",)), Command(("two",))])
    transcript.out.feed(b"motd\n" + frame.begin + b"\n1" + frame.end(0) + b"0\n2 all of it\n")
    transcript.err.feed(frame.begin + b"\n" + frame.end(0) + b"0\n" + frame.end(1) + b"0\n")

    assert transcript.began
    assert not transcript.ended
    assert transcript.first_unfinished == Command(("two",))


def test_an_exit_code_whose_newline_is_missing_has_not_arrived() -> None:
    frame = Frame()
    reader = FrameReader(frame, 1, lambda *_: None)
    reader.feed(frame.begin + b"\n" + frame.end(0) + b"12")

    assert not reader.ended
    reader.feed(b"7\nrest")

    assert reader.exit_codes == [127]
    assert reader.rest == b"rest"


def test_a_long_script_goes_through_the_input() -> None:
    many = [Command(("echo", "x" * 50_000)) for _ in range(20)]

    line, stdin = remote_line(Frame().script(many))

    assert line == "sh -s"
    assert len(stdin) > 1_000_000
    assert [c.argv[1] + "\n" for c in many] == [a.stdout for a in answer(many)]


def sh(script: str, *, beside: bool = False) -> Command:
    return Command(("sh", "-c", script), beside=beside)


@shells
def test_commands_that_may_run_beside_each_other_do_and_keep_their_exit_codes(shell: list[str], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pair = [sh(f"cat {pipe}; exit 3", beside=True), sh(f"echo met >{pipe}; echo wrong >&2; exit 4", beside=True)]

    before, one, two, after = answer([sh("echo before"), *pair, sh("echo after")], shell=tuple(shell))

    assert (one.exit_code, two.exit_code) == (3, 4)
    assert (one.stdout + two.stdout, one.stderr + two.stderr) == ("met\n", "wrong\n")
    assert (before.stdout, after.stdout) == ("before\n", "after\n")


def test_only_some_run_at_the_same_time(tmp_path: Path) -> None:
    there = f"mkdir {tmp_path}/$$; ls {tmp_path} | wc -l; sleep 0.05; rmdir {tmp_path}/$$"

    answers = answer([sh(there, beside=True) for _ in range(20)])

    counts = [int(line) for one in answers for line in one.stdout.split()]
    assert len(counts) == 20
    assert 1 < max(counts) <= 8


def test_what_may_run_beside_others_waits_for_those_that_may_not(tmp_path: Path) -> None:
    slow, look = f"sleep 0.1; touch {tmp_path}/done", f"test -e {tmp_path}/done"

    answers = answer([sh(slow, beside=True), sh(look), sh(f"rm {tmp_path}/done"), sh(slow), sh(look, beside=True)])

    assert [one.exit_code for one in answers] == [0] * 5


def test_a_condition_and_an_input_hold_for_commands_that_run_beside_others() -> None:
    seen = Condition(("echo", "seen"), "seen")
    commands = [
        Command(("false",), only_if=seen, beside=True),
        Command(("true",), only_if=Condition(("echo", "other"), "seen"), beside=True),
        Command(("cat",), stdin="given", beside=True),
    ]

    one, two, three = answer(commands)

    assert (one.exit_code, two.exit_code, three.exit_code) == (1, CONDITION_FAILED, 0)
    assert one.stdout + two.stdout + three.stdout == "given"


LOGIN_SHELLS = [pytest.param(s, id=s) for s in ("sh", "bash", "zsh", "fish", "tcsh", "ksh") if shutil.which(s)]


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_every_login_shell_hands_the_script_on(login_shell: str, tmp_path: Path) -> None:
    awkward = ["it's", "a\nb", "\\", "\\\\", "\\'", "wow!", "!!", "$HOME", "%h", "^x", "a b@c", "é", "{a,b}", "#", "~"]
    frame = Frame()
    command = Command(("printf", "%s\\0", *awkward))
    beside = [Command(("false",), beside=True), Command(("true",), beside=True)]
    line, stdin = remote_line(frame.script([command, Command(("cat",), stdin="plain"), *beside]))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    done = subprocess.run([login_shell, "-c", line], input=stdin, capture_output=True, check=True, env=environment)
    transcript = Transcript(frame, [command, command, *beside])
    transcript.out.feed(done.stdout)

    assert transcript.out.exit_codes == [0, 0, 1, 0]
    assert f"{chr(0).join(awkward)}\0" in decode(done.stdout)


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_every_login_shell_hands_a_plain_script_on_in_its_line(login_shell: str, tmp_path: Path) -> None:
    frame = Frame()
    line, stdin = remote_line(frame.script_watched(Command(("printf", "%s|", "tank/a b@x", "it's"))))
    assert stdin == b""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    with subprocess.Popen([login_shell, "-c", line], stdin=-1, stdout=-1, stderr=-1, env=environment) as process:
        assert process.stdout is not None
        process.wait(10)
        out = process.stdout.read()

    assert frame.begin + b"\ntank/a b@x|it's|" + frame.end(0) + b"0\n" in out


def test_a_script_that_may_not_be_fed_is_never_too_long() -> None:
    frame = Frame()

    assert remote_line(frame.script_fed(Command(("zfs", "receive", "a!\n"))), fed=False)[1] == b""
    with pytest.raises(ValueError):
        remote_line(frame.script_fed(Command(("zfs", "receive", "x" * 100_000))), fed=False)


def test_a_short_script_is_one_word_for_any_login_shell() -> None:
    line, stdin = remote_line(Frame().script([Command(("zfs", "list"))]))

    assert stdin == b""
    assert shlex.split(line)[:2] == ["sh", "-c"]
    assert "\n" not in line  # csh takes no newline between quotes


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(("zfs", "list"), ("sudo", "-n", "zfs", "list"), id="zfs"),
        pytest.param(("/sbin/zpool", "status"), ("sudo", "-n", "/sbin/zpool", "status"), id="zpool-by-path"),
        pytest.param(("rsync", "zfs"), ("rsync", "zfs"), id="other-programs-as-they-are"),
    ],
)
def test_sudo_stands_before_zfs_and_zpool_only(argv: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert expected == with_sudo(argv, sudo=True)
    assert argv == with_sudo(argv, sudo=False)


def test_sudo_is_in_the_script_and_not_in_the_answer() -> None:
    frame = Frame()

    assert "( exec sudo -n zfs list )" in frame.script([Command(("zfs", "list"))], sudo=True)
    assert "exec sudo -n zfs list" in frame.script_watched(Command(("zfs", "list")), sudo=True)
    assert "exec sudo -n zfs receive" in frame.script_fed(Command(("zfs", "receive", "a/b")), sudo=True)


@given(data=st.binary())
def test_text_loses_no_byte(data: bytes) -> None:
    assert data == encode(decode(data))


def test_what_is_kept_of_endless_output_is_its_beginning_and_its_end() -> None:
    clipping = Clipping()
    clipping.add(b"first")
    for _ in range(100):
        clipping.add(b"." * 65536)
    clipping.add(b"last")

    assert clipping.text.startswith("first")
    assert clipping.text.endswith("last")
    assert "bytes left out" in clipping.text
    assert len(clipping.text) < 3 * Clipping.HALF
