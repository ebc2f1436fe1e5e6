#!/bin/bash
# SPDX-License-Identifier: MIT
# Completions: every option of --help is offered; choices, files and models complete.
. "$(dirname "$0")/lib.inc"
for shell in bash zsh fish; do
    expect 0 "$UNROLL" completion $shell
    [ ! -s err ] || not_ok "$shell: $(cat err)"
    cp out script.$shell
done
refuses 2 'unknown shell csh: must be one of bash|zsh|fish' \
    "$UNROLL" completion csh
refuses 2 'completion needs bash|zsh|fish' "$UNROLL" completion

expect 0 "$UNROLL" --help
commands=$(sed -n '/^usage:/,$ s/^  \([a-z][a-z]*\) .*/\1/p' out)
mkdir models
: >alpha.txt
: >'two words.txt'
: >'star*.txt'
: >alpha.safetensors
: >models/beta.safetensors

# ---- bash ----------------------------------------------------------------
# shellcheck disable=SC1091
. ./script.bash || not_ok "bash cannot read its script"

# completes WORD...: what bash offers for the last of them, one a line.
completes() {
    COMP_WORDS=(unroll "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _unroll
    printf '%s\n' "${COMPREPLY[@]}" | sort >offered
}

# offers 'A B' WORD...: exactly these.
offers() {
    # shellcheck disable=SC2086
    printf '%s\n' $1 | sort >wanted
    shift
    completes "$@"
    cmp -s offered wanted || not_ok "for $*: $(tr '\n' ' ' <offered), not $(tr '\n' ' ' <wanted)"
}

offers 'train' tr
offers 'sample see' s
# shellcheck disable=SC2086
offers "$(echo $commands help --help --version)" ''
offers 'predict' help pr
offers '--cell --cell-clip' train a.txt --cel
offers 'lstm' train --cell l
offers 'rnn lstm gru none' train --cell ''
offers 'rnn lstm gru none' train --cell =
offers 'gru' train --cell = g
offers 'random' sample --seed r
offers 'error skip replace' sample m --unknown ''
offers 'bash zsh fish' completion ''
offers '' train --hidden 3
offers '' bench x
offers 'alpha.txt alpha.safetensors' train al
offers 'alpha.safetensors' sample al
offers 'alpha.safetensors models' info ''
offers 'models/beta.safetensors' sample models/
offers 'alpha.txt alpha.safetensors' sample m --prime-file al
offers 'alpha.safetensors' train --init-from al
offers 'alpha.safetensors' train -o al
offers 'alpha.txt alpha.safetensors' eval m al
completes train tw
[ "$(cat offered)" = 'two words.txt' ] || not_ok "a name with a space: $(cat offered)"
completes train st
[ "$(cat offered)" = 'star*.txt' ] || not_ok "a name with a star: $(cat offered)"
n=0
for command in $commands; do
    "$UNROLL" "$command" --help | sed -n 's/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' | sort >wanted
    completes "$command" --
    same offered wanted
    n=$((n + $(wc -l <wanted)))
done
tasks=$("$UNROLL" train --help | sed -n 's/^  --task \([a-z|]*\)$/\1/p' | tr '|' ' ')
for task in ${tasks#lm }; do
    "$UNROLL" train --task $task --help | sed -n 's/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' |
        sort >wanted
    completes train --task $task x.txt --
    same offered wanted
    completes train --task = $task --
    same offered wanted
done
offers '--crf' train a.tsv --task tag --cr
offers '' train a.tsv --task tag --task lm --cr
offers 'last mean max attention' train --task classify --pool ''
offers "$tasks" train --task ''
note "$n options of $(echo "$commands" | wc -w) commands"

# ---- fish ----------------------------------------------------------------
if command -v fish >/dev/null 2>&1; then
    # The program need not be on the path, but fish asks for a command of this name.
    mkdir bin && ln -s "$UNROLL" bin/unroll
    fish_offers() {
        # shellcheck disable=SC2086
        printf '%s\n' $2 | sort >wanted
        PATH=$PWD/bin:$PATH HOME=$PWD fish --no-config -c "source script.fish; complete -C '$1'" \
            2>faults | cut -f 1 | sort >offered
        [ ! -s faults ] || not_ok "fish: $(cat faults)"
        cmp -s offered wanted || not_ok "fish, $1: $(tr '\n' ' ' <offered), not $2"
    }
    fish_offers 'unroll tr' train
    fish_offers 'unroll train --cel' '--cell --cell-clip'
    fish_offers 'unroll train --cell ' 'rnn lstm gru none'
    fish_offers 'unroll sample --prime-file alpha.t' alpha.txt
    fish_offers 'unroll completion z' zsh
    fish_offers 'unroll train alpha.t' alpha.txt
    fish_offers 'unroll train --task tag --cr' --crf
    fish_offers 'unroll train --task=tag --cr' --crf
    fish_offers 'unroll train --task tag --task lm --sample-e' --sample-every
    fish_offers 'unroll train --task classify --pool ' 'last mean max attention'
else
    note "fish is not installed: its script is not read"
fi

# ---- zsh -----------------------------------------------------------------
if command -v zsh >/dev/null 2>&1; then
    zsh -n script.zsh 2>faults || not_ok "zsh: $(cat faults)"
    # _arguments stands for zsh's own: it prints what it is given.
    n=0
    for command in $commands; do
        zsh -f -c '_arguments() { print -rl -- "$@" }
            words=(unroll '"$command"' --) CURRENT=3
            . ./script.zsh' >specs 2>faults || not_ok "zsh: $command"
        [ ! -s faults ] || not_ok "zsh: $(cat faults)"
        sed -n 's/^\(([^)]*)\)\{0,1\}\(--[a-z-]*\)=\{0,1\}\[.*\].*/\2/p' specs | sort >offered
        "$UNROLL" "$command" --help | sed -n 's/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' |
            sort >wanted
        same offered wanted
    done
    for task in "--task tag" "--task=tag"; do
        zsh -f -c '_arguments() { print -rl -- "$@" }
            words=(unroll train '"$task"' --) CURRENT=5
            . ./script.zsh' >specs
        grep -q '^--crf' specs || not_ok "zsh: $task has no --crf"
    done
    zsh -f -c '_arguments() { print -rl -- "$@" }
        words=(unroll train --) CURRENT=3
        . ./script.zsh' >specs
    grep -q '^--crf' specs && not_ok "zsh: --crf without its task"
    has specs '^--cell=\[recurrent cell\]:choice:(rnn lstm gru none)$' \
        '^\*:DATA...:_files$' '^(-o --output)-o=*\[' \
        '^--init-from=\[.*\]:MODEL:_files -g "\*.safetensors"$'
else
    note "zsh is not installed: its script is not read"
fi

finish
