#!/bin/sh
# Builds the packages in another folder too, and compares: the same source must give the same bytes.
# Then lintian looks at the .deb.
set -eu
cd "$(dirname "$0")/.."

if ! command -v lintian > /dev/null || ! command -v rpmbuild > /dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends lintian rpm
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

copy=$folder/another/place
# That of the commit: the copy is no repository.
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
mkdir -p "$copy"
git ls-files -z | xargs -0 cp --parents -t "$copy"
for place in . "$copy"; do
    make -C "$place" packages SOURCE_DATE_EPOCH="$time"
done
# Of this version and target, as the other folder has nothing else.
for file in "$copy/target/dist"/codearts-check-log*; do
    cmp "$file" "target/dist/${file##*/}"
done
[ "$(find "$copy/target/dist" -type f | wc -l)" -eq 4 ]
(cd target/dist && sha256sum --check SHA256SUMS)
tar --list --verbose --gzip --file "$copy"/target/dist/*.tar.gz
lintian --allow-root --fail-on error,warning "$copy"/target/dist/*.deb
