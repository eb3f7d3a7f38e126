"""A policy file that is right becomes exactly the values that it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.config.policies import EXAMPLES, FULL
from zfsctl.config.load import load_policy, load_policy_files
from zfsctl.errors import ConfigError
from zfsctl.model.policy import (
    DatasetRule,
    Hook,
    HostEntry,
    KeepRule,
    Pattern,
    Policy,
    PolicyFile,
    Schedule,
    SshSettings,
    Transport,
)
from zfsctl.model.verdicts import Rule

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str, name: str = "zfsctl.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write_file


def test_every_key_arrives_as_it_is_written(write: Write) -> None:
    path = write(FULL)

    policy = load_policy(path, environ={"HOME": "/home/me"})

    every = SshSettings(user="zfsadmin", known_hosts="/home/me/known", timeout_seconds=30, sudo=True)
    assert policy == PolicyFile(
        files=(str(path),),
        timezone="Europe/Berlin",
        prefix="keeper",
        read_only=True,
        hosts={
            "local": HostEntry("local", ""),
            "alpha": HostEntry("alpha", "alpha.lan", every),
            "vault": HostEntry(
                "vault",
                "10.0.0.9",
                SshSettings("zfsadmin", 2222, None, "/home/me/known", None, 120, False, Transport.OPENSSH),
            ),
            "six": HostEntry(
                "six",
                "fe80::1%eth0",
                SshSettings("root", None, "/k", "/home/me/known", "me@gate.lan:22", 30, True, Transport.FABRIC),
            ),
        },
        policies={
            "critical": Policy(
                "critical",
                (
                    KeepRule(Rule.LAST, count=2, text="2"),
                    KeepRule(Rule.WITHIN, window=2 * 86_400, text="2d"),
                    KeepRule(Rule.HOURLY, window=7 * 86_400, text="7d"),
                    KeepRule(Rule.DAILY, count=14, text="14"),
                    KeepRule(Rule.WEEKLY, count=8, text="8"),
                    KeepRule(Rule.MONTHLY, count=12, text="12"),
                    KeepRule(Rule.YEARLY, count=2, text="2"),
                ),
                Schedule("0 */6 * * *", "0 */6 * * *"),
                skip_empty=True,
            ),
            "pruned-only": Policy("pruned-only", (KeepRule(Rule.LAST, count=1, text="1"),)),
        },
        rules=(
            DatasetRule(
                where=f"{path}: datasets[1]",
                select=(
                    Pattern("tank/photos", "local", "tank/photos"),
                    Pattern("*:rpool/vm", "*", "rpool/vm"),
                    Pattern("local:po:ol", "local", "po:ol"),
                ),
                policy="critical",
                exclude=(
                    Pattern("**/tmp", "*", "**/tmp"),
                    Pattern("alpha:rpool/vm/*", "alpha", "rpool/vm/*"),
                ),
                adopt=("autosnap_*",),
            ),
            DatasetRule(f"{path}: datasets[2]", (Pattern("alpha:tank", "alpha", "tank"),), policy=None),
        ),
        hooks=(
            Hook(
                "freeze-db",
                (Pattern("alpha:rpool/vm/db", "alpha", "rpool/vm/db"),),
                ("/usr/local/bin/freeze", "--all ' of it", ""),
                ("thaw",),
                300,
            ),
        ),
    )
    assert list(policy.hosts) == ["local", "alpha", "vault", "six"]


def test_an_empty_file_has_every_default(write: Write) -> None:
    path = write("")

    assert load_policy(path, environ={}) == PolicyFile(
        files=(str(path),), hosts={"local": HostEntry("local", "", SshSettings())}
    )


def test_what_ssh_says_of_every_host_does_not_reach_this_machine(write: Write) -> None:
    of_all = write('[ssh]\nsudo = true\nuser = "x"\n')
    of_local = write("[hosts]\nlocal = { sudo = true }\n", "local.toml")

    assert load_policy(of_all, environ={}).hosts["local"].ssh == SshSettings()
    assert load_policy(of_local, environ={}).hosts["local"] == HostEntry("local", "", SshSettings(sudo=True))


@pytest.mark.parametrize(
    ("word", "cron"),
    [
        pytest.param("hourly", "0 * * * *"),
        pytest.param("daily", "0 0 * * *"),
        pytest.param("weekly", "0 0 * * 1"),
        pytest.param("monthly", "0 0 1 * *"),
    ],
)
def test_a_schedule_word_stands_for_its_cron_line(write: Write, word: str, cron: str) -> None:
    path = write(f'[policies.x]\nsnapshot = "{word}"\nkeep = {{ last = 1 }}')

    assert load_policy(path, environ={}).policies["x"].schedule == Schedule(word, cron)


@pytest.mark.parametrize("name", ["home-server", "storage-pair"])
def test_the_ready_made_policies_load(name: str) -> None:
    policy = load_policy_files([EXAMPLES / f"{name}.toml"])

    assert policy.rules
    assert {rule.policy for rule in policy.rules if rule.policy} == set(policy.policies)


def test_every_ready_made_policy_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == {"home-server", "storage-pair"}


def test_conf_d_beside_the_file_adds_to_it_in_the_order_of_names(write: Write) -> None:
    write('[hosts]\nalpha = "a"\n[policies.p]\nkeep = { last = 1 }\n[[datasets]]\nselect = ["alpha:t"]\npolicy = "p"\n')
    second = write('[[datasets]]\nselect = ["node2:t"]\npolicy = "p"\n', "conf.d/20-rules.toml")
    first = write(
        '[hosts]\nnode2 = "b"\n[[datasets]]\nselect = ["t/1"]\npolicy = "p"\n'
        '[[datasets]]\nselect = ["t/2"]\npolicy = "q"\n[policies.q]\nkeep = { last = 1 }\n',
        "conf.d/10-nodes.toml",
    )
    write("this is no TOML", "conf.d/.#10-nodes.toml")
    write("this is no TOML", "conf.d/readme.txt")

    policy = load_policy(first.parents[1] / "zfsctl.toml", environ={})

    assert policy.files == (str(first.parents[1] / "zfsctl.toml"), str(first), str(second))
    assert list(policy.hosts) == ["local", "alpha", "node2"]
    assert list(policy.policies) == ["p", "q"]
    assert [(rule.where, rule.select[0].text) for rule in policy.rules] == [
        (f"{policy.files[0]}: datasets[1]", "alpha:t"),
        (f"{first}: datasets[1]", "t/1"),
        (f"{first}: datasets[2]", "t/2"),
        (f"{second}: datasets[1]", "node2:t"),
    ]


def test_the_file_is_the_one_given_else_the_one_of_the_environment(write: Write) -> None:
    given, named = write('prefix = "given"', "a.toml"), write('prefix = "named"', "b.toml")

    assert load_policy(given, environ={"ZFSCTL_CONFIG": str(named)}).prefix == "given"
    assert load_policy(None, environ={"ZFSCTL_CONFIG": str(named)}).prefix == "named"


def test_the_environment_never_sets_policy(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('prefix = "file"')
    for name in ("PREFIX", "READ_ONLY", "TIMEZONE", "POLICIES", "ZFSCTL_PREFIX", "ZFSCTL_POLICIES", "HOSTS"):
        monkeypatch.setenv(name, '{"a": "b"}')

    policy = load_policy(path, environ=dict(os.environ))

    assert (policy.prefix, policy.timezone, policy.read_only, dict(policy.policies)) == ("file", "UTC", False, {})
    assert list(policy.hosts) == ["local"]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "zfsctl.toml"
    path.write_bytes(b'\xef\xbb\xbfprefix = "x"\r\n')

    assert load_policy(path, environ={}).prefix == "x"


def test_importing_what_loads_a_policy_imports_nothing_heavy() -> None:
    code = "import sys, zfsctl.config.load, zfsctl.config.settings, zfsctl.config.durations, zfsctl.config.sizes;"
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not set(done.stdout.split()) & {"pydantic", "pydantic_settings", "tomllib", "cronsim", "zoneinfo", "difflib"}


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as raised:
        load_policy(tmp_path / "none.toml", environ={})

    assert raised.value.hint == "zfsctl config init"
    assert raised.value.where == str(tmp_path / "none.toml")


def test_a_folder_is_no_policy_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        load_policy(tmp_path, environ={})
