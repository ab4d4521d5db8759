# shellcheck shell=sh
# For the scripts that build the program with Debian's Rust, in a root of Debian's: they source
# this. It takes away again what is half made or of use only once. For root (debootstrap, chroot).

root=
new=
sources=
trap 'rm -rf "$new" "$sources"' EXIT
trap 'exit 1' HUP INT TERM

# make_root ROOT SUITE PACKAGES [COMPLETE]: makes a root, unless it is there already, of the
# packages, with commas between them. COMPLETE is called with its path before it gets its name.
make_root() {
    [ "$(id -u)" -eq 0 ] || { echo "${0##*/}: debootstrap and chroot are root's" >&2; exit 1; }
    if ! command -v debootstrap > /dev/null; then
        apt-get -q update
        apt-get -q -y install --no-install-recommends debootstrap
    fi
    # Only a whole one gets the name.
    if [ ! -d "$1" ]; then
        mkdir -p "$(dirname "$1")"
        new=$(mktemp -d "$1.XXXXXX")
        chmod 755 "$new"
        # debootstrap fails in a path with a space; an old one knows no new suite, but all know sid.
        # What is mounted is gone with it, however it ends.
        # shellcheck disable=SC2016
        unshare --mount sh -c 'mount --bind "$1" /mnt && debootstrap --variant=minbase \
            --include="$3" "$2" /mnt "" sid' sh "$new" "$2" "$3"
        [ $# -lt 4 ] || "$4" "$new"
        mv -T "$new" "$1"
    fi
    root=$(realpath "$1")
}

# copy_sources: to a folder in the root, with all that they depend on, as nothing there needs a
# network.
copy_sources() {
    sources=$(mktemp -d "$root/sources.XXXXXX")
    git ls-files -z | xargs -0 cp --parents -t "$sources"
    cargo fetch --locked
    mkdir "$sources/.cargo"
    (cd "$sources" && cargo vendor --locked --offline > .cargo/config.toml)
}

# in_root [NAME=VALUE...] COMMAND...: runs it there, beside the sources, with nothing of this
# environment.
in_root() {
    chroot "$root" env -i --chdir="/${sources##*/}" PATH=/usr/bin HOME="/${sources##*/}/home" "$@"
}
