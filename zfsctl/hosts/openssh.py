"""One host through OpenSSH's own program: one connection, shared by every exchange and every long listing.

The connection is a master of ours: an ssh that holds a session which waits for the end of its input. When zfsctl
dies, however it dies, that input ends, and the master with it. A master that is up has logged in, so a login that
fails is told apart from a command that was cut. Should it be gone later, ssh dials by itself, just as strictly.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zfsctl.errors import UnreachableError
from zfsctl.hosts.failures import cut, login_failure, timed_out, unreachable
from zfsctl.hosts.framing import Frame, FrameReader, Transcript, decode, remote_line
from zfsctl.hosts.lines import Framing, ProcessLines
from zfsctl.hosts.openssh_argv import argv_ssh, quoted
from zfsctl.hosts.process import Child, converse, end, exit_code, local_environment, start
from zfsctl.hosts.shared import Shared
from zfsctl.model.command import Command, Completed
from zfsctl.model.policy import HostEntry

_LONGEST_PARENT = 60
_LEAVING_NOTHING = 'trap : TERM; "$@"; r=$?; rmdir "$0" 2>/dev/null; exit $r'
"""Runs ssh, and removes the folder of its socket even when zfsctl was killed meanwhile."""


class OpenSsh:
    """Exchanges and listings over one shared OpenSSH connection. Safe to be used by several threads."""

    def __init__(self, entry: HostEntry) -> None:
        self._entry = entry
        self._shared: Shared[_Master] = Shared(self._dial, lambda it: it.is_up, lambda it: it.close())

    def exchange(self, commands: Sequence[Command], *, timeout: float) -> tuple[Completed, ...]:
        """Run all commands in one framed exchange.

        Raises:
            UnreachableError: No connection, no login or no shell; nothing was carried out.
            HostTimeoutError: No answer in time.
            InterruptedOutputError: The connection was cut.
        """
        frame = Frame()
        line, stdin = remote_line(frame.script(commands, sudo=self._entry.ssh.sudo))
        transcript = Transcript(frame, commands)
        child = self._session(line)
        try:
            converse(
                child,
                to_stdin=stdin,
                on_stdout=transcript.out.feed,
                on_stderr=transcript.err.feed,
                finished=lambda: transcript.ended,
                deadline=time.monotonic() + timeout,
            )
            if not transcript.ended:
                said = decode(transcript.err.banner + transcript.err.rest)
                raise self._broken(child, transcript.first_unfinished, began=transcript.began, said=said)
        except TimeoutError:
            raise timed_out(self._entry.name, transcript.first_unfinished, timeout) from None
        finally:
            end(child)
        return transcript.completed()

    @contextmanager
    def lines(self, command: Command, *, silence: float) -> Iterator[ProcessLines]:
        """Run one command and iterate its output; leaving early ends it on the host too."""
        frame = Frame()
        line, stdin = remote_line(frame.script_watched(command, sudo=self._entry.ssh.sudo))
        child = self._session(line)
        framing = Framing(frame, lambda began, said: self._broken(child, command, began=began, said=said))
        stream = ProcessLines(
            child,
            command,
            host=self._entry.name,
            framing=framing,
            silence=silence,
            to_stdin=stdin,
            keep_stdin=True,
        )
        try:
            yield stream
        finally:
            stream.close()

    def close(self) -> None:
        """End the shared connection."""
        self._shared.close()

    def argv(self, line: str) -> tuple[str, ...]:
        """The ssh that runs `line` over the shared connection, which is dialled first where there is none.

        Where the server allows no more sessions on it, or the connection is gone by then, that ssh dials by itself.

        Raises:
            UnreachableError: No connection or no login.
        """
        options = ("ControlMaster=no", f"ControlPath={quoted(self._shared.get().socket)}")
        return argv_ssh(self._entry, line, options=options)

    def _session(self, line: str) -> Child:
        return start_ssh(self._entry, self.argv(line))

    def _broken(self, child: Child, command: Command, *, began: bool, said: str) -> Exception:
        """The error for a session that ended before its frame did."""
        try:
            code = exit_code(child, time.monotonic() + 1)
        except TimeoutError:
            code = 255
        if began:
            return cut(self._entry.name, command)
        return login_failure(self._entry, said, exit_code=code, command=command)

    def _dial(self) -> _Master:
        """Start a master and wait until it has logged in."""
        folder = Path(tempfile.mkdtemp(prefix="zfsctl-", dir=_socket_parent()))
        frame = Frame()
        line, _ = remote_line(frame.script_fed(Command(("cat",))))
        options = ("ControlMaster=yes", f"ControlPath={quoted(f'{folder}/s')}", "ControlPersist=no")
        out = FrameReader(frame, 1, lambda *_: None)
        err = bytearray()
        limit = self._entry.ssh.timeout_seconds
        child: Child | None = None
        try:
            ssh = argv_ssh(self._entry, line, options=options)
            child = start_ssh(self._entry, ("sh", "-c", _LEAVING_NOTHING, str(folder), *ssh))
            converse(
                child,
                keep_stdin=True,
                on_stdout=out.feed,
                on_stderr=err.extend,
                finished=lambda: out.began,
                # ssh itself gives up after ConnectTimeout and says why.
                deadline=time.monotonic() + limit + 5,
            )
            if not out.began:
                code = exit_code(child, time.monotonic() + 1)
                raise login_failure(self._entry, decode(bytes(err)), exit_code=code, command=None)
            return _Master(child, folder)
        except TimeoutError:
            raise unreachable(self._entry, f"no login within {limit} s") from None
        finally:
            if not out.began:
                if child is not None:
                    end(child)
                shutil.rmtree(folder, ignore_errors=True)


class _Master:
    """An ssh that has logged in and shares its connection through a socket; it ends at the latest with Python."""

    def __init__(self, child: Child, folder: Path) -> None:
        self._child = child
        self._folder = folder
        self._finish = weakref.finalize(self, _finish, child, folder)

    @property
    def is_up(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    @property
    def socket(self) -> str:
        """Where others reach it."""
        return f"{self._folder}/s"

    def close(self) -> None:
        """End it, and the connection with it."""
        self._finish()


def _finish(child: Child, folder: Path) -> None:
    end(child)
    shutil.rmtree(folder, ignore_errors=True)


def start_ssh(entry: HostEntry, argv: tuple[str, ...]) -> Child:
    """Start one of OpenSSH's programs; a machine without them reaches nothing."""
    try:
        return start(argv, environment=local_environment())
    except OSError as error:
        raise UnreachableError(
            f"{entry.name} was not dialled", why=f"{argv[0]}: {error.strerror}", hint="apt-get install openssh-client"
        ) from None


def _socket_parent() -> str:
    """Where the folder of a socket may lie: what systemd gave us, else the place for temporary files.

    Never a long path: that of a socket may have 107 bytes, and ssh adds 17 while it binds.
    """
    for folder in (os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0], tempfile.gettempdir()):
        if os.path.isdir(folder) and len(os.fsencode(folder)) <= _LONGEST_PARENT:
            return folder
    return "/tmp"
