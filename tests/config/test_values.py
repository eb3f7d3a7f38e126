"""Durations, sizes, patterns and paths: the small readers by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.config.durations import LONGEST, SECONDS_OF, nearest_duration, parse_duration
from zfsctl.config.patterns import can_exclude, excluding, names_a_host, selecting
from zfsctl.config.settings import Paths, colour_refused, paths_for
from zfsctl.config.sizes import LARGEST, nearest_size, parse_size, size_text
from zfsctl.errors import ConfigError
from zfsctl.model.policy import Pattern
from zfsctl.planner.matching import selects


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("5m", 300), ("2h", 7200), ("30d", 2_592_000), ("2w", 1_209_600), ("007d", 604_800)],
)
def test_a_duration_is_an_integer_and_a_unit_and_m_is_minutes(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "30", "d", "1.5d", "-1d", "+1d", " 1d", "1d ", "1 d", "1D", "1M", "1mo", "1y", "1d2h", "0s", "٣d", "1d\n"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no duration|no time"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["366001d", "9" * 15 + "s", "9" * 5000 + "w"])
def test_a_duration_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="thousand years"):
        parse_duration(text)


@given(st.integers(1, LONGEST // 604_800), st.sampled_from(sorted(SECONDS_OF)))
def test_a_duration_is_worth_its_number_of_units(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * SECONDS_OF[unit]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10 min", "10m"),
        ("10minutes", "10m"),
        ("3 days", "3d"),
        ("1D", "1d"),
        ("2 Weeks", "2w"),
        ("1mo", "30d"),
        ("2 years", "730d"),
        ("90sec", "90s"),
        ("soon", None),
        ("3", None),
        ("3 moons", None),
    ],
)
def test_what_was_probably_meant_as_a_duration(text: str, meant: str | None) -> None:
    assert nearest_duration(text) == meant
    if meant:
        parse_duration(meant)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1K", 1024), ("1KiB", 1024), ("50M", 52_428_800), ("50MiB", 52_428_800), ("2G", 2**31), ("1TiB", 2**40)],
)
def test_a_size_is_an_integer_and_a_power_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.integers(1, LARGEST // 1024).map(lambda blocks: blocks * 1024))
def test_a_size_that_is_shown_is_read_again_as_the_same(size: int) -> None:
    assert parse_size(size_text(size)) == size


@pytest.mark.parametrize("text", ["", "50", "M", "1.5G", "-1M", "1MB", "1kB", "1k", "1m", "1 M", "1P", "0K", "1Mi"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no size|nothing at all"):
        parse_size(text)


@pytest.mark.parametrize("text", ["9" * 18 + "T", "9" * 5000 + "K", "8388608T"])
def test_a_size_beyond_every_pool_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="larger than any pool"):
        parse_size(text)


@pytest.mark.parametrize(("text", "meant"), [("1MB", "1M"), ("50 mb", "50M"), ("3gib", "3G"), ("many", None)])
def test_what_was_probably_meant_as_a_size(text: str, meant: str | None) -> None:
    assert nearest_size(text) == meant


@pytest.mark.parametrize(
    ("text", "host", "dataset"),
    [
        ("tank", "local", "tank"),
        ("tank/a:b", "local", "tank/a:b"),
        ("alpha:tank/a", "alpha", "tank/a"),
        ("local:po:ol/a", "local", "po:ol/a"),
        ("node*:rpool/vm", "node*", "rpool/vm"),
        ("*:**/data", "*", "**/data"),
        ("tank/with space/x", "local", "tank/with space/x"),
        ("*", "local", "*"),
    ],
)
def test_a_selection_splits_at_the_first_colon_before_any_slash(text: str, host: str, dataset: str) -> None:
    assert selecting(text) == Pattern(text, host, dataset)


def test_without_a_host_select_is_about_this_machine_and_exclude_about_all() -> None:
    assert selecting("tank/a").host == "local"
    assert excluding("tank/a").host == "*"
    assert excluding("alpha:tank/a").host == "alpha"


@pytest.mark.parametrize(
    ("host", "known"), [("node*", True), ("*", True), ("n*1", True), ("n*3", False), ("node", False), ("node02", True)]
)
def test_a_pattern_must_be_about_a_host_that_exists(host: str, known: bool) -> None:
    assert names_a_host(Pattern("", host, "tank"), ["local", "node01", "node02"]) is known


@pytest.mark.parametrize(
    ("exclude", "select", "possible"),
    [
        pytest.param("**/tmp", "tank", True, id="below"),
        pytest.param("tank/a", "tank", True, id="literal-below"),
        pytest.param("tank", "tank/a", True, id="all-of-it"),
        pytest.param("tank/*", "tank/a/b", True, id="from-above"),
        pytest.param("tank/a", "tank/b", False, id="beside"),
        pytest.param("tan", "tank", False, id="prefix-of-a-name"),
        pytest.param("*/tmp", "tank/a", False, id="star-above"),
        pytest.param("*/tmp", "tank/tmp/x", True, id="star-is-above-the-selection"),
        pytest.param("*tmp", "tank/a", False, id="star-stays-in-its-component"),
        pytest.param("**tmp", "tank/a", True, id="two-stars-cross"),
        pytest.param("tank/**/x", "tank/x/y", True, id="two-stars-and-a-slash-may-be-nothing"),
        pytest.param("alpha:tank/a", "beta:tank", False, id="other-host"),
        pytest.param("alpha:tank/a", "*:tank", True, id="host-pattern"),
        pytest.param("n*1:tank/a", "*2:tank", False, id="host-patterns-that-exclude-each-other"),
        pytest.param("n*:tank/a", "*2:tank", True, id="host-patterns-that-meet"),
    ],
)
def test_an_exclusion_that_could_never_match_is_known(exclude: str, select: str, possible: bool) -> None:
    assert can_exclude(excluding(exclude), selecting(select if ":" in select else f"alpha:{select}")) is possible


NAMES = st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=3).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "*b", "ab"]), min_size=1, max_size=3).map("/".join)


@given(PATTERNS, PATTERNS, NAMES)
def test_a_dataset_that_is_selected_and_excluded_is_never_held_impossible(exclude: str, select: str, name: str) -> None:
    if selects(exclude, name) and selects(select, name):
        assert can_exclude(Pattern(exclude, "*", exclude), Pattern(select, "local", select))


def test_root_has_the_system_folders() -> None:
    assert paths_for({}, uid=0) == Paths(
        Path("/var/lib/zfsctl/state.db"), Path("/run/zfsctl"), Path("/var/cache/zfsctl")
    )


def test_other_users_have_folders_below_home_and_locks_where_a_cron_job_finds_them() -> None:
    home = {"HOME": "/home/me"}
    expected = Paths(
        Path("/home/me/.local/state/zfsctl/state.db"),
        Path("/home/me/.local/state/zfsctl/locks"),
        Path("/home/me/.cache/zfsctl"),
    )

    assert paths_for(home, uid=1000) == expected
    assert paths_for({**home, "XDG_RUNTIME_DIR": "/run/user/1000"}, uid=1000) == expected
    assert paths_for({**home, "XDG_STATE_HOME": "relative"}, uid=1000) == expected


def test_xdg_folders_are_used_where_they_are_set() -> None:
    environ = {"HOME": "/home/me", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c"}

    assert paths_for(environ, uid=1000) == Paths(Path("/s/zfsctl/state.db"), Path("/s/zfsctl/locks"), Path("/c/zfsctl"))


@pytest.mark.parametrize("uid", [0, 1000])
def test_our_own_variables_go_before_everything(uid: int) -> None:
    environ = {"ZFSCTL_STATE_DIR": "/a", "ZFSCTL_RUNTIME_DIR": "/b", "ZFSCTL_CACHE_DIR": "/c"}

    assert paths_for(environ, uid=uid) == Paths(Path("/a/state.db"), Path("/b"), Path("/c"))


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        pytest.param({"ZFSCTL_STATE_DIR": "here"}, "environment: ZFSCTL_STATE_DIR", id="relative"),
        pytest.param({}, "environment: HOME", id="no-home"),
    ],
)
def test_an_environment_without_a_usable_folder_is_refused(environ: dict[str, str], where: str) -> None:
    with pytest.raises(ConfigError) as raised:
        paths_for(environ, uid=1000)

    assert raised.value.where == where
    assert raised.value.hint


def test_a_sandbox_keeps_everything_inside() -> None:
    paths = Paths.inside(Path("/box"))

    assert all(path.is_relative_to("/box") for path in (paths.state_file, paths.lock_dir, paths.cache_dir))


@pytest.mark.parametrize(
    ("environ", "refused"),
    [({}, False), ({"NO_COLOR": ""}, False), ({"NO_COLOR": "0"}, True), ({"TERM": "dumb"}, True)],
)
def test_colour_is_refused_by_no_color_with_anything_in_it(environ: dict[str, str], refused: bool) -> None:
    assert colour_refused(environ) is refused
