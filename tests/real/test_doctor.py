"""On real hosts: copies that repairs set aside go in the order in which they can, and only as they were planned."""

from __future__ import annotations

from typing import Any

import pytest

from tests.real.links import NAMES, Link
from tests.real.operators import Answer, Operator
from tests.real.zfs import commands, do, guids, scheduled, take
from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.doctor import plan_doctor_release

pytestmark = pytest.mark.zfs


@pytest.fixture
def link(operator: Operator, pool_on: PoolFactory, alpha: Host, beta: Host) -> Link:
    """A copy that is current, of three snapshots."""
    link = Link(operator, pool_on(alpha), pool_on(beta))
    link.fills()
    link.writes_policy('repair = "auto"')
    assert link.operator.zfsctl("replicate").code == 0
    return link


def diverges(link: Link, snapshot: str, later: str) -> None:
    """Somebody writes to the receiver and takes a snapshot of it, and the sender goes on."""
    do(
        link.target.host,
        f"zfs set readonly=off {link.receiver}; mount -t zfs -o zfsutil {link.receiver} /mnt",
        "head -c 200K /dev/urandom >/mnt/mine; sync; umount /mnt",
        f"zfs snapshot {link.receiver}@{snapshot}; zfs set readonly=on {link.receiver}",
    )
    link.adds(later, [link.sender])
    do(link.source.host, *take([link.sender], [later]))


def forgets_all_but_the_first(link: Link) -> None:
    """The sender has only its oldest snapshot left, and no cursor: the next base is older than the last."""
    names = [name.partition("@")[2] for name in guids(link.source) if name.startswith(f"{link.sender}@")]
    do(
        link.source.host,
        f"zfs destroy {link.sender}@{','.join(names[1:])}",
        *(f"zfs destroy '{cursor}'" for cursor in link.cursors()),
    )


def repairs(link: Link) -> None:
    """Replicate, with somebody's approval where one is asked for."""
    run = link.operator.zfsctl("replicate")
    for request in run.data["approvals"]:
        assert link.operator.zfsctl("approvals", "approve", request["id"]).code == 0
        run = link.operator.zfsctl("replicate")
    assert run.code == 0


def look(link: Link) -> Answer:
    """What doctor finds once no pool of another test goes away just then."""
    for _ in range(5):
        found = link.operator.zfsctl("doctor")
        if found.code in (0, 6):
            return found
    raise AssertionError(found.stdout)


def asides(link: Link) -> list[dict[str, Any]]:
    """What doctor says of the copies in this test's own pools; the hosts may have others."""
    found = look(link)
    mine = [one for one in found.data["asides"] if one["dataset"].startswith(f"{link.target}/")]
    assert found.code == 6 or not mine
    return mine


def findings(link: Link) -> list[dict[str, str]]:
    """What else it finds there."""
    pools = (f"{link.source}/", f"{link.target}/")
    return [one for one in look(link).data["findings"] if f"{one['dataset']}/".startswith(pools)]


def release(link: Link, dataset: str) -> Answer:
    return link.operator.zfsctl("doctor", "--release", f"beta:{dataset}", "--confirm", dataset)


def test_two_copies_go_in_the_order_in_which_they_can(link: Link) -> None:
    diverges(link, "own", scheduled(4))
    repairs(link)
    forgets_all_but_the_first(link)
    diverges(link, "own2", scheduled(5))
    repairs(link)
    before = guids(link.target)

    first, second = asides(link)
    assert findings(link) == []
    assert [one["obstacles"] for one in (first, second)] == [[], []]
    assert (first["after"], second["after"]) == ([], [first["dataset"]])
    assert first["used"] > 0

    refused = release(link, second["dataset"])
    do(link.target.host, f"zfs hold zfsctl:copy:base {first['dataset']}@own")
    do(link.target.host, f"zfs bookmark {first['dataset']}@own {first['dataset']}#mark")
    gone = release(link, first["dataset"])
    then = release(link, second["dataset"])

    assert refused.code == 5
    assert [gone.code, then.code] == [0, 0], (gone.stdout, then.stdout)
    lost = {name for name, guid in before.items() if guids(link.target).get(name) != guid}
    assert {name.partition("@")[0] for name in lost} == {first["dataset"], second["dataset"]}
    assert f"{first['dataset']}@own" in lost
    assert not any(" -r " in command or " -R " in command for command in commands(link.target, "destroy"))
    assert asides(link) == []
    link.is_same(scheduled(5))
    assert link.operator.zfsctl("replicate").steps == []


def test_a_copy_that_somebody_needs_stays_whole(link: Link) -> None:
    diverges(link, "own", scheduled(4))
    repairs(link)
    (aside,) = asides(link)
    name = aside["dataset"]
    before = guids(link.target)

    do(
        link.target.host,
        f"zfs send {link.receiver}@{NAMES[0]} | head -c 100K | zfs receive -s -u {name}/part 2>/dev/null || true",
        f"test \"$(zfs get -H -o value receive_resume_token '{name}/part')\" != -",
    )
    partial = release(link, name)
    do(link.target.host, f"zfs receive -A {name}/part", f"zfs hold mine {name}@own")
    held = release(link, name)
    do(link.target.host, f"zfs release mine {name}@own", f"zfs clone -o canmount=noauto {name}@own {link.target}/mine")
    cloned = release(link, name)
    do(link.target.host, f"zfs destroy {link.target}/mine")
    with link.operator.session() as session:
        plan = plan_doctor_release(session, f"beta:{name}")
        do(link.target.host, f"zfs snapshot {name}@new")
        changed = apply_plan(session, plan)

    said = [answer.data["errors"][0]["why"] for answer in (partial, held, cloned)]
    assert [answer.code for answer in (partial, held, cloned)] == [5, 5, 5]
    assert f"an unfinished receive lies in {name}/part" in said[0]
    assert "is held by 'mine'" in said[1]
    assert f"{link.target}/mine is a clone of" in said[2]
    assert [outcome.result.value for outcome in changed.outcomes] == ["stale"]
    assert {**guids(link.target), **before} == guids(link.target)
    assert release(link, name).code == 0
    assert asides(link) == []


def test_what_a_dropped_replication_left_behind_can_be_pasted_away(link: Link) -> None:
    link.writes_policy('repair = "auto"')
    text = link.operator.config.read_text()
    link.operator.config.write_text(text.replace('name = "copy"', 'name = "other"').replace("/copies/", "/new/"))

    found = findings(link)

    assert sorted((one["code"], one["host"], one["dataset"]) for one in found) == [
        ("leaked-cursor", "alpha", link.sender),
        ("leaked-hold", "beta", link.receiver),
    ]
    for finding in found:
        host = link.source.host if finding["host"] == "alpha" else link.target.host
        do(host, finding["hint"].partition(f"root@{host.address} ")[2])
    assert findings(link) == []
