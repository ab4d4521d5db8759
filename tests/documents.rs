//! Help, README and man page say the same: no option, exit code or variable is forgotten. Nor is an
//! option or a region by the completions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::command_line::REGIONS;
use crate::harness::Run;

const BASH: &str = "doc/completions/codearts-check-log.bash";
const ZSH: &str = "doc/completions/_codearts-check-log";
const FISH: &str = "doc/completions/codearts-check-log.fish";

/// A file of the project.
pub fn read(file: &str) -> String {
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

/// The options of the parser, in its lines with `mark`.
fn parsed_options(mark: &str) -> BTreeSet<String> {
    let parser = source("args.rs");
    let lines = parser.lines().filter(|line| line.contains(mark));
    let in_line = |line| {
        let short = between(line, "Arg::Short('", "')");
        let long = between(line, "Arg::Long(\"", "\")");
        (short.iter().map(|name| format!("-{name}")))
            .chain(long.iter().map(|name| format!("--{name}")))
            .collect::<Vec<_>>()
    };
    lines.flat_map(in_line).collect()
}

#[test]
fn every_option_of_the_parser_is_in_help_readme_and_man_page() {
    let parsed = parsed_options("");
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

/// The codes that the program can end with beside 0. Each is written down, so that none is a number by
/// accident.
pub fn exit_codes() -> BTreeSet<u8> {
    let source = source("exit.rs");
    let (_, variants) = source.split_once("pub enum Exit {").expect("the enum");
    let (variants, _) = variants.split_once('}').expect("its end");
    let variants = variants.lines().map(str::trim);
    variants
        .filter(|line| line.ends_with(','))
        .map(|line| {
            let code = line.trim_end_matches(',').split_once(" = ");
            code.expect("a number").1.parse().expect("a code")
        })
        .collect()
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
    let mut codes = exit_codes();
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

/// The service's errors in a 200 have a row of README's exit codes and a paragraph of the man page's.
#[test]
fn every_error_in_a_200_is_in_readme_and_man_page_beside_its_exit_code() {
    let with_table = |(_, text): &(String, String)| text.contains("const CODES: ");
    let source = sources().into_iter().find(with_table).expect("a table").1;
    let codes = between(&source, "    (\"CC.", ")");
    assert_eq!(codes.len(), 8, "{codes:?}");
    for code in codes {
        let (code, status) = code.split_once("\", ").expect("a code and a status");
        let exit = match status {
            "400" => "40",
            "401" => "41",
            "503" => "5",
            _ => "4",
        };
        let readme = read("README.md");
        let mut rows = readme
            .lines()
            .filter(|row| row.starts_with(&format!("| {exit} |")));
        let row = rows.next().expect("a row");
        assert!(
            row.contains(&format!("`CC.{code}`")),
            "{code} is not in: {row}"
        );
        let man = man_page();
        let (_, paragraph) = man
            .split_once(&format!(".B {exit}\n"))
            .expect("a paragraph");
        let paragraph = paragraph.split("\n.TP").next().unwrap_or_default();
        assert!(
            paragraph.contains(&format!("CC.{code}")),
            "{code} is not in: {paragraph}"
        );
    }
}

#[test]
fn the_man_page_has_the_version() {
    let title = format!("\"codearts-check-log {}\"", env!("CARGO_PKG_VERSION"));
    let page = read("doc/codearts-check-log.1");
    let first = page.lines().next().unwrap_or_default();
    assert!(first.contains(&title), "{first}");
}

/// The regions and their hosts, as the program has them.
fn regions() -> Vec<(String, String)> {
    let source = source("endpoint.rs");
    let table = between(&source, "const REGIONS: ", "];");
    let table: String = table.into_iter().collect();
    let names: Vec<&str> = table.split('"').skip(1).step_by(2).collect();
    let pairs = names.chunks(2);
    pairs
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

#[test]
fn regions_match_the_reference_and_the_readme() {
    let regions: BTreeSet<(String, String)> = regions().into_iter().collect();
    let reference = REGIONS.map(|(region, host)| (region.to_owned(), host.to_owned()));
    assert_eq!(regions, BTreeSet::from(reference));
    let readme = read("README.md");
    for (region, host) in regions {
        let mut rows = readme
            .lines()
            .filter(|line| line.contains(&format!("`{region}`")));
        assert!(
            rows.any(|row| row.contains(&format!("`{host}`"))),
            "{region}"
        );
    }
}

#[test]
fn help_readme_and_man_page_have_the_default_times() {
    let parser = source("args.rs");
    for option in ["--connect-timeout", "--timeout", "--max-time"] {
        let name = option[2..].replace('-', "_").to_uppercase();
        let start = format!("const DEFAULT_{name}: Duration = Duration::from_secs(");
        let default = between(&parser, &start, ")");
        let default = default.first().expect("a default").to_string();
        let after = |text: &str, start: &str| {
            let rest = text.split_once(start).expect("the option").1.to_owned();
            rest.split_once("efault: ").expect("a default").1.to_owned()
        };
        for (text, start) in [
            (help(), format!("{option} SECONDS")),
            (read("README.md"), format!("`{option} SECONDS`")),
            (man_page(), format!(".BI {option} ")),
        ] {
            let shown = after(&text, &start);
            let digits = shown.split(|c: char| !c.is_ascii_digit()).next();
            assert_eq!(digits, Some(&*default), "{option}");
        }
    }
}

/// What comes after an option: nothing, a value, or a file to complete.
type Kinds = BTreeMap<String, &'static str>;

/// The options in a text, whatever stands around them.
fn hyphened(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() > 1 && word.starts_with('-'))
        .map(str::to_owned)
}

fn kinds_in_bash(script: &str) -> Kinds {
    let list: String = between(script, "options='", "'").into_iter().collect();
    let mut kinds: Kinds = hyphened(&list).map(|option| (option, "")).collect();
    for (pattern, action) in script.lines().zip(script.lines().skip(1)) {
        if !pattern.trim_start().starts_with('-') || !pattern.contains(')') {
            continue;
        }
        let is_file = action.contains("compopt -o default");
        for option in hyphened(pattern) {
            let listed = kinds.insert(option, if is_file { "file" } else { "value" });
            assert!(listed.is_some(), "{pattern}");
        }
    }
    kinds
}

/// The kinds in a script with a line per option: the first mark that is in a line tells its kind.
fn kinds_by_mark(script: &str, marks: [(&str, &'static str); 3]) -> Kinds {
    let mut kinds = Kinds::new();
    for line in script.lines() {
        let mut cuts = (marks.iter()).map(|(mark, kind)| Some((line.split_once(mark)?.0, *kind)));
        if let Some((options, kind)) = cuts.find_map(|cut| cut) {
            // In zsh, what excludes the option is before it in brackets, and its description behind.
            let options = options.split('[').next().unwrap_or_default();
            let options = options.rsplit(')').next().unwrap_or_default();
            kinds.extend(hyphened(options).map(|option| (option, kind)));
        }
    }
    kinds
}

#[test]
fn every_option_of_the_parser_is_in_the_completions_with_what_it_takes() {
    // The parser's line of an option with a value: `=> ("--output", &mut given.output)`.
    let with_value = parsed_options("=> (\"--");
    let files = "-o --output --credentials-file -t --token-file --cacert";
    let mut kinds: Kinds = parsed_options("").into_iter().map(|o| (o, "")).collect();
    kinds.extend(with_value.into_iter().map(|option| (option, "value")));
    kinds.extend(hyphened(files).map(|option| (option, "file")));

    assert_eq!(kinds_in_bash(&read(BASH)), kinds);
    let zsh = [(":_files'", "file"), ("]:", "value"), ("]'", "")];
    assert_eq!(kinds_by_mark(&read(ZSH), zsh), kinds);
    let fish = [(" -r -F", "file"), (" -x", "value"), (" -d", "")];
    let script = read(FISH).replace("complete -c codearts-check-log", "");
    let script = script.replace(" -s ", " -").replace(" -l ", " --");
    assert_eq!(kinds_by_mark(&script, fish), kinds);
}

#[test]
fn every_region_is_in_the_completions() {
    let regions = regions();
    let regions: BTreeSet<&str> = regions.iter().map(|(name, _)| name.as_str()).collect();
    assert!(regions.contains("eu-west-101"), "{regions:?}");
    for (file, before, after) in [
        (BASH, "regions='", "'"),
        (ZSH, "regions=(", ")"),
        (FISH, "set -l regions ", "\n\n"),
    ] {
        let list: String = between(&read(file), before, after).into_iter().collect();
        let words = list
            .split(['\\', ' ', '\n'])
            .filter(|word| !word.is_empty());
        assert_eq!(words.collect::<BTreeSet<_>>(), regions, "{file}");
    }
}
