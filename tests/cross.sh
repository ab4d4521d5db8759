#!/bin/sh
# Builds the program for other processors, as `make build` does, and runs the demo with each under
# qemu-user, on this host's kernel. It prints a table, leaves the programs in target/cross, and ends
# with 0 only if each was built and did what it should. For aarch64, these are the programs in the
# three packages, which it leaves there too. The root is made once, and used again: it has Debian's
# rustc, cross compilers, rpmbuild and qemu-user. For root (debootstrap, chroot), on x86-64.
set -eu
cd "$(dirname "$0")/.."
. tests/debian_root.sh

stand_in=target/debug/examples/stand-in
folder=target/cross
name=codearts-check-log
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
# The time of the commit, as for the packages that are built here.
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

# The first Debian with loong64.
suite=forky
# The name for rustc, Debian, the compiler and qemu. i686 is no exception: a kernel for x86-64 need
# not run it.
targets='aarch64-unknown-linux-gnu arm64 aarch64-linux-gnu aarch64
armv7-unknown-linux-gnueabihf armhf arm-linux-gnueabihf arm
i686-unknown-linux-gnu i386 i686-linux-gnu i386
riscv64gc-unknown-linux-gnu riscv64 riscv64-linux-gnu riscv64
loongarch64-unknown-linux-gnu loong64 loongarch64-linux-gnu loongarch64
powerpc64le-unknown-linux-gnu ppc64el powerpc64le-linux-gnu ppc64le
s390x-unknown-linux-gnu s390x s390x-linux-gnu s390x'
# The one that `make packages` packs too.
with_packages=aarch64-unknown-linux-gnu

packages=rustc,cargo,gcc,libc6-dev,make,python3,rpm,qemu-user
packages=$packages$(echo "$targets" | awk '{ printf ",gcc-%s,libc6-dev-%s-cross", $3, $2 }')

# add_libraries ROOT: unpacks Rust's standard library for each target. Installed, each would bring
# the compiler's own libraries for its processor, LLVM among them.
add_libraries() {
    architectures=$(echo "$targets" | cut -d ' ' -f 2)
    # A mirror that is behind will do: debootstrap takes it too, and what it has is signed.
    # shellcheck disable=SC2016,SC2086
    chroot "$1" sh -euc '
        for architecture; do dpkg --add-architecture "$architecture"; done
        apt-get -q -o Acquire::Check-Valid-Until=false update
        cd "$(mktemp -d)"
        for architecture; do apt-get -q download "libstd-rust-dev:$architecture"; done
        for package in *; do dpkg -x "$package" /; done
        rm -r "$PWD"
        apt-get clean' sh $architectures
}

# make_there TARGET PREFIX MAKE_TARGET
make_there() {
    upper=$(echo "$1" | tr a-z- A-Z_)
    in_root "CARGO_TARGET_${upper}_LINKER=$2-gcc" "TARGET_CC=$2-gcc" \
        make "$3" TARGET="$1" CARGO='cargo --offline' SOURCE_DATE_EPOCH="$time"
}

# build TARGET PREFIX PROGRAM
build() {
    rm -f "$3"
    make_there "$1" "$2" build && install -D "$sources/target/$1/release/$name" "$3"
}

# unpack TARGET PREFIX FOLDER: packs it, and leaves in FOLDER the packages and what each has in it.
unpack() {
    rm -rf "$3"
    archive=$name-$version-$1.tar.gz
    deb=${name}_${version}_arm64.deb
    rpm=$name-$version-1.aarch64.rpm
    make_there "$1" "$2" packages && cp -R "$sources/target/dist" "$3" && (
        cd "$3" && sha256sum --check SHA256SUMS && mkdir tarball rpm &&
            tar --extract --gzip --strip-components=1 --directory=tarball --file="$archive" &&
            dpkg-deb --extract "$deb" deb &&
            [ "$(dpkg-deb --field "$deb" Architecture)" = arm64 ] &&
            chroot "$root" rpm2archive - < "$rpm" | tar --extract --gzip --directory=rpm &&
            [ "$(chroot "$root" rpm -qp --queryformat '%{ARCH}' - < "$rpm")" = aarch64 ]
    )
}

# demo QEMU PROGRAM: by way of a script, so that this host's kernel need not know of qemu.
demo() {
    printf "#!/bin/sh\nexec '%s' '%s' \"\$@\"\n" "$root/usr/bin/qemu-$1" "$(realpath "$2")" \
        > "$sources/$name"
    chmod 755 "$sources/$name"
    tests/demo.sh "$sources/$name" "$stand_in"
}

# packed TARGET PREFIX QEMU
packed() {
    unpack "$1" "$2" "$folder/packages" || return 1
    for place in tarball deb/usr/bin rpm/usr/bin; do
        demo "$3" "$folder/packages/$place/$name" || return 1
    done
}

# row TARGET PROGRAM OUTCOME
row() {
    size='-'
    address='-'
    if [ -e "$2" ]; then
        size=$(stat --format=%s "$2" | awk '{ printf "%.2f MB", $1 / 1e6 }')
        case $(LC_ALL=C readelf --file-header "$2") in
            *'DYN ('*) address=any ;;
            *'EXEC ('*) address=fixed ;;
        esac
    fi
    echo "| \`$1\` | $size | $address | $3 |" >> "$sources/table"
}

make_root target/forky "$suite" "$packages" add_libraries
copy_sources

failed=
while read -r target _ prefix qemu <&3; do
    program=$folder/$target/$name
    if ! build "$target" "$prefix" "$program"; then
        outcome='not built'
    elif ! demo "$qemu" "$program"; then
        outcome=failed
    elif [ "$target" = "$with_packages" ] && ! packed "$target" "$prefix" "$qemu"; then
        outcome='packages failed'
    else
        outcome=passed
    fi
    [ "$outcome" = passed ] || failed="$failed $target"
    row "$target" "$program" "$outcome"
done 3<< end
$targets
end

echo
in_root rustc --version
chroot "$root" qemu-arm --version | head -n 1
echo
echo '| target | size | address | demo |'
echo '| --- | --- | --- | --- |'
cat "$sources/table"
[ -z "$failed" ] || { echo "cross: failed:$failed" >&2; exit 1; }
