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
    const LENGTH: usize = 32;

    /// Parses an ID. The error is what follows a name for it, without the text itself: "must be …".
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_valid = |c: char| c.is_ascii_alphanumeric();
        match fault(text, Self::LENGTH..=Self::LENGTH, is_valid) {
            None => Ok(Self(text.to_owned())),
            Some(fault) => Err(format!(
                "must be {} ASCII letters or digits, but this {fault}",
                Self::LENGTH
            )),
        }
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

/// The longest ID of a task or an execution, in characters. The reference shows 32 of them and
/// states no rule; this leaves room for every form that such services use.
const MAX_NAME: usize = 128;

fn parse_name(text: &str) -> Result<String, String> {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match fault(text, 1..=MAX_NAME, is_valid) {
        None => Ok(text.to_owned()),
        Some(fault) => Err(format!(
            "must be 1 to {MAX_NAME} ASCII letters, digits, '-' or '_', but this {fault}"
        )),
    }
}

/// What keeps `text` from being an ID, by the likeliest slips first.
fn fault(
    text: &str,
    length: RangeInclusive<usize>,
    is_valid: impl Fn(char) -> bool,
) -> Option<String> {
    let characters = text.chars().count();
    if let Some(at) = text.chars().position(|c| !is_valid(c)) {
        Some(if text.contains("://") {
            "is a URL".to_owned()
        } else if text.ends_with('\r') {
            "ends in a carriage return (a list with Windows line endings?)".to_owned()
        } else if text.contains(char::is_whitespace) {
            "contains white space".to_owned()
        } else {
            format!("has an invalid character at position {}", at + 1)
        })
    } else if length.contains(&characters) {
        None
    } else {
        Some(format!("has {characters} characters"))
    }
}
