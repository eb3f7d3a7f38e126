"""Encrypted datasets: raw and plain streams, and why they do not mix."""

from __future__ import annotations

import pytest

from zfsctl.errors import InterruptedOutputError
from zfsctl.sandbox.resume_token import read_token
from zfsctl.sandbox.stream_faults import StreamEnd

MEBIBYTE = 1 << 20

MISMATCH = (
    "cannot receive incremental stream: IV set guid mismatch. See the 'zfs receive' man page section\n"
    " discussing the limitations of raw encrypted send streams.\n"
)


@pytest.fixture
def locked(pair):
    """An encrypted tank/e with s1 and s2, of which `vault` has s1 raw."""
    pair.do("alpha", "zfs create -o encryption=on -o keyformat=passphrase tank/e")
    for name in ("s1", "s2"):
        pair.write("alpha", "tank/e", MEBIBYTE, path="secret", text=name)
        pair.do("alpha", f"zfs snapshot tank/e@{name}")
    pair.copy("zfs send -w tank/e@s1", "zfs receive -u -s bk/e")
    return pair


def unlock(pair, host, dataset):
    pair.dataset(host, dataset).keystatus = "available"


def lock(pair, host, dataset):
    pair.dataset(host, dataset).keystatus = "unavailable"


def test_a_raw_copy_keeps_key_and_ciphertext(locked):
    for name in ("encryption", "keyguid"):
        assert locked.value("vault", name, "bk/e") == locked.value("alpha", name, "tank/e")
    assert locked.value("vault", "encryptionroot", "bk/e") == "bk/e"
    assert locked.value("vault", "keystatus", "bk/e") == "unavailable"
    assert locked.value("vault", "keylocation", "bk/e") == "prompt"
    for name in ("guid", "ivsetguid", "referenced"):
        assert locked.value("vault", name, "bk/e@s1") == locked.value("alpha", name, "tank/e@s1")
    assert locked.dataset("vault", "bk/e").content == {"secret": "s1"}


def test_raw_increments_need_no_key(locked):
    lock(locked, "alpha", "tank/e")
    locked.copy("zfs send -w -i @s1 tank/e@s2", "zfs receive -u -s bk/e")

    assert locked.value("vault", "ivsetguid", "bk/e@s2") == locked.value("alpha", "ivsetguid", "tank/e@s2")


def test_a_raw_increment_may_begin_at_a_bookmark(locked):
    locked.do("alpha", "zfs bookmark tank/e@s1 '#m'", "zfs destroy tank/e@s1")
    locked.copy("zfs send -w -i '#m' tank/e@s2", "zfs receive -u -s bk/e")


def test_without_the_key_a_dataset_is_not_sent_plain(locked):
    lock(locked, "alpha", "tank/e")
    done = locked.ask("alpha", "zfs send tank/e@s1")

    assert (done.exit_code, done.stderr) == (1, "warning: cannot send 'tank/e@s1': dataset key must be loaded\n")


def test_an_estimate_needs_no_key(locked):
    lock(locked, "alpha", "tank/e")

    assert locked.ask("alpha", "zfs send -nvP tank/e@s1").clean


def test_a_plain_increment_is_refused_while_the_key_of_the_copy_is_not_loaded(locked):
    done = locked.join("zfs send -i @s1 tank/e@s2", "zfs receive -u bk/e")

    assert done.receiver.stderr == "cannot receive incremental stream: inherited key must be loaded\n"


def test_after_a_plain_increment_raw_ones_do_not_fit_any_more(locked):
    unlock(locked, "vault", "bk/e")
    locked.copy("zfs send -i @s1 tank/e@s2", "zfs receive -u bk/e")
    assert locked.value("vault", "ivsetguid", "bk/e@s2") != locked.value("alpha", "ivsetguid", "tank/e@s2")

    locked.do("alpha", "zfs snapshot tank/e@s3")
    done = locked.join("zfs send -w -i @s2 tank/e@s3", "zfs receive -u bk/e")

    assert (done.receiver.exit_code, done.receiver.stderr) == (1, MISMATCH)


def test_a_raw_increment_does_not_fit_onto_a_copy_with_a_key_of_its_own(locked):
    locked.do("vault", "zfs create -o encryption=on -o keyformat=passphrase bk/own")
    locked.copy("zfs send tank/e@s1", "zfs receive -u bk/own/e")
    done = locked.join("zfs send -w -i @s1 tank/e@s2", "zfs receive -u bk/own/e")

    assert done.receiver.stderr == MISMATCH


def test_a_raw_increment_does_not_fit_onto_a_plain_copy(locked):
    locked.copy("zfs send tank/e@s1", "zfs receive -u bk/plain")
    done = locked.join("zfs send -w -i @s1 tank/e@s2", "zfs receive -u bk/plain")

    assert done.receiver.stderr == (
        "cannot receive incremental stream: cannot perform raw receive on top of existing unencrypted dataset\n"
    )


def test_an_own_snapshot_refuses_a_raw_increment_even_when_it_is_empty(locked):
    locked.do("vault", "zfs snapshot bk/e@own")
    done = locked.join("zfs send -w -i @s1 tank/e@s2", "zfs receive -u bk/e")

    assert done.receiver.stderr == (
        "cannot receive incremental stream: destination bk/e has been modified\nsince most recent snapshot\n"
    )


def test_a_plain_copy_takes_the_encryption_of_its_parent(locked):
    locked.do("vault", "zfs create -o encryption=aes-128-gcm -o keyformat=passphrase bk/own")
    locked.copy("zfs send tank/e@s1", "zfs receive -u bk/own/e")
    locked.copy("zfs send tank/e@s1", "zfs receive -u bk/e-plain")

    assert locked.value("vault", "encryption", "bk/own/e") == "aes-128-gcm"
    assert locked.value("vault", "encryptionroot", "bk/own/e") == "bk/own"
    assert locked.value("vault", "keyguid", "bk/own/e") != locked.value("alpha", "keyguid", "tank/e")
    assert locked.value("vault", "encryption", "bk/e-plain") == "off"
    assert locked.value("vault", "ivsetguid", "bk/e-plain@s1") == "-"


def test_below_a_parent_whose_key_is_not_loaded_nothing_is_received(locked):
    done = locked.join("zfs send tank/a@s1", "zfs receive -u bk/e/a")

    assert done.receiver.stderr == "cannot receive new filesystem stream: inherited key must be loaded\n"


@pytest.mark.parametrize("flags", ["-u", "-u -s"])
def test_embedded_data_does_not_go_into_encrypted_datasets(locked, flags):
    locked.do("vault", "zfs create -o encryption=on -o keyformat=passphrase bk/own")
    done = locked.join("zfs send -e tank/a@s1", f"zfs receive {flags} bk/own/a")

    why = "incompatible embedded data stream feature with encrypted receive."
    assert done.receiver.stderr == f"cannot receive new filesystem stream: {why}\n"


def test_raw_means_nothing_for_a_dataset_that_is_not_encrypted(locked):
    locked.copy("zfs send -w tank/a@s1", "zfs receive -u bk/a")

    assert locked.value("vault", "encryption", "bk/a") == "off"


def test_a_cut_raw_stream_goes_on_raw(locked):
    locked.fleet.faults.end_stream(StreamEnd.CUT, 0.5)
    with pytest.raises(InterruptedOutputError):
        locked.join("zfs send -w -i @s1 tank/e@s2", "zfs receive -u -s bk/e")
    token = locked.value("vault", "receive_resume_token", "bk/e")

    assert read_token(token).raw

    lock(locked, "alpha", "tank/e")
    locked.copy(f"zfs send -t {token}", "zfs receive -u -s bk/e")

    assert locked.value("vault", "ivsetguid", "bk/e@s2") == locked.value("alpha", "ivsetguid", "tank/e@s2")


def test_a_cut_raw_first_copy_goes_on_raw(locked):
    locked.fleet.faults.end_stream(StreamEnd.CUT, 0.5)
    with pytest.raises(InterruptedOutputError):
        locked.join("zfs send -w tank/e@s1", "zfs receive -u -s bk/second")
    token = locked.value("vault", "receive_resume_token", "bk/second")
    locked.copy(f"zfs send -t {token}", "zfs receive -u -s bk/second")

    assert locked.value("vault", "keystatus", "bk/second") == "unavailable"
    locked.copy("zfs send -w -i @s1 tank/e@s2", "zfs receive -u bk/second")


def test_a_raw_copy_that_went_its_own_way_is_rebuilt_from_its_base_without_the_key(locked):
    unlock(locked, "vault", "bk/e")
    locked.write("vault", "bk/e", MEBIBYTE)
    locked.do("vault", "zfs snapshot bk/e@own")
    lock(locked, "vault", "bk/e")
    locked.do(
        "vault",
        "zfs clone -o canmount=noauto bk/e@s1 bk/e.zfsctl-new",
        "zfs promote bk/e.zfsctl-new",
        "zfs rename -u bk/e bk/e.zfsctl-aside",
        "zfs rename -u bk/e.zfsctl-new bk/e",
    )
    locked.copy("zfs send -w -i @s1 tank/e@s2", "zfs receive -u -s bk/e")

    assert locked.guids("vault", "bk/e") == locked.guids("alpha", "tank/e")
    assert locked.value("vault", "encryptionroot", "bk/e") == "bk/e"
    assert locked.value("vault", "encryptionroot", "bk/e.zfsctl-aside") == "bk/e"


def test_an_encrypted_child_does_not_leave_its_encryption_root(locked):
    locked.do("vault", "zfs create -o encryption=on -o keyformat=passphrase bk/own", "zfs create bk/own/child")
    locked.do("vault", "zfs snapshot bk/own/child@s", "zfs clone bk/own/child@s bk/clone")

    assert locked.ask("vault", "zfs rename -u bk/own/child bk/child").stderr == (
        "cannot rename 'bk/own/child': cannot move encrypted child outside of its encryption root\n"
    )
    locked.do("vault", "zfs rename -u bk/own/child bk/own/other")
    assert locked.ask("vault", "zfs promote bk/clone").stderr == (
        "cannot promote 'bk/clone': cannot promote dataset outside its encryption root\n"
    )


def test_keys_and_ivs_are_kept_in_the_document(locked):
    unlock(locked, "vault", "bk/e")
    locked.copy("zfs send -i @s1 tank/e@s2", "zfs receive -u bk/e")
    locked.do("vault", "zfs bookmark bk/e@s2 '#m'")
    locked.document("vault")

    assert locked.value("vault", "ivsetguid", "'bk/e#m'") == locked.value("vault", "ivsetguid", "bk/e@s2")


def test_a_dataset_shows_the_form_of_its_root_s_key_and_the_root_its_place(desk):
    desk.do("zfs create -o encryption=on -o keyformat=raw -o keylocation=file:///k tank/e", "zfs create tank/e/child")
    desk.do("zfs snapshot tank/e/child@s", "sh -c 'zfs send -w tank/e/child@s | zfs receive -u tank/raw'")

    assert desk.rows("zfs list -Hp -o name,keyformat,keylocation,encryptionroot -r tank") == [
        ["tank", "none", "none", "-"],
        ["tank/e", "raw", "file:///k", "tank/e"],
        ["tank/e/child", "raw", "none", "tank/e"],
        ["tank/raw", "raw", "prompt", "tank/raw"],
    ]
    assert desk.refusal("zfs set keylocation=prompt tank/e/child") == (
        255,
        ["cannot set property for 'tank/e/child': keylocation may only be set on encryption roots"],
    )


def test_promoting_a_clone_of_an_encryption_root_unloads_the_key(desk):
    desk.do("zfs create -o encryption=on -o keyformat=raw -o keylocation=file:///k tank/e", "zfs create tank/e/child")
    desk.do("zfs snapshot tank/e@s", "zfs clone tank/e@s tank/c", "zfs promote tank/c")

    assert desk.rows("zfs list -Hp -o name,keystatus,encryptionroot,keylocation -r tank") == [
        ["tank", "-", "-", "none"],
        ["tank/c", "unavailable", "tank/c", "file:///k"],
        ["tank/e", "unavailable", "tank/c", "none"],
        ["tank/e/child", "unavailable", "tank/c", "none"],
    ]
    assert desk.refusal("zfs create tank/e/other") == (
        1,
        ["cannot create 'tank/e/other': encryption root's key is not loaded or provided"],
    )


def test_below_an_encrypted_dataset_encryption_can_be_turned_off(desk):
    desk.do("zfs create -o encryption=on -o keyformat=passphrase tank/e", "zfs create -o encryption=off tank/e/plain")

    assert desk.rows("zfs list -Hp -o encryption,keystatus,encryptionroot,keyformat tank/e/plain") == [
        ["off", "-", "-", "none"]
    ]


def test_a_key_is_of_no_use_without_encryption(desk):
    assert desk.refusal("zfs create -o keyformat=raw tank/e") == (
        1,
        ["cannot create 'tank/e': Encryption must be turned on to set encryption properties."],
    )
