"""Whatever is wrong in a policy file is refused with file, key path, what was expected, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from zfsctl.config.load import load_policy, load_policy_files
from zfsctl.errors import ConfigError

HEAD = """
[hosts]
alpha = "alpha.lan"
node01 = "n1.lan"
[policies.critical]
keep = { last = 1 }
"""


def refused(tmp_path: Path, text: str) -> ConfigError:
    path = tmp_path / "zfsctl.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_policy(path, environ={})
    return raised.value


def policy(line: str) -> str:
    return f"[policies.critical]\n{line}\n" + ("" if "keep" in line else "keep = { last = 1 }\n")


def keep(entry: str) -> str:
    return policy(f"keep = {{ {entry} }}")


def rule(line: str) -> str:
    lines = [line]
    if "select" not in line:
        lines.append('select = ["tank"]')
    if "policy" not in line:
        lines.append('policy = "critical"')
    return HEAD + "[[datasets]]\n" + "\n".join(lines)


def select(text: str) -> str:
    return rule(f'select = ["{text}"]')


def hook(line: str) -> str:
    lines = [line]
    if "name" not in line:
        lines.append('name = "freeze"')
    if "select" not in line:
        lines.append('select = ["tank"]')
    if "before" not in line:
        lines.append('before = ["true"]')
    return HEAD + "[[hooks]]\n" + "\n".join(lines)


def host(value: str) -> str:
    return f"[hosts]\nalpha = {value}\n"


# text, key path, in the message, in what was expected, hint
WRONG = [
    pytest.param("timezon = 1", "timezon", "unknown key", "timezone", "did you mean `timezone`?", id="unknown-key"),
    pytest.param("[policy.x]", "policy", "unknown key", "policies", "did you mean `policies`?", id="unknown-table"),
    pytest.param("_env_file = 'x'", "_env_file", "unknown key", "", "", id="no-key-reaches-the-settings-library"),
    pytest.param("'a b' = 1", '"a b"', "unknown key", "", "", id="key-that-needs-quotes"),
    pytest.param("[[verifications]]", "verifications", "does not know", "", "remove it, or update zfsctl"),
    pytest.param("[[pools]]\nscrub = 'monthly'", "pools", "does not know", "", "remove it, or update zfsctl"),
    pytest.param("[[archives]]", "archives", "does not know", "", "remove it, or update zfsctl"),
    pytest.param("[notify]", "notify", "does not know", "", "remove it, or update zfsctl"),
    pytest.param('read_only = "yes"', "read_only", "'yes'", "true or false, without quotes", "", id="bool-as-text"),
    pytest.param("read_only = 1", "read_only", "1", "true or false", "", id="bool-as-number"),
    pytest.param("timezone = true", "timezone", "true is not text", "time zone", "", id="text-as-bool"),
    pytest.param("timezone = 2026-01-01", "timezone", "not text", "", "", id="text-as-date"),
    pytest.param(
        'timezone = "Europe/Berln"', "timezone", "no time zone", "tz database", "did you mean `Europe/Berlin`?"
    ),
    pytest.param(
        'timezone = "europe/berlin"', "timezone", "no time zone", "", "did you mean `Europe/Berlin`?", id="zone-case"
    ),
    pytest.param('timezone = "../../etc/passwd"', "timezone", "no time zone", "", "", id="zone-is-no-path"),
    pytest.param('timezone = "Europe"', "timezone", "no time zone", "", "*", id="zone-is-a-folder"),
    pytest.param('timezone = ""', "timezone", "no time zone", "", "", id="no-zone"),
    pytest.param('prefix = "zfs-ctl"', "prefix", "no prefix", "zfsctl", "", id="prefix-with-dash"),
    pytest.param('prefix = ""', "prefix", "no prefix", "", "", id="empty-prefix"),
    pytest.param('prefix = "zfsctl "', "prefix", "no prefix", "", "", id="prefix-with-space"),
    pytest.param(f'prefix = "{"x" * 33}"', "prefix", "too long", "32", "", id="long-prefix"),
    # [ssh] and [hosts]
    pytest.param("[ssh]\nprt = 22", "ssh.prt", "unknown key", "port", "did you mean `port`?"),
    pytest.param("[ssh]\nhostname = 'x'", "ssh.hostname", "unknown key", "user", "", id="no-address-for-all"),
    pytest.param("ssh = 3", "ssh", "3", "a table", "", id="ssh-is-no-table"),
    pytest.param("[ssh]\nport = 0", "ssh.port", "out of range", "1 to 65535", ""),
    pytest.param("[ssh]\nport = 65536", "ssh.port", "out of range", "1 to 65535", ""),
    pytest.param('[ssh]\nport = "22"', "ssh.port", "'22'", "whole number, without quotes", ""),
    pytest.param("[ssh]\nport = 22.0", "ssh.port", "22.0", "whole number", ""),
    pytest.param('[ssh]\nsudo = "no"', "ssh.sudo", "'no'", "true or false", ""),
    pytest.param('[ssh]\ntransport = "ssh"', "ssh.transport", "'ssh'", "one of fabric, openssh", "*"),
    pytest.param("[ssh]\ntimeout = 30", "ssh.timeout", "30 is not text", "quotes", 'write "30s"'),
    pytest.param('[ssh]\ntimeout = "30"', "ssh.timeout", "no duration", "s m h d w", "", id="timeout-without-unit"),
    pytest.param('[ssh]\nuser = "-oProxyCommand=x"', "ssh.user", "no login name", "", "", id="user-is-no-option"),
    pytest.param('[ssh]\nuser = "a b"', "ssh.user", "no login name", "", ""),
    pytest.param('[ssh]\nidentity_file = "id"', "ssh.identity_file", "no absolute path", "~/", "", id="relative"),
    pytest.param('[ssh]\nproxy_jump = "-J x"', "ssh.proxy_jump", "jump", "", "", id="jump-is-no-option"),
    pytest.param('[ssh]\nproxy_jump = "a,b"', "ssh.proxy_jump", "jump", "one host", ""),
    pytest.param(host("3"), "hosts.alpha", "3 is no host", "address", ""),
    pytest.param(host('""'), "hosts.alpha", "no address", "", ""),
    pytest.param(host('"-oX"'), "hosts.alpha", "no address", "", "", id="address-is-no-option"),
    pytest.param(host('"a b"'), "hosts.alpha", "no address", "", ""),
    pytest.param(host('"a.lan "'), "hosts.alpha", "no address", "", "", id="address-with-space"),
    pytest.param(host('"a:22"'), "hosts.alpha", "no address", "port", '{ hostname = "a", port = 22 }'),
    pytest.param(host('"me@a"'), "hosts.alpha", "no address", "user", '{ hostname = "a", user = "me" }'),
    pytest.param(host("{ port = 22 }"), "hosts.alpha", "`hostname` is missing", 'hostname = "address"', ""),
    pytest.param(
        host('{ hostname = "a", prot = 1 }'), "hosts.alpha.prot", "unknown key", "port", "did you mean `port`?"
    ),
    pytest.param(host('{ hostname = "a:1" }'), "hosts.alpha.hostname", "no address", "", "*"),
    pytest.param("[hosts]\n'a b' = 'x'", 'hosts."a b"', "no host name", "", "", id="host-name-with-space"),
    pytest.param("[hosts]\n'a*' = 'x'", 'hosts."a*"', "no host name", "", "", id="host-name-is-no-pattern"),
    pytest.param("[hosts]\n'a:b' = 'x'", 'hosts."a:b"', "no host name", "", ""),
    pytest.param("[hosts]\nlocal = 'x'", "hosts.local", "no address", "sudo", "local = { sudo = true }"),
    pytest.param("[hosts]\nlocal = { port = 22 }", "hosts.local.port", "does not have", "sudo", ""),
    pytest.param("[hosts]\nlocal = { hostname = 'x' }", "hosts.local.hostname", "does not have", "sudo", ""),
    pytest.param("hosts = ['a']", "hosts", "a list", "a table", ""),
    # [policies]
    pytest.param("[policies.x]", "policies.x", "`keep` is missing", "keep = { daily = 14 }", "", id="keeps-nothing"),
    pytest.param("[policies.none]\nkeep = { last = 1 }", "policies.none", "reserved", "another name", ""),
    pytest.param("[policies.'a b']\nkeep = { last = 1 }", 'policies."a b"', "no name of a policy", "", ""),
    pytest.param(f"[policies.{'x' * 65}]\nkeep = {{ last = 1 }}", f"policies.{'x' * 65}", "no name", "64", ""),
    pytest.param("policies = 1", "policies", "1", "a table", ""),
    pytest.param(policy("keep = {}"), "policies.critical.keep", "keeps nothing", "keep = { daily = 14 }", ""),
    pytest.param(policy("keep = 7"), "policies.critical.keep", "7", "a table", ""),
    pytest.param(keep("daly = 3"), "policies.critical.keep.daly", "unknown key", "daily", "did you mean `daily`?"),
    pytest.param(keep("Daily = 3"), "policies.critical.keep.Daily", "unknown key", "daily", "did you mean `daily`?"),
    pytest.param(keep("'daily ' = 3"), 'policies.critical.keep."daily "', "unknown key", "", "did you mean `daily`?"),
    pytest.param(keep("last = 0"), "policies.critical.keep.last", "0 keeps nothing", "1 or more", ""),
    pytest.param(keep("daily = -1"), "policies.critical.keep.daily", "-1 keeps nothing", "1 or more", ""),
    pytest.param(keep("last = true"), "policies.critical.keep.last", "true", "1 or more", "", id="count-as-bool"),
    pytest.param(keep("last = 1.5"), "policies.critical.keep.last", "1.5", "whole number", ""),
    pytest.param(keep("last = inf"), "policies.critical.keep.last", "inf", "whole number", ""),
    pytest.param(keep("last = 1000001"), "policies.critical.keep.last", "too many", "1000000", ""),
    pytest.param(keep('last = "3d"'), "policies.critical.keep.last", "no number", "", 'within = "3d"'),
    pytest.param(keep('daily = "3"'), "policies.critical.keep.daily", "is text", "without quotes", "daily = 3"),
    pytest.param(keep('daily = "0d"'), "policies.critical.keep.daily", "no time", "", "*"),
    pytest.param(keep('daily = "-3d"'), "policies.critical.keep.daily", "no duration", "", ""),
    pytest.param(keep('daily = "3 days"'), "policies.critical.keep.daily", "no duration", "", "did you mean `3d`?"),
    pytest.param(keep("within = 2"), "policies.critical.keep.within", "no duration", "", 'within = "2d", or last = 2'),
    pytest.param(keep('within = "2"'), "policies.critical.keep.within", "no duration", "such as 30d", ""),
    pytest.param(keep('within = "1mo"'), "policies.critical.keep.within", "no duration", "", "did you mean `30d`?"),
    pytest.param(keep("within = [1]"), "policies.critical.keep.within", "a list", "", ""),
    pytest.param(policy('skip_empty = "true"'), "policies.critical.skip_empty", "'true'", "without quotes", ""),
    pytest.param(policy("snapshots = 'daily'"), "policies.critical.snapshots", "unknown key", "", "*"),
    pytest.param(
        policy('snapshot = "dayly"'), "policies.critical.snapshot", "no schedule", "cron", "did you mean `daily`?"
    ),
    pytest.param(policy('snapshot = "yearly"'), "policies.critical.snapshot", "no schedule", "monthly", "*"),
    pytest.param(policy("snapshot = true"), "policies.critical.snapshot", "true is not text", "hourly", ""),
    pytest.param(policy('snapshot = "0 25 * * *"'), "policies.critical.snapshot", "hour is wrong", "crontab(5)", ""),
    pytest.param(policy('snapshot = "* * * *"'), "policies.critical.snapshot", "no schedule", "", "", id="4-fields"),
    pytest.param(policy('snapshot = "0 0 * * * *"'), "policies.critical.snapshot", "no schedule", "", "", id="seconds"),
    pytest.param(policy('snapshot = "0 0 * * * "'), "policies.critical.snapshot", "no schedule", "", "", id="space"),
    pytest.param(policy('snapshot = "0 0 30 2 *"'), "policies.critical.snapshot", "day-of-month", "", "", id="feb-30"),
    pytest.param(
        policy('snapshot = "0 0 */30 2 MON#5"'), "policies.critical.snapshot", "never comes", "exists", "", id="never"
    ),
    pytest.param(policy('snapshot = ""'), "policies.critical.snapshot", "no schedule", "", "", id="empty"),
    # [[datasets]]
    pytest.param("[datasets]\nselect = ['t']", "datasets", "not an array of tables", "[[datasets]]", ""),
    pytest.param("datasets = 'x'", "datasets", "not an array of tables", "[[datasets]]", ""),
    pytest.param("datasets = [1]", "datasets[1]", "1", "a table", ""),
    pytest.param(HEAD + "[[datasets]]\nselect = ['tank']", "datasets[1]", "`policy` is missing", '"none"', ""),
    pytest.param(HEAD + "[[datasets]]\npolicy = 'critical'", "datasets[1]", "`select` is missing", "tank/data", ""),
    pytest.param(rule("recursive = true"), "datasets[1].recursive", "unknown key", "exclude", ""),
    pytest.param(rule('policy = "critcal"'), "datasets[1].policy", "'critcal'", "one of", "did you mean `critical`?"),
    pytest.param(rule('policy = "critical "'), "datasets[1].policy", "'critical '", "", "", id="policy-with-space"),
    pytest.param(rule("policy = 1"), "datasets[1].policy", "1 is not text", "", ""),
    pytest.param(rule('policy = "none"\nadopt = ["x*"]'), "datasets[1].adopt", "destroys nothing", "", ""),
    pytest.param(rule('select = "tank"'), "datasets[1].select", "not a list", '["tank"]', ""),
    pytest.param(rule("select = []"), "datasets[1].select", "selects nothing", "tank/data", ""),
    pytest.param(rule("select = [3]"), "datasets[1].select[1]", "3 is not text", "", ""),
    pytest.param(rule('select = ["tank", "alpha:"]'), "datasets[1].select[2]", "names no dataset", "", ""),
    pytest.param(select(""), "datasets[1].select[1]", "names no dataset", "", ""),
    pytest.param(select("tank/"), "datasets[1].select[1]", "between two slashes", "", ""),
    pytest.param(select("/tank"), "datasets[1].select[1]", "between two slashes", "", ""),
    pytest.param(select("tank/../x"), "datasets[1].select[1]", "between two slashes", "", ""),
    pytest.param(select("tank@snap"), "datasets[1].select[1]", "snapshot or bookmark", "", ""),
    pytest.param(select("tank/a?"), "datasets[1].select[1]", "character", "** crosses", ""),
    pytest.param(select("tank/[ab]"), "datasets[1].select[1]", "character", "", ""),
    pytest.param(select("tänk"), "datasets[1].select[1]", "character", "", ""),
    pytest.param(select("tank/***"), "datasets[1].select[1]", "more than two *", "", ""),
    pytest.param(select("tank/a "), "datasets[1].select[1]", "begins or ends with a space", "", ""),
    pytest.param(select("tank/a /b"), "datasets[1].select[1]", "begins or ends with a space", "", ""),
    pytest.param(select("1tank"), "datasets[1].select[1]", "begins with a letter", "", ""),
    pytest.param(select("-r"), "datasets[1].select[1]", "begins with a letter", "", "", id="no-option"),
    pytest.param(select("mirror-x/a"), "datasets[1].select[1]", "reserved", "", ""),
    pytest.param(select("t/" + "x" * 254), "datasets[1].select[1]", "255", "", "", id="256-bytes"),
    pytest.param(select("aplha:tank"), "datasets[1].select[1]", "no host 'aplha'", "one of", "did you mean `alpha`?"),
    pytest.param(select("po:ol/x"), "datasets[1].select[1]", "no host 'po'", "local:po:ol/x", "", id="colon-in-pool"),
    pytest.param(select("web*:tank"), "datasets[1].select[1]", "'web*' matches no host", "node01", ""),
    pytest.param(select("**:tank"), "datasets[1].select[1]", "one * is enough", "", ""),
    pytest.param(select("a b:tank"), "datasets[1].select[1]", "no host name", "", ""),
    pytest.param(select(":tank"), "datasets[1].select[1]", "no host name", "", ""),
    pytest.param(rule('exclude = ["bank/**"]'), "datasets[1].exclude[1]", "excludes nothing", "", ""),
    pytest.param(rule('exclude = ["tmp"]'), "datasets[1].exclude[1]", "excludes nothing", "**/tmp", ""),
    pytest.param(rule('exclude = ["alpha:tank/a"]'), "datasets[1].exclude[1]", "excludes nothing", "", "", id="host"),
    pytest.param(rule('exclude = ["**/tmp", "beta:**"]'), "datasets[1].exclude[2]", "no host 'beta'", "", "*"),
    pytest.param(rule('exclude = "**/tmp"'), "datasets[1].exclude", "'**/tmp'", "a list", ""),
    pytest.param(rule('adopt = ["a@b"]'), "datasets[1].adopt[1]", "after that", "", ""),
    pytest.param(rule('adopt = [""]'), "datasets[1].adopt[1]", "matches no snapshot", "", ""),
    pytest.param(rule('adopt = ["x*", "auto/*"]'), "datasets[1].adopt[2]", "matches no snapshot", "", ""),
    pytest.param(rule('adopt = ["[a]*"]'), "datasets[1].adopt[1]", "matches no snapshot", "", ""),
    pytest.param(rule('adopt = ["auto%x"]'), "datasets[1].adopt[1]", "matches no snapshot", "", "", id="range"),
    pytest.param(rule('adopt = [" auto*"]'), "datasets[1].adopt[1]", "space", "", ""),
    pytest.param(rule(f'adopt = ["{"x" * 254}"]'), "datasets[1].adopt[1]", "longer", "", ""),
    pytest.param(
        rule('select = ["tank", "alpha:tank", "local:tank"]'),
        "datasets[1].select[3]",
        "selected twice",
        "datasets[1].select[1]",
        "remove one of the two",
        id="same-dataset-with-and-without-host",
    ),
    # [[hooks]]
    pytest.param(hook('name = "Freeze"'), "hooks[1].name", "no name of a hook", "small letters", ""),
    pytest.param(hook('name = ""'), "hooks[1].name", "no name of a hook", "", ""),
    pytest.param(hook('befor = ["x"]'), "hooks[1].befor", "unknown key", "before", "did you mean `before`?"),
    pytest.param(hook("before = \"echo 'a b'\""), "hooks[1].before", "not a list", "no shell", '["echo", "a b"]'),
    pytest.param(hook("before = []"), "hooks[1].before", "no program", "", ""),
    pytest.param(hook('before = [""]'), "hooks[1].before", "no program", "", ""),
    pytest.param(hook("before = [1]"), "hooks[1].before[1]", "1", "text in quotes", ""),
    pytest.param(hook('before = ["a", "b\\u0000"]'), "hooks[1].before", "NUL", "", ""),
    pytest.param(hook('timeout = "0s"'), "hooks[1].timeout", "no time at all", "", "*"),
    pytest.param(hook('select = ["beta:x"]'), "hooks[1].select[1]", "no host 'beta'", "", "*"),
    pytest.param(
        HEAD + '[[hooks]]\nname = "x"\nselect = ["tank"]', "hooks[1]", "runs nothing", "before", "", id="empty-hook"
    ),
    pytest.param(
        hook("") + '\n[[hooks]]\nname = "freeze"\nselect = ["tank"]\nafter = ["true"]',
        "hooks[2].name",
        "two hooks",
        "hooks[1]",
        "",
        id="two-hooks-of-one-name",
    ),
]


@pytest.mark.parametrize(("text", "key", "message", "expected", "hint"), WRONG)
def test_what_is_wrong_is_refused_with_place_reason_and_near_match(
    tmp_path: Path, text: str, key: str, message: str, expected: str, hint: str
) -> None:
    error = refused(tmp_path, text)

    assert error.where == f"{tmp_path / 'zfsctl.toml'}: {key}"
    assert error.message.startswith(f"{error.where}: ")
    assert "\n" not in error.message, "one mistake is one error"
    assert message in error.message
    assert expected in error.why
    if hint != "*":
        assert (hint in error.hint) if hint else not error.hint
    assert int(error.exit_code) == 2


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    error = refused(
        tmp_path,
        HEAD.replace("last = 1", "lst = 1")
        + 'prefix = "x"\n[[datasets]]\nselect = ["tank"]\npolicy = "crit"\n[[datasets]]\nselect = ["aplha:t"]\n'
        + 'policy = "critical"\n[[hooks]]\nname = "x"\n',
    )

    file = tmp_path / "zfsctl.toml"
    assert [problem.where for problem in error.problems] == [
        f"{file}: policies.critical.keep.lst",
        f"{file}: policies.critical.prefix",
        f"{file}: hooks[1]",
        f"{file}: datasets[1].policy",
        f"{file}: datasets[2].select[1]",
    ]
    assert error.parts == error.problems
    lines = error.message.split("\n")
    assert len(lines) == len(error.problems)
    for line, problem in zip(lines, error.problems, strict=True):
        assert problem.message in line
        assert problem.why in line
        assert problem.hint in line
    assert error.where == error.problems[0].where
    assert str(len(lines)) in error.why


def test_a_name_that_is_defined_wrongly_does_exist(tmp_path: Path) -> None:
    """One mistake in a policy must not make every rule that names it a mistake too."""
    error = refused(tmp_path, rule("").replace("last = 1", "last = 0").replace('"alpha.lan"', "3") + "\nexclude = []")

    assert {problem.where.rpartition(": ")[2] for problem in error.problems} == {
        "hosts.alpha",
        "policies.critical.keep.last",
    }


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        pytest.param("a = 1\nb = \n", "line 2, column 5", "invalid value", id="no-value"),
        pytest.param("[hosts\n", "line 1, column 7", "expected ']'", id="bracket"),
        pytest.param("prefix = 'x'\nprefix = 'y'\n", "line 2, column 13", "overwrite", id="key-twice-in-one-file"),
        pytest.param("[policies.a]\n[policies.a]\n", "line 2, column 12", "twice", id="table-twice-in-one-file"),
        pytest.param("x = [1,\n", "line 2, the end of the file", "", id="unfinished-list"),
        pytest.param("x = " + "[" * 5000, "", "nested too deeply", id="too-deep"),
    ],
)
def test_what_is_no_toml_is_refused_with_line_and_column(tmp_path: Path, text: str, place: str, message: str) -> None:
    error = refused(tmp_path, text)

    assert place in error.where
    assert message in error.message.casefold()


def test_what_is_no_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "zfsctl.toml"
    path.write_bytes(b"# fine\n# caf\xe9\n")

    with pytest.raises(ConfigError, match="not UTF-8") as raised:
        load_policy(path, environ={})

    assert raised.value.where == f"{path}: line 2"


def test_a_file_that_cannot_be_read_stops_before_its_names_are_missed_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "zfsctl.toml").write_text('[[datasets]]\nselect = ["alpha:x"]\npolicy = "p"\n')
    (tmp_path / "conf.d" / "a.toml").write_text("[hosts\nalpha = 1")
    (tmp_path / "conf.d" / "b.toml").write_text("[policies.p\n")

    with pytest.raises(ConfigError) as raised:
        load_policy(tmp_path / "zfsctl.toml", environ={})

    assert [Path(problem.where.partition(":")[0]).name for problem in raised.value.problems] == ["a.toml", "b.toml"]


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        pytest.param('prefix = "x"', 'prefix = "x"', "prefix", id="key"),
        pytest.param("[ssh]\nport = 1", '[ssh]\nuser = "x"', "ssh", id="table"),
        pytest.param('[hosts]\na = "x"', '[hosts]\na = "x"', "hosts.a", id="host"),
        pytest.param('[hosts]\n"a.b" = "x"', '[hosts]\n"a.b" = "x"', 'hosts."a.b"', id="host-with-dot"),
        pytest.param(
            "[policies.p]\nkeep = { last = 1 }", "[policies.p]\nskip_empty = true", "policies.p", id="policy-in-parts"
        ),
        pytest.param('[hosts]\na = "x"', "hosts = 3", "hosts", id="table-and-not"),
        pytest.param("datasets = []", '[[datasets]]\nselect = ["t"]\npolicy = "none"', "datasets", id="empty-array"),
    ],
)
def test_what_two_files_define_is_refused_naming_both(tmp_path: Path, first: str, second: str, key: str) -> None:
    paths = [tmp_path / "first.toml", tmp_path / "second.toml"]
    for path, text in zip(paths, (first, second), strict=True):
        path.write_text(text)

    with pytest.raises(ConfigError) as raised:
        load_policy_files(paths)

    assert raised.value.where == f"{paths[1]}: {key}"
    assert f"defined in {paths[0]} already" in raised.value.message


def test_an_error_names_the_file_and_the_place_in_that_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text('[policies.p]\nkeep = { last = 1 }\n[[datasets]]\nselect = ["a", "b"]\npolicy = "p"\n')
    second.write_text(
        '[[datasets]]\nselect = ["c"]\npolicy = "p"\n[[datasets]]\nselect = ["d", "b"]\npolicy = "P"\n'
        "[hosts]\nx = 1\n[policies.q]\nkeep = { last = 0 }\n"
    )

    with pytest.raises(ConfigError) as raised:
        load_policy_files([first, second])

    assert [problem.where for problem in raised.value.problems] == [
        f"{second}: hosts.x",
        f"{second}: policies.q.keep.last",
        f"{second}: datasets[2].policy",
        f"{second}: datasets[2].select[2]",
    ]
    assert f"{first}: datasets[1].select[2]" in raised.value.problems[3].why
