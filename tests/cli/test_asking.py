"""Who must agree to what: a yes for what rules allow, the name or the number for what can lose data."""

from __future__ import annotations

import io

import pytest

from zfsctl.cli.acting import agreement_to_release
from zfsctl.cli.face import Face, seconds_of_timeout
from zfsctl.errors import NotConfirmedError, UsageError
from zfsctl.model.plan import DestroyDataset, Plan


class Terminal(io.StringIO):
    """A stream that a person sits at."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def face(monkeypatch: pytest.MonkeyPatch) -> Face:
    """A command line without a person."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    monkeypatch.setattr("sys.stderr", io.StringIO())
    return Face((), environ={})


def at_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> Terminal:
    """Let a person type `typed`; returns what they see."""
    seen = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    monkeypatch.setattr("sys.stderr", seen)
    return seen


def type_name(face: Face, given: str | None = None) -> None:
    """Ask for the name of a dataset."""
    face.confirm_by_typing(
        "tank/db", given=given, what="the dataset's name", refusal="tank/db: not rolled back", hint="--confirm tank/db"
    )


def agree(face: Face) -> None:
    """Ask for a yes."""
    face.confirm("Destroy 2 snapshots?", refusal="not pruned", hint="zfsctl prune --yes")


def test_a_pipe_that_says_yes_is_no_person(face: Face) -> None:
    with pytest.raises(NotConfirmedError) as caught:
        agree(face)

    assert caught.value.hint == "zfsctl prune --yes"


def test_yes_agrees_to_what_rules_allow_and_never_to_a_loss(face: Face) -> None:
    face.options.yes = True

    agree(face)
    with pytest.raises(NotConfirmedError) as caught:
        type_name(face)

    assert caught.value.hint == "--confirm tank/db"


@pytest.mark.parametrize("typed", ["y\n", "Y\n", "yes\n", " yes \n"])
def test_a_person_may_say_yes(face: Face, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    seen = at_terminal(monkeypatch, typed)

    agree(face)
    assert seen.getvalue() == "Destroy 2 snapshots? [y/N] "


@pytest.mark.parametrize("typed", ["", "\n", "n\n", "yess\n", "no\n"])
def test_anything_else_is_no(face: Face, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    at_terminal(monkeypatch, typed)

    with pytest.raises(NotConfirmedError):
        agree(face)


@pytest.mark.parametrize("option", ["no_input", "json"])
def test_who_is_not_to_be_asked_is_not(face: Face, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    seen = at_terminal(monkeypatch, "y\n")
    setattr(face.options, option, True)

    with pytest.raises(NotConfirmedError):
        agree(face)
    assert seen.getvalue() == ""


def test_the_name_is_typed_or_given(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    type_name(face, given="tank/db")
    seen = at_terminal(monkeypatch, "tank/db\n")
    type_name(face)

    assert "can lose data" in seen.getvalue()


@pytest.mark.parametrize("wrong", ["tank", "TANK/DB", "y", "tank/db2", ""])
def test_another_name_is_no(face: Face, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    at_terminal(monkeypatch, f"{wrong}\n")

    with pytest.raises(NotConfirmedError):
        type_name(face)
    with pytest.raises(NotConfirmedError):
        type_name(face, given=wrong)


def release(*names: str) -> Plan:
    """A plan that lets go of copies of these receivers."""
    copies = [f"{name}.zfsctl-aside-20261118T120000Z" for name in names]
    steps = tuple(
        DestroyDataset(
            id=name, host="beta", why="set aside", dataset=name, dataset_guid=1, aside=name, mark="", snapshots=()
        )
        for name in copies
    )
    return Plan("p", "doctor --release", 0, 1, "", steps=steps)


def test_a_person_sees_what_goes_and_types_its_name(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = release("bk/db")
    seen, shown = at_terminal(monkeypatch, f"{plan.steps[0].dataset}\n"), Terminal()
    monkeypatch.setattr("sys.stdout", shown)

    assert agreement_to_release(face, None, verb="doctor --release")(plan)

    assert "Plan: 1 dataset." in shown.getvalue()
    assert "Type the dataset's name" in seen.getvalue()


def test_for_several_copies_the_number_of_datasets_is_typed(face: Face) -> None:
    plan = release("bk/a", "bk/b")

    agreement_to_release(face, "2", verb="apply")(plan)
    with pytest.raises(NotConfirmedError):
        agreement_to_release(face, plan.steps[0].dataset, verb="apply")(plan)


def test_a_plan_that_releases_nothing_needs_no_name(face: Face) -> None:
    assert not agreement_to_release(face, None, verb="apply")(release())


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("60", 60), ("2m", 120), ("1h", 3600)])
def test_a_timeout_is_seconds_or_a_duration(text: str | None, seconds: int | None) -> None:
    assert seconds_of_timeout(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "soon", "٣"])
def test_what_is_no_timeout_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seconds_of_timeout(text)
