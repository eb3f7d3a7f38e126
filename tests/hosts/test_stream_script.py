"""The scripts at both ends of a stream, in every shell that may run them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hosts.loopback import eventually, program
from zfsctl.hosts.framing import Frame
from zfsctl.hosts.stream_script import join_script, receiver_script, sender_script
from zfsctl.model.command import Command

SHELLS = [shell.split() for shell in ("sh", "bash", "bash --posix", "dash", "busybox sh", "ksh", "mksh", "zsh")]
shells = pytest.mark.parametrize("shell", [pytest.param(s, id=" ".join(s)) for s in SHELLS if shutil.which(s[0])])
both_rights = pytest.mark.parametrize("sudo", [False, True], ids=["own", "sudo"])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A host whose zfs is a shell, and whose sudo asks nothing."""
    program(tmp_path / "bin" / "sudo", 'shift; exec "$@"')
    program(tmp_path / "bin" / "zfs", 'exec sh -c "$1"')
    return {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}


def joined(send: str, receive: str, *, sudo: bool, compress: bool) -> tuple[str, Frame, Frame, Frame]:
    frame, sends, receives = Frame(), Frame(), Frame()
    gives = sender_script(sends, Command(("zfs", send)), sudo=sudo, compress=compress)
    takes = receiver_script(receives, sends, Command(("zfs", receive)), sudo=sudo, compress=compress)
    return join_script(frame, f"( {gives.rstrip()} )", f"( {takes.rstrip()} )"), frame, sends, receives


@shells
@both_rights
@pytest.mark.parametrize("order", ["plain", "zstd"])
def test_both_ends_report_in_their_own_frames(
    shell: list[str], sudo: bool, order: str, environment: dict[str, str], tmp_path: Path
) -> None:
    content = os.urandom(3_000_000) + b"\nx\n\0"
    (tmp_path / "data").write_bytes(content)
    script, frame, sends, receives = joined(
        f"cat {tmp_path}/data; echo sent >&2; exit 3",
        f"cat >{tmp_path}/copy; echo received >&2; echo x1; printf x; exit 4",
        sudo=sudo,
        compress=order == "zstd",
    )

    process = subprocess.Popen([*shell, "-c", script], stdin=-1, stdout=-1, stderr=-1, env=environment)
    assert process.stdin is not None
    process.stdin.write(f"{order}\n".encode())
    process.stdin.flush()  # and it stays open: the stream ends by itself
    assert process.wait(20) == 0
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = process.stdout.read(), process.stderr.read()
    process.stdin.close()

    assert (tmp_path / "copy").read_bytes() == content
    can = b" zstd" if order == "zstd" else b" plain"
    begun, ended = b"%s\n%s%s\n", b"%s3\n"
    assert out.startswith(begun % (frame.begin, sends.begin, can) + b"sent\n" + ended % sends.end(0))
    assert out.endswith(frame.end(0) + b"0\n")
    assert err.startswith(
        begun % (frame.begin, receives.begin, can)
        + b"received\n%s4\n" % receives.end(0)
        + b"x1\nx%s4\n" % receives.end(1)
    )
    assert err.endswith(frame.end(0) + b"0\n")


@shells
@both_rights
@pytest.mark.parametrize("order", ["plain", "zstd"])
def test_the_end_of_the_orders_ends_the_sender_and_then_the_receiver(
    shell: list[str], sudo: bool, order: str, environment: dict[str, str], tmp_path: Path
) -> None:
    script, _, _, receives = joined(
        f"echo $$ >{tmp_path}/pid; while echo x && sleep 0.1; do :; done",
        "cat >/dev/null; echo saved; exit 1",
        sudo=sudo,
        compress=order == "zstd",
    )

    process = subprocess.Popen([*shell, "-c", script], stdin=-1, stdout=-1, stderr=-1, env=environment)
    assert process.stdin is not None
    process.stdin.write(f"{order}\n".encode())
    process.stdin.flush()
    assert eventually((tmp_path / "pid").exists)
    _, err = process.communicate(timeout=20)

    assert receives.end(0) + b"1\nsaved\n" + receives.end(1) + b"1\n" in err
    pid = int((tmp_path / "pid").read_text())
    assert eventually(lambda: not Path(f"/proc/{pid}").exists())


@shells
def test_without_an_order_nothing_is_run(shell: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    script, *_ = joined(f"touch {tmp_path}/ran", f"touch {tmp_path}/ran", sudo=False, compress=True)

    subprocess.run([*shell, "-c", script], input=b"", capture_output=True, check=True, timeout=20, env=environment)

    assert not (tmp_path / "ran").exists()


@shells
def test_a_receiver_runs_on_the_stream_alone(shell: list[str], environment: dict[str, str]) -> None:
    sends, receives = Frame(), Frame()
    script = receiver_script(receives, sends, Command(("cat",)), sudo=False, compress=False)
    stream = b"Welcome\n\0\xff no newline" + sends.begin + b" plain\n\n  first\nlast"

    done = subprocess.run(
        [*shell, "-c", script], input=stream, capture_output=True, check=True, timeout=20, env=environment
    )

    assert done.stdout == b""
    assert receives.end(0) + b"0\n\n  first\nlast" + receives.end(1) + b"0\n" in done.stderr


@shells
@pytest.mark.parametrize("cut", [b"", b"Welcome\n", b"BEGIN", b"BEGIN plai"])
def test_a_receiver_does_not_run_on_less_than_an_opening(
    shell: list[str], cut: bytes, environment: dict[str, str], tmp_path: Path
) -> None:
    sends = Frame()
    script = receiver_script(Frame(), sends, Command(("touch", f"{tmp_path}/ran")), sudo=False, compress=True)

    stream = cut.replace(b"BEGIN", sends.begin)
    subprocess.run([*shell, "-c", script], input=stream, capture_output=True, check=True, timeout=20, env=environment)

    assert not (tmp_path / "ran").exists()
