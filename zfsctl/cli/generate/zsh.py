"""Completion for zsh, from the tree and a cache file. It starts no program on TAB."""

from __future__ import annotations

from zfsctl.cli.generate.tree import SCHEMA_KINDS, ArgumentText, CommandText, OptionText, Words

_HEAD = r"""#compdef zfsctl
# zsh completion for zfsctl. Generated from the program: python -m zfsctl.cli.generate

# Names come from files that zfsctl writes when it has asked hosts; no host is asked here. The lines of the file $1.
_zfsctl_cached() {
    local folder=${ZFSCTL_CACHE_DIR:-}
    local -i n=${words[(I)--sandbox]}
    if (( n )); then
        folder=${words[n+1]}/cache
    elif [[ -z $folder ]]; then
        folder=/var/cache/zfsctl
        (( EUID == 0 )) || folder=${XDG_CACHE_HOME:-$HOME/.cache}/zfsctl
    fi
    reply=()
    [[ -r $folder/$1 ]] && reply=(${(f)"$(<$folder/$1)"})
}

_zfsctl_datasets() {
    local -a reply
    _zfsctl_cached names
    # compadd, not _describe: a colon is part of a name here.
    (( $#reply )) && compadd -a reply
}

_zfsctl_snapshots() {
    if [[ $PREFIX != *@* ]]; then
        _zfsctl_datasets
        return
    fi
    local -a reply names
    local place=${PREFIX%%@*}
    _zfsctl_cached snapshots
    # A line holds a dataset and its snapshots, with tabs between.
    names=(${(ps:\t:)${(M)reply:#${(b)place}$'\t'*}#*$'\t'})
    (( $#names )) && compadd -- $place@$^names
}

_zfsctl_hosts() {
    local -a reply hosts
    local name
    _zfsctl_cached names
    hosts=(local)
    for name in $reply; do
        [[ ${name%%/*} == *:* ]] && hosts+=(${${name%%/*}%%:*})
    done
    compadd -U -- ${(M)${(u)hosts}:#${PREFIX}*}
}
"""

_ACTIONS = {
    Words.NOTHING: "",
    Words.FILES: "_files",
    Words.FOLDERS: "_files -/",
    Words.HOSTS: "_zfsctl_hosts",
    Words.DATASETS: "_zfsctl_datasets",
    Words.SNAPSHOTS: "_zfsctl_snapshots",
    Words.SCHEMAS: f"({' '.join(SCHEMA_KINDS)})",
}


def zsh_completion(tree: CommandText) -> str:
    """The text of completions/_zfsctl."""
    functions = [_function(command) for command in reversed(list(tree.walk()))]
    return "\n".join([_HEAD, *functions, '_zfsctl "$@"', ""])


def _function(command: CommandText) -> str:
    name = "_".join(("_zfsctl", *command.path))
    specs = [_spec(option) for option in command.options]
    lines = [f"{name}() {{"]
    if not command.commands:
        specs += [_argument(argument, n) for n, argument in enumerate(command.arguments, 1)]
        return "\n".join([*lines, *_arguments("-s -S", specs), "}", ""])
    lines += [
        "    local curcontext=$curcontext state line ret=1",
        "    local -A opt_args",
        "    local -a verbs",
        "    verbs=(",
        *(f"        {_quoted(child.path[-1] + ':' + child.summary)}" for child in command.commands),
        "    )",
        *_arguments("-s -S -C", [*specs, "'1:command:->verb'", "'*::argument:->rest'"]),
        "    case $state in",
        "        verb) _describe command verbs && ret=0 ;;",
        "        rest)",
        "            case $words[1] in",
        *(
            f"                {child.path[-1]}) {'_'.join(('_zfsctl', *child.path))} && ret=0 ;;"
            for child in command.commands
        ),
        "            esac ;;",
        "    esac",
        "    return ret",
        "}",
        "",
    ]
    return "\n".join(lines)


def _arguments(flags: str, specs: list[str]) -> list[str]:
    return [f"    _arguments {flags} \\", *(f"        {spec} \\" for spec in specs[:-1]), f"        {specs[-1]}"]


def _spec(option: OptionText) -> str:
    help = option.help.replace("[", r"\[").replace("]", r"\]")
    repeats = "--host" in option.spellings
    # A colon would end the message.
    message = option.metavar.replace("[HOST:]", "")
    value = f":{message}:{_ACTIONS[option.words]}" if option.metavar else ""
    if len(option.spellings) == 1:
        spelling = option.spellings[0] + ("=" if option.metavar else "")
        return _quoted(f"{'*' if repeats else ''}{spelling}[{help}]{value}")
    group = "(" + " ".join(option.spellings) + ")"
    spellings = ",".join(
        spelling + (("=" if spelling.startswith("--") else "+") if option.metavar else "")
        for spelling in option.spellings
    )
    return f"{_quoted(group)}{{{spellings}}}{_quoted(f'[{help}]{value}')}"


def _argument(argument: ArgumentText, position: int) -> str:
    where = "*" if argument.repeats else str(position)
    # A bracket would end the message, a colon too.
    message = argument.help.split(";")[0].replace("[", "").replace("]", "").replace(":", "").rstrip(".")
    return _quoted(f"{where}:{message}:{_ACTIONS[argument.words]}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
