"""Everything that is generated, by its place in the repository."""

from __future__ import annotations

from zfsctl.cli.generate.bash import bash_completion
from zfsctl.cli.generate.fish import fish_completion
from zfsctl.cli.generate.man import man_pages
from zfsctl.cli.generate.man_policy import policy_page
from zfsctl.cli.generate.tree import read_tree
from zfsctl.cli.generate.zsh import zsh_completion


def generated_files() -> dict[str, str]:
    """By path below the top of the repository, the text of each file."""
    tree = read_tree()
    pages = {f"man/{name}": text for name, text in man_pages(tree).items()}
    return {
        "completions/zfsctl.bash": bash_completion(tree),
        "completions/_zfsctl": zsh_completion(tree),
        "completions/zfsctl.fish": fish_completion(tree),
        **pages,
        "man/zfsctl.toml.5": policy_page(),
    }
