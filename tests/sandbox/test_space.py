"""The space model: what snapshots hold, what a destroy frees, and that no byte is lost or counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.errors import RefusedError
from zfsctl.model.command import Command
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.document_load import load_fleet
from zfsctl.sandbox.document_save import fleet_document
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.promoting import hangs
from zfsctl.sandbox.workload import advance, discard, overwrite, usual_load, write

MEBIBYTE = 1 << 20
NOON = 1_795_176_000


def sizes(desk, columns, dataset="tank"):
    return [[int(cell) for cell in row] for row in desk.rows(f"zfs list -Hp -t snapshot -o {columns} {dataset}")]


def test_a_snapshot_holds_alone_what_was_replaced_since(desk):
    write(desk.state, "local", "tank", 10 * MEBIBYTE)
    desk.do("zfs snapshot tank@s1")

    assert sizes(desk, "used") == [[0]]

    overwrite(desk.state, "local", "tank", 3 * MEBIBYTE)

    ((used, written, referenced),) = sizes(desk, "used,written,referenced")
    assert 3 * MEBIBYTE <= used < 4 * MEBIBYTE
    assert written == referenced >= 10 * MEBIBYTE


def test_what_two_snapshots_hold_together_belongs_to_the_last_one_when_the_other_goes(desk):
    write(desk.state, "local", "tank", 10 * MEBIBYTE)
    desk.do("zfs snapshot tank@s1", "zfs snapshot tank@s2")
    discard(desk.state, "local", "tank", 10 * MEBIBYTE)

    (s1,), (s2,) = sizes(desk, "used")
    assert (s1, s2) == (0, 0)
    assert "reclaim\t0\n" in desk.ask("zfs destroy -nvp tank@s1").stdout

    desk.do("zfs destroy tank@s1")

    assert sizes(desk, "used")[0][0] >= 10 * MEBIBYTE


def test_written_counts_from_a_named_snapshot(desk):
    desk.do("zfs snapshot tank@s1")
    write(desk.state, "local", "tank", MEBIBYTE)
    desk.do("zfs snapshot tank@foreign")

    ((since_last, since_first),) = desk.rows("zfs list -Hp -o written,written@s1 tank")

    assert since_last == "0"
    assert int(since_first) > MEBIBYTE


QUOTA_CASES = [
    pytest.param("zfs promote tank/c", "cannot promote 'tank/c': out of space", id="promote-into-a-quota"),
    pytest.param("zfs rename tank/big tank/c/big", "cannot rename 'tank/big': out of space", id="rename-into-a-quota"),
    pytest.param("zfs create -o quota=1K tank/d", "cannot create 'tank/d': out of space", id="quota-below-nothing"),
    pytest.param(
        "zfs create -o refquota=1K tank/d", "cannot create 'tank/d': out of space", id="refquota-below-nothing"
    ),
    pytest.param(
        "zfs clone -o refquota=1K tank/a@s tank/d", "cannot create 'tank/d': out of space", id="refquota-below-origin"
    ),
    pytest.param(
        "zfs clone -o quota=1K -o reservation=1M tank/a@s tank/d",
        "cannot create 'tank/d': out of space",
        id="reservation-above-quota",
    ),
    pytest.param("zfs clone -o quota=1K tank/a@s tank/d", "", id="a-clone-uses-nothing"),
    pytest.param("zfs promote tank/a2", "", id="promote-within-what-a-quota-covers"),
    pytest.param("zfs rename tank/q/big tank/q/c/big", "", id="rename-within-what-a-quota-covers"),
]


@pytest.mark.parametrize(("line", "stderr"), QUOTA_CASES)
def test_a_quota_counts_where_space_comes_under_it(desk, line, stderr):
    desk.do("zfs create tank/a", "zfs snapshot tank/a@s", "zfs clone -o quota=1K tank/a@s tank/c")
    desk.do("zfs create tank/big", "zfs create tank/q", "zfs create tank/q/c", "zfs create tank/q/big")
    desk.do("zfs set quota=100K tank/q", "zfs clone tank/a@s tank/a2")

    done = desk.ask(line)

    assert (done.exit_code, done.stderr.rstrip("\n")) == (int(bool(stderr)), stderr)


def test_a_full_pool_takes_no_writes_until_something_goes(desk):
    write(desk.state, "local", "tank", 800 * MEBIBYTE)
    desk.do("zfs snapshot tank@s")

    with pytest.raises(RefusedError, match="no space left"):
        write(desk.state, "local", "tank", 200 * MEBIBYTE)

    discard(desk.state, "local", "tank", 800 * MEBIBYTE)

    with pytest.raises(RefusedError, match="no space left"):
        write(desk.state, "local", "tank", 200 * MEBIBYTE)

    desk.do("zfs destroy tank@s")
    write(desk.state, "local", "tank", 200 * MEBIBYTE)


def test_a_quota_binds_everything_below_it(desk):
    desk.do("zfs create -o quota=10M tank/a", "zfs create tank/a/b")

    with pytest.raises(RefusedError, match="no space left"):
        write(desk.state, "local", "tank/a/b", 11 * MEBIBYTE)

    write(desk.state, "local", "tank", 11 * MEBIBYTE)


def test_read_only_datasets_take_no_writes(desk):
    desk.do("zfs set readonly=on tank")

    with pytest.raises(RefusedError, match="read-only"):
        write(desk.state, "local", "tank", 1)


def test_load_comes_at_the_same_instants_however_time_is_cut(desk):
    load = usual_load(desk.state)
    other = load_fleet(fleet_document(desk.state))

    advance(desk.state, 7 * 86400, load)
    for _ in range(7 * 24):
        advance(other, 3600, load)

    assert fleet_document(desk.state) == fleet_document(other)
    assert desk.dataset("tank").space().head_written > MEBIBYTE


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 3), st.integers(1, 50)),
        st.tuples(st.just("overwrite"), st.integers(0, 3), st.integers(1, 50)),
        st.tuples(st.just("discard"), st.integers(0, 3), st.integers(1, 50)),
        st.tuples(st.just("snapshot"), st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("destroy"), st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("clone"), st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("promote"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("rollback"), st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("bookmark"), st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("hold"), st.integers(0, 3), st.integers(0, 9)),
    ),
    max_size=40,
)


def live(steps):
    """A fleet on which all that could be done of some steps was done."""
    fleet = create_fleet(NOON)
    pool = create_pool(fleet, "local", "tank", 1 << 40)
    do(fleet, "local", "zfs", "create", "tank/d0")
    host = SandboxFleet(fleet).host("local")
    for kind, which, number in steps:
        name = f"tank/d{which}"
        if name not in pool.datasets and kind != "clone":
            continue
        match kind:
            case "write":
                write(fleet, "local", name, number * 1000)
            case "overwrite":
                overwrite(fleet, "local", name, number * 1000, oldest=number % 2 == 0)
            case "discard":
                discard(fleet, "local", name, number * 1000)
            case "clone":
                host.run(Command(("zfs", "clone", f"tank/d{number % 4}@s{number}", name)))
            case "promote" if not hangs(pool.datasets[name]):
                host.run(Command(("zfs", "promote", name)))
            case "snapshot" | "destroy":
                host.run(Command(("zfs", kind, f"{name}@s{number}")))
            case "rollback":
                host.run(Command(("zfs", "rollback", "-r", f"{name}@s{number}")))
            case "bookmark":
                host.run(Command(("zfs", "bookmark", f"{name}@s{number}", f"#m{number}")))
            case "hold":
                host.run(Command(("zfs", "hold", f"t{number}", f"{name}@s{number}")))
    return fleet


@given(STEPS)
def test_every_byte_belongs_to_the_head_or_to_snapshots_and_the_newest_refers_to_no_more_than_there_is(steps):
    fleet = live(steps)

    for dataset in fleet.hosts["local"].pools["tank"].datasets.values():
        space = dataset.space()
        own = sum(extent.size for extent in dataset.extents if extent.birth > dataset.floor)
        assert space.head_used + space.snapshots_used == own
        assert sum(space.used) <= space.snapshots_used
        assert all(used <= referenced for used, referenced in zip(space.used, space.referenced, strict=True))
        assert all(written <= referenced for written, referenced in zip(space.written, space.referenced, strict=True))
        assert all(extent.size > 0 for extent in dataset.extents)


@given(STEPS, st.data())
def test_a_destroy_frees_what_it_said_it_would(steps, data):
    fleet = live(steps)
    host = SandboxFleet(fleet).host("local")
    datasets = fleet.hosts["local"].pools["tank"].datasets
    some = [name for name, dataset in datasets.items() if dataset.snapshots]
    if not some:
        return
    dataset = datasets[data.draw(st.sampled_from(sorted(some)))]
    names = data.draw(st.lists(st.sampled_from(sorted(dataset.snapshots)), min_size=1, unique=True))
    operand = f"{dataset.name}@{','.join(names)}"
    before = dataset.space()
    asked = host.run(Command(("zfs", "destroy", "-nvp", operand)))

    done = host.run(Command(("zfs", "destroy", operand)))

    freed = before.snapshots_used - dataset.space().snapshots_used
    if done.exit_code == 0:
        assert asked.stdout.splitlines()[-1] == f"reclaim\t{freed}"
        assert dataset.space().head_referenced == before.head_referenced
    else:
        assert freed == 0


@given(STEPS)
def test_what_is_saved_is_what_is_loaded(steps):
    fleet = live(steps)

    again = load_fleet(fleet_document(fleet))

    assert fleet_document(again) == fleet_document(fleet)
    listing = Command(
        ("zfs", "list", "-Hp", "-r", "-t", "all", "-o", "name,guid,createtxg,used,referenced,written,clones")
    )
    assert SandboxFleet(again).host("local").run(listing) == SandboxFleet(fleet).host("local").run(listing)
