//! The API's IDs, and which characters each may have: all are safe in a URL, a shell and a file
//! name.

use std::ops::RangeInclusive;

/// The ID of a subtask, a task or an execution.
#[derive(Clone)]
pub struct Id(String);

impl Id {
    /// The ID of one subtask (API reference, `sub_job_id`). The error continues a sentence after
    /// the ID's name, "must be …", and does not quote `text`.
    pub fn of_subtask(text: &str) -> Result<Self, String> {
        let is_valid = |c: char| c.is_ascii_alphanumeric();
        parse(text, 32..=32, is_valid, "32 ASCII letters or digits")
    }

    /// The ID of a task or an execution. The reference shows 32 hexadecimal digits and states no
    /// rule; this one accepts every form that such services use.
    pub fn of_task_or_execution(text: &str) -> Result<Self, String> {
        let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let rule = "1 to 128 ASCII letters, digits, '-' or '_'";
        parse(text, 1..=128, is_valid, rule)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks `text` against a rule. The error says what is wrong with it, the likeliest cause first.
fn parse(
    text: &str,
    length: RangeInclusive<usize>,
    is_valid: fn(char) -> bool,
    rule: &str,
) -> Result<Id, String> {
    let characters = text.chars().count();
    let fault = match text.chars().position(|c| !is_valid(c)) {
        None if length.contains(&characters) => return Ok(Id(text.to_owned())),
        None if characters == 1 => "has 1 character".to_owned(),
        None => format!("has {characters} characters"),
        Some(_) if text.contains("://") => "is a URL".to_owned(),
        Some(_) if text.ends_with('\r') => {
            "ends in a carriage return (a list with Windows line endings?)".to_owned()
        }
        Some(_) if text.contains(char::is_whitespace) => "contains white space".to_owned(),
        Some(at) => format!("has an invalid character at position {}", at + 1),
    };
    Err(format!("must be {rule}, but this {fault}"))
}
