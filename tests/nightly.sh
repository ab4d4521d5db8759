# shellcheck shell=sh
# For the scripts that try an installed program: they source this. The stand-in serves one folder,
# and the nightly job runs against it.

stand_in=target/debug/examples/stand-in
folder=$(mktemp -d)
chmod 755 "$folder"
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# serve: starts it. Sets endpoint and task; its CA file and credentials are in $folder/served.
serve() {
    mkfifo "$folder/ready"
    "$stand_in" serve "$folder/served" > "$folder/ready" &
    server=$!
    lines=$(sed '/^export SUB_JOB_ID=/q' "$folder/ready")
    # shellcheck disable=SC2034
    endpoint=$(echo "$lines" | sed -n 's/^export CODEARTS_CHECK_ENDPOINT=//p')
    # shellcheck disable=SC2034
    task=$(echo "$lines" | sed -n 's/^export TASK_ID=//p')
}

downloads() {
    grep -c '^GET /v1/log-file' "$folder/served/log" || true
}

# expect DOWNLOADS: that many were made until now.
expect() {
    made=$(downloads)
    [ "$made" -eq "$1" ] || { echo "expected $1 downloads until now, not $made" >&2; exit 1; }
}

# nights LOGS COMMAND...: runs the job for a night with two downloads into LOGS, and for one with
# none.
nights() {
    logs=$1
    shift
    before=$(downloads)
    "$@"
    expect $((before + 2))
    "$@"
    expect $((before + 2))
    while read -r id; do
        "$stand_in" list "$logs/$id.zip" | grep logs/check.log
    done < "$logs/latest"
}
