"""What was set on a sender, kept on its receiver as text: plain streams carry no properties, and restores need them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from zfsctl.model.command import Command
from zfsctl.model.names import check_dataset_name
from zfsctl.model.received import SOURCE_PROPERTIES
from zfsctl.zfs.properties import LONGEST_VALUE_BYTES
from zfsctl.zfs.text import text_lines

_NAME = re.compile(r"[a-z0-9:._-]+")
_SET = ("-s", "local,received")
_OURS = "zfsctl:"


def argv_set_properties(dataset: str) -> Command:
    """Ask for everything that was set on `dataset` itself.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "get", "-Hp", *_SET, "-o", "property,value", "all", check_dataset_name(dataset)))


def parse_set_properties(stdout: str) -> dict[str, str]:
    """By name, what was set and can be told for certain.

    The value of a user property may hold newlines, so what follows could be anything: a name that comes twice, and a
    value that is followed by a line which is no property, are left out.
    """
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    last = ""
    for line in text_lines(stdout):
        name, tab, value = line.partition("\t")
        if not tab or "\t" in value or not _NAME.fullmatch(name):
            doubtful.add(last)
            continue
        if name in found:
            doubtful.add(name)
        found[name] = value
        last = name
    return {name: value for name, value in found.items() if name not in doubtful}


def argv_set_everywhere(datasets: Sequence[str]) -> tuple[Command, Command]:
    """Ask for everything that was set on any of `datasets`, two processes for all: what is set, and with its values.

    Raises:
        ValueError: No dataset, or a name that OpenZFS refuses.
    """
    if not datasets:
        raise ValueError("a question about senders needs at least one")
    names = tuple(check_dataset_name(name) for name in datasets)
    get = ("zfs", "get", "-Hp", *_SET, "-o")
    return Command((*get, "name,property", "all", *names)), Command((*get, "name,property,value", "all", *names))


def parse_set_everywhere(names: str, values: str, datasets: Sequence[str]) -> dict[str, dict[str, str]] | None:
    """By dataset, for every one of `datasets`, what is set there; None where that is not certain.

    The value of a user property may hold newlines, so whoever may set one on a dataset can write lines that look like
    those of another. Names cannot: where each line with a value has its own line without one, and no line is left
    over, no value holds a newline.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in datasets}
    set_there, lines = list(text_lines(names)), list(text_lines(values))
    if len(set_there) != len(lines):
        return None
    for pair, line in zip(set_there, lines, strict=True):
        name, tab, property_name = pair.partition("\t")
        known = found.get(name)
        if known is None or not tab or property_name in known or not line.startswith(f"{pair}\t"):
            return None
        known[property_name] = line[len(pair) + 1 :]
    return found


def text_of_source_properties(properties: Mapping[str, str]) -> str:
    """As JSON for one user property; what is too long for it is left out, the longest first. Ours are never in it."""
    kept = {name: value for name, value in sorted(properties.items()) if not name.startswith(_OURS)}
    while True:
        text = json.dumps(kept, separators=(",", ":"))
        if len(text) <= LONGEST_VALUE_BYTES:
            return text
        del kept[max(kept, key=lambda name: len(kept[name]))]


def argv_kept_source_properties(datasets: Sequence[str]) -> Command:
    """Ask what is kept on receivers.

    Raises:
        ValueError: No dataset.
    """
    if not datasets:
        raise ValueError("a question about receivers needs at least one")
    return Command(("zfs", "get", "-Hp", "-s", "local", "-o", "name,value", SOURCE_PROPERTIES, *datasets))


def parse_kept_source_properties(stdout: str) -> dict[str, str]:
    """By dataset, the text that is kept there; none for one without. JSON has no newline in it."""
    found: dict[str, str] = {}
    for line in text_lines(stdout):
        name, _, value = line.partition("\t")
        found[name] = value
    return found


def argv_keep_source_properties(datasets: Sequence[str], text: str) -> Command:
    """Keep `text` on receivers.

    Raises:
        ValueError: No dataset, a name that OpenZFS refuses, or a text that is too long.
    """
    if not datasets:
        raise ValueError("what is kept needs at least one receiver")
    if len(text) > LONGEST_VALUE_BYTES:
        raise ValueError(f"the properties of the sender of {datasets[0]} are longer than a user property may be")
    return Command(("zfs", "set", f"{SOURCE_PROPERTIES}={text}", *(check_dataset_name(name) for name in datasets)))


def argv_carried(dataset: str, name: str) -> Command:
    """Ask for one property, if it was set on `dataset` itself: its raw value and nothing else.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "get", "-Hp", *_SET, "-o", "value", name, check_dataset_name(dataset)))
