#!/bin/sh
# Builds the program and its tests with the oldest Rust that Cargo.toml claims, which is the one of
# Debian trixie: without this, the claim is a guess. Cargo then refuses what claims to need a newer
# one, in each dependency too. The root is made once, and used again. For root (debootstrap,
# chroot).
set -eu
cd "$(dirname "$0")/.."
. tests/debian_root.sh

make_root target/trixie trixie rustc,cargo,gcc,libc6-dev
copy_sources

claimed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
version=$(in_root rustc --version)
case $version in
    "rustc $claimed "* | "rustc $claimed."*) echo "$version" ;;
    *)
        echo "rust-version: Cargo.toml claims Rust $claimed, but trixie has $version" >&2
        exit 1
        ;;
esac

in_root cargo build --locked --offline
in_root cargo test --locked --offline --no-run
