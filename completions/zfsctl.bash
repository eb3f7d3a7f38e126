# bash completion for zfsctl. Generated from the program: python -m zfsctl.cli.generate

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
        schemas) COMPREPLY=($(compgen -W 'plan result status explanation history approvals doctor config sandbox error' -- "$1")) ;;
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
            -c|--config|--host|--timeout|--sandbox|--reason|--expires|--out|--valid|--from|--to|--only|--days|--as|--confirm|--release|--limit) option=$word ;;
            -*) ;;
            *) case $path/$word in
                /snapshot) path=/snapshot ;;
                /prune) path=/prune ;;
                /replicate) path=/replicate ;;
                /run) path=/run ;;
                /status) path=/status ;;
                /explain) path=/explain ;;
                /apply) path=/apply ;;
                /approvals) path=/approvals ;;
                /approvals/approve) path=/approvals/approve ;;
                /approvals/deny) path=/approvals/deny ;;
                /doctor) path=/doctor ;;
                /history) path=/history ;;
                /config) path=/config ;;
                /config/init) path=/config/init ;;
                /config/check) path=/config/check ;;
                /config/show) path=/config/show ;;
                /schema) path=/schema ;;
                /sandbox) path=/sandbox ;;
                /sandbox/init) path=/sandbox/init ;;
                /sandbox/show) path=/sandbox/show ;;
                /sandbox/advance) path=/sandbox/advance ;;
                /demo) path=/demo ;;
            esac ;;
        esac
    done
    if [[ -z $option && $cur == --*=* ]]; then
        option=${cur%%=*}
        cur=${cur#*=}
    fi
    if [[ -n $option ]]; then
        case $option in
            -c|--config|--out) _zfsctl_words "$cur" files "$sandbox" ;;
            --host) _zfsctl_words "$cur" hosts "$sandbox" ;;
            --sandbox) _zfsctl_words "$cur" folders "$sandbox" ;;
            --from|--to|--release) _zfsctl_words "$cur" datasets "$sandbox" ;;
        esac
        return
    fi
    local opts= verbs= takes=
    case $path in
        '') opts='-V --version -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='snapshot prune replicate run status explain apply approvals doctor history config schema sandbox demo' takes= ;;
        /snapshot) opts='-r --recursive --due --reason --expires -n --dry-run --out --valid --detailed-exitcode -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=datasets ;;
        /prune) opts='-r --recursive -n --dry-run --out --valid --detailed-exitcode -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=datasets ;;
        /replicate) opts='--from --to --adopt --no-repair -n --dry-run --out --valid --detailed-exitcode -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /run) opts='--only -n --dry-run --out --valid --detailed-exitcode -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes= ;;
        /status) opts='--cached --check -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes= ;;
        /explain) opts='--days --as -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=snapshots ;;
        /apply) opts='-n --dry-run --confirm -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=files ;;
        /approvals) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='approve deny' takes= ;;
        /approvals/approve) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /approvals/deny) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /doctor) opts='--release --confirm -n --dry-run --out --valid --detailed-exitcode -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes= ;;
        /history) opts='--replications --limit -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /config) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='init check show' takes= ;;
        /config/init) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes= ;;
        /config/check) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes= ;;
        /config/show) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes= ;;
        /schema) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=schemas ;;
        /sandbox) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='init show advance' takes= ;;
        /sandbox/init) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /sandbox/show) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /sandbox/advance) opts='--load -c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
        /demo) opts='-c --config --host --json --no-color -q --quiet -v --verbose -y --yes --no-input --timeout --sandbox -h --help' verbs='' takes=nothing ;;
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
