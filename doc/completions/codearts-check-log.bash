# Completion for bash.

_codearts_check_log() {
    local of_download=' -o --output -n --no-clobber --no-verify'
    local options='--list --job --long -o --output -n --no-clobber --no-verify -r --region -e --endpoint
        --credentials-file -t --token-file --cacert --connect-timeout --timeout --max-time
        -q --quiet -v --verbose -h --help -V --version'
    local regions='cn-north-1 cn-north-4 cn-south-1 cn-east-2 cn-east-3 cn-southwest-2
        ap-southeast-3 la-north-2 sa-brazil-1 eu-west-101'
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    # --option=value is three words here.
    if [[ $word == = ]]; then
        word=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case $option in
        -o | --output | --credentials-file | -t | --token-file | --cacert)
            compopt -o default
            ;;
        -r | --region)
            mapfile -t COMPREPLY < <(compgen -W "$regions" -- "$word")
            ;;
        # Nobody can guess these.
        --list | --job | -e | --endpoint | --connect-timeout | --timeout | --max-time) ;;
        *)
            if [[ " ${COMP_WORDS[*]:1:COMP_CWORD-1} " == *' --list '* ]]; then
                options=${options/"$of_download"/}
            fi
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
            fi
            ;;
    esac
}

complete -F _codearts_check_log codearts-check-log
