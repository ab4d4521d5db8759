//! Help, README and man page say the same: no option, exit code or variable is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::command_line::REGIONS;
use crate::harness::Run;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).expect("a document")
}

fn help() -> String {
    Run::bare().arg("--help").go().stdout
}

/// The man page without its markup.
fn man_page() -> String {
    read("doc/codearts-check-log.1")
        .replace("\\-", "-")
        .replace("\" \"", " ")
        .replace("\", \"", ", ")
}

/// The options in a line: words that begin with a hyphen, up to the first that doesn't.
fn options(line: &str) -> BTreeSet<String> {
    line.split([' ', ',', '`', '|', '"', '='])
        .filter(|word| word.len() > 1 && word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

/// What is documented, in the three places, by what `find` finds in a line.
fn in_all_three(
    find_help: impl Fn(&str) -> BTreeSet<String>,
    find_readme: impl Fn(&str) -> BTreeSet<String>,
    find_man: impl Fn(&str) -> BTreeSet<String>,
) -> [BTreeSet<String>; 3] {
    [
        help().lines().flat_map(find_help).collect(),
        read("README.md").lines().flat_map(find_readme).collect(),
        man_page().lines().flat_map(find_man).collect(),
    ]
}

fn nothing() -> BTreeSet<String> {
    BTreeSet::new()
}

/// The program's sources, without their tests.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, sources: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, sources);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source");
            let program = text.split("#[cfg(test)]").next().unwrap_or_default();
            let name = path.file_name().expect("a name").to_string_lossy();
            sources.push((name.into_owned(), program.to_owned()));
        }
    }
    let mut sources = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    collect(&root.join("src"), &mut sources);
    sources
}

fn source(name: &str) -> String {
    let sources = sources();
    let found = sources.into_iter().find(|(file, _)| file == name);
    found.expect("a source of this name").1
}

/// What stands between `before` and the next `after`, wherever that is.
fn between<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(after)?.0))
        .collect()
}

#[test]
fn every_option_of_the_parser_is_in_help_readme_and_man_page() {
    let parser = source("args.rs");
    let short = between(&parser, "Arg::Short('", "')");
    let long = between(&parser, "Arg::Long(\"", "\")");
    let parsed: BTreeSet<String> = (short.iter().map(|name| format!("-{name}")))
        .chain(long.iter().map(|name| format!("--{name}")))
        .collect();
    assert!(
        parsed.contains("--max-time") && parsed.contains("-V"),
        "{parsed:?}"
    );
    let [help, readme, man] = in_all_three(
        // An option's line begins with it; the text beside it may name others.
        |line| {
            if line.trim_start().starts_with('-') {
                options(line.trim_start().split("  ").next().unwrap_or_default())
            } else {
                nothing()
            }
        },
        |line| {
            if line.starts_with("| `-") {
                options(line.split(" | ").next().unwrap_or_default())
            } else {
                nothing()
            }
        },
        |line| {
            if line.starts_with(".B") && line.contains(" -") {
                options(line)
            } else {
                nothing()
            }
        },
    );
    assert_eq!(help, parsed);
    assert_eq!(readme, parsed);
    // The man page's bold words name options in other options' texts too, and `-` itself.
    assert_eq!(man, parsed);
}

#[test]
fn every_exit_code_is_in_help_readme_and_man_page() {
    let number = |word: Option<&str>| -> BTreeSet<u8> {
        let word = word.unwrap_or_default();
        word.parse().into_iter().collect()
    };
    let find = |text: &str, find: fn(&str) -> Option<&str>| -> BTreeSet<u8> {
        text.lines().flat_map(|line| number(find(line))).collect()
    };
    let mut codes = find(&source("exit.rs"), |line| {
        line.strip_suffix(',')?
            .split_once(" = ")
            .map(|(_, code)| code)
    });
    assert!(codes.contains(&41), "{codes:?}");
    codes.insert(0);
    let help = find(&help(), |line| {
        line.strip_prefix("  ")?.split_whitespace().next()
    });
    let readme = find(&read("README.md"), |line| {
        line.strip_prefix("| ")?.split(" | ").next()
    });
    let man = find(&man_page(), |line| line.strip_prefix(".B "));
    assert_eq!(help, codes);
    assert_eq!(readme, codes);
    assert_eq!(man, codes);
}

/// A string of capital letters, or one that ends in `_proxy`, is a variable's name, or else as well
/// known.
#[test]
fn every_variable_of_the_sources_is_in_help_readme_and_man_page() {
    let sources = sources();
    let variables: BTreeSet<&str> = sources
        .iter()
        .flat_map(|(_, text)| text.split('"'))
        .filter(|word| {
            let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            word.len() > 3 && word.chars().all(is_name) || word.ends_with("_proxy")
        })
        .filter(|word| !word.starts_with("CARGO_")) // of the build
        .collect();
    for known in ["HOME", "HUAWEICLOUD_SDK_AK", "SSL_CERT_FILE", "no_proxy"] {
        assert!(variables.contains(known), "{variables:?}");
    }
    for variable in variables {
        for (name, text) in [
            ("help", help()),
            ("README", read("README.md")),
            ("man", man_page()),
        ] {
            assert!(text.contains(variable), "no {variable} in {name}");
        }
    }
}

#[test]
fn the_man_page_has_the_program_s_version() {
    let title = format!("\"codearts-check-log {}\"", env!("CARGO_PKG_VERSION"));
    let page = read("doc/codearts-check-log.1");
    let first = page.lines().next().unwrap_or_default();
    assert!(first.contains(&title), "{first}");
}

#[test]
fn the_readme_has_every_region_with_its_endpoint() {
    for (region, host) in REGIONS {
        let readme = read("README.md");
        let mut rows = readme
            .lines()
            .filter(|line| line.contains(&format!("`{region}`")));
        assert!(
            rows.any(|row| row.contains(&format!("`{host}`"))),
            "{region}"
        );
    }
}
