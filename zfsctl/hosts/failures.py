"""What went wrong between us and a host, as typed errors with a line to try.

Why a login failed is told by OpenSSH on stderr only, in the texts of its sshconnect.c, sshconnect2.c, packet.c
and clientloop.c. They count only when our begin marker was never seen: after it stderr is the command's own.
No text of a key's path is passed on.
"""

from __future__ import annotations

import re
import shlex

from zfsctl.errors import (
    AuthenticationError,
    HostKeyError,
    HostTimeoutError,
    InterruptedOutputError,
    UnreachableError,
    ZfsctlError,
)
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry

_LONGEST_SHOWN = 200

_HOST_KEY = re.compile(
    r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known for|REVOKED HOST KEY"
    r"|[Hh]ost key for .* has changed"
)
_AUTHENTICATION = re.compile(r"Permission denied \(|Too many authentication failures|Permission denied, please")
_KEY_FILE = re.compile(r"Load key |not accessible: |UNPROTECTED PRIVATE KEY|bad permissions")
_AFTER_LOGIN = re.compile(
    r"^(?!kex_exchange_identification).*(client_loop: |closed by remote host|Read from remote host|Broken pipe"
    r"|Timeout, server .* not responding)"
)
_NEVER_LOGGED_IN = re.compile(
    r"connect to host|Could not resolve|banner exchange|kex_exchange_identification|Unable to negotiate"
    r"|Connection (timed out|refused|reset|closed)|No route to host|Network is unreachable"
    r"|Bad configuration option|Bad owner or permissions|[Cc]onfiguration option|unknown port"
)


def described(entry: HostEntry) -> str:
    """Where a host is and how we log in, such as `zfsadmin@10.0.0.9 port 2222 through jump.lan`."""
    port = f" port {entry.ssh.port}" if entry.ssh.port else ""
    through = f" through {entry.ssh.proxy_jump}" if entry.ssh.proxy_jump else ""
    return f"{_account(entry)}{port}{through}"


def login_by_hand(entry: HostEntry) -> str:
    """The ssh command that shows a person the same trouble, and asks whether a new key is the right one."""
    argv = ["ssh"]
    if entry.ssh.known_hosts:
        argv += ["-o", f"UserKnownHostsFile={entry.ssh.known_hosts}"]
    if entry.ssh.proxy_jump:
        argv += ["-J", entry.ssh.proxy_jump]
    if entry.ssh.port:
        argv += ["-p", str(entry.ssh.port)]
    return shlex.join([*argv, _account(entry), "true"])


def _account(entry: HostEntry) -> str:
    return f"{entry.ssh.user}@{entry.hostname}" if entry.ssh.user else entry.hostname


def shown(command: Command) -> str:
    """The command for a message, on one line and not endless."""
    text = shlex.join(command.argv).replace("\n", " ")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def timed_out(host: str, command: Command, seconds: float) -> HostTimeoutError:
    """The command was given to the host, and nothing came back in time."""
    return HostTimeoutError(
        f"{shown(command)} on {host} did not answer within {seconds:g} s",
        why="a suspended pool or a host under load; whether the command was carried out is unknown",
        hint=_elsewhere(host, "zpool status -x"),
        where=host,
    )


def cut(host: str, command: Command, why: str = "") -> InterruptedOutputError:
    """The connection ended before the command said that it had ended."""
    return InterruptedOutputError(
        f"{shown(command)} on {host} did not finish its answer",
        why=f"the connection was cut{f' ({why})' if why else ''}; whether the command was carried out is unknown",
        hint=f"zfsctl status --host {shlex.quote(host)}",
        where=host,
    )


def unreachable(entry: HostEntry, why: str) -> UnreachableError:
    """No connection."""
    return UnreachableError(
        f"{entry.name} was not reached as {described(entry)}", why=why, hint=login_by_hand(entry), where=entry.name
    )


def refused_login(entry: HostEntry, why: str) -> AuthenticationError:
    """A connection, but no login, or no shell after it."""
    return AuthenticationError(
        f"{entry.name} did not let us in as {described(entry)}", why=why, hint=login_by_hand(entry), where=entry.name
    )


def unknown_host_key(entry: HostEntry, fingerprint: str = "") -> HostKeyError:
    """No known_hosts file has a key of this host."""
    shows = f", it shows {fingerprint}" if fingerprint else ""
    return HostKeyError(
        f"{entry.name} was not trusted as {described(entry)}",
        why=f"no known_hosts file has a key of it{shows}; log in once by hand, compare, and accept the key",
        hint=login_by_hand(entry),
        where=entry.name,
    )


def key_of_authority(entry: HostEntry) -> HostKeyError:
    """known_hosts names a certificate authority for it, which paramiko cannot read."""
    return HostKeyError(
        f"{entry.name} was not trusted as {described(entry)}",
        why="known_hosts has a certificate authority for it, which only OpenSSH reads; set its transport",
        hint='transport = "openssh"',
        where=entry.name,
    )


def wrong_host_key(entry: HostEntry, fingerprint: str = "") -> HostKeyError:
    """The host shows another key than the known_hosts files say, or one that they revoke."""
    shows = f" {fingerprint}" if fingerprint else ""
    return HostKeyError(
        f"{entry.name} was not trusted as {described(entry)}",
        why=f"it shows another key{shows} than known_hosts has: it was installed anew, or somebody stands between; "
        "compare with this line on the host's own console",
        hint="ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        where=entry.name,
    )


def no_shell(entry: HostEntry, said: str) -> AuthenticationError:
    """The login worked, and then no POSIX shell ran what it was given."""
    first = next((line.strip() for line in said.splitlines() if line.strip()), "")
    return refused_login(entry, f"the account runs no commands{f': {first[:_LONGEST_SHOWN]}' if first else ''}")


def login_failure(entry: HostEntry, stderr: str, *, exit_code: int | None, command: Command | None) -> ZfsctlError:
    """Why an ssh process ended before our begin marker was seen.

    Args:
        stderr: All that it said.
        exit_code: Its own; 255 is ssh's word for its own trouble, another one comes from the account's shell.
        command: What it was given; None when it was given nothing to carry out.
    """
    if found := _line(_HOST_KEY, stderr):
        new = "host key is known for" in stderr and "HAS CHANGED" not in stderr
        return unknown_host_key(entry) if new else wrong_host_key(entry)
    if found := _line(_AUTHENTICATION, stderr):
        unread = "; the identity file cannot be read" if _KEY_FILE.search(stderr) else ""
        return refused_login(entry, found + unread)
    if exit_code not in (255, None):
        return no_shell(entry, stderr)
    if command is not None and (found := _line(_AFTER_LOGIN, stderr)):
        return cut(entry.name, command, found)
    found = _line(_NEVER_LOGGED_IN, stderr) or _line(_AFTER_LOGIN, stderr)
    return unreachable(entry, found or "ssh ended without a word")


def dialled_from(dialler: str, error: ZfsctlError) -> ZfsctlError:
    """The same failure where not this machine dialled but a host, with its own keys and known hosts."""
    hint = _elsewhere(dialler, error.hint) if error.hint else ""
    return type(error)(f"{error.message}, dialled from {dialler}", why=error.why, hint=hint, where=error.where)


def _line(pattern: re.Pattern[str], text: str) -> str:
    """The first line that matches, without ssh's own name in front; empty for none."""
    for line in text.splitlines():
        if pattern.search(line):
            return line.strip().removeprefix("ssh: ")
    return ""


def _elsewhere(host: str, line: str) -> str:
    return f"{line}   # on {host}"
