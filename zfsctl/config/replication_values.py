"""Single values of `[[replications]]`, read like those of values.py."""

from __future__ import annotations

import re

from zfsctl.config import values
from zfsctl.config.patterns import selecting
from zfsctl.config.problems import near, one_of
from zfsctl.config.values import as_text, wrong
from zfsctl.model.names import LOCAL, Place, check_dataset_name, check_host_name, check_pool_name, pool_of, split_host
from zfsctl.model.policy import Pattern
from zfsctl.model.received import CARRIED
from zfsctl.planner.matching import named_by_us

PLACEHOLDER = "{host}"

MOST_PARALLEL = 64
"""Transfers at a time. Each is one ssh process or two; sshd turns many more away before it has looked at them."""

_SENDER = '[HOST:]DATASET in quotes, such as "alpha:tank/vm"'
_RECEIVER = f'[HOST:]DATASET in quotes, such as "vault:bk/{PLACEHOLDER}/vm"'
_ANY_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_USER_PROPERTY = re.compile(r"(?=.*:)[a-z0-9:._][a-z0-9:._-]{0,254}")

_RECEIVERS_OWN = {
    "canmount": "nothing mounts what arrives unless somebody asks for it",
    "mountpoint": "nothing is mounted over what the receiver's host has there",
    "readonly": "what arrives is read-only, so that nothing is written between two transfers",
    "encryption": "a raw copy keeps it, any other takes that of the dataset above",
    "keyformat": "a raw copy keeps it, any other takes that of the dataset above",
    "keylocation": "a raw copy keeps it, any other takes that of the dataset above",
    "pbkdf2iters": "a raw copy keeps it, any other takes that of the dataset above",
    "volsize": "every stream brings it",
    "volblocksize": "every stream brings it",
    "casesensitivity": "every stream brings it",
    "normalization": "every stream brings it",
    "utf8only": "every stream brings it",
}


def replication_name(value: object) -> str:
    """The name of a replication, which becomes part of bookmark names and hold tags."""
    return values.stable_name(value, "name of a replication")


def sender(value: object) -> Pattern:
    """`[HOST:]DATASET`: the host may be a pattern, the dataset is a name; without a host, this machine."""
    text = as_text(value, _SENDER)
    try:
        pattern = selecting(text)
        if "*" not in pattern.dataset:
            check_dataset_name(pattern.dataset)
    except ValueError as error:
        raise wrong(str(error), "[HOST:]DATASET; the host may be a pattern, the dataset is a name") from error
    if "*" in pattern.dataset:
        raise wrong(
            f"{pattern.dataset!r} holds a wildcard: two datasets that it matches could arrive under one name",
            "the name of one dataset, all below it goes with it; another [[replications]] for another tree",
        )
    _check_not_ours(pattern.dataset)
    return pattern


def receiver(value: object) -> Place:
    """`[HOST:]DATASET`, in which `{host}` stands for the sender's host; without a host, this machine."""
    text = as_text(value, _RECEIVER)
    expected = f"[HOST:]DATASET; {PLACEHOLDER} in the dataset stands for the sender's host"
    if text != text.strip():
        raise wrong(f"{text!r} begins or ends with a space", expected)
    host, dataset = split_host(text)
    if "*" in text:
        hint = f"{host}:{dataset}" if host is not None else dataset
        raise wrong(f"{text!r} holds a wildcard: a receiver is one dataset", expected, hint.replace("*", PLACEHOLDER))
    if host is not None and "{" in host:
        raise wrong(f"{host!r}: a replication has one receiving host", expected)
    for name in _ANY_PLACEHOLDER.findall(dataset):
        if f"{{{name}}}" != PLACEHOLDER:
            raise wrong(f"there is no placeholder {{{name}}}", expected, near(f"{{{name}}}", [PLACEHOLDER]))
    try:
        if host is not None:
            check_host_name(host)
        _check_receiver(dataset)
    except ValueError as error:
        raise wrong(str(error), expected) from error
    if "/" not in dataset:
        raise wrong(
            f"{dataset!r} is the root of a pool, which can be neither set aside nor put in place by a repair",
            f"a dataset inside the pool, such as {dataset}/backup",
        )
    _check_not_ours(dataset)
    return Place(LOCAL if host is None else host, dataset)


def parallel(value: object) -> int:
    """Transfers at a time."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_PARALLEL:
        shown = repr(value) if isinstance(value, str) else str(value).lower()
        raise wrong(f"{shown} is no number of transfers", f"a whole number, 1 to {MOST_PARALLEL}, without quotes")
    return value


def properties(value: object) -> object:
    """A list without repetitions; receive refuses a property that it is given twice."""
    if isinstance(value, str):
        raise wrong(f"{value!r} is not a list", f'a list in brackets, such as ["{value}"]')
    if isinstance(value, list):
        for index, name in enumerate(value):
            if name in value[:index]:
                raise wrong(f"{name!r} stands there twice", "each property once")
    return value


def carried_property(value: object) -> str:
    """The name of a property that makes sense on another host; whether its OpenZFS knows it is seen there."""
    name = as_text(value, 'the name of a property in quotes, such as "compression"')
    if name.startswith("zfsctl:"):
        raise wrong(f"{name!r} is zfsctl's own", "a property of the data; what zfsctl needs it carries over itself")
    if name in _RECEIVERS_OWN:
        raise wrong(f"{name!r} is never carried over: {_RECEIVERS_OWN[name]}", one_of(CARRIED))
    if name not in CARRIED and not _USER_PROPERTY.fullmatch(name):
        raise wrong(
            f"{name!r} is no property that can be carried over",
            f"a user property such as com.example:owner, or {one_of(CARRIED)}",
            near(name, CARRIED),
        )
    return name


def _check_not_ours(dataset: str) -> None:
    if named_by_us(dataset):
        raise wrong(
            f"{dataset!r} is the name of a copy that zfsctl sets aside or builds, which is outside every replication",
            "the name of a dataset that stays",
        )


def _check_receiver(dataset: str) -> None:
    name = dataset.replace(PLACEHOLDER, "host")
    check_dataset_name(name)
    check_pool_name(pool_of(name))
    for component in name.split("/"):
        if component != component.strip():
            raise ValueError(f"{dataset!r}: {component!r} begins or ends with a space")
