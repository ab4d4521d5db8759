#!/usr/bin/env python3
"""Prints the licenses of what a static program for TARGET has in it: of each crate that is linked
in, with the C code and the roots that it brings, from the crates' sources; and the files that are
named besides (the notices of Rust's standard library and of the C library). A text that several
share is printed once. Fails for a crate that has no text.

Usage: third_party.py TARGET FILE...
"""

import collections
import html
import json
import os
import pathlib
import re
import subprocess
import sys

# A license's text, and what belongs to one.
LICENSE = re.compile(r"(UN)?LICEN[CS]E|COPYING", re.IGNORECASE)
NOTICE = re.compile(r"NOTICE|COPYRIGHT|AUTHORS", re.IGNORECASE)
RULE = "=" * 80


def cargo(*arguments):
    command = [*os.environ.get("CARGO", "cargo").split(), *arguments, "--locked"]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return run.stdout.decode()


def linked(target):
    """The names and versions of the crates, this program's own left out."""
    edges = ["--edges", "normal,no-proc-macro", "--target", target]
    lines = cargo("tree", *edges, "--prefix", "none", "--no-dedupe").splitlines()
    return sorted({tuple(line.split()[:2]) for line in lines[1:]})


def texts(folder):
    """The files with a license in a crate's folder or below, those with the text first."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    found = [file for file in files if LICENSE.match(file.name)]
    return found and found + [file for file in files if NOTICE.match(file.name)]


def plain(file):
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def main():
    target, *files = sys.argv[1:]
    for file in files:
        if not os.path.exists(file):
            sys.exit(f"third_party: there is no {file}: "
                     "name the files as LIBC_LICENSES or RUST_LICENSES")
    sys.stdout.reconfigure(encoding="utf-8")
    platform = ["--format-version", "1", "--filter-platform", target]
    packages = json.loads(cargo("metadata", *platform))["packages"]
    sources = {(package["name"], "v" + package["version"]): package for package in packages}

    print(f"What is linked into the program for {target}, and under which licenses:\n")
    whose = collections.defaultdict(list)
    for name, version in linked(target):
        package = sources[name, version]
        folder = pathlib.Path(package["manifest_path"]).parent
        found = texts(folder)
        if not found:
            sys.exit(f"third_party: {name} {version} has no text of its license")
        print(f"{name} {version}: {package['license']}")
        for file in found:
            whose[plain(file)].append(f"{name}: {file.relative_to(folder)}")
    print("Rust's standard library and the C library: as said at the end")
    for file in map(pathlib.Path, files):
        whose[plain(file)].append(file.name)
    for text, names in whose.items():
        print("", RULE, *names, RULE, "", text, sep="\n")


main()
