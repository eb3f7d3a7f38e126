"""What the sandbox refuses, in OpenZFS's words and with its exit codes (tests/differential asks real hosts)."""

from __future__ import annotations

import pytest

LONG = "l" * 256

SCENE = (
    "zfs create tank/a",
    "zfs create tank/a/child",
    "zfs create tank/b",
    "zfs create -s -V 16M tank/vol",
    "zfs snapshot tank/a@s1 tank/b@s1 tank/vol@s1",
    "zfs snapshot tank/a@s2",
    "zfs hold keep tank/b@s1",
    "zfs bookmark tank/a@s1 tank/a#m1",
    "zfs clone tank/a@s1 tank/copy",
    "zfs snapshot tank/copy@own",
)

CASES = [
    pytest.param(
        "zfs list -Hp tank/none", 1, ["cannot open 'tank/none': dataset does not exist"], id="missing-dataset"
    ),
    pytest.param("zfs list -Hp /none", 1, ["cannot open '/none': No such file or directory"], id="missing-path"),
    pytest.param("zfs list -Hp nopool", 1, ["cannot open 'nopool': dataset does not exist"], id="missing-pool"),
    pytest.param(
        "zfs list -Hp -o name,nosuch tank", 2, ["bad property list: invalid property 'nosuch'"], id="unknown-column"
    ),
    pytest.param("zfs list -Hp -t nosuch tank", 2, ["invalid type 'nosuch'"], id="unknown-type"),
    pytest.param("zfs list -HpQ", 2, ["invalid option 'Q'"], id="unknown-option"),
    pytest.param("zfs nosuch", 2, ["unrecognized command 'nosuch'"], id="unknown-command"),
    pytest.param(
        "zfs list -Hp -t filesystem tank/vol",
        1,
        ["cannot open 'tank/vol': operation not applicable to datasets of this type"],
        id="wrong-type",
    ),
    pytest.param(
        "zfs snapshot tank/a@s1", 1, ["cannot create snapshot 'tank/a@s1': dataset already exists"], id="taken-name"
    ),
    pytest.param(
        "zfs snapshot tank/a@s1 tank/a/child@s1 tank/b@s1",
        1,
        [
            "cannot create snapshot 'tank/a@s1': dataset already exists",
            "cannot create snapshot 'tank/b@s1': dataset already exists",
            "no snapshots were created",
        ],
        id="every-taken-name-is-named",
    ),
    pytest.param(
        "zfs snapshot tank/a@x pond@x",
        1,
        ["cannot create snapshots : multiple snapshots of same fs not allowed", "no snapshots were created"],
        id="two-pools",
    ),
    pytest.param(
        "zfs snapshot tank/a@x tank/a@y",
        1,
        ["cannot create snapshots : multiple snapshots of same fs not allowed", "no snapshots were created"],
        id="two-of-one-dataset",
    ),
    pytest.param(
        "zfs snapshot tank/none@x", 2, ["cannot open 'tank/none': dataset does not exist"], id="snapshot-of-nothing"
    ),
    pytest.param(
        f"zfs snapshot tank/a@{LONG}",
        1,
        [f"cannot create snapshot 'tank/a@{LONG}': name is too long"],
        id="snapshot-name-too-long",
    ),
    pytest.param(
        "zfs destroy tank/a@none",
        1,
        ["could not find any snapshots to destroy; check snapshot names."],
        id="destroy-no-such-snapshot",
    ),
    pytest.param(
        "zfs destroy tank/b@s1",
        1,
        ["cannot destroy snapshot tank/b@s1: it's being held. Run 'zfs holds -r tank/b@s1' to see holders."],
        id="destroy-held",
    ),
    pytest.param(
        "zfs destroy tank/a@s1,s2",
        1,
        [
            "cannot destroy 'tank/a@s1': snapshot has dependent clones",
            "use '-R' to destroy the following datasets:",
            "tank/copy@own",
            "tank/copy",
        ],
        id="destroy-cloned",
    ),
    pytest.param(
        "zfs destroy tank/b",
        1,
        [
            "cannot destroy 'tank/b': filesystem has children",
            "use '-r' to destroy the following datasets:",
            "tank/b@s1",
        ],
        id="destroy-with-snapshots",
    ),
    pytest.param(
        "zfs destroy -r tank/a",
        1,
        [
            "cannot destroy 'tank/a': filesystem has dependent clones",
            "use '-R' to destroy the following datasets:",
            "tank/copy@own",
            "tank/copy",
        ],
        id="destroy-tree-with-clone-outside",
    ),
    pytest.param(
        "zfs destroy tank",
        1,
        [
            "cannot destroy 'tank': operation does not apply to pools",
            "use 'zfs destroy -r tank' to destroy all datasets in the pool",
            "use 'zpool destroy tank' to destroy the pool itself",
        ],
        id="destroy-pool-root",
    ),
    pytest.param("zfs destroy tank/a#none", 1, ["bookmark 'tank/a#none' does not exist."], id="destroy-no-bookmark"),
    pytest.param("zfs destroy -n tank/a#m1", 255, ["dryrun is not supported with bookmark"], id="destroy-bookmark-dry"),
    pytest.param(
        "zfs hold keep tank/b@s1",
        1,
        ["cannot hold snapshot 'tank/b@s1': tag already exists on this dataset"],
        id="hold-twice",
    ),
    pytest.param(
        "zfs hold keep tank/b@none",
        1,
        ["cannot hold snapshot 'tank/b@none': dataset does not exist"],
        id="hold-nothing",
    ),
    pytest.param("zfs hold .mine tank/b@s1", 2, ["tag may not start with '.'"], id="hold-reserved-tag"),
    pytest.param(
        "zfs release other tank/b@s1",
        1,
        ["cannot release hold from snapshot 'tank/b@s1': no such tag on this dataset"],
        id="release-no-tag",
    ),
    pytest.param(
        "zfs bookmark tank/a@s2 tank/a#m1",
        1,
        ["cannot create bookmark 'tank/a#m1': bookmark exists"],
        id="bookmark-twice",
    ),
    pytest.param(
        "zfs bookmark tank/a@none tank/a#m2",
        2,
        ["cannot open 'tank/a@none': dataset does not exist"],
        id="bookmark-of-nothing",
    ),
    pytest.param(
        "zfs bookmark tank/b@s1 tank/a#m2",
        1,
        ["cannot create bookmark 'tank/a#m2': source is not an ancestor of the new bookmark's dataset"],
        id="bookmark-of-a-stranger",
    ),
    pytest.param(
        "zfs clone tank/a@s1 pond/copy",
        1,
        ["cannot create 'pond/copy': source and target pools differ"],
        id="clone-abroad",
    ),
    pytest.param("zfs clone tank/a@s1 tank/b", 1, ["cannot create 'tank/b': dataset already exists"], id="clone-onto"),
    pytest.param("zfs promote tank/b", 1, ["cannot promote 'tank/b': not a cloned filesystem"], id="promote-no-clone"),
    pytest.param("zfs rename tank/a tank/b", 1, ["cannot rename 'tank/a': dataset already exists"], id="rename-onto"),
    pytest.param(
        "zfs rename tank/a tank/none/a",
        1,
        ["cannot create 'tank/none/a': parent does not exist"],
        id="rename-to-nowhere",
    ),
    pytest.param("zfs rename tank other", 1, ["cannot create 'other': missing dataset name"], id="rename-pool-root"),
    pytest.param(
        "zfs rename tank/a@s1 tank/b@s9",
        1,
        ["cannot rename to 'tank/b@s9': snapshots must be part of same dataset"],
        id="rename-snapshot-elsewhere",
    ),
    pytest.param(
        "zfs rollback tank/a@s1",
        1,
        [
            "cannot rollback to 'tank/a@s1': more recent snapshots or bookmarks exist",
            "use '-r' to force deletion of the following snapshots and bookmarks:",
            "tank/a@s2",
        ],
        id="rollback-past-newer",
    ),
    pytest.param("zfs create tank/a", 1, ["cannot create 'tank/a': dataset already exists"], id="create-twice"),
    pytest.param("zfs create tank/x/y", 1, ["cannot create 'tank/x/y': parent does not exist"], id="create-orphan"),
    pytest.param(
        "zfs create tank/vol/x", 1, ["cannot create 'tank/vol/x': parent is not a filesystem"], id="below-volume"
    ),
    pytest.param(
        "zfs create -u -V x tank/z", 1, ["bad volume size 'x': bad numeric value 'x'"], id="size-before-wrong-option"
    ),
    pytest.param(
        "zfs create -s -V 8M -o volsize=16M tank/z",
        1,
        ["property 'volsize' specified multiple times"],
        id="two-sizes",
    ),
    pytest.param("zfs create nopool/x", 1, ["cannot create 'nopool/x': no such pool 'nopool'"], id="create-no-pool"),
    pytest.param("zfs create -V 8M nopool/x", 1, ["cannot open 'nopool': no such pool"], id="volume-no-pool"),
    pytest.param("zfs create -V 8M /tank/x", 1, ["cannot open '': name must begin with a letter"], id="volume-path"),
    pytest.param(
        "zfs create -o compression=best tank/z",
        1,
        None,
        id="create-bad-value",
    ),
    pytest.param(
        "zfs set used=1 tank/a", 255, ["cannot set property for 'tank/a': 'used' is readonly"], id="set-statistic"
    ),
    pytest.param(
        "zfs set nosuch=1 tank/a",
        255,
        ["cannot set property for 'tank/a': invalid property 'nosuch'"],
        id="set-unknown",
    ),
    pytest.param(
        "zfs set quota=1G tank/vol",
        255,
        ["cannot set property for 'tank/vol': 'quota' does not apply to datasets of this type"],
        id="set-not-for-volumes",
    ),
    pytest.param(
        "zfs inherit quota tank/a",
        1,
        [
            "'quota' property cannot be inherited",
            "use 'zfs set quota=none' to clear",
            "use 'zfs inherit -S quota' to revert to received value",
        ],
        id="inherit-quota",
    ),
    pytest.param("zfs inherit used tank/a", 1, ["used property is read-only"], id="inherit-statistic"),
    pytest.param("zpool list -Hp -o name nopool", 1, ["cannot open 'nopool': no such pool"], id="no-such-pool"),
    pytest.param("zpool scrub nopool", 1, ["cannot open 'nopool': no such pool"], id="scrub-no-pool"),
    pytest.param("nonesuch --flag", 127, ["sh: 1: nonesuch: not found"], id="no-such-program"),
]


@pytest.mark.parametrize(("line", "exit_code", "stderr"), CASES)
def test_a_wrong_command_is_refused_in_openzfs_words_and_changes_nothing(desk, line, exit_code, stderr):
    desk.do(*SCENE)
    before = desk.ask("zfs list -Hp -r -t all -o name,guid,createtxg,userrefs,clones,origin,quota,compression").stdout

    found, words = desk.refusal(line)

    assert exit_code == found
    if stderr is None:
        assert words[0].startswith("cannot create 'tank/z': 'compression' must be one of 'on | off | lzjb | gzip | ")
    else:
        assert stderr == words
    assert (
        before
        == desk.ask("zfs list -Hp -r -t all -o name,guid,createtxg,userrefs,clones,origin,quota,compression").stdout
    )


def test_a_held_snapshot_is_busy_before_openzfs_2_3_3(desk):
    desk.state.hosts["local"].version = "2.1.11"
    desk.do("zfs snapshot tank@s", "zfs hold x tank@s")

    assert desk.refusal("zfs destroy tank@s") == (1, ["cannot destroy snapshot tank@s: dataset is busy"])
    assert desk.ask("zfs holds -Hp tank@s").exit_code == 2


@pytest.mark.parametrize(
    ("pool", "line", "stderr"),
    [
        pytest.param(
            {"readonly": True},
            "zfs snapshot tank@x",
            ["cannot create snapshots : pool is read-only"],
            id="read-only-pool",
        ),
        pytest.param(
            {"size": 10_000}, "zfs snapshot tank@x", ["cannot create snapshots : out of space"], id="full-pool"
        ),
        pytest.param(
            {"health": "SUSPENDED"},
            "zfs create tank/x",
            ["cannot create 'tank/x': pool I/O is currently suspended"],
            id="suspended-pool",
        ),
        pytest.param(
            {"readonly": True}, "zfs destroy tank@s", ["cannot destroy snapshots: pool is read-only"], id="ro-destroy"
        ),
        pytest.param({"readonly": True}, "zfs hold x tank@s", ["cannot hold: pool is read-only"], id="ro-hold"),
        pytest.param(
            {"health": "UNAVAIL"}, "zfs list -Hp tank", ["cannot open 'tank': I/O error"], id="unavailable-pool"
        ),
    ],
)
def test_a_sick_pool_says_what_ails_it(desk, pool, line, stderr):
    desk.do("zfs snapshot tank@s")
    for name, value in pool.items():
        setattr(desk.state.hosts["local"].pools["tank"], name, value)

    assert (1, stderr) == desk.refusal(line)


def test_an_unavailable_pool_reports_name_guid_and_health_alone(desk):
    desk.state.hosts["local"].pools["tank"].health = "UNAVAIL"

    (row,) = desk.rows("zpool list -Hp -o name,size,allocated,health,readonly tank")

    assert row == ["tank", "-", "-", "UNAVAIL", "-"]
    assert desk.column("zfs list -Hp -o name") == ["pond"]
