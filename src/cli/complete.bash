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
