#!/bin/sh
# Builds the package in two folders, and compares: the same source must give the same bytes.
# Usage: dist_check.sh NAME TARGET SOURCE_DATE_EPOCH
set -eu

name=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

for copy in one another/place; do
    mkdir -p "$folder/$copy"
    git ls-files -z | xargs -0 cp --parents -t "$folder/$copy"
    make -C "$folder/$copy" dist TARGET="$2" SOURCE_DATE_EPOCH="$3"
done
for file in "$name.tar.gz" "$name.tar.gz.sha256"; do
    cmp "$folder/one/target/dist/$file" "$folder/another/place/target/dist/$file"
done
(cd "$folder/one/target/dist" && sha256sum --check "$name.tar.gz.sha256")
tar --list --verbose --gzip --file "$folder/one/target/dist/$name.tar.gz"
