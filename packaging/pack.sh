#!/bin/sh
# Packs the static PROGRAM into target/dist: each KIND is tarball, deb or rpm. SHA256SUMS is then of
# all that is there of this VERSION, for every target, and of its bill of materials. The same source
# gives the same bytes: each file has the time SOURCE_DATE_EPOCH. What fails leaves nothing half
# made.
# Usage: pack.sh VERSION TARGET PROGRAM THIRD_PARTY KIND...
set -eu
umask 022
export LC_ALL=C SOURCE_DATE_EPOCH

version=$1
target=$2
program=$3
third_party=$4
shift 4
name=codearts-check-log
spec=packaging/package.spec
maintainer=$(sed -n 's/^Packager: //p' "$spec")

dist=target/dist
mkdir -p "$dist"
work=$(mktemp -d "$PWD/$dist/.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# needs TOOL PACKAGE
needs() {
    command -v "$1" > /dev/null || { echo "make packages: it needs $1 (Debian: $2)" >&2; exit 1; }
}

# processor X86_64 AARCH64: the name that a kind of package has for the target's processor.
processor() {
    case $target in
        x86_64-*) echo "$1" ;;
        aarch64-*) echo "$2" ;;
        *)
            echo "make packages: no .deb or .rpm for $target, only a tarball (make dist)" >&2
            exit 1
            ;;
    esac
}

# documents FOLDER: laid out as in the sources, for the links between them.
documents() {
    install -D -m 644 -t "$1" README.md CHANGELOG.md
    install -D -m 644 -t "$1/doc" doc/*.md
    install -D -m 644 -t "$1/doc/kubernetes" doc/kubernetes/*
}

if LC_ALL=C readelf --program-headers --wide "$program" | grep INTERP >&2; then
    echo 'make packages: the program is not static (STATIC=no)' >&2
    exit 1
fi

# stage FOLDER: what both kinds of packages have alike.
stage() {
    "$MAKE" --no-print-directory install PROGRAM="$program" DESTDIR="$1" PREFIX=/usr
    gzip --no-name --best "$1/usr/share/man/man1/$name.1"
    documents "$1/usr/share/doc/$name"
}

set_times() {
    find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

tarball() {
    folder=$work/$name-$version-$target
    install -D -m 755 -t "$folder" "$program"
    install -m 644 "doc/$name.1" LICENSE "$third_party" "$folder"
    documents "$folder"
    install -D -m 644 -t "$folder/systemd" doc/systemd/*
    install -D -m 644 -t "$folder/completions" doc/completions/*
    tar --create --directory="$work" --sort=name --format=ustar --mode=u=rwX,go=rX \
        --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "${folder##*/}" |
        gzip --no-name --best > "$folder.tar.gz"
    mv "$folder.tar.gz" "$dist"
}

deb() {
    needs dpkg-deb dpkg
    architecture=$(processor amd64 arm64)
    root=$work/deb
    stage "$root"
    share=$root/usr/share
    doc=$share/doc/$name
    # Debian's zsh reads this folder.
    mv "$share/zsh/site-functions" "$share/zsh/vendor-completions"
    {
        cat LICENSE
        echo
        echo "The licenses of all that is linked in: /usr/share/doc/$name/THIRD-PARTY.gz"
    } > "$doc/copyright"
    gzip --no-name --best < "$third_party" > "$doc/THIRD-PARTY.gz"
    gzip --no-name --best > "$doc/changelog.gz" << end
$name ($version) unstable; urgency=medium

  * What changed is in /usr/share/doc/$name/CHANGELOG.md.

 -- $maintainer  $(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
end
    install -D -m 644 packaging/lintian-overrides "$share/lintian/overrides/$name"

    mkdir "$root/DEBIAN"
    (cd "$root" && find usr -type f | sort | xargs md5sum > DEBIAN/md5sums)
    # In KiB, as Debian's policy counts: a file's rounded up, 1 for a folder.
    size=$(find "$root/usr" -type f -printf '%s\n' -o -printf '1\n' |
        awk '{ kib += int(($1 + 1023) / 1024) } END { print kib }')
    cat > "$root/DEBIAN/control" << end
Package: $name
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $size
Section: net
Priority: optional
Description: $(sed -n 's/^Summary: //p' "$spec")
$(sed -n '/^%description/,/^$/s/^[^%]/ &/p' "$spec")
end
    set_times "$root"
    # xz's bytes depend on the number of processors.
    dpkg-deb --root-owner-group -Zgzip --build "$root" "$work/package.deb"
    mv "$work/package.deb" "$dist/${name}_${version}_$architecture.deb"
}

rpm() {
    needs rpmbuild rpm
    architecture=$(processor x86_64 aarch64)
    root=$work/rpm
    stage "$root"
    install -D -m 644 -t "$root/usr/share/licenses/$name" LICENSE "$third_party"
    set_times "$root"
    # The program's own, the C library's and each crate's.
    licenses=$({
        echo MIT
        case $target in *-gnu*) echo LGPL-2.1-or-later ;; esac
        sed -n '/^===/q; s/^[^ ]* v[^ ]*: //p' "$third_party"
    } | sed 's|/| OR |g; s/.* OR .*/(&)/' | sort -u | sed ':all; N; $!b all; s/\n/ AND /g')
    # No debug package, no strip, no links by build ID; and nothing of this host.
    rpmbuild --quiet -bb --target "$architecture-linux" \
        --define "_topdir $work/rpmbuild" --define "_dbpath $work/rpmdb" --define "_rpmdir $work" \
        --define '_rpmfilename package.rpm' --define '_binary_payload w9.gzdio' \
        --define 'debug_package %{nil}' --define '__os_install_post %{nil}' \
        --define '_build_id_links none' --define '_buildhost localhost' \
        --define 'use_source_date_epoch_as_buildtime 1' \
        --define 'clamp_mtime_to_source_date_epoch 1' \
        --define "package_version $version" --define "package_license $licenses" \
        --define "stage $root" "$spec"
    mv "$work/package.rpm" "$dist/$name-$version-1.$architecture.rpm"
}

for kind; do
    "$kind"
done
cd "$dist"
find . -maxdepth 1 -name "${name}[-_]${version}[-_.]*" -printf '%P\n' |
    sort | xargs sha256sum > "$work/sums"
mv "$work/sums" SHA256SUMS
cat SHA256SUMS
