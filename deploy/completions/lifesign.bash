_clap_complete_lifesign() {
    local IFS=$'\013'
    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}
    local _CLAP_COMPLETE_COMP_TYPE=${COMP_TYPE}
    if compopt +o nospace 2> /dev/null; then
        local _CLAP_COMPLETE_SPACE=false
    else
        local _CLAP_COMPLETE_SPACE=true
    fi
    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$_CLAP_COMPLETE_INDEX" \
        _CLAP_COMPLETE_COMP_TYPE="$_CLAP_COMPLETE_COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
        LIFESIGN_COMPLETE="bash" \
        "lifesign" -- "${words[@]}" \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ $_CLAP_COMPLETE_SPACE == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _lifesign lifesign
else
    complete -o nospace -o bashdefault -F _lifesign lifesign
fi

# bash ends a word at each `:` and `=`, which blocks of IPv6 and `--scope=` have in them. Here they are one word again, and
# what lies before the last of these signs, which bash leaves as it is, is taken off each answer.
_lifesign() {
    local line=$COMP_LINE words=() before= is_break= was_break part i
    for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        was_break=$is_break
        [[ $part =~ ^[:=]+$ ]] && is_break=yes || is_break=
        if [[ $line != [[:space:]]* && -n $was_break$is_break && ${#words[@]} -gt 0 ]]; then
            before=${words[-1]}
            words[-1]+=$part
        else
            before=
            words+=("$part")
        fi
        line=${line#"${line%%[![:space:]]*}"}
        line=${line#"$part"}
    done
    [[ -n $is_break ]] && before=${words[-1]}
    words[-1]=$before$2
    local COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
    _clap_complete_lifesign "$1" "$before$2" "$3"
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]:${#before}}
    done
}
