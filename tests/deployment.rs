//! What the systemd unit and the Kubernetes manifest do at each exit code agrees with the program
//! and with README.

use std::collections::BTreeSet;

use crate::documents::{exit_codes, read};

type Codes = BTreeSet<u8>;

/// Of xargs: a command that failed, and one that was killed.
const XARGS: [u8; 2] = [123, 125];

fn codes<'a>(words: impl Iterator<Item = &'a str>) -> Codes {
    words.map(|word| word.parse().expect("a code")).collect()
}

/// The codes of README's table that say "yes" to another try.
fn worth_a_retry() -> Codes {
    let readme = read("README.md");
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let yes = rows.filter(|row| {
        row.rsplit(" | ")
            .next()
            .is_some_and(|cell| cell.starts_with("yes"))
    });
    codes(yes.filter_map(|row| row.split(" | ").next()))
}

/// The codes of the manifest's rule with this action, in their order.
fn rule(action: &str) -> Vec<u8> {
    let manifest = read("doc/kubernetes/cronjob.yaml");
    let (_, rule) = manifest
        .split_once(&format!("- action: {action}"))
        .expect("the rule");
    let (_, values) = rule.split_once("values: [").expect("its codes");
    let (values, _) = values.split_once(']').expect("their end");
    values
        .split(", ")
        .map(|code| code.parse().expect("a code"))
        .collect()
}

#[test]
fn the_unit_retries_what_readme_says_is_worth_it() {
    let unit = read("doc/systemd/codearts-check-log@.service");
    let retried = unit
        .lines()
        .find_map(|line| line.strip_prefix("RestartForceExitStatus="));
    let retried = codes(retried.expect("the codes").split(' '));
    assert_eq!(retried, &worth_a_retry() | &XARGS.into());
}

fn in_order(codes: &[u8]) -> bool {
    codes.is_sorted_by(|one, next| one < next)
}

#[test]
fn the_manifest_names_each_exit_code_once_and_retries_what_readme_says_is_worth_it() {
    let (fails, counts) = (rule("FailJob"), rule("Count"));
    // Kubernetes wants them in order.
    assert!(
        in_order(&fails) && in_order(&counts),
        "{fails:?} {counts:?}"
    );
    let retried = Codes::from_iter(counts);
    assert_eq!(retried, &worth_a_retry() | &XARGS.into());
    assert_eq!(Codes::from_iter(fails), &exit_codes() - &retried);
}

#[test]
fn the_document_of_the_manifest_has_its_codes_and_this_version() {
    let document = read("doc/kubernetes.md");
    let fails: Vec<String> = rule("FailJob").iter().map(u8::to_string).collect();
    let row = format!("| {} | The Job fails at once", fails.join(", "));
    assert!(document.contains(&row), "{row}");
    let images = document.matches("/codearts-check-log:").count();
    let of_this_version = concat!("/codearts-check-log:", env!("CARGO_PKG_VERSION"));
    assert!(images > 0);
    assert_eq!(document.matches(of_this_version).count(), images);
}
