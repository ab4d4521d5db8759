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

#[test]
fn every_option_is_in_help_readme_and_man_page() {
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
    assert!(
        help.len() > 15 && help.contains("--max-time") && help.contains("-V"),
        "{help:?}"
    );
    assert_eq!(readme, help);
    // The man page's bold words name options in other options' texts too, and `-` itself.
    assert_eq!(man, help);
}

#[test]
fn every_exit_code_is_in_help_readme_and_man_page() {
    let number = |word: Option<&str>| -> BTreeSet<String> {
        let word = word.unwrap_or_default();
        word.parse::<u8>()
            .is_ok()
            .then(|| word.to_owned())
            .into_iter()
            .collect()
    };
    let [help, readme, man] = in_all_three(
        |line| {
            if line.starts_with("  ") {
                number(line.split_whitespace().next())
            } else {
                nothing()
            }
        },
        |line| {
            number(
                line.strip_prefix("| ")
                    .and_then(|rest| rest.split(" | ").next()),
            )
        },
        |line| number(line.strip_prefix(".B ")),
    );
    let codes = ["0", "1", "2", "3", "4", "40", "41", "5", "6", "7", "8"];
    let expected: BTreeSet<String> = codes.iter().map(ToString::to_string).collect();
    assert_eq!(help, expected);
    assert_eq!(readme, expected);
    assert_eq!(man, expected);
}

#[test]
fn every_variable_is_in_help_readme_and_man_page() {
    for variable in [
        "HUAWEICLOUD_TOKEN",
        "HUAWEICLOUD_REGION",
        "CODEARTS_CHECK_ENDPOINT",
        "SSL_CERT_FILE",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ] {
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
