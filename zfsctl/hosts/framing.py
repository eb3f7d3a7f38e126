"""What is sent to a remote shell, and how its answer is taken apart. Pure text and bytes, no I/O.

A remote host runs whatever it is given through the login shell of an account that we do not know: it may print
a banner, and ssh's exit code 255 says nothing about the command's (`zfs send -t` exits 255 itself). So every
exchange is one POSIX script that prints a marker, which nobody can guess, before the first command, and one with
the exit code after each command, on stdout and on stderr. What comes before the first marker is not ours; an
answer without its last marker was cut and is never taken for a whole one.

The whole script is one brace group: a shell that reads a script cut in the middle finds no closing brace and
runs nothing of it. Without that, half of `zfs destroy tank/a@b` could arrive as `zfs destroy tank/a`.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from zfsctl.model.command import CONDITION_FAILED, CONDITION_TEXT, MOST_BESIDE, Command, Completed

LONGEST_ARGUMENT = 100_000
"""Bytes of one remote command line beyond which it goes through stdin (Linux: MAX_ARG_STRLEN is 131072)."""

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where zfs and zpool are, and what a non-login PATH often lacks."""

_CHANGED_BY_SHELLS = ("\n", "!", "\\\\", "\\'")
"""csh ends at a newline and expands `!`; fish reads a backslash before another one or before a quote as an escape."""

_SUDO_PROGRAMS = ("zfs", "zpool")


def with_sudo(argv: tuple[str, ...], *, sudo: bool) -> tuple[str, ...]:
    """`sudo -n` in front of zfs and zpool where the host asks for it; other programs as they are."""
    if sudo and PurePosixPath(argv[0]).name in _SUDO_PROGRAMS:
        return ("sudo", "-n", *argv)
    return argv


def check_argv(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return `argv` if a program can be started with it; else ValueError."""
    if not argv or not argv[0] or argv[0].startswith("-"):
        raise ValueError(f"{argv!r} names no program")
    if any("\0" in argument for argument in argv):
        raise ValueError("an argument holds a NUL byte")
    return argv


def decode(data: bytes) -> str:
    """UTF-8 with surrogateescape: no byte is lost."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` was given."""
    return text.encode("utf-8", "surrogateescape")


class Frame:
    """The markers of one exchange and the scripts that print them.

    The script holds the nonce in two parts only, so that a command which prints its own command line, such as
    `ps`, does not print a marker.
    """

    def __init__(self) -> None:
        self._left = secrets.token_hex(10)
        self._right = secrets.token_hex(10)

    @property
    def begin(self) -> bytes:
        """Printed once, before the first command."""
        return f"{self._left}-{self._right}:begin".encode()

    def end(self, index: int) -> bytes:
        """Printed after command number `index`, followed by its exit code and a newline."""
        return f"{self._left}-{self._right}:{index}:".encode()

    def script(self, commands: Sequence[Command], *, sudo: bool = False) -> str:
        """Run all commands one after another, whatever each says, without input but their own `stdin`.

        Those next to each other that may run beside each other do so, a few at a time.
        """
        runs: list[str] = []
        for group in _groups(commands):
            if len(group) == 1:
                runs += [f"{_run(command, sudo=sudo)}; m {i}:$?" for i, command in group]
            else:
                runs += [f"{{ {_run(command, sudo=sudo)}; }} & p{i}=$!" for i, command in group]
                runs += [f'wait "$p{i}"; m {i}:$?' for i, _ in group]
        return self.wrap(f"m begin; {'; '.join(runs)}")

    def script_watched(self, command: Command, *, sudo: bool = False) -> str:
        """Run one command and end it as soon as the script's own standard input ends."""
        run = _run(command, sudo=sudo, more="3<&-")
        # `b` and eval stand for the pid of the last job: csh, as a login shell, expands any exclamation mark.
        # The markers come before the watcher is killed: some shells report the killed job on stderr.
        return self.wrap(
            f'b=$(printf "\\041"); exec 3<&0 </dev/null; m begin; {run} & eval "p=\\$$b"; '
            '( read -r x; kill "$p" ) <&3 3<&- >/dev/null 2>&1 & eval "w=\\$$b"; '
            'wait "$p"; r=$?; m "0:$r"; kill "$w" 2>/dev/null'
        )

    def script_fed(self, command: Command, *, sudo: bool = False) -> str:
        """Run one command on the script's own standard input."""
        return self.wrap(f"m begin; {subshell(command, sudo=sudo)}; m 0:$?")

    def spelled(self, variable: str) -> str:
        """The assignment that gives the nonce to a variable of a script."""
        return f"{variable}={self._left}; {variable}=${variable}-{self._right}"

    def wrap(self, body: str) -> str:
        """A whole script around `body`, which prints markers by `e NAME` on stdout and by `m NAME` on both outputs."""
        return (
            f'{{ LC_ALL=C.UTF-8; TZ=UTC; PATH="${{PATH}}:{SBIN}"; export LC_ALL TZ PATH; '
            f"{self.spelled('n')}; "
            'e() { printf "%s:%s\\n" "$n" "$1"; }; m() { e "$1"; e "$1" >&2; }; '
            f"{body}; exit 0; }}\n"
        )


def _groups(commands: Sequence[Command]) -> Iterator[list[tuple[int, Command]]]:
    """The commands with their numbers, those together that run at the same time."""
    group: list[tuple[int, Command]] = []
    for i, command in enumerate(commands):
        if group and not (command.beside and group[-1][1].beside and len(group) < MOST_BESIDE):
            yield group
            group = []
        group.append((i, command))
    if group:
        yield group


def subshell(command: Command, *, sudo: bool, more: str = "") -> str:
    """One command for a script, in a process of its own; `more` is added to it, such as a redirection."""
    # exec: a word such as `if`, `exit` or `A=b` is looked up as a program, never read as shell syntax.
    argv = shlex.join(with_sudo(check_argv(command.argv), sudo=sudo))
    return f"( exec {argv} {more})"


def _run(command: Command, *, sudo: bool, more: str = "") -> str:
    if command.only_if is not None:
        look = subshell(Command(command.only_if.argv), sudo=sudo)
        seen = shlex.quote(command.only_if.stdout.rstrip("\n"))
        run = _run(Command(command.argv, command.stdin), sudo=sudo, more=more)
        # The space after $( keeps it from being read as arithmetic; $(…) takes newlines off the end.
        return (
            f'if [ "$( {look} </dev/null 2>/dev/null )" = {seen} ]; then {run}; '
            f"else echo {shlex.quote(CONDITION_TEXT)} >&2; ( exit {CONDITION_FAILED} ); fi"
        )
    if command.stdin:
        if "\0" in command.stdin:
            raise ValueError("the input of a command holds a NUL byte")
        # printf is built in, so the text is not bound by the length of an argument; it may die of SIGPIPE.
        return f"printf %s {shlex.quote(command.stdin)} 2>/dev/null | {subshell(command, sudo=sudo, more=more)}"
    return f"{subshell(command, sudo=sudo, more=more)} </dev/null"


def remote_line(script: str, *, fed: bool = True) -> tuple[str, bytes]:
    """The command line for the login shell, and what to feed to its stdin.

    A short script travels in the line, a long one through the input of `sh -s`; so does one with characters that
    csh or fish, as login shells, change between single quotes. With `fed` false the input is not ours to use.

    Raises:
        ValueError: The script is too long and may not be fed.
    """
    line = shlex.join(["sh", "-c", script.rstrip("\n")])
    long = len(encode(line)) > LONGEST_ARGUMENT
    if long and not fed:
        raise ValueError(f"the command is longer than {LONGEST_ARGUMENT} bytes")
    if long or (fed and any(text in line for text in _CHANGED_BY_SHELLS)):
        return "sh -s", encode(script)
    return line, b""


class FrameReader:
    """Takes one stream of a framed answer apart, piece by piece as it arrives.

    What each command printed goes to `sink(index, bytes)`, exactly as printed.
    """

    def __init__(self, frame: Frame, count: int, sink: Callable[[int, bytes], None]) -> None:
        self._frame = frame
        self._count = count
        self._sink = sink
        self._pending = bytearray()
        self._banner = bytearray()
        self.began = False
        self.greeting = ""
        """What stood behind the begin marker on its line."""
        self.exit_codes: list[int] = []

    @property
    def ended(self) -> bool:
        """Whether the last command's end was seen."""
        return self.began and len(self.exit_codes) == self._count

    @property
    def banner(self) -> bytes:
        """The first of what came before the begin marker."""
        return bytes(self._banner)

    @property
    def rest(self) -> bytes:
        """What came after the last marker."""
        return bytes(self._pending)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        self._pending += data
        while not self.ended and self._step():
            pass

    def _step(self) -> bool:
        index = len(self.exit_codes)
        marker = self._frame.end(index) if self.began else self._frame.begin
        at = self._pending.find(marker)
        if at < 0:
            self._give(index, len(self._pending) - _held_back(self._pending, marker))
            return False
        self._give(index, at)
        newline = self._pending.find(b"\n", len(marker))
        if newline < 0:
            return False
        value = bytes(self._pending[len(marker) : newline])
        del self._pending[: newline + 1]
        if self.began:
            self.exit_codes.append(int(value))
        else:
            self.began = True
            self.greeting = decode(value).strip()
        return True

    def _give(self, index: int, length: int) -> None:
        if length <= 0:
            return
        piece = bytes(self._pending[:length])
        del self._pending[:length]
        if self.began:
            self._sink(index, piece)
        elif len(self._banner) < 4096:
            self._banner += piece[:4096]


def _held_back(pending: bytearray, marker: bytes) -> int:
    """How many bytes at the end may be the first part of a marker; the others are output, and wait for nothing."""
    longest = min(len(marker) - 1, len(pending))
    return next((length for length in range(longest, 0, -1) if pending.endswith(marker[:length])), 0)


class Clipping:
    """Bytes kept with a bound: the first and the last of them, and how many are missing between."""

    HALF = 128 * 1024

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._lost = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        room = max(0, self.HALF - len(self._head))
        self._head += data[:room]
        self._tail += data[room:]
        excess = len(self._tail) - self.HALF
        if excess > 0:
            del self._tail[:excess]
            self._lost += excess

    @property
    def text(self) -> str:
        """What was kept; a gap is told in a line of its own."""
        gap = f"\n[{self._lost} bytes left out]\n".encode() if self._lost else b""
        return decode(bytes(self._head + gap + self._tail))


class Transcript:
    """The framed answer to several commands: both streams, taken apart as they arrive."""

    def __init__(self, frame: Frame, commands: Sequence[Command]) -> None:
        self._commands = tuple(commands)
        self._out: list[list[bytes]] = [[] for _ in commands]
        self._err: list[list[bytes]] = [[] for _ in commands]
        self.out = FrameReader(frame, len(self._commands), lambda i, piece: self._out[i].append(piece))
        self.err = FrameReader(frame, len(self._commands), lambda i, piece: self._err[i].append(piece))

    @property
    def began(self) -> bool:
        """Whether the shell at the other end ran the script at all."""
        return self.out.began or self.err.began

    @property
    def ended(self) -> bool:
        """Whether everything has arrived, on both streams."""
        return self.out.ended and self.err.ended

    @property
    def first_unfinished(self) -> Command:
        """The first command whose end was not seen."""
        seen = min(len(self.out.exit_codes), len(self.err.exit_codes))
        return self._commands[min(seen, len(self._commands) - 1)]

    def completed(self) -> tuple[Completed, ...]:
        """How each command ended; only once `ended`."""
        return tuple(
            Completed(command.argv, code, decode(b"".join(out)), decode(b"".join(err)))
            for command, code, out, err in zip(self._commands, self.out.exit_codes, self._out, self._err, strict=True)
        )
