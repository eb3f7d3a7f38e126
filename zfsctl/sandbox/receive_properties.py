"""The -o and -x of zfs receive (zfs_setup_cmdline_props in libzfs_sendrecv.c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.calls import Call, Exit, Kinds
from zfsctl.sandbox.natives import ALIASES, NATIVES, is_user_property
from zfsctl.sandbox.proplist import check_properties

_KEYS = ("encryption", "keyformat", "keylocation", "pbkdf2iters")


def check_names(call: Call, words: Sequence[str]) -> None:
    """End the command for a property that a receive cannot set, before anything of the stream is read."""
    for word in words:
        native = NATIVES.get(ALIASES.get(word, word))
        if native is None and is_user_property(word):
            continue
        if native is None or native.default is None or native.name == "volsize":
            call.stop(f"cannot receive: cannot receive: invalid property '{word}'")
        if native.name in _KEYS:
            call.stop(f"zfs receive with {word} is not simulated", 2)


def checked_properties(
    call: Call, action: str, dataset: str, kind: DatasetKind, assigned: dict[str, str], excluded: Sequence[str]
) -> dict[str, str]:
    """What -o sets, under full names. One that does not suit the kind of dataset ends the command; for -x it is a
    warning, and nothing else comes of it, for plain streams carry no properties.
    """
    letter = "f" if kind is DatasetKind.FILESYSTEM else "v"
    for word in excluded:
        native = NATIVES.get(ALIASES.get(word, word))
        if native and letter not in native.types:
            call.complain(f"Warning: {dataset}: property '{native.name}' does not apply to datasets of this type")
    for word in assigned:
        native = NATIVES.get(ALIASES.get(word, word))
        if native and letter not in native.types:
            call.stop(f"{action}: property '{native.name}' does not apply to datasets of this type")
    flavour = Kinds.FILESYSTEM if kind is DatasetKind.FILESYSTEM else Kinds.VOLUME
    checked = check_properties(call, action, flavour, assigned, creating=True)
    if checked is None:
        # libzfs says it twice: once where the value is checked, once where that failed.
        call.complain(f"{action}: invalid property value")
        raise Exit(1)
    return checked


def refused_names(call: Call, properties: Mapping[str, str]) -> tuple[str, ...]:
    """Those of the properties that the account may not set; the receive goes on without them and exits 0."""
    return tuple(
        word
        for word in properties
        if word in call.machine.denied or (":" in word and "userprop" in call.machine.denied)
    )
