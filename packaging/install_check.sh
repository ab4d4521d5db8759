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
service=$root$prefix/lib/systemd/system/codearts-check-log@.service
make install DESTDIR="$root" PREFIX="$prefix"

# It ends with 0 for what it ignores, too.
systemd-analyze verify --man=no "$service" "${service%service}timer" > "$root/verify" 2>&1 || true
if [ -s "$root/verify" ]; then
    cat "$root/verify" >&2
    exit 1
fi
rm "$root/verify"
# In tenths: below 3.0.
systemd-analyze security --no-pager --offline=true --threshold=29 "$service"
grep "^Environment=PATH=$prefix/bin:" "$service"
"$root$prefix/bin/codearts-check-log" --version

serve
export CODEARTS_CHECK_ENDPOINT="$endpoint" SSL_CERT_FILE="$folder/served/ca.pem"
# The shell's part of ExecStart=, as systemd reads it: without quotes and continuations.
command=$(sed -n "/^ExecStart=/,/[^\\\\]$/ {
    s/^ExecStart=.* -c .//; s/.$//; s/\\$\\$/$/g; s/%i/$task/g; p
}" "$service")
mkdir "$folder/state"
# What a run left that was killed goes after a day.
touch -d '2 days ago' "$folder/state/.codearts-check-log.1.2"
for new in 2 0; do
    said=$(cd "$folder/state" && CREDENTIALS_DIRECTORY="$folder/served" PATH="$root$prefix/bin:$PATH" \
        sh -c "$command" 2>&1)
    if [ "$said" != "packages: 2, new: $new" ]; then
        echo "install-check: the service said: $said" >&2
        exit 1
    fi
done
[ "$(find "$folder/state" -type f | wc -l)" -eq 3 ]

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
