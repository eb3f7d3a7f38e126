"""The argument lists of OpenSSH, its answers about itself, and the errors made of its texts."""

from __future__ import annotations

import itertools
import shlex
import shutil
import subprocess

import pytest

from zfsctl.errors import AuthenticationError, HostKeyError, InterruptedOutputError, UnreachableError
from zfsctl.hosts.failures import login_by_hand, login_failure, shown
from zfsctl.hosts.openssh_argv import argv_jump, argv_ssh, parse_known_keys, parse_target
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is missing: apt-get install openssh-client")


def entry(**ssh: object) -> HostEntry:
    return HostEntry("box", "box.lan", SshSettings(**ssh))


def options(argv: tuple[str, ...]) -> list[str]:
    return [value for flag, value in itertools.pairwise(argv) if flag == "-o"]


def effective(argv: tuple[str, ...]) -> dict[str, str]:
    """What OpenSSH itself makes of these arguments."""
    done = subprocess.run(
        [argv[0], "-G", "-F", "none", *argv[1:]], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return {key: value for key, _, value in (line.partition(" ") for line in done.stdout.splitlines())}


@needs_ssh
def test_openssh_takes_the_arguments_as_meant() -> None:
    seen = effective(
        argv_ssh(entry(user="zfsadmin", port=2222, known_hosts="/a b/100%", identity_file="/k/50%", timeout_seconds=7))
    )

    assert seen["hostname"] == "box.lan"
    assert (seen["user"], seen["port"], seen["connecttimeout"]) == ("zfsadmin", "2222", "7")
    assert (seen["batchmode"], seen["stricthostkeychecking"]) in (("yes", "true"), ("yes", "yes"))
    assert seen["identitiesonly"] == "yes"
    assert (seen["serveraliveinterval"], seen["serveralivecountmax"]) == ("15", "4")
    assert (seen["compression"], seen["forwardagent"], seen["forwardx11"]) == ("no", "no", "no")
    assert seen["controlmaster"] in ("false", "no")
    assert "controlpath" not in seen


def test_nothing_of_the_settings_is_given_that_is_not_set() -> None:
    argv = argv_ssh(entry(), "sh -c 'zfs list'")

    assert argv[-3:] == ("--", "box.lan", "sh -c 'zfs list'")
    assert not {"-l", "-p"} & set(argv)
    assert not any(option.startswith(("UserKnownHostsFile", "Identit", "ProxyCommand")) for option in options(argv))


def test_the_host_key_check_is_never_switched_off() -> None:
    for argv in (argv_ssh(entry(proxy_jump="a,b")), argv_jump("a", SshSettings())):
        assert "StrictHostKeyChecking=yes" in options(argv)
        assert "BatchMode=yes" in options(argv)
        assert "NoHostAuthenticationForLocalhost=no" in options(argv)


@pytest.mark.parametrize(
    ("hop", "end", "port", "user"),
    [
        pytest.param("jump", "jump", None, None, id="name"),
        pytest.param("bob@jump:22", "jump", "22", "bob", id="user-and-port"),
        pytest.param("[fd00::1]:22", "fd00::1", "22", None, id="ipv6-and-port"),
        pytest.param("fd00::1", "fd00::1", None, None, id="ipv6"),
    ],
)
def test_a_jump_host(hop: str, end: str, port: str | None, user: str | None) -> None:
    argv = argv_jump(hop, SshSettings())

    assert argv[-4:] == ("-W", "[%h]:%p", "--", end)
    assert (argv[argv.index("-p") + 1] if port else None) == port
    assert (argv[argv.index("-l") + 1] if user else None) == user


def test_two_hops_are_nested_and_each_expands_its_own_names() -> None:
    (proxy,) = [option for option in options(argv_ssh(entry(proxy_jump="a,b"))) if option.startswith("ProxyCommand=")]
    through_b = shlex.split(proxy.removeprefix("ProxyCommand="))
    (inner,) = [option for option in options(tuple(through_b)) if option.startswith("ProxyCommand=")]

    assert through_b[-4:] == ["-W", "[%h]:%p", "--", "b"]
    assert shlex.split(inner.removeprefix("ProxyCommand="))[-4:] == ["-W", "[%%h]:%%p", "--", "a"]


CONFIG = """\
user zfsadmin
hostname 10.0.0.9
port 2222
identityfile ~/.ssh/id_ed25519
identityfile /etc/keys/id
identityagent none
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile ~/.ssh/known_hosts
proxycommand nc -x %h:%p 100%% %r
"""


def test_what_ssh_says_about_a_host() -> None:
    target = parse_target(CONFIG, SshSettings())

    assert (target.user, target.hostname, target.port) == ("zfsadmin", "10.0.0.9", 2222)
    assert target.proxy_command == "nc -x 10.0.0.9:2222 100% zfsadmin"
    assert target.identity_files[0].endswith("/.ssh/id_ed25519")
    assert not target.identity_files[0].startswith("~")
    assert target.identity_files[1] == "/etc/keys/id"
    assert not target.agent
    assert [path.rpartition("/")[2] for path in target.known_hosts] == [
        "known_hosts",
        "ssh_known_hosts",
        "ssh_known_hosts2",
    ]
    assert target.key_names == ("[10.0.0.9]:2222", "10.0.0.9")


def test_settings_come_before_what_ssh_says() -> None:
    target = parse_target(CONFIG + "hostkeyalias vault\n", SshSettings(identity_file="/k", known_hosts="/a b"))

    assert target.identity_files == ("/k",)
    assert target.known_hosts[0] == "/a b"
    assert target.key_names == ("vault",)


def test_a_proxy_jump_of_ssh_config_is_dialled_strictly() -> None:
    target = parse_target("hostname box\nport 22\nuser u\nproxyjump bob@jump\n", SshSettings())

    assert "StrictHostKeyChecking=yes" in target.proxy_command
    assert target.proxy_command.endswith("-W '[box]:22' -- jump")


def test_known_keys() -> None:
    keys = parse_known_keys(
        "# Host box found: line 1\n"
        "box ssh-ed25519 AAA1\n"
        "|1|salt|hash= ssh-rsa AAA2 comment\n"
        "@cert-authority *.lan ssh-ed25519 AAA3\n"
        "@revoked box ssh-rsa AAA2\n"
    )

    assert keys.accepted == {"AAA1"}
    assert keys.revoked == {"AAA2"}
    assert keys.types == ("ssh-ed25519",)
    assert keys.by_authority
    assert not parse_known_keys("box ssh-ed25519 AAA1\n").by_authority
    assert parse_known_keys("").accepted == frozenset()


COMMAND = Command(("zfs", "list"))


@pytest.mark.parametrize(
    ("stderr", "exit_code", "expected"),
    [
        pytest.param("No ED25519 host key is known for box and you have requested strict checking.\r\n"
                     "Host key verification failed.\r\n", 255, HostKeyError, id="unknown-key"),
        pytest.param("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", 255,
                     HostKeyError, id="changed-key"),
        pytest.param("u@box: Permission denied (publickey).", 255, AuthenticationError, id="key-refused"),
        pytest.param("Received disconnect from 10.0.0.9 port 22:2: Too many authentication failures", 255,
                     AuthenticationError, id="too-many-keys"),
        pytest.param("Load key \"/secret/place\": Permission denied\nu@box: Permission denied (publickey).", 255,
                     AuthenticationError, id="key-unreadable"),
        pytest.param("This account is currently not available.", 1, AuthenticationError, id="no-shell"),
        pytest.param("ssh: connect to host box port 22: Connection refused", 255, UnreachableError, id="refused"),
        pytest.param("ssh: Could not resolve hostname box: unknown", 255, UnreachableError, id="name"),
        pytest.param("Connection timed out during banner exchange", 255, UnreachableError, id="silent"),
        pytest.param("kex_exchange_identification: Connection closed by remote host", 255, UnreachableError, id="kex"),
        pytest.param("Connection closed by 10.0.0.9 port 22", 255, UnreachableError, id="closed-before-login"),
        pytest.param("/home/u/.ssh/config: line 3: Bad configuration option: foo", 255, UnreachableError, id="config"),
        pytest.param("", 255, UnreachableError, id="not-a-word"),
        pytest.param("Connection to box closed by remote host.", 255, InterruptedOutputError, id="closed-after-login"),
        pytest.param("client_loop: send disconnect: Broken pipe", 255, InterruptedOutputError, id="broken-pipe"),
        pytest.param("Timeout, server box not responding.", 255, InterruptedOutputError, id="keepalive"),
    ],
)  # fmt: skip
def test_why_a_login_failed(stderr: str, exit_code: int, expected: type[Exception]) -> None:
    error = login_failure(entry(user="u", identity_file="/secret/place"), stderr, exit_code=exit_code, command=COMMAND)

    assert type(error) is expected
    assert error.where == "box"
    assert "/secret/place" not in f"{error}{error.hint}"


def test_a_cut_before_any_command_was_given_is_no_cut_command() -> None:
    error = login_failure(entry(), "client_loop: send disconnect: Broken pipe", exit_code=255, command=None)

    assert type(error) is UnreachableError


def test_what_to_try_is_a_login_by_hand() -> None:
    settings = {"user": "zfsadmin", "port": 2222, "known_hosts": "/k h", "proxy_jump": "j", "identity_file": "/secret"}

    assert login_by_hand(entry(**settings)) == ("ssh -o 'UserKnownHostsFile=/k h' -J j -p 2222 zfsadmin@box.lan true")


def test_a_long_command_is_shown_short_and_on_one_line() -> None:
    text = shown(Command(("zfs", "destroy", "a\nb", "x" * 1000)))

    assert len(text) < 250
    assert "\n" not in text
