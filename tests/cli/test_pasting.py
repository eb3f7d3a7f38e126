"""What the output tells to paste is about the hosts that the command was about."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Zfsctl, edit_fleet
from zfsctl.cli.pasting import Pasting
from zfsctl.render.text import Span, try_line


@pytest.mark.parametrize(
    ("sandbox", "config", "text", "expected"),
    [
        pytest.param("D", None, "zfsctl run", "zfsctl --sandbox D run", id="a-command"),
        pytest.param(None, "p.toml", "zfsctl run", "zfsctl --config p.toml run", id="a-policy-file"),
        pytest.param("a b", "c", "zfsctl run", "zfsctl --sandbox 'a b' --config c run", id="both-and-quoted"),
        pytest.param(
            "D", None, "do: zfsctl a && zfsctl b", "do: zfsctl --sandbox D a && zfsctl --sandbox D b", id="two"
        ),
        pytest.param("D", None, "X=/y zfsctl run", "X=/y zfsctl --sandbox D run", id="behind-a-variable"),
        pytest.param("D", None, "zfsctl run --sandbox E", "zfsctl run --sandbox E", id="one-that-names-its-own"),
        pytest.param("D", None, "zfsctl run --sandbox=E", "zfsctl run --sandbox=E", id="one-that-names-it-in-one-word"),
        pytest.param("D", None, "zfsctl sandbox init E", "zfsctl sandbox init E", id="one-that-makes-a-sandbox"),
        pytest.param(None, "c", "zfsctl run -c d", "zfsctl run -c d", id="one-that-names-its-own-policy"),
        pytest.param("D", None, "did you mean tank?", "did you mean tank?", id="no-command"),
        pytest.param("D", None, "update zfsctl, or wait", "update zfsctl, or wait", id="the-word-alone"),
        pytest.param(None, None, "zfsctl run", "zfsctl run", id="nothing-was-given"),
    ],
)
def test_a_command_to_paste_is_given_what_this_one_was_given(
    sandbox: str | None, config: str | None, text: str, expected: str
) -> None:
    pasting = Pasting(sandbox, config)

    assert pasting.text(text) == expected
    assert pasting.text(expected) == expected
    assert pasting.line(try_line(text))[1].text == expected
    assert pasting.line((Span(text),)) == (Span(text),), "data stays as it is"
    assert pasting.row(("!", "place", "zfsctl run", text)) == ("!", "place", "zfsctl run", expected)
    assert pasting.row(("=", text)) == ("=", text), "data stays as it is"
    data = {"findings": [{"message": text, "hint": text}], "errors": [{"why": text, "try": text}], "text": text}
    assert pasting.document(data) == {
        "findings": [{"message": text, "hint": expected}],
        "errors": [{"why": text, "try": expected}],
        "text": text,
    }


def test_every_form_of_output_is_about_the_sandbox(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, lambda document: document["hosts"]["beta"].update(reachable=False))
    here = ("--sandbox", str(sandbox))

    rows = zfsctl("run", "--dry-run", *here)
    document = zfsctl("run", "--dry-run", "--json", *here).document
    error = zfsctl("history", "nothing", *here)

    expected = f"zfsctl --sandbox {sandbox} config check --host beta"
    assert [row[-1] for row in rows.rows if row[0] == "!"] == [expected]
    assert f"kept: zfsctl --sandbox {sandbox} explain tank/db\n" in rows.stderr
    assert [finding["hint"] for finding in document["data"]["findings"]] == [expected]
    assert f"try: zfsctl --sandbox {sandbox} history\n" in error.stderr
    assert zfsctl(*shlex.split(expected)[1:]).code == 12


def test_a_policy_file_of_the_environment_is_not_repeated(
    zfsctl: Zfsctl, sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZFSCTL_CONFIG", "/nowhere/zfsctl.toml")

    assert "try: zfsctl config init\n" in zfsctl("run").stderr
    assert "try: zfsctl --config /no/where.toml config init\n" in zfsctl("run", "-c", "/no/where.toml").stderr
