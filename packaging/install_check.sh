#!/bin/sh
# Installs the program elsewhere than usual, looks at the units there, and uninstalls it: systemd
# must understand the units, find them hardened and the program where they say, the service's
# command must download what a stand-in has, and nothing may stay. A folder that the unit could not
# name is refused, and so is uninstalling below an enabled timer.
set -eu
cd "$(dirname "$0")/.."

. tests/nightly.sh

# --offline came with systemd 250.
if ! systemd-analyze --version > /dev/null 2>&1; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends systemd
fi

root=$folder/root
mkdir "$root"

# refused MAKE_ARGUMENT...
refused() {
    if make DESTDIR="$root" "$@"; then
        echo "install-check: make $* must fail" >&2
        exit 1
    fi
}
for make_target in install uninstall; do
    # shellcheck disable=SC2016
    for prefix in '/a&b' '/a|b' '/a b' a/b "/a'b" '/a$b' '/a
b'; do
        refused "$make_target" PREFIX="$prefix"
    done
    for destdir in "$root/'; touch '$root/ran'; '" "$root/a\$b" "$root/\$(shell touch $root/ran)" "$root/a
b"; do
        refused "$make_target" DESTDIR="$destdir"
    done
done
[ -z "$(ls "$root")" ]
# These it takes literally.
odd="$root/a \"b\" \`c\` \\d;e"
make install DESTDIR="$odd"
"$odd/usr/local/bin/codearts-check-log" --version
make uninstall DESTDIR="$odd"
[ -z "$(find "$root" ! -type d)" ]

prefix=/opt/elsewhere
unit=$root$prefix/lib/systemd/system/codearts-check-log@.service
make install DESTDIR="$root" PREFIX="$prefix"

# It ends with 0 for what it ignores, too.
systemd-analyze verify --man=no "$unit" "${unit%service}timer" > "$root/verify" 2>&1 || true
if [ -s "$root/verify" ]; then
    cat "$root/verify" >&2
    exit 1
fi
rm "$root/verify"
# In tenths: below 3.0.
systemd-analyze security --no-pager --offline=true --threshold=29 "$unit"
grep "^Environment=PATH=$prefix/bin:" "$unit"
"$root$prefix/bin/codearts-check-log" --version

serve
export CODEARTS_CHECK_ENDPOINT="$endpoint" SSL_CERT_FILE="$folder/served/ca.pem"
# The shell's part of ExecStart=, as systemd reads it: without quotes and continuations.
command=$(sed -n "/^ExecStart=/,/[^\\\\]$/ {
    s/^ExecStart=.* -c .//; s/.$//; s/\\$\\$/$/g; s/%i/$task/g; p
}" "$unit")
mkdir "$folder/state"
# service CREDENTIALS CODE PATTERN: runs it with this folder of credentials. It must end with CODE,
# and what it says must match PATTERN.
service() {
    code=0
    said=$(cd "$folder/state" && umask 022 && CREDENTIALS_DIRECTORY="$1" \
        PATH="$root$prefix/bin:$PATH" sh -c "$command" 2>&1) || code=$?
    # shellcheck disable=SC2254
    case "$code $said" in "$2 "$3) return ;; esac
    echo "install-check: the service ended with $code, not $2, and said: $said" >&2
    exit 1
}
# What a run left that was killed goes after a day.
touch -d '2 days ago' "$folder/state/.codearts-check-log.1.2"
service "$folder/served" 0 'packages: 2, new: 2'
service "$folder/served" 0 'packages: 2, new: 0'
expect 2
[ "$(find "$folder/state" -type f | wc -l)" -eq 3 ]
[ -z "$(find "$folder/state" -type f -perm /007)" ]
# A download that fails does not stop the others, but a list that fails does.
rm "$folder/state"/*.zip
mkdir "$folder/state/$(head -n 1 "$folder/state/latest").zip"
service "$folder/served" 123 'codearts-check-log: *packages: 2, new: 1'
mkdir "$folder/wrong"
sed 's/^sk = .*/sk = wrong/' "$folder/served/credentials" > "$folder/wrong/credentials"
chmod 600 "$folder/wrong/credentials"
service "$folder/wrong" 41 'codearts-check-log: *'

timer=$root/etc/systemd/system/timers.target.wants/codearts-check-log@1.timer
mkdir -p "${timer%/*}"
ln -s "$prefix/lib/systemd/system/codearts-check-log@.timer" "$timer"
refused uninstall PREFIX="$prefix"
rm "$timer"
make uninstall DESTDIR="$root" PREFIX="$prefix"
if find "$root" ! -type d | grep .; then
    echo 'install-check: make uninstall left this' >&2
    exit 1
fi
