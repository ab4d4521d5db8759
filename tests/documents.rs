//! The documents and the completions agree with the program: with its `--help`, its messages and
//! its exit codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command_line::REGIONS;
use crate::harness::{ID, Run};
use crate::packages::ok;
use crate::stand_in::StandIn;

const MAN_PAGE: &str = "doc/codearts-check-log.1";
const BASH: &str = "doc/completions/codearts-check-log.bash";
const ZSH: &str = "doc/completions/_codearts-check-log";
const FISH: &str = "doc/completions/codearts-check-log.fish";

/// A file of the project.
pub fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).expect("a document")
}

fn reference() -> String {
    read("doc/reference.md")
}

/// The man page without its markup.
fn man_page() -> String {
    read(MAN_PAGE)
        .replace("\\-", "-")
        .replace("\" \"", " ")
        .replace("\", \"", ", ")
}

fn help() -> String {
    Run::bare().arg("--help").go().stdout
}

/// The lines of the help below a heading, up to the next empty one.
fn section(heading: &str) -> Vec<String> {
    let help = help();
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    let section = lines.take_while(|line| !line.is_empty());
    section.map(str::to_owned).collect()
}

/// An option as the help has it.
struct Documented {
    names: Vec<String>,
    value: Option<String>,
    text: String,
}

fn documented() -> Vec<Documented> {
    let mut options: Vec<Documented> = Vec::new();
    for line in section("Options:") {
        let line = line.trim();
        // Its names and its value are followed by a gap, or by the end of the line.
        let (head, text) = line.split_once("  ").unwrap_or((line, ""));
        if head.starts_with('-') {
            let (names, value): (Vec<_>, Vec<_>) = head
                .split([' ', ','])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .partition(|word| word.starts_with('-'));
            let value = value.into_iter().next();
            let text = text.to_owned();
            options.push(Documented { names, value, text });
        } else {
            let last = options.last_mut().expect("an option before its text");
            last.text = format!("{} {line}", last.text);
        }
    }
    options
}

/// What comes after an option: nothing, a value, or a file to complete.
type Kinds = BTreeMap<String, &'static str>;

fn kinds() -> Kinds {
    let mut kinds = Kinds::new();
    for option in documented() {
        let kind = match option.value.as_deref() {
            None => "",
            Some("FILE" | "PATH") => "file",
            Some(_) => "value",
        };
        kinds.extend(option.names.into_iter().map(|name| (name, kind)));
    }
    assert!(kinds.contains_key("-V") && kinds["--cacert"] == "file");
    kinds
}

#[test]
fn the_options_of_the_help_take_the_values_that_it_says() {
    for (name, kind) in kinds() {
        let (argument, text) = match kind {
            _ if ["-h", "--help", "-V", "--version"].contains(&&*name) => continue,
            "" => (format!("{name}=yes"), "takes no value"),
            _ => (name, "needs a value"),
        };
        let outcome = Run::bare().arg(argument).go();
        outcome.exits(2).complains(text);
    }
}

/// The options in the lines of a text that begin with `start`, up to `end`.
fn options_in(text: &str, start: &str, end: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| line.starts_with(start));
    lines
        .flat_map(|line| hyphened(line.split(end).next().unwrap_or_default()))
        .collect()
}

/// The words in a text that begin with a hyphen.
fn hyphened(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() > 1 && word.starts_with('-'))
        .map(str::to_owned)
}

#[test]
fn every_option_is_in_reference_and_man_page() {
    let options: BTreeSet<String> = kinds().into_keys().collect();
    assert_eq!(options_in(&reference(), "| `-", " | "), options);
    assert_eq!(options_in(&man_page(), ".B", "\n"), options);
}

#[test]
fn reference_and_man_page_have_the_default_times() {
    let (reference, man) = (reference(), man_page());
    let mut checked = 0;
    for option in documented() {
        let Some((_, default)) = option.text.split_once("[default: ") else {
            continue;
        };
        let default = default.trim_end_matches(']');
        if default.parse::<u32>().is_err() {
            continue;
        }
        let name = &option.names[0];
        for (text, start, end) in [
            (&reference, format!("| `{name} SECONDS`"), "\n"),
            (&man, format!(".BI {name} "), ".TP"),
        ] {
            let (_, entry) = text.split_once(&start).expect("the option");
            let entry = entry.split(end).next().unwrap_or_default();
            assert!(entry.contains(&format!("Default: {default}.")), "{entry}");
        }
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[test]
fn every_variable_of_the_help_is_in_reference_and_man_page() {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.map(str::to_owned).collect()
    };
    let is_variable = |word: &String| {
        let starts = ["HUAWEICLOUD_", "CODEARTS_", "HW_", "SSL_"];
        starts.iter().any(|start| word.starts_with(start))
            || word.to_lowercase().ends_with("_proxy")
    };
    let variables: BTreeSet<String> = words(&help()).into_iter().filter(is_variable).collect();
    assert!(variables.len() > 15, "{variables:?}");
    for text in [reference(), man_page()] {
        let words: BTreeSet<String> = words(&text).into_iter().filter(is_variable).collect();
        // The man page has the beginning of some names, too.
        let whole = words.into_iter().filter(|word| !word.ends_with('_'));
        assert_eq!(whole.collect::<BTreeSet<_>>(), variables);
    }
}

/// The exit codes other than 0, from the help.
pub fn exit_codes() -> BTreeSet<u8> {
    let section = section("Exit codes:");
    let codes = section.iter().filter_map(|line| {
        let (code, _) = line.strip_prefix("  ")?.trim_start().split_once("  ")?;
        Some(code.parse().expect("a code"))
    });
    codes.filter(|code| *code != 0).collect()
}

/// README's row of an exit code.
fn row(readme: &str, exit: i32) -> &str {
    let start = format!("| {exit} | ");
    let row = readme.lines().find(|line| line.starts_with(&start));
    row.expect("a row")
}

/// The man page's paragraph of an exit code.
fn paragraph(man: &str, exit: i32) -> &str {
    let (_, rest) = man
        .split_once(&format!(".B {exit}\n"))
        .expect("a paragraph");
    rest.split("\n.TP").next().unwrap_or_default()
}

#[test]
fn every_exit_code_is_in_readme_and_man_page() {
    let codes_after = |start: &str, text: &str| -> BTreeSet<u8> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        let firsts = lines.filter_map(|line| line.split(" | ").next());
        firsts.filter_map(|first| first.parse().ok()).collect()
    };
    let mut codes = exit_codes();
    assert!(codes.contains(&41), "{codes:?}");
    codes.insert(0);
    assert_eq!(codes_after("| ", &read("README.md")), codes);
    assert_eq!(codes_after(".B ", &man_page()), codes);
}

/// The codes of the service's error table, and some that it does not have.
#[test]
fn the_errors_in_a_200_are_in_readme_and_man_page_beside_the_codes_they_end_in() {
    let (readme, man) = (read("README.md"), man_page());
    let mut known = 0;
    for number in 0..20 {
        let code = format!("CC.000500{number:02}");
        let body = format!(r#"{{"error_code": "{code}", "error_msg": "m"}}"#);
        let server = StandIn::tls(ok(body.as_bytes()));
        let outcome = Run::new(&server).go();
        let exit = outcome.status.code().expect("an exit code");
        if exit == 7 {
            // Any other code is.
            assert!(!readme.contains(&code) && !man.contains(&code), "{code}");
            continue;
        }
        known += 1;
        assert!(row(&readme, exit).contains(&code), "{code}: {exit}");
        assert!(paragraph(&man, exit).contains(&code), "{code}: {exit}");
    }
    assert_eq!(known, 8);
}

#[test]
fn the_man_page_has_the_version_and_date_of_the_change_log() {
    let changes = read("CHANGELOG.md");
    let version = concat!("## ", env!("CARGO_PKG_VERSION"), " - ");
    let mut dates = changes
        .lines()
        .filter_map(|line| line.strip_prefix(version));
    let date = dates.next().expect("the version");
    let version = env!("CARGO_PKG_VERSION");
    let title = format!("1 {date} \"codearts-check-log {version}\"");
    let page = read(MAN_PAGE);
    let first = page.lines().next().unwrap_or_default();
    assert!(first.contains(&title), "{first}");
}

#[test]
fn the_readme_has_the_oldest_rust_and_systemd() {
    let readme = read("README.md").replace('\n', " ");
    let systemd = read("doc/systemd.md");
    let oldest = between(&systemd, "need systemd ", " or newer");
    let oldest = oldest.first().expect("the oldest systemd");
    let rust = env!("CARGO_PKG_RUST_VERSION");
    let promise = format!("newer Rust than {rust} or a newer systemd than {oldest}.");
    assert!(readme.contains(&promise), "{promise}");
    let need = format!("Rust {rust} or newer");
    assert!(readme.contains(&need), "{need}");
}

/// The regions that the program knows, from its message about an unknown one.
fn regions() -> BTreeSet<String> {
    let outcome = Run::bare().args(&["-r", "nowhere", ID]).go();
    let known = between(&outcome.stderr, "(known: ", ")");
    let known = known.first().expect("the regions");
    known.split(", ").map(str::to_owned).collect()
}

/// What stands between `before` and the next `after`, wherever that is.
fn between<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(after)?.0))
        .collect()
}

#[test]
fn every_region_is_in_reference_and_man_page_beside_its_host() {
    let names: BTreeSet<String> = REGIONS.map(|(region, _)| region.to_owned()).into();
    assert_eq!(regions(), names);
    let (reference, man) = (reference(), man_page());
    let (_, man) = man.split_once(".SH REGIONS").expect("the regions");
    for (region, host) in REGIONS {
        let mut rows = reference.lines();
        let cells = [format!("`{region}`"), format!("`{host}`")];
        assert!(
            rows.any(|row| cells.iter().all(|cell| row.contains(cell))),
            "{region}"
        );
        let mut entries = man
            .split(".TP\n")
            .filter_map(|entry| entry.split_once('\n'));
        assert!(
            entries.any(|(head, text)| head.contains(region) && text.starts_with(host)),
            "{region}"
        );
    }
}

#[test]
fn every_region_is_in_the_completions() {
    let regions = regions();
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
        let words: BTreeSet<String> = words.map(str::to_owned).collect();
        assert_eq!(words, regions, "{file}");
    }
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
            // In zsh, what excludes the option is before it in brackets, its description behind.
            let options = options.split('[').next().unwrap_or_default();
            let options = options.rsplit(')').next().unwrap_or_default();
            kinds.extend(hyphened(options).map(|option| (option, kind)));
        }
    }
    kinds
}

#[test]
fn every_option_is_in_the_completions_with_what_it_takes() {
    let kinds = kinds();
    assert_eq!(kinds_in_bash(&read(BASH)), kinds);
    let zsh = [(":_files'", "file"), ("]:", "value"), ("]", "")];
    assert_eq!(kinds_by_mark(&read(ZSH), zsh), kinds);
    let fish = [(" -r -F", "file"), (" -x", "value"), (" -d", "")];
    let script = read(FISH).replace("complete -c codearts-check-log", "");
    let script = script.replace(" -s ", " -").replace(" -l ", " --");
    assert_eq!(kinds_by_mark(&script, fish), kinds);
}

/// What the completions for bash offer for the last word. Those for other shells are not run.
#[test]
fn after_list_bash_offers_the_options_of_a_list_only() {
    let offered = |words: &str| -> BTreeSet<String> {
        let script = format!(
            "source {BASH}; COMP_WORDS=({words} -); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _codearts_check_log; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        let output = output.expect("run bash").stdout;
        hyphened(&String::from_utf8_lossy(&output)).collect()
    };
    let all: BTreeSet<String> = kinds().into_keys().collect();
    assert_eq!(offered("codearts-check-log"), all);
    let of_download = hyphened("-o --output -n --no-clobber --no-verify").collect();
    for list in [
        "--list TASK_ID",
        "--list = TASK_ID",
        "-v --list TASK_ID --job JOB_ID",
    ] {
        assert_eq!(
            offered(&format!("codearts-check-log {list}")),
            &all - &of_download
        );
    }
}
