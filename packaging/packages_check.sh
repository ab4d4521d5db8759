#!/bin/sh
# Installs the packages as a user does, with no toolchain: the .deb in a fresh root of Debian 12,
# and the .rpm in a root that holds nothing but busybox. There the program runs the nightly job
# against the stand-in; this host's tools look at the man page and the units; and when the package
# is removed, none of its files may stay. The root is made once, and used again: the package goes
# into a copy. For root (debootstrap, chroot).
set -eu
cd "$(dirname "$0")/.."

if ! command -v rpm > /dev/null || ! command -v mandoc > /dev/null ||
    ! systemd-analyze --version > /dev/null 2>&1; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends rpm mandoc systemd
fi

# The only package beside Debian's minimum: busybox for the other root.
. tests/debian_root.sh
make_root target/bookworm bookworm busybox-static
fresh=$root
. tests/nightly.sh
serve
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
packages=$PWD/target/dist/codearts-check-log
deb=${packages}_${version}_$(dpkg --print-architecture).deb
rpm=$packages-$version-1.$(uname -m).rpm

# within COMMAND...: in the root, with /proc as in a booted one, and with the stand-in's variables.
within() {
    # shellcheck disable=SC2016
    unshare --mount sh -euc 'mount -t proc proc "$1/proc"; exec chroot "$@"' sh "$root" \
        /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        CODEARTS_CHECK_ENDPOINT="$endpoint" SSL_CERT_FILE=/etc/codearts/ca.pem \
        HUAWEICLOUD_SDK_CREDENTIALS_FILE=/etc/codearts/credentials "$@"
}

# silent COMMAND...: it has nothing to say.
silent() {
    said=$("$@" 2>&1) || said="$said (failed)"
    [ -z "$said" ] || { echo "packages-check: $*: $said" >&2; exit 1; }
}

# try FILES: what is installed, of which FILES is a list, does its work.
try() {
    mkdir -p "$root/etc/codearts" "$root/var/log/codearts"
    cp -p "$folder/served/ca.pem" "$folder/served/credentials" "$root/etc/codearts"
    echo '127.0.0.1 localhost' > "$root/etc/hosts"
    within codearts-check-log --version
    nights "$root/var/log/codearts" within sh -euc "cd /var/log/codearts
        codearts-check-log --list $task > latest &&
        xargs -P 4 -n 1 codearts-check-log -v -n < latest"

    man=$root$(grep '/man1/' "$1")
    silent mandoc -T lint "$man"
    mandoc "$man" | grep -q 'codearts-check-log .* download the log packages'
    # shellcheck disable=SC2013
    for unit in $(grep '/systemd/system/.*@' "$1"); do
        silent systemd-analyze verify --man=no "$root$unit"
    done
    # Nothing is enabled: the units are templates.
    [ -z "$(find "$root/etc/systemd" -name 'codearts*' 2> /dev/null)" ]
}

# gone FILES: none of these is there, nor a folder of the package's own.
gone() {
    while read -r file; do
        [ ! -d "$root$file" ] || case $file in *codearts*) ;; *) continue ;; esac
        [ ! -e "$root$file" ] || { echo "packages-check: $root$file stayed" >&2; exit 1; }
    done < "$1"
}

root=$folder/debian
cp -a "$fresh" "$root"
cp "$deb" "$root/package.deb"
within apt-get -q -y -o Dpkg::Use-Pty=0 install /package.deb
dpkg-deb --fsys-tarfile "$deb" | tar --list | sed 's|^\.||; s|/$||' | grep . > "$folder/files"
silent within dpkg --verify codearts-check-log
try "$folder/files"
# An installation over itself, as an upgrade does it.
within dpkg --install /package.deb
within apt-get -q -y -o Dpkg::Use-Pty=0 purge codearts-check-log
gone "$folder/files"

root=$folder/empty
mkdir -p "$root/bin" "$root/etc" "$root/proc" "$root/dev" "$root/usr/bin"
cp "$fresh/bin/busybox" "$root/bin"
for applet in sh xargs; do
    ln -s busybox "$root/bin/$applet"
done
ln -s ../../bin/busybox "$root/usr/bin/env"
rpm --root "$root" --initdb
rpm --root "$root" --install "$rpm"
rpm --root "$root" --query --list codearts-check-log > "$folder/files"
silent rpm --root "$root" --verify codearts-check-log
try "$folder/files"
rpm --root "$root" --upgrade --replacepkgs "$rpm"
rpm --root "$root" --erase codearts-check-log
gone "$folder/files"
echo 'All as it should be.'
