#!/bin/sh
# Looks at the static program's ELF header, and tries it where nothing is: in a root that holds only
# the binary, /etc/resolv.conf, /etc/nsswitch.conf, a CA file and credentials. It must find a name
# by DNS, download over HTTPS, open no shared object and start no thread. For root (chroot, port
# 53).
set -eu
cd "$(dirname "$0")/.."

program=target/codearts-check-log
stand_in=target/debug/examples/stand-in
# A loopback address that no other name server listens on.
name_server=127.0.0.77

[ "$(id -u)" -eq 0 ] || { echo "static-check: chroot and port 53 are root's" >&2; exit 1; }
if ! command -v dnsmasq > /dev/null || ! command -v strace > /dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends dnsmasq-base strace
fi

elf=$(LC_ALL=C readelf --wide --file-header --program-headers --dynamic "$program")
has() {
    echo "$elf" | grep -E "$1" || { echo "static-check: no '$1' in the ELF header" >&2; exit 1; }
}
# At any address, with no pointer of the loader's to write to, and neither stack nor data to run.
has 'Type: +DYN'
has 'FLAGS_1\).* NOW PIE'
has 'FLAGS\).* BIND_NOW'
has GNU_RELRO
has 'GNU_STACK.* RW '
if echo "$elf" | grep -E 'INTERP|NEEDED| RWE '; then
    echo 'static-check: it needs a loader or an object, or has data that runs' >&2
    exit 1
fi

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"
    [ ! -e "$folder/dns" ] || kill "$(cat "$folder/dns")"; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

root=$folder/root
mkdir -p "$root/etc"
cp "$program" "$root/codearts-check-log"
echo "nameserver $name_server" > "$root/etc/resolv.conf"

mkfifo "$folder/ready"
"$stand_in" serve "$root" > "$folder/ready" &
server=$!
eval "$(sed '/^export SUB_JOB_ID=/q' "$folder/ready")"
port=${CODEARTS_CHECK_ENDPOINT##*:}
id=a777ff00d3cf4d369d87066806aexxxx

# It listens when the command returns. That it knows no IPv6 address is an answer: else it would
# refuse to say, which musl takes for a failure.
dnsmasq --conf-file=/dev/null --pid-file="$folder/dns" --user=root --no-resolv --no-hosts \
    --bind-interfaces --listen-address="$name_server" --address=/stand-in.test/127.0.0.1 \
    --local=/stand-in.test/

# What distributions ship, and what made a static program load this host's libraries.
for hosts in 'files myhostname dns' 'files resolve [!UNAVAIL=return] dns'; do
    echo "hosts: $hosts" > "$root/etc/nsswitch.conf"
    rm -f "$root"/*.zip
    strace -f -o "$folder/trace" -E no_proxy=stand-in.test chroot "$root" /codearts-check-log \
        --cacert /ca.pem --credentials-file /credentials --endpoint "stand-in.test:$port" "$id"
    "$stand_in" list "$root/$id.zip"
    # chroot's own start comes first.
    sed -n '\|execve("/codearts-check-log"|,$p' "$folder/trace" > "$folder/own"
    grep -q "sin_addr=inet_addr(\"$name_server\")" "$folder/own"
    if grep -E '\.so|clone|fork' "$folder/own"; then
        echo "static-check: it opened a shared object or made a thread, with hosts: $hosts" >&2
        exit 1
    fi
    echo "ok: hosts: $hosts"
done
