"""The scripts that run both ends of a stream, wherever they run and whoever joins them. Pure text, no I/O.

A sender's script takes orders on its input: the first line says how the stream is to be packed, and the end of the
input ends the command. A receiver's script reads the stream from its input. Both are ready when they have printed
their begin marker on stderr, and say how they ended there. The stream itself opens with the sender's begin marker on
a line of its own; the receiver's shell reads up to it (a shell reads a pipe byte by byte, never too much), so that
no banner of a login shell gets into `receive`. Thus the two fit together by a mere pipe: between two ssh processes
of this machine, in one shell of one host, or around an ssh that one host runs to reach the other.
"""

from __future__ import annotations

from enum import StrEnum

from zfsctl.hosts.framing import Frame, subshell
from zfsctl.model.command import Command


class Packing(StrEnum):
    """How a stream travels, as the scripts call it."""

    PLAIN = "plain"
    ZSTD = "zstd"


RECEIVER_ENDS = 2
"""What a receiver's script reports: its stderr and exit code, then its stdout and the exit code again."""

_PACK = "zstd -q -c -T1 -3"
_UNPACK = "zstd -q -d -c"
_LAST_JOB = 'b=$(printf "\\041")'
"""`$b` stands for the exclamation mark of the last job's pid: csh, as a login shell, would expand one."""


def sender_script(frame: Frame, command: Command, *, sudo: bool, compress: bool) -> str:
    """Wait for the order, then write the stream to stdout, and end it early when the orders end.

    A command that runs as another user (sudo) cannot be signalled: what it writes to is ended instead.
    """
    run = f"{subshell(command, sudo=sudo, more='3<&-')} </dev/null"
    watched = 'eval "p=\\$$b"; ( read -r x; kill "$p" ) <&3 3<&- >/dev/null 2>&1 & eval "w=\\$$b"; wait "$p"'
    leave = 'kill "$w" 2>/dev/null'
    if sudo:
        source = f't() {{ {run}; e "0:$?" >&2; }}'
        plain, packed = ("{ t | ( exec " + through + " 3<&- ) & }" for through in ("cat", _PACK))
        flow = f"{_either(plain, packed, compress)}; {watched}; {leave}; wait"
    else:
        # The marker comes before the watcher is killed: some shells report the killed job on stderr.
        source = f't() {{ {run} & {watched}; e "0:$?" >&2; {leave}; }}'
        flow = _either("t", f"t | {_PACK} 3<&-", compress)
    return frame.wrap(
        f"{_LAST_JOB}; exec 3<&0 </dev/null; {_greet(compress)}; read -r g <&3; {source}; "
        f'case $g in plain|zstd) e "begin $g"; {flow} ;; esac'
    )


def receiver_script(frame: Frame, sender: Frame, command: Command, *, sudo: bool, compress: bool) -> str:
    """Read the stream of `sender` from stdin, and report on stderr alone; without a stream nothing is run."""
    # Through a variable, as stdout has no way of its own through every join. `receive` prints a few lines at most.
    take = (
        f't() {{ o=$( {subshell(command, sudo=sudo)}; echo "x$?"); r=${{o##*x}}; '
        'e "0:$r" >&2; printf %s "${o%x*}" >&2; e "1:$r" >&2; }'
    )
    return frame.wrap(
        f"{sender.spelled('s')}; {_greet(compress)}; g=; {take}; "
        'while IFS= read -r l; do case $l in *"$s:begin plain") g=plain; break ;; '
        '*"$s:begin zstd") g=zstd; break ;; esac; done; '
        f"case $g in plain|zstd) {_either('t', f'{_UNPACK} | t', compress)} ;; esac"
    )


def join_script(frame: Frame, sender: str, receiver: str) -> str:
    """Both ends in one shell: orders come in on stdin, the sender speaks on stdout and the receiver on stderr.

    Args:
        sender: What runs the sender's script: that script in parentheses, or a command line that runs it elsewhere.
        receiver: The same for the receiver's.
    """
    return frame.wrap(
        "m begin; exec 3<&0 4>&1 </dev/null; "
        f'{{ {sender} <&3 2>&4 3<&- 4>&-; e "0:$?" >&4; }} | '
        f'{{ {receiver} >/dev/null 3<&- 4>&-; e "0:$?" >&2; }}'
    )


def _greet(compress: bool) -> str:
    """Say that we are ready, and whether this host can pack."""
    probe = "command -v zstd >/dev/null 2>&1 && z=zstd; " if compress else ""
    return f'z=plain; {probe}e "begin $z" >&2'


def _either(plain: str, packed: str, compress: bool) -> str:
    if not compress:
        return plain
    return f"case $g in plain) {plain} ;; zstd) {packed} ;; esac"
