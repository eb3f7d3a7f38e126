# fish completion for zfsctl. Generated from the program: python -m zfsctl.cli.generate

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
            case -c --config --host --timeout --sandbox --reason --expires --out --valid --from --to --only --days --as --confirm --release --limit
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

complete -c zfsctl -n '__zfsctl_at ' -a snapshot -d 'Take the snapshots that are due, or one by hand.'
complete -c zfsctl -n '__zfsctl_at ' -a prune -d 'Destroy the snapshots that no rule keeps.'
complete -c zfsctl -n '__zfsctl_at ' -a replicate -d 'Send what receivers lack.'
complete -c zfsctl -n '__zfsctl_at ' -a run -d 'Do all that is due; for timers.'
complete -c zfsctl -n '__zfsctl_at ' -a status -d 'Show how hosts, pools, snapshots and replications stand.'
complete -c zfsctl -n '__zfsctl_at ' -a explain -d 'Say why snapshots stay or go, and how replications stand.'
complete -c zfsctl -n '__zfsctl_at ' -a apply -d 'Apply a plan that was saved with --out.'
complete -c zfsctl -n '__zfsctl_at ' -a approvals -d 'List, approve or deny what waits for a person.'
complete -c zfsctl -n '__zfsctl_at ' -a doctor -d 'Look for what is left over and what was set aside.'
complete -c zfsctl -n '__zfsctl_at ' -a history -d 'Show the runs and what each of them did.'
complete -c zfsctl -n '__zfsctl_at ' -a config -d 'Write, check or show the policy file.'
complete -c zfsctl -n '__zfsctl_at ' -a schema -d 'Print the JSON Schema of a kind of document.'
complete -c zfsctl -n '__zfsctl_at ' -a sandbox -d 'Make, show or advance simulated hosts.'
complete -c zfsctl -n '__zfsctl_at ' -a demo -d 'Show the main job on simulated hosts.'
complete -c zfsctl -s V -l version -d 'Print the version.'
complete -c zfsctl -s c -l config -rF -d 'Read the policy from FILE.'
complete -c zfsctl -l host -xa '(__zfsctl_hosts)' -d 'Deal with this host only; may be repeated.'
complete -c zfsctl -l json -d 'Print exactly one JSON document on stdout.'
complete -c zfsctl -l no-color -d 'Print no colours.'
complete -c zfsctl -s q -l quiet -d 'Say nothing beside the data.'
complete -c zfsctl -s v -l verbose -d 'Say more: what is kept, each step, the trace of a failure.'
complete -c zfsctl -s y -l yes -d 'Agree to what a manual prune destroys.'
complete -c zfsctl -l no-input -d 'Never ask; what needs an answer is refused.'
complete -c zfsctl -l timeout -x -d 'Wait no longer than this for a host\'s answer.'
complete -c zfsctl -l sandbox -xa '(__fish_complete_directories)' -d 'Use the simulated hosts of DIR instead of real ones.'
complete -c zfsctl -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within snapshot' -s r -l recursive -d 'And all datasets below the selected ones.'
complete -c zfsctl -n '__zfsctl_within snapshot' -l due -d 'Take what the policy says is due; so does no selection.'
complete -c zfsctl -n '__zfsctl_within snapshot' -l reason -x -d 'Why; kept on the snapshot.'
complete -c zfsctl -n '__zfsctl_within snapshot' -l expires -x -d 'Prune it after that time; else never.'
complete -c zfsctl -n '__zfsctl_within snapshot' -s n -l dry-run -d 'Show the plan and change nothing.'
complete -c zfsctl -n '__zfsctl_within snapshot' -l out -rF -d 'Save the plan in FILE for `zfsctl apply`; change nothing.'
complete -c zfsctl -n '__zfsctl_within snapshot' -l valid -x -d 'How long a plan saved by --out may be applied; default 1h.'
complete -c zfsctl -n '__zfsctl_within snapshot' -l detailed-exitcode -d 'With --dry-run: exit 4 when the plan would change something.'
complete -c zfsctl -n '__zfsctl_within snapshot' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within snapshot' -a '(__zfsctl_cached names)'
complete -c zfsctl -n '__zfsctl_within prune' -s r -l recursive -d 'And all datasets below the selected ones.'
complete -c zfsctl -n '__zfsctl_within prune' -s n -l dry-run -d 'Show the plan and change nothing.'
complete -c zfsctl -n '__zfsctl_within prune' -l out -rF -d 'Save the plan in FILE for `zfsctl apply`; change nothing.'
complete -c zfsctl -n '__zfsctl_within prune' -l valid -x -d 'How long a plan saved by --out may be applied; default 1h.'
complete -c zfsctl -n '__zfsctl_within prune' -l detailed-exitcode -d 'With --dry-run: exit 4 when the plan would change something.'
complete -c zfsctl -n '__zfsctl_within prune' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within prune' -a '(__zfsctl_cached names)'
complete -c zfsctl -n '__zfsctl_within replicate' -l from -xa '(__zfsctl_cached names)' -d 'Send this tree, with --to, by no policy.'
complete -c zfsctl -n '__zfsctl_within replicate' -l to -xa '(__zfsctl_cached names)' -d 'Where the tree of --from arrives.'
complete -c zfsctl -n '__zfsctl_within replicate' -l adopt -d 'Set receivers aside that zfsctl never wrote and that share nothing, and copy anew.'
complete -c zfsctl -n '__zfsctl_within replicate' -l no-repair -d 'Leave broken chains as they are.'
complete -c zfsctl -n '__zfsctl_within replicate' -s n -l dry-run -d 'Show the plan and change nothing.'
complete -c zfsctl -n '__zfsctl_within replicate' -l out -rF -d 'Save the plan in FILE for `zfsctl apply`; change nothing.'
complete -c zfsctl -n '__zfsctl_within replicate' -l valid -x -d 'How long a plan saved by --out may be applied; default 1h.'
complete -c zfsctl -n '__zfsctl_within replicate' -l detailed-exitcode -d 'With --dry-run: exit 4 when the plan would change something.'
complete -c zfsctl -n '__zfsctl_within replicate' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within run' -l only -x -d 'Only these jobs, with commas between, such as snapshot,prune.'
complete -c zfsctl -n '__zfsctl_within run' -s n -l dry-run -d 'Show the plan and change nothing.'
complete -c zfsctl -n '__zfsctl_within run' -l out -rF -d 'Save the plan in FILE for `zfsctl apply`; change nothing.'
complete -c zfsctl -n '__zfsctl_within run' -l valid -x -d 'How long a plan saved by --out may be applied; default 1h.'
complete -c zfsctl -n '__zfsctl_within run' -l detailed-exitcode -d 'With --dry-run: exit 4 when the plan would change something.'
complete -c zfsctl -n '__zfsctl_within run' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within status' -l cached -d 'Ask no host; show what was seen last.'
complete -c zfsctl -n '__zfsctl_within status' -l check -d 'One line and exit code for monitoring: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.'
complete -c zfsctl -n '__zfsctl_within status' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within explain' -l days -x -d 'How far to look ahead.'
complete -c zfsctl -n '__zfsctl_within explain' -l as -x -d 'When several fit: snapshot, dataset, policy, replication or topic.'
complete -c zfsctl -n '__zfsctl_within explain' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within explain' -a '(__zfsctl_snapshots)'
complete -c zfsctl -n '__zfsctl_within apply' -s n -l dry-run -d 'Show the plan and change nothing.'
complete -c zfsctl -n '__zfsctl_within apply' -l confirm -x -d 'Agree to a release by the name of the dataset, without a question.'
complete -c zfsctl -n '__zfsctl_within apply' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within apply' -F
complete -c zfsctl -n '__zfsctl_at approvals' -a approve -d 'Approve requests: the next run does what they ask for.'
complete -c zfsctl -n '__zfsctl_at approvals' -a deny -d 'Deny requests: what they are about stays as it is.'
complete -c zfsctl -n '__zfsctl_within approvals' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within approvals approve' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within approvals deny' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within doctor' -l release -xa '(__zfsctl_cached names)' -d 'Let go of this copy that a repair set aside.'
complete -c zfsctl -n '__zfsctl_within doctor' -l confirm -x -d 'Agree to a release by the name of the dataset, without a question.'
complete -c zfsctl -n '__zfsctl_within doctor' -s n -l dry-run -d 'Show the plan and change nothing.'
complete -c zfsctl -n '__zfsctl_within doctor' -l out -rF -d 'Save the plan in FILE for `zfsctl apply`; change nothing.'
complete -c zfsctl -n '__zfsctl_within doctor' -l valid -x -d 'How long a plan saved by --out may be applied; default 1h.'
complete -c zfsctl -n '__zfsctl_within doctor' -l detailed-exitcode -d 'With --dry-run: exit 4 when the plan would change something.'
complete -c zfsctl -n '__zfsctl_within doctor' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within history' -l replications -d 'Show how the health of replications changed, instead of runs.'
complete -c zfsctl -n '__zfsctl_within history' -l limit -x -d 'How many to show.'
complete -c zfsctl -n '__zfsctl_within history' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_at config' -a init -d 'Write a commented policy for the pools of this machine.'
complete -c zfsctl -n '__zfsctl_at config' -a check -d 'Read the policy, log in to every host both ways, and print what each rule selects and each replication sends.'
complete -c zfsctl -n '__zfsctl_at config' -a show -d 'Print the policy in force as one TOML file: conf.d merged, defaults filled in.'
complete -c zfsctl -n '__zfsctl_within config' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within config init' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within config check' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within config show' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within schema' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within schema' -a 'plan result status explanation history approvals doctor config sandbox error'
complete -c zfsctl -n '__zfsctl_at sandbox' -a init -d 'Make a folder with simulated hosts and a policy for them.'
complete -c zfsctl -n '__zfsctl_at sandbox' -a show -d 'Show the clock, hosts, pools and datasets of a sandbox.'
complete -c zfsctl -n '__zfsctl_at sandbox' -a advance -d 'Move the clock of a sandbox, by a leap or with load.'
complete -c zfsctl -n '__zfsctl_within sandbox' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within sandbox init' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within sandbox show' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within sandbox advance' -l load -d 'Meanwhile data is written and due runs happen.'
complete -c zfsctl -n '__zfsctl_within sandbox advance' -s h -l help -d 'Show this message and exit.'
complete -c zfsctl -n '__zfsctl_within demo' -s h -l help -d 'Show this message and exit.'
