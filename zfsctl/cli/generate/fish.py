"""Completion for fish, from the tree and a cache file. It starts no program on TAB."""

from __future__ import annotations

from zfsctl.cli.generate.tree import SCHEMA_KINDS, CommandText, OptionText, Words

_HEAD = r"""# fish completion for zfsctl. Generated from the program: python -m zfsctl.cli.generate

# Names come from files that zfsctl writes when it has asked hosts; no host is asked here. The lines of the file $argv.
function __zfsctl_cached
    set -l folder /var/cache/zfsctl
    if test "$EUID" -ne 0
        set folder $HOME/.cache/zfsctl
        set -q XDG_CACHE_HOME; and set folder $XDG_CACHE_HOME/zfsctl
    end
    set -q ZFSCTL_CACHE_DIR; and set folder $ZFSCTL_CACHE_DIR
    set -l words (commandline -opc)
    set -l n (contains -i -- --sandbox $words)
    and test (count $words) -gt $n
    and set folder $words[(math $n + 1)]/cache
    test -r $folder/$argv; and string split \n <$folder/$argv
end

# Datasets, or behind an @ the snapshots of one: a line of the cache holds both, with tabs between.
function __zfsctl_snapshots
    set -l word (commandline -ct)
    if not string match -q '*@*' -- $word
        __zfsctl_cached names
        return
    end
    set -l place (string split -m 1 @ -- $word)[1]
    set -l names (__zfsctl_cached snapshots | string match -r '^'(string escape --style=regex -- $place)'\t.*')
    and printf '%s\n' $place@(string split \t -- $names)[2..]
end

function __zfsctl_hosts
    echo local
    __zfsctl_cached names | string replace -r '/.*' '' | string match -r '^[^:]+(?=:)' | sort -u
end

# The verbs typed so far, without options and their values.
function __zfsctl_path
    set -l path
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch $word
            case @VALUED@
                set skip 1
            case '-*'
            case '*'
                set -a path $word
        end
    end
    string join ' ' -- $path
end

# Whether the verbs typed so far are exactly these, or begin with them.
function __zfsctl_at
    set -l path (__zfsctl_path)
    test "$path" = "$argv"
end
function __zfsctl_within
    set -l path (__zfsctl_path)
    string match -qr -- "^$argv( |\$)" "$path"
end

complete -c zfsctl -f
"""

_ACTIONS = {
    Words.NOTHING: " -x",
    Words.FILES: " -rF",
    Words.FOLDERS: " -xa '(__fish_complete_directories)'",
    Words.HOSTS: " -xa '(__zfsctl_hosts)'",
    Words.DATASETS: " -xa '(__zfsctl_cached names)'",
    Words.SNAPSHOTS: " -xa '(__zfsctl_snapshots)'",
    Words.SCHEMAS: f" -xa '{' '.join(SCHEMA_KINDS)}'",
}
_ARGUMENT_ACTIONS = {
    Words.FILES: " -F",
    Words.FOLDERS: " -a '(__fish_complete_directories)'",
    Words.DATASETS: " -a '(__zfsctl_cached names)'",
    Words.SNAPSHOTS: " -a '(__zfsctl_snapshots)'",
    Words.SCHEMAS: f" -a '{' '.join(SCHEMA_KINDS)}'",
}


def fish_completion(tree: CommandText) -> str:
    """The text of completions/zfsctl.fish."""
    commands = list(tree.walk())
    valued = [s for c in commands for o in c.options if o.metavar for s in o.spellings]
    lines = [_HEAD.replace("@VALUED@", " ".join(dict.fromkeys(valued)))]
    for command in commands:
        path = " ".join(command.path)
        for child in command.commands:
            lines.append(f"complete -c zfsctl -n '__zfsctl_at {path}' -a {child.path[-1]} -d {_quoted(child.summary)}")
        for option in command.options:
            if not command.path or not option.shared:
                lines.append(f"complete -c zfsctl{_condition(command)}{_option(option)}")
        for argument in command.arguments:
            if argument.words in _ARGUMENT_ACTIONS:
                lines.append(f"complete -c zfsctl{_condition(command)}{_ARGUMENT_ACTIONS[argument.words]}")
    return "\n".join([*lines, ""])


def _condition(command: CommandText) -> str:
    return f" -n '__zfsctl_within {' '.join(command.path)}'" if command.path else ""


def _option(option: OptionText) -> str:
    spellings = "".join(f" -l {s[2:]}" if s.startswith("--") else f" -s {s[1:]}" for s in option.spellings)
    return f"{spellings}{_ACTIONS[option.words] if option.metavar else ''} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
