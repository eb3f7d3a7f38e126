"""Filesystems, volumes and pools as their listings tell them."""

from __future__ import annotations

import pytest

from zfsctl.errors import UnreadableOutputError
from zfsctl.model.dataset import Dataset, DatasetKind
from zfsctl.model.pool import Pool
from zfsctl.zfs.datasets import DATASET_COLUMNS, argv_list_datasets, parse_datasets
from zfsctl.zfs.pools import argv_list_pools, parse_pools

PHOTOS = {
    "name": "tank/photos",
    "type": "filesystem",
    "guid": "18446744073709551615",
    "createtxg": "12",
    "creation": "1793491200",
    "used": "4096",
    "available": "1000",
    "referenced": "2048",
    "written": "512",
    "usedbysnapshots": "1024",
    "origin": "-",
    "mounted": "yes",
    "canmount": "on",
    "readonly": "off",
    "encryption": "off",
    "keystatus": "-",
    "encryptionroot": "-",
    "inconsistent": "0",
    "receive_resume_token": "-",
    "prevsnap": "tank/photos@newest",
    "mountpoint": "/tank/photos",
}
DISK = PHOTOS | {"name": "tank/vm/disk", "type": "volume", "mounted": "-", "canmount": "-", "mountpoint": "-"}


def line(columns: dict[str, str], **changes: str) -> str:
    """One line of the listing."""
    return "\t".join((columns | changes)[column] for column in DATASET_COLUMNS) + "\n"


def test_a_filesystem_is_read_whole() -> None:
    assert parse_datasets(line(PHOTOS)) == {
        "tank/photos": Dataset(
            name="tank/photos",
            kind=DatasetKind.FILESYSTEM,
            guid=2**64 - 1,
            createtxg=12,
            creation=1793491200,
            used=4096,
            available=1000,
            referenced=2048,
            written=512,
            used_by_snapshots=1024,
            mounted=True,
            mountpoint="/tank/photos",
            canmount="on",
            prevsnap="tank/photos@newest",
        )
    }


def test_a_volume_has_no_mountpoint() -> None:
    volume = parse_datasets(line(DISK))["tank/vm/disk"]

    assert volume.kind is DatasetKind.VOLUME
    assert (volume.mounted, volume.mountpoint, volume.canmount) == (False, None, None)


def test_an_unfinished_first_receive_of_an_encrypted_clone_is_told() -> None:
    dataset = parse_datasets(
        line(
            PHOTOS,
            origin="tank/a@s",
            inconsistent="1",
            receive_resume_token="1-abc-d-e",
            readonly="on",
            encryption="aes-256-gcm",
            keystatus="unavailable",
            encryptionroot="tank/photos",
        )
    )["tank/photos"]

    assert dataset.origin == "tank/a@s"
    assert dataset.inconsistent
    assert dataset.receive_resume_token == "1-abc-d-e"
    assert dataset.readonly
    assert (dataset.encryption, dataset.keystatus, dataset.encryptionroot) == (
        "aes-256-gcm",
        "unavailable",
        "tank/photos",
    )


def test_datasets_keep_the_order_of_the_listing() -> None:
    names = ["tank", "tank/b", "tank/a c", "tank/-dash:x"]

    assert list(parse_datasets("".join(line(PHOTOS, name=name) for name in names))) == names


def test_no_dataset_at_all_is_an_answer() -> None:
    assert parse_datasets("") == {}


UNREADABLE_DATASETS = [
    pytest.param(line(PHOTOS) + line(PHOTOS), "came before", id="a-name-twice"),
    pytest.param(line(PHOTOS, guid="-"), "no number", id="a-guid-that-is-none"),
    pytest.param(line(PHOTOS, guid="١٢"), "no number", id="digits-of-another-script"),
    pytest.param(line(PHOTOS, used="1.5K"), "no number", id="a-size-for-people"),
    pytest.param(line(PHOTOS, written="1_000"), "no number", id="an-underscore-in-a-number"),
    pytest.param(line(PHOTOS, type="bookmark"), "neither a filesystem nor a volume", id="an-unknown-kind"),
    pytest.param(line(PHOTOS, name="tank/photos@s"), "no name of a dataset", id="a-snapshot"),
    pytest.param(line(PHOTOS, name=""), "no name of a dataset", id="an-empty-name"),
    pytest.param(line(PHOTOS, mountpoint="/a\tb"), "22 columns instead of 21", id="a-tab-in-a-mountpoint"),
    pytest.param(line(PHOTOS, mountpoint="/a\nb"), "1 columns instead of 21", id="a-newline-in-a-mountpoint"),
    pytest.param(line(PHOTOS)[:-20], "columns instead of 21", id="cut-in-the-middle"),
    pytest.param("\n", "1 columns instead of 21", id="an-empty-line"),
    pytest.param(line(PHOTOS, readonly="maybe"), "neither 'on' nor 'off'", id="an-unknown-switch"),
]


@pytest.mark.parametrize(("stdout", "why"), UNREADABLE_DATASETS)
def test_a_line_that_openzfs_would_not_print_is_named(stdout: str, why: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the list of datasets could not be read") as caught:
        parse_datasets(stdout)

    assert why in caught.value.why


@pytest.mark.parametrize(("stdout", "why"), UNREADABLE_DATASETS)
def test_an_odd_line_hides_no_other_dataset_where_doubts_are_collected(stdout: str, why: str) -> None:
    doubts: list[UnreadableOutputError] = []

    datasets = parse_datasets(stdout.removesuffix("\n") + "\n" + line(DISK), doubts)

    assert "tank/vm/disk" in datasets
    assert why in doubts[0].why


def test_the_question_about_datasets_is_of_every_pool_and_raw() -> None:
    assert argv_list_datasets().argv[:6] == ("zfs", "list", "-Hp", "-t", "filesystem,volume", "-o")


def test_pools_are_read_with_their_sizes() -> None:
    stdout = "bk\t77\t-\t-\t-\t-\tUNAVAIL\t-\ntank\t18446744073709551615\t100\t60\t40\t60\tONLINE\toff\n"

    assert parse_pools(stdout) == (
        Pool("bk", 77, health="UNAVAIL"),
        Pool("tank", 2**64 - 1, 100, 60, 40, 60, "ONLINE", readonly=False),
    )


def test_a_pool_imported_read_only_takes_no_writes() -> None:
    (pool,) = parse_pools("tank\t1\t100\t60\t40\t60\tONLINE\ton\n")

    assert pool.readonly
    assert not pool.takes_writes


def test_a_health_of_a_newer_openzfs_is_taken_as_it_is() -> None:
    (pool,) = parse_pools("tank\t1\t100\t60\t40\t60\tDREAMING\toff\n")

    assert pool.health == "DREAMING"


@pytest.mark.parametrize(
    ("stdout", "why"),
    [
        pytest.param("tank\t1\t100\t60\t40\t60\tONLINE\n", "7 columns instead of 8", id="a-column-missing"),
        pytest.param("tank\t1\t100\t60\t40\t60%\tONLINE\toff\n", "no number", id="a-percent-sign"),
        pytest.param("tank\t-\t100\t60\t40\t60\tONLINE\toff\n", "no number", id="no-guid"),
        pytest.param("tank\t1\t1\t1\t1\t1\tONLINE\toff\n" * 2, "came before", id="a-name-twice"),
        pytest.param("tank\t1\t1\t1\t1\t1\tONLINE\tperhaps\n", "neither 'on' nor 'off'", id="an-unknown-switch"),
        pytest.param("tank\t1\t1\t1\t1\t1\t-\toff\n", "no health", id="no-health"),
        pytest.param("no pools available\n", "columns", id="words"),
    ],
)
def test_a_line_about_a_pool_that_openzfs_would_not_print_is_named(stdout: str, why: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the list of pools could not be read") as caught:
        parse_pools(stdout)

    assert why in caught.value.why


def test_no_pool_at_all_is_an_answer() -> None:
    assert parse_pools("") == ()
    assert argv_list_pools().argv == (
        "zpool",
        "list",
        "-Hp",
        "-o",
        "name,guid,size,allocated,free,capacity,health,readonly",
    )
