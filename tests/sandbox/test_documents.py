"""fleet.json: what a person may write, what is refused, and that it is written whole or not at all."""

from __future__ import annotations

import json
import os
import resource
import threading

import pytest

from zfsctl.errors import ConfigError, UnreachableError, UsageError, ZfsctlError
from zfsctl.model.command import Command
from zfsctl.sandbox.building import create_fleet, create_pool
from zfsctl.sandbox.document_load import load_fleet
from zfsctl.sandbox.document_save import document_text, fleet_document
from zfsctl.sandbox.fleet import SandboxFleet, open_sandbox
from zfsctl.sandbox.resume_token import ResumeToken
from zfsctl.sandbox.store import FLEET_FILE, FleetStore

LISTING = Command(("zfs", "list", "-Hp", "-r", "-t", "all", "-o", "name,guid,createtxg,creation,used,written,userrefs"))


def document(**dataset):
    """A document with one dataset, as short as a person would write it."""
    return {"now": "2026-11-20T12:00:00Z", "hosts": {"local": {"pools": {"tank": {"datasets": {"tank/a": dataset}}}}}}


def rows(fleet, command=LISTING):
    done = SandboxFleet(fleet).host("local").run(command)
    assert done.clean, done
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_the_document_of_the_design_is_read_as_it_stands():
    fleet = load_fleet(
        {
            "schema": "zfsctl.sandbox/1",
            "now": "2026-11-20T12:00:00Z",
            "hosts": {
                "local": {
                    "version": "2.3.9",
                    "reachable": True,
                    "clock_offset": 0,
                    "pools": {
                        "tank": {
                            "size": 1099511627776,
                            "health": "ONLINE",
                            "datasets": {
                                "tank/a": {
                                    "type": "filesystem",
                                    "guid": "1",
                                    "written": 0,
                                    "origin": None,
                                    "encryption": "off",
                                    "properties": {"compression": "lz4"},
                                    "content": {"etc/hosts": "127.0.0.1 localhost"},
                                    "snapshots": [
                                        {
                                            "name": "zfsctl-20261101T000000Z",
                                            "guid": "123",
                                            "createtxg": 10,
                                            "creation": 1793491200,
                                            "used": 4096,
                                            "holds": [],
                                        }
                                    ],
                                    "bookmarks": [],
                                    "receive_resume_token": None,
                                }
                            },
                        }
                    },
                }
            },
        }
    )

    tank, head, snapshot = rows(fleet)

    assert tank[0] == "tank"
    assert [head[1], head[5]] == ["1", "0"]
    assert snapshot[:5] == ["tank/a@zfsctl-20261101T000000Z", "123", "10", "1793491200", "4096"]


def test_what_is_missing_takes_a_sensible_value():
    fleet = load_fleet(
        document(snapshots=[{"name": "zfsctl-20261101T000000Z"}, {"name": "later", "holds": ["x"]}], written="4096")
    )

    _, head, first, second = rows(fleet)

    assert (head[5], first[3], second[3]) == ("4096", "1793491200", "1795176000")
    assert int(first[2]) < int(second[2])
    assert len({head[1], first[1], second[1]}) == 3
    assert (first[6], second[6]) == ("0", "1")


def test_a_guid_that_nobody_wrote_is_the_same_at_every_load_and_differs_between_hosts():
    two = document(snapshots=[{"name": "s"}])
    two["hosts"]["vault"] = two["hosts"]["local"]

    fleets = [load_fleet(two), load_fleet(two)]

    guids = [
        [fleet.hosts[host].pools["tank"].datasets["tank/a"].snapshots["s"].guid for host in ("local", "vault")]
        for fleet in fleets
    ]
    assert guids[0] == guids[1]
    assert guids[0][0] != guids[0][1]


def test_numbers_may_stand_for_texts_and_texts_for_numbers():
    fleet = load_fleet(
        document(
            guid=77, written="12", properties={"quota": 4096}, snapshots=[{"name": 1, "guid": 18446744073709551615}]
        )
    )

    found = fleet.hosts["local"].pools["tank"].datasets["tank/a"]

    assert (found.guid, found.properties, found.snapshots["1"].guid) == (77, {"quota": "4096"}, 2**64 - 1)


def test_an_edited_used_or_written_wins_over_the_blocks_that_were_stored():
    fleet = create_fleet(1_795_176_000)
    create_pool(fleet, "local", "tank", 1 << 40)
    host = SandboxFleet(fleet).host("local")
    host.run(Command(("zfs", "snapshot", "tank@s")))
    stored = json.loads(document_text(fleet_document(fleet)))
    root = stored["hosts"]["local"]["pools"]["tank"]["datasets"]["tank"]
    root["written"] = 8192
    root["snapshots"][0]["used"] = 5000

    again = load_fleet(stored)

    head, snapshot = rows(again)
    assert (head[5], snapshot[4]) == ("8192", "5000")

    root["written"] = 0
    root["snapshots"][0]["used"] = 0

    head, snapshot = rows(load_fleet(stored))
    assert (head[5], snapshot[4]) == ("0", "0")


@pytest.mark.parametrize(
    ("wrong", "where", "hint"),
    [
        pytest.param({"hosts": {}}, "now", "", id="no-clock"),
        pytest.param({"now": "2026-11-20T12:00:00"}, "now", "2026-11-20T12:00:00Z", id="no-time-zone"),
        pytest.param({"now": "yesterday"}, "now", "", id="no-instant"),
        pytest.param({"now": 1, "schema": "zfsctl.sandbox/2"}, "schema", "", id="another-schema"),
        pytest.param({"now": 1, "host": {}}, "host", "did you mean hosts?", id="unknown-at-the-top"),
        pytest.param({"now": 1, "hosts": []}, "hosts", "", id="list-for-table"),
        pytest.param(
            {"now": 1, "hosts": {"local": {"pool": {}}}},
            "hosts.local.pool",
            "did you mean pools?",
            id="unknown-of-host",
        ),
        pytest.param(
            {"now": 1, "hosts": {"local": {"reachable": "no"}}}, "hosts.local.reachable", "", id="text-for-flag"
        ),
        pytest.param(
            document(snapshots=[{"name": "s", "gid": 1}]),
            "hosts.local.pools.tank.datasets.tank/a.snapshots[0].gid",
            "did you mean guid?",
            id="unknown-of-snapshot",
        ),
        pytest.param(
            document(snapshots=[{"name": "a/b"}]),
            "hosts.local.pools.tank.datasets.tank/a.snapshots[0]",
            "",
            id="bad-snapshot-name",
        ),
        pytest.param(
            document(snapshots=[{"name": "s"}, {"name": "s"}]),
            "hosts.local.pools.tank.datasets.tank/a.snapshots[1]",
            "",
            id="a-name-twice",
        ),
        pytest.param(
            document(snapshots=[{"name": "s", "createtxg": 5}, {"name": "t", "createtxg": 5}]),
            "hosts.local.pools.tank.datasets.tank/a.snapshots",
            "",
            id="two-in-one-txg",
        ),
        pytest.param(
            document(origin="tank/none@s"), "hosts.local.pools.tank.datasets.tank/a.origin", "", id="no-such-origin"
        ),
        pytest.param(document(type="disk"), "hosts.local.pools.tank.datasets.tank/a.type", "", id="no-such-type"),
        pytest.param(document(written=-1), "hosts.local.pools.tank.datasets.tank/a.written", "", id="below-zero"),
        pytest.param(document(written="much"), "hosts.local.pools.tank.datasets.tank/a.written", "", id="no-number"),
        pytest.param(
            {"now": 1, "hosts": {"local": {"pools": {"tank": {"datasets": {"pond/a": {}}}}}}},
            "hosts.local.pools.tank.datasets.pond/a",
            "",
            id="dataset-of-another-pool",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(wrong, where, hint):
    with pytest.raises(ConfigError) as caught:
        load_fleet(wrong)

    assert caught.value.where == where
    assert caught.value.hint == hint
    assert where in str(caught.value)


def test_an_error_names_the_file(tmp_path):
    (tmp_path / FLEET_FILE).write_text('{"now": 1, "hots": {}}')

    with pytest.raises(ConfigError) as caught:
        open_sandbox(tmp_path)

    assert caught.value.message == f"{tmp_path / FLEET_FILE}: hots is not a known field"
    assert caught.value.hint == "did you mean hosts?"


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_file_that_is_no_document_is_refused(tmp_path, text):
    (tmp_path / FLEET_FILE).write_text(text)

    with pytest.raises(ConfigError):
        open_sandbox(tmp_path)


def test_a_directory_without_a_fleet_is_told_how_to_begin(tmp_path):
    with pytest.raises(UsageError) as caught:
        open_sandbox(tmp_path)

    assert caught.value.hint == f"zfsctl sandbox init {tmp_path}"


@pytest.fixture
def stored(tmp_path):
    fleet = create_fleet(1_795_176_000)
    create_pool(fleet, "local", "tank", 1 << 40)
    FleetStore(tmp_path).create(fleet)
    return tmp_path


def test_a_second_init_does_not_overwrite_the_first(stored):
    with pytest.raises(UsageError, match="there is a sandbox already"):
        FleetStore(stored).create(create_fleet(1))


def test_a_change_is_on_disk_when_the_command_has_ended_and_others_see_it(stored):
    first, second = open_sandbox(stored), open_sandbox(stored)

    first.host("local").run(Command(("zfs", "snapshot", "tank@a")))
    second.host("local").run(Command(("zfs", "snapshot", "tank@b")))

    done = first.host("local").run(Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", "name")))
    assert done.stdout == "tank@a\ntank@b\n"


def test_a_question_leaves_the_file_alone(stored):
    before = os.stat(stored / FLEET_FILE)

    open_sandbox(stored).host("local").run(LISTING)

    after = os.stat(stored / FLEET_FILE)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_change_that_cannot_be_written_leaves_the_old_file_and_no_other(stored):
    host = open_sandbox(stored).host("local")
    files = {path: path.read_bytes() for path in stored.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(ZfsctlError) as caught:
            host.run(Command(("zfs", "snapshot", "tank@a")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (str(caught.value), caught.value.code) == (f"{stored}/fleet.json: not written: file too large", "failed")
    assert caught.value.hint == f"df -h {stored}"
    assert {path: path.read_bytes() for path in stored.iterdir()} == files
    assert host.run(Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", "name"))).stdout == ""


@pytest.mark.parametrize("name", ["fleet.lock", FLEET_FILE])
def test_a_fleet_that_cannot_be_opened_is_not_called_absent(stored, name):
    (stored / name).unlink(missing_ok=True)
    (stored / name).mkdir()

    with pytest.raises(UsageError) as caught:
        open_sandbox(stored)

    assert str(caught.value) == f"{stored}/{name}: the simulated fleet was not opened: is a directory"
    assert caught.value.hint == f"ls -ld {stored} {stored}/{name}"


def test_many_threads_and_fleets_lose_no_change(stored):
    fleets = [open_sandbox(stored), open_sandbox(stored)]

    def work(number):
        host = fleets[number % 2].host("local")
        for count in range(5):
            assert host.run(Command(("zfs", "snapshot", f"tank@t{number}-{count}"))).exit_code == 0

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    done = fleets[0].host("local").run(Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", "guid")))
    assert len(set(done.stdout.split())) == 20


def test_a_host_that_the_file_does_not_know_is_unreachable(stored):
    with pytest.raises(UnreachableError, match="no such host"):
        open_sandbox(stored).host("vault").run(LISTING)


def test_a_token_that_a_person_wrote_is_one_that_a_receive_left():
    token = str(ResumeToken(7, "far/b@s2", 123))
    fleet = load_fleet(document(snapshots=[{"name": "s1", "guid": 123}], receive_resume_token=token))
    hosts = SandboxFleet(fleet).host("local")

    shown = hosts.run(Command(("zfs", "list", "-Hp", "-o", "name,receive_resume_token", "-r", "tank/a")))
    assert shown.stdout == f"tank/a\t{token}\n"
    assert hosts.run(Command(("zfs", "destroy", "tank/a@s1"))).stderr.endswith("tank/a/%recv\n")
    assert fleet_document(load_fleet(fleet_document(fleet))) == fleet_document(fleet)

    assert hosts.run(Command(("zfs", "receive", "-A", "tank/a"))).clean
    assert hosts.run(Command(("zfs", "destroy", "tank/a@s1"))).clean


def test_a_token_on_a_dataset_without_snapshots_is_that_of_a_first_copy():
    fleet = load_fleet(document(receive_resume_token=str(ResumeToken(7, "far/b@s2"))))
    hosts = SandboxFleet(fleet).host("local")

    assert hosts.run(Command(("zfs", "get", "-Hp", "-o", "value", "inconsistent", "tank/a"))).stdout == "1\n"
    assert hosts.run(Command(("zfs", "receive", "-A", "tank/a"))).clean
    assert hosts.run(Command(("zfs", "list", "tank/a"))).exit_code == 1
