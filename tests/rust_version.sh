#!/bin/sh
# Builds the program and its tests with the oldest Rust that Cargo.toml claims, which is the one of
# Debian trixie: without this, the claim is a guess. Cargo then refuses what claims to need a newer
# one, in each dependency too. ROOT is made once, and used again. For root (debootstrap, chroot).
# Usage: rust_version.sh ROOT
set -eu

root=$1

[ "$(id -u)" -eq 0 ] || { echo "rust-version: debootstrap and chroot are root's" >&2; exit 1; }
if ! command -v debootstrap > /dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends debootstrap
fi

new=
sources=
trap 'rm -rf "$new" "$sources"' EXIT
trap 'exit 1' HUP INT TERM

# Only a whole one gets the name.
if [ ! -d "$root" ]; then
    mkdir -p "$(dirname "$root")"
    new=$(mktemp -d "$root.XXXXXX")
    chmod 755 "$new"
    # debootstrap fails in a path with a space. What is mounted is gone with it, however it ends.
    unshare --mount sh -c 'mount --bind "$1" /mnt && debootstrap --variant=minbase \
        --include=rustc,cargo,gcc,libc6-dev trixie /mnt' sh "$new"
    mv -T "$new" "$root"
fi

# in_root COMMAND...: runs it there, beside the sources, with nothing of this environment.
in_root() {
    chroot "$root" env -i --chdir="/${sources##*/}" PATH=/usr/bin HOME="/${sources##*/}/home" "$@"
}

sources=$(mktemp -d "$root/sources.XXXXXX")
claimed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
version=$(in_root rustc --version)
case $version in
    "rustc $claimed "* | "rustc $claimed."*) echo "$version" ;;
    *)
        echo "rust-version: Cargo.toml claims Rust $claimed, but $root has $version" >&2
        exit 1
        ;;
esac

git ls-files -z | xargs -0 cp --parents -t "$sources"
# Nothing in the root needs a network.
cargo fetch --locked
mkdir "$sources/.cargo"
(cd "$sources" && cargo vendor --locked --offline > .cargo/config.toml)
in_root cargo build --locked --offline
in_root cargo test --locked --offline --no-run
