#!/bin/sh
# The main job on a fresh machine: a download from a stand-in of the service over HTTPS, and two
# refusals. Ends with 0 only if each run was as it should be.
# Usage: demo.sh PROGRAM STAND_IN
set -eu

program=$1
stand_in=$2
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

mkfifo "$folder/ready"
"$stand_in" serve "$folder/ca.pem" > "$folder/ready" &
server=$!
read -r environment < "$folder/ready"
# Words without spaces, from our own program; and no proxy on the way to this host.
export $environment SSL_CERT_FILE="$folder/ca.pem" no_proxy=localhost
package=$folder/$SUB_JOB_ID.zip

# run EXPECTED_CODE COMMAND...: shows the command and its exit code, and checks the latter.
run() {
    expected=$1
    shift
    echo "\$ $*"
    code=0
    "$@" || code=$?
    echo "exit code $code"
    echo
    [ "$code" -eq "$expected" ] || { echo "demo: expected exit code $expected" >&2; exit 1; }
}

echo "The stand-in of the service: $CODEARTS_CHECK_ENDPOINT"
echo
run 0 "$program" --verbose --output "$folder" "$SUB_JOB_ID"
run 0 "$stand_in" list "$package"
echo "Another subtask, which does not exist:"
run 40 "$program" --output "$folder/none.zip" 00000000000000000000000000000000
echo "The same subtask, with a token that has expired:"
HUAWEICLOUD_TOKEN=expired
run 41 "$program" --output "$package" "$SUB_JOB_ID"

# What came first is still there, and the refusals left nothing.
"$stand_in" list "$package" > /dev/null
[ ! -e "$folder/none.zip" ]
echo "All as it should be."
