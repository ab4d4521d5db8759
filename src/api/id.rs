//! The API's IDs: what each may look like. Every one is safe in a URL, in a shell and in a file
//! name.

use std::ops::RangeInclusive;

/// The ID of one subtask: 32 ASCII letters or digits (API reference, `sub_job_id`).
#[derive(Clone)]
pub struct SubJobId(String);

/// The ID of a check task.
#[derive(Clone)]
pub struct TaskId(String);

/// The ID of one execution of a task.
#[derive(Clone)]
pub struct JobId(String);

impl SubJobId {
    /// Parses an ID. The error is what follows a name for it, without the text itself: "must be …".
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_valid = |c: char| c.is_ascii_alphanumeric();
        parse(text, 32..=32, is_valid, "32 ASCII letters or digits").map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TaskId {
    pub fn parse(text: &str) -> Result<Self, String> {
        parse_name(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl JobId {
    pub fn parse(text: &str) -> Result<Self, String> {
        parse_name(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Parses the ID of a task or an execution. The reference shows 32 characters of hex and states no
/// rule; this leaves room for every form that such services use.
fn parse_name(text: &str) -> Result<String, String> {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let rule = "1 to 128 ASCII letters, digits, '-' or '_'";
    parse(text, 1..=128, is_valid, rule)
}

/// Checks `text` against a rule; the error tells what breaks it, the likeliest slips first.
fn parse(
    text: &str,
    length: RangeInclusive<usize>,
    is_valid: fn(char) -> bool,
    rule: &str,
) -> Result<String, String> {
    let characters = text.chars().count();
    let fault = match text.chars().position(|c| !is_valid(c)) {
        None if length.contains(&characters) => return Ok(text.to_owned()),
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
