#!/bin/sh
# The nightly job on a fresh machine, against a stand-in of the service over HTTPS: the subtasks of
# a task's latest execution are listed and downloaded with signed calls, a second night makes no
# download, two refusals are told apart, and a stand-in that starts again keeps its CA. Ends with 0
# only if each run was as it should be.
# Usage: demo.sh PROGRAM STAND_IN
set -eu

stand_in=$2
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$folder/bin" "$folder/logs"
cp "$1" "$folder/bin"
mkfifo "$folder/ready"

serve() {
    "$stand_in" serve "$folder" > "$folder/ready" &
    server=$!
    eval "$(sed '/^export SUB_JOB_ID=/q' "$folder/ready")"
}
serve

# job EXPECTED_CODE COMMAND: runs a crontab's command, in cron's environment and no other, and
# checks its exit code.
job() {
    echo "\$ $2"
    code=0
    env -i HOME="$folder" PATH="$folder/bin:/usr/bin:/bin" \
        CODEARTS_CHECK_ENDPOINT="$CODEARTS_CHECK_ENDPOINT" SSL_CERT_FILE="$SSL_CERT_FILE" \
        HUAWEICLOUD_SDK_CREDENTIALS_FILE="$HUAWEICLOUD_SDK_CREDENTIALS_FILE" \
        sh -c "cd '$folder/logs' && $2" || code=$?
    echo "exit code $code"
    echo
    [ "$code" -eq "$1" ] || { echo "demo: expected exit code $1" >&2; exit 1; }
}

downloads() {
    grep -c '^GET /v1/log-file' "$folder/log" || true
}

nightly="codearts-check-log --list $TASK_ID > latest &&
    xargs -P 4 -n 1 codearts-check-log -v -n < latest"

echo "The stand-in of the service: $CODEARTS_CHECK_ENDPOINT"
echo
echo 'The first night, with an access key in a file:'
job 0 "$nightly"
[ "$(downloads)" -eq 2 ]
job 0 'ls -l'
echo 'The second night: nothing is new, and no download is made.'
job 0 "$nightly"
[ "$(downloads)" -eq 2 ]
while read -r id; do
    "$stand_in" list "$folder/logs/$id.zip" > "$folder/content"
    grep -q logs/check.log "$folder/content"
done < "$folder/logs/latest"

echo 'The same execution by its ID, and then a subtask that does not exist:'
job 0 "codearts-check-log --list $TASK_ID --job $JOB_ID"
job 40 'codearts-check-log 00000000000000000000000000000000'
echo 'The wrong secret key:'
job 41 "HUAWEICLOUD_SDK_AK=STANDINACCESSKEY0001 HUAWEICLOUD_SDK_SK=wrong \
    codearts-check-log --list $TASK_ID"

echo 'The stand-in, started again, keeps its CA:'
cp "$folder/ca.pem" "$folder/old.pem"
kill "$server"
serve
job 0 "SSL_CERT_FILE='$folder/old.pem' codearts-check-log --list $TASK_ID"

# The refusals left nothing.
[ "$(find "$folder/logs" -type f | wc -l)" -eq 3 ]
echo 'All as it should be.'
