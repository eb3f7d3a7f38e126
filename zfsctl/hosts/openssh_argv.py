"""The argument lists of OpenSSH's programs, and what `ssh -G` and `ssh-keygen -F` answer.

OpenSSH is asked for the operator's own ssh_config and known_hosts (Include, Match, patterns, hashed names), so
that both transports agree on where a host is and which key it must show.
"""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from zfsctl.model.policy import HostEntry, SshSettings

KEEPALIVE_SECONDS = 15
KEEPALIVE_COUNT = 4

_STRICT = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "NoHostAuthenticationForLocalhost=no",
    "UpdateHostKeys=no",
    "LogLevel=INFO",  # the texts that tell why a login failed
    f"ServerAliveInterval={KEEPALIVE_SECONDS}",
    f"ServerAliveCountMax={KEEPALIVE_COUNT}",
    "Compression=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
)


def argv_ssh(
    entry: HostEntry,
    line: str = "",
    *,
    options: Iterable[str] = ("ControlMaster=no", "ControlPath=none"),
) -> tuple[str, ...]:
    """ssh with strict host keys and no way to ask, running `line` in the login shell of the account.

    Args:
        line: A command line for the remote shell, already quoted; without one, nothing is appended.
        options: More `-o` options; the default shares no connection with anything.
    """
    settings = entry.ssh
    argv = ["ssh", "-T", "-x", "-a", "-e", "none"]
    for option in (*_STRICT, "RemoteCommand=none", "ClearAllForwardings=yes", *options):
        argv += ["-o", option]
    argv += _login_options(settings)
    if settings.proxy_jump:
        # ssh -J would dial the jump host without these strict options.
        argv += ["-o", f"ProxyCommand={shlex.join(argv_jump(settings.proxy_jump, settings))}"]
    if settings.user:
        argv += ["-l", settings.user]
    if settings.port:
        argv += ["-p", str(settings.port)]
    return (*argv, "--", entry.hostname, *([line] if line else []))


def argv_jump(proxy_jump: str, settings: SshSettings) -> tuple[str, ...]:
    """ssh to the last of the comma-separated hops, forwarding to `%h` and `%p`, through the hops before it."""
    *before, last = [hop.strip() for hop in proxy_jump.split(",")]
    argv = ["ssh", "-T", "-x", "-a"]
    for option in (*_STRICT, "ControlMaster=no", "ControlPath=none"):
        argv += ["-o", option]
    argv += _login_options(settings)
    if before:
        inner = shlex.join(argv_jump(",".join(before), settings))
        # One ssh level further out: its own % signs must survive that expansion.
        argv += ["-o", f"ProxyCommand={inner}".replace("%", "%%")]
    user, at, hop = last.rpartition("@")
    host, _, port = hop.rpartition(":")
    if port.isdigit() and host and (":" not in host or host.endswith("]")):
        argv += ["-p", port]
        hop = host
    if at:
        argv += ["-l", user]
    return (*argv, "-W", "[%h]:%p", "--", hop.strip("[]"))


def quoted(path: str) -> str:
    """A path as the value of an option, which may hold blanks and per cent signs."""
    return f'"{path.replace("%", "%%")}"'


def _login_options(settings: SshSettings) -> list[str]:
    options = ["-o", f"ConnectTimeout={settings.timeout_seconds}"]
    if settings.known_hosts:
        options += ["-o", f"UserKnownHostsFile={quoted(settings.known_hosts)}"]
    if settings.identity_file:
        # Not -i: when that file is missing, ssh takes the account's other keys instead.
        options += ["-o", "IdentitiesOnly=yes", "-o", f"IdentityFile={quoted(settings.identity_file)}"]
    return options


@dataclass(frozen=True, slots=True)
class Target:
    """Where OpenSSH would dial, and with what."""

    hostname: str
    port: int
    user: str
    identity_files: tuple[str, ...]
    """Expanded; they need not exist."""
    agent: bool
    """Whether keys of the agent may be tried."""
    known_hosts: tuple[str, ...]
    host_key_alias: str
    proxy_command: str
    """Expanded, for a shell; empty for a direct connection."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names under which its key may stand in known_hosts; the first that has one counts."""
        if self.host_key_alias:
            return (self.host_key_alias,)
        return (self.hostname,) if self.port == 22 else (f"[{self.hostname}]:{self.port}", self.hostname)


def parse_target(text: str, settings: SshSettings) -> Target:
    """What `ssh -G` printed, for a connection with these settings."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key.lower(), []).append(value)

    def first(key: str) -> str:
        value = values.get(key, [""])[0]
        return "" if value == "none" else value

    hostname, port, user = first("hostname"), int(first("port") or 22), first("user")
    proxy = first("proxycommand")
    if jump := first("proxyjump"):
        proxy = shlex.join(argv_jump(jump, settings))
    tokens = {"%%": "%", "%h": hostname, "%p": str(port), "%r": user, "%n": hostname}
    known_hosts = [settings.known_hosts] if settings.known_hosts else first("userknownhostsfile").split()
    identities = [settings.identity_file] if settings.identity_file else values.get("identityfile", [])
    return Target(
        hostname=hostname,
        port=port,
        user=user,
        identity_files=tuple(_expanded(path) for path in identities if path != "none"),
        agent=not settings.identity_file and values.get("identityagent", [""])[0] != "none",
        known_hosts=tuple(_expanded(path) for path in (*known_hosts, *first("globalknownhostsfile").split())),
        host_key_alias=first("hostkeyalias"),
        proxy_command=_replaced(proxy, tokens),
    )


def _replaced(text: str, tokens: dict[str, str]) -> str:
    """Each token once, from left to right, so that `%%h` stays `%h`."""
    out = []
    rest = text
    while "%" in rest:
        before, _, after = rest.partition("%")
        out += [before, tokens.get(f"%{after[:1]}", f"%{after[:1]}")]
        rest = after[1:]
    return "".join((*out, rest))


def _expanded(path: str) -> str:
    """`~/` as OpenSSH reads it: the home directory of the account, whatever HOME says."""
    if not path.startswith("~/"):
        return path
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a user id without an account, as in a container
        home = os.environ.get("HOME", "/")
    return os.path.join(home, path[2:])


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The host keys that the known_hosts files have for one host, as the base64 text of their lines."""

    accepted: frozenset[str]
    revoked: frozenset[str]
    types: tuple[str, ...]
    """Key types of the accepted ones, in the order of the files."""
    by_authority: bool = False
    """Whether a certificate authority may vouch for it, which only OpenSSH itself can tell."""


def parse_known_keys(text: str) -> KnownKeys:
    """What `ssh-keygen -F` printed."""
    accepted: dict[str, str] = {}
    revoked: set[str] = set()
    by_authority = False
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 4 and fields[0] == "@revoked":
            revoked.add(fields[3])
        elif fields and fields[0] == "@cert-authority":
            by_authority = True
        elif len(fields) >= 3 and fields[0][0] not in "#@":
            accepted.setdefault(fields[2], fields[1])
    good = {key: kind for key, kind in accepted.items() if key not in revoked}
    return KnownKeys(frozenset(good), frozenset(revoked), tuple(dict.fromkeys(good.values())), by_authority)
