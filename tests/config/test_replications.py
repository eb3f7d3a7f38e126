"""`[[replications]]`: what is right becomes values; what is wrong is refused with place, reason and near match."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.policies import REPLICATED
from zfsctl.config.load import load_policy_files
from zfsctl.errors import ConfigError
from zfsctl.model.policy import KeepRule, Pattern, PolicyFile
from zfsctl.model.replication import Chosen, Initial, Raw, Repair, Replication, Route
from zfsctl.model.verdicts import Rule

HEAD = """
[hosts]
node01 = "n1.lan"
node02 = "n2.lan"
vault = "vault.lan"
cellar = "cellar.lan"
[policies.hourly]
snapshot = "hourly"
keep = { last = 1 }
[policies.prune]
keep = { last = 1 }
"""


def load(folder: Path, text: str) -> PolicyFile:
    path = folder / "zfsctl.toml"
    path.write_text(text)
    return load_policy_files([path])


def replication(sender: str, receiver: str, *more: str, name: str = "one") -> str:
    lines = [f'name = "{name}"', f'sender = "{sender}"', f'receiver = "{receiver}"', *more]
    return "\n".join(["[[replications]]", *lines, ""])


def rule(select: str, policy: str = "hourly", *more: str) -> str:
    return "\n".join(["[[datasets]]", f'select = ["{select}"]', f'policy = "{policy}"', *more, ""])


def line(text: str) -> str:
    """A replication that is right but for these lines, which may replace its own."""
    own = {"name": '"one"', "sender": '"node01:tank"', "receiver": '"vault:bk/tank"'}
    keys = [one.partition("=")[0].strip() for one in text.split("\n")]
    lines = [f"{name} = {value}" for name, value in own.items() if name not in keys]
    return "\n".join([HEAD, "[[replications]]", *lines, text, ""])


def flows(*texts: str) -> str:
    return "\n".join([HEAD, *texts])


ONE = "replications[1]"

# text, key path, in the message, in what was expected, hint
WRONG = [
    pytest.param("[replications]\nname = 'x'", "replications", "not an array of tables", "[[replications]]", ""),
    pytest.param(HEAD + "[[replications]]\nsender = 't'\nreceiver = 'b/t'", ONE, "`name` is missing", "nightly", ""),
    pytest.param(HEAD + "[[replications]]\nname = 'x'\nreceiver = 'b/t'", ONE, "`sender` is missing", "alpha:", ""),
    pytest.param(HEAD + "[[replications]]\nname = 'x'\nsender = 't'", ONE, "`receiver` is missing", "{host}", ""),
    pytest.param(line("max_dely = '3d'"), f"{ONE}.max_dely", "unknown key", "away", "did you mean `max_delay`?"),
    pytest.param(line("keep = { daly = 3 }"), f"{ONE}.keep.daly", "unknown key", "daily", "did you mean `daily`?"),
    pytest.param(line("keep = {}"), f"{ONE}.keep", "keeps nothing", "daily = 14", ""),
    pytest.param(line('keep = "hourly"'), f"{ONE}.keep", "'hourly'", "a table", ""),
    # single values
    pytest.param(line('name = "Nodes"'), f"{ONE}.name", "no name of a replication", "small letters", ""),
    pytest.param(line('name = "-a"'), f"{ONE}.name", "no name of a replication", "small letters", ""),
    pytest.param(line('name = "a_b"'), f"{ONE}.name", "no name of a replication", "small letters", ""),
    pytest.param(line(f'name = "{"x" * 33}"'), f"{ONE}.name", "no name of a replication", "at most 32", ""),
    pytest.param(line("name = 1"), f"{ONE}.name", "1 is not text", "", ""),
    pytest.param(line('route = "pul"'), f"{ONE}.route", "'pul' is not known", "relay, push", "did you mean `pull`?"),
    pytest.param(line("route = true"), f"{ONE}.route", "true is not text", "one of relay", ""),
    pytest.param(line('repair = "Auto"'), f"{ONE}.repair", "not known", "never, ask, auto", "did you mean `auto`?"),
    pytest.param(line('raw = "yes"'), f"{ONE}.raw", "not known", "one of auto, never, always", ""),
    pytest.param(line('initial = "newst"'), f"{ONE}.initial", "not known", "", "did you mean `newest`?"),
    pytest.param(line('snapshots = "own"'), f"{ONE}.snapshots", "not known", "owned, all", "did you mean `owned`?"),
    pytest.param(line('bandwidth = "50MB"'), f"{ONE}.bandwidth", "no size", "50MiB", "did you mean `50M`?"),
    pytest.param(line("bandwidth = 50"), f"{ONE}.bandwidth", "50 is not text", "in quotes", 'write "50M"'),
    pytest.param(line('bandwidth = "0M"'), f"{ONE}.bandwidth", "nothing at all", "", ""),
    pytest.param(line("parallel = 0"), f"{ONE}.parallel", "0 is no number", "1 to 64", ""),
    pytest.param(line("parallel = -1"), f"{ONE}.parallel", "-1 is no number", "1 to 64", ""),
    pytest.param(line("parallel = 65"), f"{ONE}.parallel", "65 is no number", "1 to 64", ""),
    pytest.param(line("parallel = true"), f"{ONE}.parallel", "true is no number", "1 to 64", ""),
    pytest.param(line('parallel = "2"'), f"{ONE}.parallel", "'2' is no number", "without quotes", ""),
    pytest.param(line('pending_limit = "2 weeks"'), f"{ONE}.pending_limit", "no duration", "", "did you mean `2w`?"),
    pytest.param(line('away = "1month"'), f"{ONE}.away", "no duration", "s m h d w", "did you mean `30d`?"),
    pytest.param(line("warn_after = 24"), f"{ONE}.warn_after", "24 is not text", "", 'write "24s"'),
    pytest.param(line('compress = "zstd"'), f"{ONE}.compress", "'zstd'", "true or false", ""),
    pytest.param(line('properties = "atime"'), f"{ONE}.properties", "not a list", '["atime"]', ""),
    pytest.param(line("properties = [1]"), f"{ONE}.properties[1]", "1 is not text", "", ""),
    pytest.param(
        line('properties = ["atime", "compresion"]'),
        f"{ONE}.properties[2]",
        "no property",
        "user property",
        "did you mean `compression`?",
    ),
    pytest.param(line('properties = ["used"]'), f"{ONE}.properties[1]", "no property", "", "*", id="a-statistic"),
    pytest.param(line('properties = ["Com.x:y"]'), f"{ONE}.properties[1]", "no property", "", "*", id="capitals"),
    pytest.param(line('properties = ["mountpoint"]'), f"{ONE}.properties[1]", "never carried over", "atime", ""),
    pytest.param(line('properties = ["readonly"]'), f"{ONE}.properties[1]", "never carried over", "atime", ""),
    pytest.param(line('properties = ["zfsctl:policy"]'), f"{ONE}.properties[1]", "zfsctl's own", "", ""),
    pytest.param(line('properties = ["atime", "atime"]'), f"{ONE}.properties", "stands there twice", "once", ""),
    # sender
    pytest.param(line('sender = "node01:tank/*"'), f"{ONE}.sender", "wildcard", "another [[replications]]", ""),
    pytest.param(line('sender = "tank/**"'), f"{ONE}.sender", "wildcard", "all below it goes with it", ""),
    pytest.param(line('sender = "node01:tank@x"'), f"{ONE}.sender", "snapshot or bookmark", "a name", ""),
    pytest.param(line('sender = "node01:"'), f"{ONE}.sender", "names no dataset", "", ""),
    pytest.param(line('sender = "{host}:tank"'), f"{ONE}.sender", "no host name", "", ""),
    pytest.param(line("sender = ['tank']"), f"{ONE}.sender", "a list is not text", "alpha:tank/vm", ""),
    pytest.param(
        line('sender = "nod01:tank"'), f"{ONE}.sender", "no host 'nod01'", "one of local, node01", "mean `node01`?"
    ),
    pytest.param(line('sender = "web*:tank"'), f"{ONE}.sender", "'web*' matches no host", "one of local", ""),
    pytest.param(
        line('sender = "tank/x.zfsctl-aside-20260101T000000Z/y"'), f"{ONE}.sender", "sets aside", "that stays", ""
    ),
    # receiver
    pytest.param(line('receiver = "vault:bk/x.zfsctl-new-1"'), f"{ONE}.receiver", "sets aside or builds", "", ""),
    pytest.param(line('receiver = "vaul:bk/tank"'), f"{ONE}.receiver", "no host 'vaul'", "", "did you mean `vault`?"),
    pytest.param(line('receiver = "va*:bk/tank"'), f"{ONE}.receiver", "wildcard", "", "*"),
    pytest.param(line('receiver = "vault:bk/*/x"'), f"{ONE}.receiver", "wildcard", "{host}", "vault:bk/{host}/x"),
    pytest.param(line('receiver = "{host}:bk/x"'), f"{ONE}.receiver", "one receiving host", "", ""),
    pytest.param(line('receiver = "vault:bk/{hst}"'), f"{ONE}.receiver", "{hst}", "{host}", "did you mean `{host}`?"),
    pytest.param(line('receiver = "vault:bk/{Host}"'), f"{ONE}.receiver", "{Host}", "", "did you mean `{host}`?"),
    pytest.param(line('receiver = "vault:bk/{}"'), f"{ONE}.receiver", "placeholder {}", "{host}", "*"),
    pytest.param(line('receiver = "vault:bk/{dataset}"'), f"{ONE}.receiver", "{dataset}", "{host}", ""),
    pytest.param(line('receiver = "vault:bk/{host"'), f"{ONE}.receiver", "does not allow", "", ""),
    pytest.param(line('receiver = "vault:bk//x"'), f"{ONE}.receiver", "between two slashes", "", ""),
    pytest.param(line('receiver = "vault:bk/x@y"'), f"{ONE}.receiver", "does not allow", "", ""),
    pytest.param(line('receiver = "vault:bk/x "'), f"{ONE}.receiver", "space", "", ""),
    pytest.param(line('receiver = "vault:bk/ x"'), f"{ONE}.receiver", "space", "", ""),
    pytest.param(line('receiver = "vault:mirror/x"'), f"{ONE}.receiver", "reserved", "", ""),
    pytest.param(
        '[hosts]\nmirror1 = "m.lan"\n' + replication("mirror1:tank", "{host}/x"),
        f"{ONE}.receiver",
        "reserved",
        "does not come from {host}",
        "",
        id="pool-named-after-a-host",
    ),
    pytest.param(line('receiver = "vault:bk"'), f"{ONE}.receiver", "root of a pool", "bk/backup", ""),
    pytest.param(line('receiver = "vault:{host}"'), f"{ONE}.receiver", "root of a pool", "", ""),
    pytest.param(
        line(f'receiver = "vault:bk/{"x" * 250}"'), f"{ONE}.receiver", "253 bytes", "at most 194", "", id="long-name"
    ),
    pytest.param(
        line(f'receiver = "vault:bk/{{host}}/{"x" * 185}"'),
        f"{ONE}.receiver",
        "195 bytes",
        "at most 194",
        "",
        id="host",
    ),
    pytest.param(
        line(f'receiver = "vault:bk/{"x" * 222}"\nrepair = "never"'),
        f"{ONE}.receiver",
        "225 bytes",
        "at most 224",
        "",
        id="a-little-longer-where-nothing-is-set-aside",
    ),
    # between the values of one replication
    pytest.param(
        line('warn_after = "2d"\nmax_delay = "1d"'),
        f"{ONE}.max_delay",
        "shorter",
        "a warning first",
        'max_delay = "2d"',
    ),
    pytest.param(
        line('warn_after = "96h"'),
        f"{ONE}.warn_after",
        "3d is shorter than warn_after 4d, max_delay by default",
        "",
        "4d",
    ),
    pytest.param(
        line('pending_limit = "3d"'),
        f"{ONE}.pending_limit",
        "pending_limit 3d is not longer than max_delay 3d, which is the default",
        "an alarm before the sender lets go",
        'pending_limit = "10d", or a shorter max_delay',
        id="a-sender-that-lets-go-before-the-alarm",
    ),
    pytest.param(
        line('away = "30d"\npending_limit = "14d"'),
        f"{ONE}.pending_limit",
        "pending_limit 14d is not longer than away 30d",
        "an alarm before",
        'pending_limit = "37d"',
        id="a-sender-that-lets-go-while-it-may-be-away",
    ),
    pytest.param(
        line('max_delay = "12h"'),
        f"{ONE}.max_delay",
        "12h is shorter than warn_after 1d, warn_after by default",
        "",
        "1d",
    ),
    pytest.param(
        line('sender = "node*:tank/vm"\nreceiver = "vault:bk/nodes/vm"'),
        f"{ONE}.receiver",
        "node01, node02 would arrive in one dataset",
        "{host}",
        'receiver = "vault:bk/{host}/nodes/vm"',
        id="several-hosts-without-a-placeholder",
    ),
    pytest.param(
        line('sender = "*:tank/vm"'), f"{ONE}.receiver", "local, node01, node02, ... would", "", "*", id="all-hosts"
    ),
    pytest.param(line('route = "local"'), f"{ONE}.route", "node01 sends to vault", "relay", 'route = "relay"'),
    pytest.param(
        line('receiver = "node01:bk/tank"\nroute = "push"'), f"{ONE}.route", "node01 dial itself", "local", '"local"'
    ),
    pytest.param(
        line('receiver = "node01:bk/tank"\nroute = "pull"'), f"{ONE}.route", "node01 dial itself", "local", '"local"'
    ),
    pytest.param(
        line('sender = "node*:tank"\nreceiver = "node01:bk/{host}"\nroute = "push"'),
        f"{ONE}.route",
        "node01 dial itself",
        "else relay",
        'route = "relay"',
        id="push-where-one-of-the-senders-is-the-receiver",
    ),
    pytest.param(
        line('receiver = "bk/tank"\nroute = "push"'),
        f"{ONE}.route",
        "make node01 dial this machine",
        "this machine dials node01",
        'route = "relay"',
        id="push-to-this-machine",
    ),
    pytest.param(
        line('sender = "tank"\nroute = "pull"'),
        f"{ONE}.route",
        "make vault dial this machine",
        "this machine dials vault",
        'route = "relay"',
        id="pull-from-this-machine",
    ),
    *(
        pytest.param(
            line(f'route = "{route}"\nbandwidth = "1MiB"'),
            f"{ONE}.bandwidth",
            "cannot be held back",
            "relay, whose bytes go through this machine",
            'route = "relay"',
            id=f"a-bandwidth-for-{route}",
        )
        for route in ("push", "pull")
    ),
    pytest.param(
        line('receiver = "node01:bk/tank"\nroute = "local"\nbandwidth = "1MiB"'),
        f"{ONE}.bandwidth",
        "cannot be held back",
        "or no bandwidth",
        'route = "relay"',
        id="a-bandwidth-within-one-host",
    ),
    pytest.param(
        line('sender = "tank"\nreceiver = "tank/backup"'),
        f"{ONE}.receiver",
        "tank/backup lies inside tank, its own sender",
        "outside the sender's tree",
        "",
        id="receiver-inside-its-sender",
    ),
    pytest.param(
        line('sender = "tank/a/b"\nreceiver = "tank/a"'),
        f"{ONE}.receiver",
        "holds tank/a/b",
        "outside",
        "",
        id="reverse",
    ),
    pytest.param(line('sender = "t/a"\nreceiver = "local:t/a"'), f"{ONE}.receiver", "sent to itself", "outside", ""),
    pytest.param(
        line('sender = "*:tank"\nreceiver = "vault:tank/{host}"'),
        f"{ONE}.receiver",
        "vault:tank/vault lies inside vault:tank",
        'whose host is not vault: "*" matches it',
        "",
        id="receiver-inside-the-tree-of-one-of-its-senders",
    ),
    # between replications
    pytest.param(
        flows(replication("node01:a", "vault:bk/a"), replication("node01:b", "vault:bk/b")),
        "replications[2].name",
        "two replications called 'one'",
        "replications[1]",
        "",
        id="two-of-one-name",
    ),
    pytest.param(
        flows(replication("node01:a", "vault:bk/x"), replication("node02:a", "vault:bk/x", name="two")),
        "replications[2].receiver",
        "vault:bk/x is already the receiver of 'one'",
        "replications[1]",
        "",
        id="one-receiver-of-two",
    ),
    pytest.param(
        flows(replication("node01:a", "vault:bk/y"), replication("node02:a", "vault:bk/y/x", name="two")),
        "replications[2].receiver",
        "vault:bk/y/x lies inside vault:bk/y, the receiver of 'one'",
        "no other replication touches",
        "",
        id="receiver-inside-another",
    ),
    pytest.param(
        flows(replication("node01:a", "vault:bk/y/x"), replication("node02:a", "vault:bk/y", name="two")),
        "replications[2].receiver",
        "vault:bk/y holds vault:bk/y/x, the receiver of 'one'",
        "",
        "",
        id="receiver-around-another",
    ),
    pytest.param(
        flows(replication("node*:a", "vault:bk/{host}"), replication("node02:b", "vault:bk/node02/b", name="two")),
        "replications[2].receiver",
        "lies inside vault:bk/node02, the receiver of 'one'",
        "",
        "",
        id="receiver-inside-that-of-one-host-of-many",
    ),
    pytest.param(
        flows(
            replication("node01:a", "node02:bk/a"),
            replication("node02:bk/a", "node01:a/b", "keep = { last = 1 }", name="two"),
        ),
        "replications[2].receiver",
        "comes back to it: 'two' -> 'one' -> 'two'",
        "lead away",
        "",
        id="there-and-back",
    ),
    pytest.param(
        flows(
            replication("node01:a/w/x", "node02:b/x", "keep = { last = 1 }"),
            replication("node02:b", "vault:c/y", "keep = { last = 1 }", name="two"),
            replication("vault:c/y/z", "node01:a/w", "keep = { last = 1 }", name="three"),
        ),
        "replications[3].receiver",
        "'three' -> 'one' -> 'two' -> 'three'",
        "",
        "",
        id="in-a-circle-of-three",
    ),
    # replications and rules
    pytest.param(
        flows(rule("tank"), replication("tank", "tank/backup")),
        f"{ONE}.receiver",
        "its own sender",
        "",
        "",
        id="snapshots-on-a-receiver-inside-its-sender-are-one-mistake",
    ),
    pytest.param(
        flows(rule("vault:bk"), replication("node01:a", "vault:bk/a")),
        "datasets[1].select",
        "policy 'hourly' takes snapshots of vault:bk/a, a receiver of 'one'",
        "replications[1]; a policy without `snapshot` may prune there",
        'exclude = ["vault:bk/a"]',
        id="snapshots-on-a-receiver",
    ),
    pytest.param(
        flows(rule("*:**", "prune"), rule("vault:b*"), replication("node*:a", "vault:bk/{host}/a")),
        "datasets[2].select",
        "snapshots of vault:bk/node01/a,",
        "",
        'exclude = ["vault:bk/*/a"]',
        id="snapshots-on-the-receivers-of-many-hosts",
    ),
    pytest.param(
        flows(rule("vault:bk", "prune"), replication("node01:a", "vault:bk/a", "keep = { daily = 3 }")),
        "datasets[1].select",
        "policy 'prune' prunes vault:bk/a, and so does the keep of 'one'",
        "what one keeps the other destroys; see ",
        'exclude = ["vault:bk/a"]',
        id="a-policy-and-a-keep-for-one-receiver",
    ),
    pytest.param(
        flows(rule("usb/a/x/*"), replication("node01:a", "usb/a")),
        "datasets[1].select",
        'snapshots of "usb/a/x/*", inside usb/a,',
        "",
        "remove it",
        id="snapshots-inside-a-receiver",
    ),
    pytest.param(
        flows(replication("node01:a", "vault:bk/a"), replication("vault:bk/a", "cellar:bk/a", name="two")),
        "replications[2]",
        "vault:bk/a is a receiver of 'one', and neither a policy nor a keep",
        "what cellar:bk/a keeps",
        "keep = {",
        id="sent-on-without-any-rule-for-what-is-kept",
    ),
    pytest.param(
        flows(
            rule("vault:bk", "prune", 'exclude = ["vault:bk/a"]'),
            replication("vault:bk", "cellar:bk/vault", name="two"),
            replication("node01:a", "vault:bk/a"),
        ),
        "replications[1]",
        "`keep` is missing: vault:bk/a is a receiver of 'one'",
        "cellar:bk/vault",
        "*",
        id="sent-on-from-above-and-excluded-from-the-policy-there",
    ),
]


@pytest.mark.parametrize(("text", "key", "message", "expected", "hint"), WRONG)
def test_what_is_wrong_is_refused_with_place_reason_and_near_match(
    tmp_path: Path, text: str, key: str, message: str, expected: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)

    error = raised.value
    assert error.where == f"{tmp_path / 'zfsctl.toml'}: {key}"
    assert "\n" not in error.message, "one mistake is one error"
    assert message in error.message
    assert expected in error.why
    if hint != "*":
        assert (hint in error.hint) if hint else not error.hint


RIGHT = [
    pytest.param(replication("tank", "usb/tank"), id="on-this-machine"),
    pytest.param(replication("node01:tank", "node01:bk/tank", 'route = "relay"'), id="one-host-through-this-machine"),
    pytest.param(replication("tank", "vault:bk/tank", 'route = "push"'), id="this-machine-pushes"),
    pytest.param(replication("node01:tank", "bk/tank", 'route = "pull"'), id="this-machine-pulls"),
    pytest.param(
        replication("tank", "vault:bk/tank", 'route = "push"\nbandwidth = "1MiB"'), id="this-machine-pushes-slowly"
    ),
    pytest.param(
        replication("node01:tank", "bk/tank", 'route = "pull"\nbandwidth = "1MiB"'), id="this-machine-pulls-slowly"
    ),
    pytest.param(replication("node01:tank/a", "node01:tank/b"), id="side-by-side-in-one-pool"),
    pytest.param(replication("node01:tank", "vault:tank/tank"), id="the-same-pool-name-on-another-host"),
    pytest.param(replication("node01:tank/a", "node01:tank/a2"), id="a-name-that-only-begins-alike"),
    pytest.param(replication("*1:tank", "vault:bk/tank"), id="a-pattern-that-one-host-has"),
    pytest.param(replication("*:tank", "vault:bk/{host}/{host}-tank"), id="the-receiver-among-the-senders"),
    pytest.param(replication("node01:a", f"vault:bk/{'x' * 191}"), id="as-long-as-a-name-may-be"),
    pytest.param(line('warn_after = "72h"'), id="warning-and-alarm-at-once"),
    pytest.param(
        replication("node01:a", "vault:bk/a") + replication("node01:a", "cellar:bk/a", name="two"), id="two-receivers"
    ),
    pytest.param(
        replication("node01:a", "vault:bk/a") + replication("node01:b", "vault:bk/a2", name="two"), id="side-by-side"
    ),
    pytest.param(
        replication("node01:a", "vault:bk/a", "keep = { daily = 3 }")
        + replication("vault:bk/a", "cellar:bk/a", name="two"),
        id="sent-on-with-the-keep-of-the-first",
    ),
    pytest.param(
        replication("node01:a", "vault:bk/a")
        + replication("vault:bk/a", "cellar:bk/a", "keep = { daily = 3 }", name="two"),
        id="sent-on-with-a-keep-of-its-own",
    ),
    pytest.param(
        rule("vault:bk", "prune")
        + replication("node01:a", "vault:bk/a")
        + replication("vault:bk/a", "cellar:bk/a", name="two"),
        id="sent-on-from-where-a-policy-prunes",
    ),
    pytest.param(rule("node01:a") + replication("node01:a", "vault:bk/a"), id="snapshots-on-the-sender"),
    pytest.param(
        rule("vault:bk", "hourly", 'exclude = ["vault:bk/*/a"]') + replication("node*:a", "vault:bk/{host}/a"),
        id="snapshots-around-a-receiver-that-is-excluded",
    ),
    pytest.param(rule("vault:bk") + rule("vault:bk/a", "none") + replication("node01:a", "vault:bk/a"), id="opted-out"),
    pytest.param(rule("vault:**/db") + replication("node01:a", "vault:bk/a"), id="what-only-the-hosts-can-tell"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_taken(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text if "[hosts]" in text else HEAD + text).replications


def test_every_key_arrives_as_it_is_written(tmp_path: Path) -> None:
    replications = load(tmp_path, REPLICATED).replications

    assert replications[0] == Replication(
        name="nodes-to-vault",
        where=f"{tmp_path / 'zfsctl.toml'}: replications[1]",
        sender=Pattern("node*:rpool/vm", "node*", "rpool/vm"),
        receiver_host="vault",
        receiver_dataset="bk/{host}/vm",
        route=Route.RELAY,
        warn_after=90 * 60,
        max_delay=48 * 3600,
        repair=Repair.AUTO,
        keep=(KeepRule(Rule.DAILY, count=30, text="30"), KeepRule(Rule.MONTHLY, window=7 * 86400, text="1w")),
        raw=Raw.NEVER,
        initial=Initial.NEWEST,
        snapshots=Chosen.ALL,
        bandwidth=1536 * 1024,
        parallel=3,
        pending_limit=60 * 86400,
        away=45 * 86400,
        properties=("compression", "com.example:owner"),
        compress=True,
    )
    assert replications[0].receiver_for("node01") == "bk/node01/vm"
    assert [one.where.rpartition(": ")[2] for one in replications] == ["replications[1]", "replications[2]"]


@pytest.mark.parametrize(("text", "days"), [("", 14), ('max_delay = "10d"', 17), ('away = "30d"', 37)])
def test_what_waits_is_there_until_every_alarm_has_come(tmp_path: Path, text: str, days: int) -> None:
    (found,) = load(tmp_path, HEAD + replication("node01:a", "vault:bk/a", text)).replications

    assert found.pending_limit == days * 86400


def test_what_is_not_said_is_as_the_model_has_it(tmp_path: Path) -> None:
    policy = load(tmp_path, replication("tank", "usb/tank", 'route = "relay"'))

    assert policy.replications == (
        Replication(
            "one", f"{tmp_path / 'zfsctl.toml'}: replications[1]", Pattern("tank", "local", "tank"), "local", "usb/tank"
        ),
    )


@pytest.mark.parametrize(
    ("sender", "receiver", "route"),
    [
        pytest.param("tank", "usb/tank", Route.LOCAL, id="this-machine"),
        pytest.param("vault:tank", "vault:bk/tank", Route.LOCAL, id="another-host-by-itself"),
        pytest.param("v*:tank", "vault:bk/tank", Route.LOCAL, id="a-pattern-that-only-the-receiver-has"),
        pytest.param("node01:tank", "vault:bk/tank", Route.RELAY, id="two-hosts"),
        pytest.param("tank", "vault:bk/tank", Route.RELAY, id="from-here"),
        pytest.param("*:tank", "vault:bk/{host}", Route.RELAY, id="the-receiver-among-the-senders"),
    ],
)
def test_without_a_route_it_goes_through_this_machine_or_stays_on_its_host(
    tmp_path: Path, sender: str, receiver: str, route: Route
) -> None:
    assert load(tmp_path, HEAD + replication(sender, receiver)).replications[0].route is route


def test_a_bandwidth_within_one_host_goes_through_this_machine(tmp_path: Path) -> None:
    text = replication("tank", "usb/tank", 'bandwidth = "1MiB"')

    assert load(tmp_path, text).replications[0].route is Route.RELAY


def test_in_a_file_of_its_own_a_replication_is_named_by_that_file(tmp_path: Path) -> None:
    first, second = tmp_path / "zfsctl.toml", tmp_path / "usb.toml"
    first.write_text(HEAD + replication("node01:a", "vault:bk/a"))
    second.write_text(replication("node01:b", "vault:bk/a/b", name="two"))

    with pytest.raises(ConfigError) as raised:
        load_policy_files([first, second])

    assert raised.value.where == f"{second}: replications[1].receiver"
    assert f"{first}: replications[1]" in raised.value.why


def test_a_mistake_elsewhere_is_told_alone(tmp_path: Path) -> None:
    """A rule that is wrong by itself cannot be missed where it would prune a receiver that is sent on."""
    text = flows(
        rule("vault:bk", "prune", "exclude = 3"),
        replication("node01:a", "vault:bk/a"),
        replication("vault:bk/a", "cellar:bk/a", name="two"),
    )

    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)

    assert raised.value.where.endswith("datasets[1].exclude")
