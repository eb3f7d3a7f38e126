"""Dial a host for Fabric: only known host keys, only the keys we were told to show, a socket of our own."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypedDict

from zfsctl.errors import UnreachableError, ZfsctlError
from zfsctl.hosts.failures import (
    key_of_authority,
    login_failure,
    refused_login,
    unknown_host_key,
    unreachable,
    wrong_host_key,
)
from zfsctl.hosts.framing import decode
from zfsctl.hosts.openssh import start_ssh
from zfsctl.hosts.openssh_argv import (
    KEEPALIVE_COUNT,
    KEEPALIVE_SECONDS,
    KnownKeys,
    Target,
    argv_ssh,
    parse_known_keys,
    parse_target,
)
from zfsctl.hosts.process import Child, converse, end, exit_code, start
from zfsctl.model.policy import HostEntry

if TYPE_CHECKING:
    import paramiko
    from fabric import Connection

_NEVER = 2**60


class Dialled:
    """A Fabric connection that is up, and the process it goes through, if any."""

    def __init__(self, connection: Connection, proxy: Child | None) -> None:
        self.connection = connection
        self._proxy = proxy

    @property
    def is_up(self) -> bool:
        """Whether nobody has seen it end yet."""
        return bool(self.connection.is_connected)

    def close(self) -> None:
        """Close both."""
        with contextlib.suppress(OSError, EOFError):
            self.connection.client.close()
        if self._proxy is not None:
            end(self._proxy)


def dial(entry: HostEntry) -> Dialled:
    """Connect and log in.

    Raises:
        HostKeyError: The host is unknown, or shows another key.
        AuthenticationError: It accepts no key of ours.
        UnreachableError: No connection.
    """
    target = _target(entry)
    known = _known_keys(entry, target)
    with tempfile.TemporaryFile() as said:
        sock, proxy = _socket(entry, target, said)
        try:
            return Dialled(_connect(entry, target, known, sock), proxy)
        except BaseException as error:
            sock.close()
            if proxy is None:
                raise
            # What stands in between knows better why the host itself was not reached.
            failure = _proxy_failure(entry, proxy, said) if type(error) is UnreachableError else None
            end(proxy)
            if failure is not None:
                raise failure from None
            raise


def _connect(entry: HostEntry, target: Target, known: KnownKeys, sock: socket.socket) -> Connection:
    import paramiko
    from fabric import Config, Connection

    # It logs key paths, and tracebacks to our stderr where nobody set up logging; what went wrong is raised anyway.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)

    limit = entry.ssh.timeout_seconds

    def transport_factory(sock: socket.socket, **options: object) -> paramiko.Transport:
        transport = paramiko.Transport(sock, **options)
        security = transport.get_security_options()
        security.key_types = _preferred(known.types, security.key_types)
        # paramiko can stall when it renews keys by itself; the server's wish to do so is followed.
        transport.packetizer.REKEY_BYTES = transport.packetizer.REKEY_PACKETS = _NEVER
        return transport

    connection = Connection(
        host=target.hostname,
        user=target.user,
        port=target.port,
        # Lazy: no /etc/fabric.*, no ~/.fabric.py (which would be executed), no environment, no ssh_config.
        config=Config(lazy=True, overrides={"load_ssh_configs": False}),
        gateway=False,
        forward_agent=False,
        connect_kwargs={
            "sock": sock,
            "timeout": limit,
            "banner_timeout": limit,
            "auth_timeout": limit,
            "channel_timeout": limit,
            "look_for_keys": False,
            "transport_factory": transport_factory,
            **_credentials(entry, target),
        },
    )
    # Fabric itself sets a policy that accepts any key.
    connection.client.set_missing_host_key_policy(_OnlyKnown(entry, known))
    try:
        connection.open()
    except Exception as error:
        transport = connection.client.get_transport()
        met = transport is not None and transport.initial_kex_done
        connection.client.close()
        if isinstance(error, ZfsctlError):
            raise
        raise _login_refusal(entry, error) if met else _no_connection(entry, error) from None
    connection.transport.set_keepalive(KEEPALIVE_SECONDS)
    return connection


class _OnlyKnown:
    """The host key policy: paramiko asks it for every key, as it is given no known keys itself."""

    def __init__(self, entry: HostEntry, known: KnownKeys) -> None:
        self._entry = entry
        self._known = known

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raise HostKeyError for any key but those of known_hosts."""
        if key.get_base64() in self._known.accepted:
            return
        if self._known.by_authority:
            raise key_of_authority(self._entry)
        if not self._known.accepted and not self._known.revoked:
            raise unknown_host_key(self._entry, key.fingerprint)
        raise wrong_host_key(self._entry, key.fingerprint)


def _preferred(known: Iterable[str], offered: Iterable[str]) -> list[str]:
    """The key types to ask for, those first whose keys we know; an RSA key signs by SHA-2."""
    first = [each for kind in known for each in (("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,))]
    all_types = list(offered)
    return [kind for kind in dict.fromkeys((*first, *all_types)) if kind in all_types]


class _Credentials(TypedDict, total=False):
    """The arguments of paramiko's connect that say with what to log in."""

    key_filename: list[str]
    allow_agent: bool
    pkey: paramiko.AgentKey | None


def _credentials(entry: HostEntry, target: Target) -> _Credentials:
    readable = [path for path in target.identity_files if os.access(path, os.R_OK)]
    if not entry.ssh.identity_file:
        return {"key_filename": readable, "allow_agent": target.agent}
    if not readable:
        raise refused_login(entry, "its identity file cannot be read")
    return {"key_filename": readable, "allow_agent": False, "pkey": _agent_key(readable[0])}


def _agent_key(path: str) -> paramiko.AgentKey | None:
    """The agent's copy of one key (the file may be encrypted), found by its public half; None for none."""
    import paramiko

    try:
        wanted = Path(f"{path}.pub").read_text().split()[1]
    except (OSError, IndexError, UnicodeDecodeError):
        return None
    return next((key for key in paramiko.Agent().get_keys() if key.get_base64() == wanted), None)


def _login_refusal(entry: HostEntry, error: Exception) -> ZfsctlError:
    import paramiko

    if isinstance(error, paramiko.PasswordRequiredException):
        return refused_login(entry, "the key is encrypted, and no agent holds it")
    if isinstance(error, paramiko.BadAuthenticationType):
        return refused_login(entry, f"it accepts none of our keys, only {', '.join(sorted(error.allowed_types))}")
    if "No authentication methods" in str(error):
        return refused_login(entry, "there is no key to show")
    return refused_login(entry, "it accepts none of our keys")


def _no_connection(entry: HostEntry, error: Exception) -> ZfsctlError:
    if isinstance(error, TimeoutError):
        return unreachable(entry, f"no answer within {entry.ssh.timeout_seconds} s")
    if isinstance(error, OSError):
        return unreachable(entry, error.strerror or str(error))
    if "protocol banner" in str(error):
        return unreachable(entry, "it takes connections, but no SSH server answers")
    return unreachable(entry, str(error).splitlines()[0] if str(error) else "it closed the connection")


def _socket(entry: HostEntry, target: Target, said: IO[bytes]) -> tuple[socket.socket, Child | None]:
    if target.proxy_command:
        ours, theirs = socket.socketpair()
        with theirs:
            argv = ("sh", "-c", f"exec {target.proxy_command}")
            proxy = start(argv, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=said)
        return ours, proxy
    try:
        sock = socket.create_connection((target.hostname, target.port), timeout=entry.ssh.timeout_seconds)
    except OSError as error:
        raise _no_connection(entry, error) from None
    # Without it every small packet waits for the acknowledgement of the one before: 40 ms a command.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # paramiko sends keepalives and never looks for their answer; the kernel does.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, KEEPALIVE_SECONDS * KEEPALIVE_COUNT * 1000)
    return sock, None


def _proxy_failure(entry: HostEntry, proxy: Child, said: IO[bytes]) -> ZfsctlError | None:
    """What the process in between said when it ended by itself; None when it was still there."""
    try:
        code = exit_code(proxy, time.monotonic() + 1)
    except TimeoutError:
        return None
    said.seek(0)
    return login_failure(entry, decode(said.read()), exit_code=code, command=None)


def _target(entry: HostEntry) -> Target:
    ask = argv_ssh(entry)
    code, out, err = _ask(entry, (ask[0], "-G", *ask[1:]))
    if code != 0:
        raise login_failure(entry, err, exit_code=255, command=None)
    return parse_target(out, entry.ssh)


def _known_keys(entry: HostEntry, target: Target) -> KnownKeys:
    files = [path for path in target.known_hosts if os.path.exists(path)]
    for name in target.key_names:
        found = [_ask(entry, ("ssh-keygen", "-F", name, "-f", path))[1] for path in files]
        if any(found):
            return parse_known_keys("\n".join(found))
    return parse_known_keys("")


def _ask(entry: HostEntry, argv: tuple[str, ...]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one of OpenSSH's programs that asks nothing of any host."""
    out = bytearray()
    err = bytearray()
    child = start_ssh(entry, argv)
    try:
        deadline = time.monotonic() + entry.ssh.timeout_seconds
        converse(child, on_stdout=out.extend, on_stderr=err.extend, deadline=deadline)
        return exit_code(child, deadline), decode(bytes(out)), decode(bytes(err))
    except TimeoutError:
        raise unreachable(entry, f"{argv[0]} did not end") from None
    finally:
        end(child)
