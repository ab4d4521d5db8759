#!/bin/sh
# Builds the packages in another folder too, and compares: the same source must give the same bytes.
# Then lintian looks at the .deb.
# Usage: dist_check.sh VERSION TARGET SOURCE_DATE_EPOCH
set -eu

if ! command -v lintian > /dev/null || ! command -v rpmbuild > /dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends lintian rpm
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

copy=$folder/another/place
mkdir -p "$copy"
git ls-files -z | xargs -0 cp --parents -t "$copy"
for place in . "$copy"; do
    make -C "$place" packages TARGET="$2" SOURCE_DATE_EPOCH="$3"
done
# Of this version and target, as the other folder has nothing else.
for file in "$copy/target/dist"/codearts-check-log*; do
    cmp "$file" "target/dist/${file##*/}"
done
[ "$(find "$copy/target/dist" -type f | wc -l)" -eq 4 ]
(cd target/dist && sha256sum --check SHA256SUMS)
tar --list --verbose --gzip --file "$copy/target/dist/codearts-check-log-$1-$2.tar.gz"
lintian --allow-root --fail-on error,warning "$copy"/target/dist/*.deb
