# Completion for fish.

set -l regions cn-north-1 cn-north-4 cn-south-1 cn-east-2 cn-east-3 cn-southwest-2 \
    ap-southeast-3 la-north-2 sa-brazil-1 eu-west-101

# The options of one call are not offered with those of the other.
set -l download 'not string match -q -- "--list*" (commandline -opc)'

complete -c codearts-check-log -f
complete -c codearts-check-log -l list -x -d 'Print the IDs of the subtasks'
complete -c codearts-check-log -l job -x -d 'With --list: of this execution, not the latest'
complete -c codearts-check-log -l long -d 'With --list: add status and tool'
complete -c codearts-check-log -s o -l output -r -F -d 'A file, or an existing folder' -n $download
complete -c codearts-check-log -s n -l no-clobber -d 'Skip the download if the file is already a complete package' -n $download
complete -c codearts-check-log -l no-verify -d 'Keep the body even if it is not a complete ZIP' -n $download
complete -c codearts-check-log -s r -l region -x -a "$regions" -d 'The region of the task'
complete -c codearts-check-log -s e -l endpoint -x -d 'Instead of the region'
complete -c codearts-check-log -l credentials-file -r -F -d 'Read an access key from a file'
complete -c codearts-check-log -s t -l token-file -r -F -d 'Read a token from a file'
complete -c codearts-check-log -l cacert -r -F -d 'Trust the certificates in a file'
complete -c codearts-check-log -l connect-timeout -x -d 'For connection and TLS handshake'
complete -c codearts-check-log -l timeout -x -d 'Give up after this long without data'
complete -c codearts-check-log -l max-time -x -d 'For the whole run, 0 for no limit'
complete -c codearts-check-log -s q -l quiet -d 'No progress, no warnings, errors only'
complete -c codearts-check-log -s v -l verbose -d 'Report the request, the answer and the result'
complete -c codearts-check-log -s h -l help -d 'Print the help'
complete -c codearts-check-log -s V -l version -d 'Print the version'
