"""Single values of the policy file: each function takes what TOML holds and returns what the model wants.

They raise PydanticCustomError with the message, what was expected and a hint; load.py adds file and key path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TypeVar

from pydantic_core import PydanticCustomError

from zfsctl.config import durations, patterns, sizes
from zfsctl.config.problems import near, one_of
from zfsctl.model.names import check_prefix
from zfsctl.model.policy import SCHEDULE_WORDS, KeepRule, Pattern, Schedule
from zfsctl.model.verdicts import Rule

Word = TypeVar("Word", bound=StrEnum)

LONGEST_PREFIX = 32
"""Bytes. Every dataset must leave room for it and the stamp within the 255 bytes of a snapshot's name."""

LARGEST_COUNT = 1_000_000
"""More snapshots of one dataset than this cannot be listed in useful time; nobody means such a number."""

POLICY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
POLICY_NAME_EXPECTED = "a letter or digit, then letters, digits, '.', '_' or '-', at most 64"
_STABLE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ADDRESS = re.compile(r"[A-Za-z0-9:]([A-Za-z0-9._:%-]*[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\\@-]*\$?")
_JUMP = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*@)?([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.%]+\])(:[0-9]{1,5})?")


def wrong(message: str, expected: str = "", hint: str = "") -> PydanticCustomError:
    """The error of one value. Text goes in as context, because pydantic reads braces of a message as fields."""
    return PydanticCustomError("zfsctl", "{message}", {"message": message, "expected": expected, "hint": hint})


def duration(value: object) -> int:
    """Seconds of `30d`."""
    text = as_text(value, "a duration in quotes", f'write "{value}s"' if _is_integer(value) else "")
    try:
        return durations.parse_duration(text)
    except ValueError as error:
        nearest = durations.nearest_duration(text)
        raise wrong(
            str(error), durations.EXPECTED, f"did you mean `{nearest}`?" if nearest not in (None, text) else ""
        ) from error


def size(value: object) -> int:
    """Bytes of `50MiB`."""
    text = as_text(value, "a size in quotes", f'write "{value}M"' if _is_integer(value) else "")
    try:
        return sizes.parse_size(text)
    except ValueError as error:
        nearest = sizes.nearest_size(text)
        raise wrong(
            str(error), sizes.EXPECTED, f"did you mean `{nearest}`?" if nearest not in (None, text) else ""
        ) from error


def timezone(value: object) -> str:
    """The name of a time zone of the tz database."""
    import zoneinfo

    name = as_text(value, "the name of a time zone in quotes")
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise wrong(
            f"{name!r} is no time zone",
            'a name of the tz database, such as "Europe/Berlin" or "UTC"',
            near(name, zoneinfo.available_timezones()),
        ) from error
    return name


def prefix(value: object) -> str:
    """What names of our snapshots begin with."""
    text = as_text(value, "the first part of snapshot names in quotes")
    try:
        check_prefix(text)
    except ValueError as error:
        raise wrong(str(error), 'such as "zfsctl"') from error
    if len(text) > LONGEST_PREFIX:
        raise wrong(f"{text!r} is too long", f"at most {LONGEST_PREFIX} characters")
    return text


def schedule(value: object) -> Schedule:
    """A word, or a cron line of five fields that comes due some day."""
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    expected = f'{", ".join(SCHEDULE_WORDS)}, or a cron line such as "0 */6 * * *"'
    text = as_text(value, expected)
    if text in SCHEDULE_WORDS:
        return Schedule(text, SCHEDULE_WORDS[text])
    if len(text.split()) != 5 or text != text.strip():
        hint = near(text, SCHEDULE_WORDS) if len(text.split()) == 1 else ""
        raise wrong(f"{text!r} is no schedule", expected, hint)
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        field = str(error).lower().removeprefix("bad ")
        raise wrong(
            f"{text!r} is no cron line: its {field} is wrong",
            "minute hour day-of-month month day-of-week, as crontab(5) has them",
        ) from error
    except StopIteration as error:
        raise wrong(f"{text!r} never comes", "a day that exists") from error
    return Schedule(text, text)


def keep_count(name: str) -> Callable[[object], KeepRule]:
    """A reader of `last = N`."""

    def read(value: object) -> KeepRule:
        if isinstance(value, str):
            hint = f'within = "{value}"' if durations.nearest_duration(value) else ""
            raise wrong(f"{value!r} is no number of snapshots", "a whole number, 1 or more, without quotes", hint)
        return _count(name, value)

    return read


def keep_window(name: str) -> Callable[[object], KeepRule]:
    """A reader of `within = "2d"`."""

    def read(value: object) -> KeepRule:
        if _is_integer(value):
            raise wrong(f"{value} is no duration", durations.EXPECTED, f'{name} = "{value}d", or last = {value}')
        return KeepRule(Rule(name), window=duration(value), text=str(value))

    return read


def keep_period(name: str) -> Callable[[object], KeepRule]:
    """A reader of `daily = N` and `daily = "30d"`."""

    def read(value: object) -> KeepRule:
        if isinstance(value, str):
            if value.isdigit():
                raise wrong(f"{value!r} is text", "a whole number without quotes, or a duration", f"{name} = {value}")
            return KeepRule(Rule(name), window=duration(value), text=value)
        return _count(name, value)

    return read


def filled_keep(value: object) -> object:
    """`keep` has a rule; that it is a table is for its model to say."""
    if value == {}:
        raise wrong("it keeps nothing", "at least one rule, such as keep = { daily = 14 }")
    return value


def filled_list(value: object) -> object:
    """A list with something in it; what is in it is for others to say."""
    if isinstance(value, str):
        raise wrong(f"{value!r} is not a list", f'a list in brackets, such as ["{value}"]')
    if value == []:
        raise wrong("it selects nothing", 'at least one [HOST:]DATASET, such as ["tank/data"]')
    return value


def host_entry(value: object) -> object:
    """`"address"` as the table that it stands for."""
    if isinstance(value, str):
        return {"hostname": value}
    if not isinstance(value, dict):
        raise wrong(f"{_shown(value)} is no host", 'an address in quotes, or { hostname = "address", ... }')
    return value


def hostname(value: object) -> str:
    """An address that ssh cannot take for an option, and that holds nothing else."""
    text = as_text(value, "an address in quotes")
    expected = "a host name or an address; user and port are keys of their own"
    if "@" in text:
        user_part, _, host = text.partition("@")
        raise wrong(f"{text!r} is no address", expected, f'{{ hostname = "{host}", user = "{user_part}" }}')
    host, colon, number = text.partition(":")
    if colon and number.isdigit():
        raise wrong(f"{text!r} is no address", expected, f'{{ hostname = "{host}", port = {number} }}')
    if not _ADDRESS.fullmatch(text):
        raise wrong(f"{text!r} is no address", expected)
    return text


def user(value: object) -> str:
    """A login name."""
    return as_matching(value, _USER, "login name", 'such as "zfsadmin"')


def proxy_jump(value: object) -> str:
    """One host to go through."""
    return as_matching(value, _JUMP, "host to jump through", "[USER@]HOST[:PORT], one host")


def file_path(value: object) -> str:
    """An absolute path, or one below the home folder."""
    text = as_text(value, "a path in quotes")
    if not (PurePosixPath(text).is_absolute() or text.startswith("~/")) or not text.isprintable():
        raise wrong(f"{text!r} is no absolute path", "a path that begins with / or ~/: a timer has no current folder")
    return text


def policy_name(value: object) -> str:
    """The name of a policy, or none; whether it exists is for others to say."""
    text = as_text(value, 'the name of a policy in quotes, or "none"')
    if not POLICY_NAME.fullmatch(text):
        raise wrong(f"{text!r} is no name of a policy", POLICY_NAME_EXPECTED)
    return text


def hook_name(value: object) -> str:
    """The name of a hook."""
    return stable_name(value, "name of a hook")


def stable_name(value: object, what: str) -> str:
    """A name that may become part of names elsewhere."""
    return as_matching(value, _STABLE_NAME, what, "small letters, digits and '-', at most 32")


def word(words: type[Word]) -> Callable[[object], Word]:
    """A reader of one of a few words."""

    def read(value: object) -> Word:
        text = as_text(value, one_of(words))
        if text not in list(words):
            raise wrong(f"{text!r} is not known", one_of(words), near(text, words))
        return words(text)

    return read


def command(value: object) -> object:
    """A program and its arguments, as a list."""
    if isinstance(value, str):
        raise wrong(
            f"{value!r} is not a list",
            "the program and each argument as an entry of its own; no shell reads it",
            f"before = {_as_toml_list(value)}",
        )
    if isinstance(value, list):
        if not value or not value[0]:
            raise wrong("it names no program", 'a list such as ["/usr/local/bin/freeze", "db"]')
        for argument in value:
            if isinstance(argument, str) and "\0" in argument:
                raise wrong(f"{argument!r} holds a NUL byte", "text that a program can be given")
    return value


def selection(value: object) -> Pattern:
    """`[HOST:]DATASET` of `select`: without a host, this machine."""
    return _pattern(value, patterns.selecting, '[HOST:]DATASET in quotes, such as "tank/data"')


def exclusion(value: object) -> Pattern:
    """`[HOST:]DATASET` of `exclude`: without a host, every host."""
    return _pattern(value, patterns.excluding, '[HOST:]DATASET in quotes, such as "**/tmp"')


def adoption(value: object) -> str:
    """A glob on snapshot names that could match one."""
    text = as_text(value, 'a glob on snapshot names in quotes, such as "autosnap_*"')
    try:
        return patterns.check_adoption(text)
    except ValueError as error:
        raise wrong(str(error), "a glob on the part after the @, such as autosnap_*") from error


def _pattern(value: object, read: Callable[[str], Pattern], expected: str) -> Pattern:
    text = as_text(value, expected)
    try:
        return read(text)
    except ValueError as error:
        raise wrong(str(error), "[HOST:]DATASET; * stays inside one name component, ** crosses slashes") from error


def _count(name: str, value: object) -> KeepRule:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong(f"{_shown(value)} is no number of snapshots", "a whole number, 1 or more")
    if value < 1:
        raise wrong(f"{value} keeps nothing", "a whole number, 1 or more; leave the key out to keep none by this rule")
    if value > LARGEST_COUNT:
        raise wrong(f"{value} is too many", f"at most {LARGEST_COUNT}")
    return KeepRule(Rule(name), count=value, text=str(value))


def as_matching(value: object, form: re.Pattern[str], what: str, expected: str) -> str:
    """Text of this form; `what` names it in the error."""
    text = as_text(value, f"a {what} in quotes")
    if not form.fullmatch(text):
        raise wrong(f"{text!r} is no {what}", expected)
    return text


def as_text(value: object, expected: str, hint: str = "") -> str:
    """Text, and nothing that would have to be made into it."""
    if not isinstance(value, str):
        raise wrong(f"{_shown(value)} is not text", expected, hint)
    return value


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """A value as TOML has it, as far as it is short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return str(value)


def _as_toml_list(line: str) -> str:
    import json
    import shlex

    try:
        words = shlex.split(line)
    except ValueError:
        words = [line]
    return json.dumps(words, ensure_ascii=False)
