"""Completion for bash: words of the tree, and names from a cache file. It starts no program on TAB."""

from __future__ import annotations

from zfsctl.cli.generate.tree import SCHEMA_KINDS, CommandText, Words

_HEAD = r"""# bash completion for zfsctl. Generated from the program: python -m zfsctl.cli.generate

# Names come from files that zfsctl writes when it has asked hosts; no host is asked here. Prints the file called $1,
# or of its lines the first that begins with $3.
_zfsctl_cached() {
    local file=${ZFSCTL_CACHE_DIR:-} line
    if [[ -n $2 ]]; then
        file=$2/cache
    elif [[ -z $file ]]; then
        file=/var/cache/zfsctl
        ((EUID == 0)) || file=${XDG_CACHE_HOME:-$HOME/.cache}/zfsctl
    fi
    [[ -r $file/$1 ]] || return 0
    while IFS= read -r line; do
        [[ $line == "${3-}"* ]] || continue
        printf '%s\n' "$line"
        [[ -z ${3-} ]] || return 0
    done <"$file/$1"
}

# The snapshots of the dataset in $1, each with its dataset: a line of the cache holds both, with tabs between.
_zfsctl_snapshots() {
    local place=${1%%@*} line
    line=$(_zfsctl_cached snapshots "$2" "$place"$'\t')
    [[ -z $line ]] || printf '%s\n' "$place@${line#*$'\t'}" | while IFS= read -r line; do
        printf '%s\n' "${line//$'\t'/$'\n'"$place@"}"
    done
}

_zfsctl_hosts() {
    local line head
    printf 'local\n'
    _zfsctl_cached names "$1" | while IFS= read -r line; do
        head=${line%%/*}
        [[ $head == *:* ]] && printf '%s\n' "${head%%:*}"
    done | sort -u
}

# Adds the lines of standard input that begin with $1. Blanks are escaped, and what is ahead of the last colon or @
# is left out where readline begins a word there. It keeps the @ in the word, but not the colon.
_zfsctl_offer() {
    local cur=$1 line cut=
    [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] && cut=${cur%"${cur##*:}"}
    [[ $COMP_WORDBREAKS == *@* && ${cur#"$cut"} == *@* ]] && cut=${cur%"@${cur##*@}"}
    while IFS= read -r line; do
        [[ $line == "$cur"* ]] || continue
        line=${line#"$cut"}
        COMPREPLY+=("${line// /\\ }")
    done
}

_zfsctl_words() {
    local sandbox=$3
    case $2 in
        files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$1")) ;;
        folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$1")) ;;
        hosts) _zfsctl_offer "$1" < <(_zfsctl_hosts "$sandbox") ;;
        datasets) _zfsctl_offer "$1" < <(_zfsctl_cached names "$sandbox") ;;
        snapshots)
            if [[ $1 == *@* ]]; then
                _zfsctl_offer "$1" < <(_zfsctl_snapshots "$1" "$sandbox")
            else
                _zfsctl_offer "$1" < <(_zfsctl_cached names "$sandbox")
            fi ;;
        schemas) COMPREPLY=($(compgen -W '@SCHEMAS@' -- "$1")) ;;
    esac
}

_zfsctl() {
    # Read the line itself: bash splits words at colons, which stand in names here.
    local line=${COMP_LINE:0:COMP_POINT} cur path= sandbox= option= word i
    local -a words
    COMPREPLY=()
    read -ra words <<<"$line"
    cur=
    [[ $line == *[[:space:]] ]] || { cur=${words[-1]}; unset 'words[-1]'; }
    for ((i = 1; i < ${#words[@]}; i++)); do
        word=${words[i]}
        if [[ -n $option ]]; then
            [[ $option == --sandbox ]] && sandbox=$word
            option=
            continue
        fi
        case $word in
            --sandbox=*) sandbox=${word#*=} ;;
@VALUED@
            -*) ;;
            *) case $path/$word in
@PATHS@
            esac ;;
        esac
    done
    if [[ -z $option && $cur == --*=* ]]; then
        option=${cur%%=*}
        cur=${cur#*=}
    fi
    if [[ -n $option ]]; then
        case $option in
@VALUES@
        esac
        return
    fi
    local opts= verbs= takes=
    case $path in
@COMMANDS@
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$opts" -- "$cur"))
    elif [[ -n $verbs ]]; then
        COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
    else
        _zfsctl_words "$cur" "$takes" "$sandbox"
    fi
}

complete -F _zfsctl zfsctl
"""


def bash_completion(tree: CommandText) -> str:
    """The text of completions/zfsctl.bash."""
    commands = list(tree.walk())
    valued = {
        spelling: option
        for command in commands
        for option in command.options
        if option.metavar
        for spelling in option.spellings
    }
    by_words: dict[Words, list[str]] = {}
    for spelling, option in valued.items():
        by_words.setdefault(option.words, []).append(spelling)
    values = [
        f'            {"|".join(spellings)}) _zfsctl_words "$cur" {words.value} "$sandbox" ;;'
        for words, spellings in by_words.items()
        if words is not Words.NOTHING
    ]
    paths = [f"                {_path(c.path[:-1])}/{c.path[-1]}) path={_path(c.path)} ;;" for c in commands if c.path]
    return (
        _HEAD.replace("@SCHEMAS@", " ".join(SCHEMA_KINDS))
        .replace("@VALUED@", f"            {'|'.join(valued)}) option=$word ;;")
        .replace("@PATHS@", "\n".join(paths))
        .replace("@VALUES@", "\n".join(values))
        .replace("@COMMANDS@", "\n".join(_case(command) for command in commands))
    )


def _path(path: tuple[str, ...]) -> str:
    return "".join(f"/{name}" for name in path)


def _case(command: CommandText) -> str:
    options = " ".join(spelling for option in command.options for spelling in option.spellings)
    verbs = " ".join(child.path[-1] for child in command.commands)
    takes = next((argument.words.value for argument in command.arguments), "")
    return f"        {_path(command.path) or repr('')}) opts='{options}' verbs='{verbs}' takes={takes} ;;"
