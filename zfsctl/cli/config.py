"""zfsctl config"""

from __future__ import annotations

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app("Write, check or show the policy file.")


@app.command(cls=VerbCommand)
def init(context: typer.Context) -> int:
    """Write a commented policy for the pools of this machine.

    Goes to --config, ZFSCTL_CONFIG or /etc/zfsctl/zfsctl.toml. A file that is there already is never overwritten.
    """
    from zfsctl.documents.config import document_of_config_text
    from zfsctl.operations.config import init_policy
    from zfsctl.render.text import line

    face = face_of(context)
    first = init_policy(face.session_options())
    face.answer(
        "config",
        lambda: document_of_config_text([str(first.path)], first.text),
        lines=lambda: [line(f"Wrote {first.path}.")],
        rows=lambda: [("wrote", str(first.path))],
    )
    if first.problems:
        face.talk("The pools of this machine could not all be read:", *(f"  {problem}" for problem in first.problems))
    if not first.has_rules:
        face.talk("It has no rule yet, because no pool that takes writes was found on this machine; write one.")
    face.talk("Look at it, then: zfsctl config check && zfsctl run --dry-run")
    return 0


@app.command(cls=VerbCommand)
def check(context: typer.Context) -> int:
    """Read the policy, log in to every host both ways, and print what each rule selects and each replication sends.

    Exits 2 when the policy is wrong by itself or when a selection or sender matches nothing on a host that answered.
    """
    from zfsctl.documents.config import document_of_config_check
    from zfsctl.operations.config import check_policy, exit_code_of_check
    from zfsctl.render.config import render_config_check, rows_of_config_check

    face = face_of(context)
    with face.open_session(dry_run=True) as session:
        found = check_policy(session)
        at = session.clock()
    face.answer(
        "config",
        lambda: document_of_config_check(found),
        lines=lambda: render_config_check(found),
        rows=lambda: rows_of_config_check(found),
        at=at,
    )
    return int(exit_code_of_check(found))


@app.command(cls=VerbCommand)
def show(context: typer.Context) -> int:
    """Print the policy in force as one TOML file: conf.d merged, defaults filled in."""
    from zfsctl.documents.config import document_of_config_text
    from zfsctl.operations.config import policy_text

    face = face_of(context)
    with face.open_session(dry_run=True) as session:
        text = policy_text(session)
        files, at = session.policy.files, session.clock()
    if face.json:
        face.print_document("config", document_of_config_text(files, text), at=at)
    else:
        for row in text.splitlines():
            face.print_text(row)
    return 0
