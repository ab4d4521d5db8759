//! The subtasks of an execution, from the answer to [`Call::ShowTask`](crate::api::call::Call).
//!
//! Their IDs go into a shell's pipeline: each is checked like one on the command line, and if any
//! is invalid, the whole answer is refused.

use std::collections::HashMap;

use serde_json::Value;

use crate::api::error::ErrorBody;
use crate::api::id::Id;
use crate::api::json;
use crate::body::unexpected::recognize;
use crate::http::refusal;
use crate::http::response::Body;
use crate::report::error::{Error, FIELD_LIMIT};
use crate::report::exit::Exit;

/// The reference's words for an execution that has ended, and for one that has not. `quering` is
/// its word, so spelled, for "not started".
const ENDED: [&str; 3] = ["success", "failed", "aborted"];
const RUNNING: [&str; 2] = ["running", "quering"];

/// The sentence and the hint for a valid answer that has nothing to list.
type Nothing = (&'static str, &'static str);

const NO_EXECUTION: Nothing = ("the task has no execution", "run the check task first");
const NO_SUCH_EXECUTION: Nothing = (
    "the task has no such execution",
    "check the IDs of the task and the execution",
);
const NO_SUBTASKS: Nothing = (
    "the execution has no subtasks",
    "it has made no logs: look at the task in the console, or list another execution (--job)",
);
const NOT_ENDED_HINT: &str = "its logs are not complete yet: try again later";

/// An execution that has ended, and its subtasks.
pub struct Execution {
    /// At least one.
    subtasks: Vec<Subtask>,
    id: Option<String>,
    status: String,
    finish_time: Option<String>,
}

struct Subtask {
    id: Id,
    /// Masked and escaped, like `tool`.
    status: String,
    tool: String,
}

impl Execution {
    /// Reads the answer about the execution `wanted`, or about the latest one. A value of the
    /// wrong type counts as missing.
    pub fn read(body: &mut Body, wanted: Option<&Id>) -> Result<Self, Error> {
        let bytes = body.read_all(json::LARGEST)?;
        let answer = json::parse(&bytes).map_err(|_| {
            recognize(body, &bytes).unwrap_or_else(|| body.unexpected("it is not JSON"))
        })?;
        let job = &answer["result"]["lastJob"];
        let error = ErrorBody::of(&answer);
        // If there is an execution, only `httpStatus` makes the answer an error.
        let fails = |error: &ErrorBody| !job.is_object() || error.http_status.is_some();
        if let Some(error) = error.as_ref().filter(|error| fails(error)) {
            return Err(refusal::inside_200(&body.exchange, error));
        }
        if !job.is_object() {
            return Err(match wanted {
                _ if !answer["result"].is_object() => {
                    body.unexpected("it is JSON, but it has no \"result\"")
                }
                None => nothing(NO_EXECUTION),
                Some(_) => nothing(NO_SUCH_EXECUTION),
            });
        }
        let id = &job["id"];
        if wanted.is_some_and(|wanted| !id.is_null() && id != wanted.as_str()) {
            return Err(body.unexpected("it is about another execution"));
        }
        let status = ended(job, body)?;
        let list = list(job).ok_or_else(|| match error.filter(|error| error.is_marked) {
            Some(error) => refusal::inside_200(&body.exchange, &error),
            None => nothing(NO_SUBTASKS),
        })?;
        let Some(ids) = list.as_array() else {
            return Err(body.unexpected("its \"subJobIds\" is not a list"));
        };
        let details = details(job);
        let subtasks = ids.iter().map(|id| Subtask::read(id, &details, body));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            subtasks: subtasks.collect::<Result<_, _>>()?,
            id: text(id),
            status: status.to_owned(),
            finish_time: text(&job["finishTime"]),
        })
    }

    /// ID, status and finish time, on one line.
    pub fn summary(&self, body: &Body) -> String {
        let [id, finish_time] = [&self.id, &self.finish_time]
            .map(|text| body.exchange.redact(text.as_deref().unwrap_or("unknown")));
        let status = body.exchange.redact(&self.status);
        let subtasks = self.subtasks.len();
        format!(
            "execution {id:.FIELD_LIMIT$}, status {status:.FIELD_LIMIT$}, \
             finish time {finish_time:.FIELD_LIMIT$}, subtasks: {subtasks}"
        )
    }

    /// One line for each subtask: its ID, or for `long` its ID, status and tool, separated by tabs.
    pub fn lines(&self, long: bool) -> String {
        let line = |Subtask { id, status, tool }: &Subtask| {
            let details = if long {
                format!("\t{status}\t{tool}")
            } else {
                String::new()
            };
            format!("{}{details}\n", id.as_str())
        };
        self.subtasks.iter().map(line).collect()
    }
}

impl Subtask {
    fn read(id: &Value, details: &HashMap<&str, &Value>, body: &Body) -> Result<Self, Error> {
        let wrong = |fault: &str| body.unexpected(&format!("its \"subJobIds\" has {fault}"));
        let id = id.as_str();
        let id = id.ok_or_else(|| wrong("something other than a string"))?;
        let details = details.get(id).copied().unwrap_or(&Value::Null);
        let shown = |name: &str| match details[name].as_str() {
            None | Some("") => "-".to_owned(),
            Some(text) => format!("{:.FIELD_LIMIT$}", body.exchange.redact(text)),
        };
        Ok(Self {
            id: Id::of_subtask(id).map_err(|fault| {
                let id = body.exchange.redact(id);
                wrong(&format!("a bad ID, '{id:.FIELD_LIMIT$}': it {fault}"))
            })?,
            status: shown("status"),
            tool: shown("toolName"),
        })
    }
}

/// The status of an execution that has ended; an error for any other.
fn ended<'a>(job: &'a Value, body: &Body) -> Result<&'a str, Error> {
    let Some(status) = job["status"].as_str() else {
        return Err(body.unexpected("its execution has no status"));
    };
    let is_one_of =
        |words: &[&str], status: &str| words.iter().any(|word| word.eq_ignore_ascii_case(status));
    let process = job["process"]["status"].as_str().unwrap_or_default();
    let is_running = is_one_of(&RUNNING, process);
    if !is_running && is_one_of(&ENDED, status) {
        return Ok(status);
    }
    let status = body
        .exchange
        .redact(if is_running { process } else { status });
    Err(Error::Refused {
        sentence: format!("the execution has not finished (status \"{status}\")"),
        hint: Some(NOT_ENDED_HINT.into()),
        exit: Exit::TryLater,
    })
}

/// The first list of subtasks that is not empty. The reference says that the second one usually is.
fn list(job: &Value) -> Option<&Value> {
    let lists = [&job["process"]["subJobIds"], &job["subJobIds"]];
    let is_empty = |list: &Value| list.is_null() || list.as_array().is_some_and(Vec::is_empty);
    lists.into_iter().find(|list| !is_empty(list))
}

/// The details of each subtask, by its ID.
fn details(job: &Value) -> HashMap<&str, &Value> {
    let statuses = job["process"]["subJobStatuses"].as_array();
    let statuses = statuses.into_iter().flatten();
    let pairs = statuses.filter_map(|status| Some((status["subJobId"].as_str()?, status)));
    pairs.collect()
}

fn nothing((sentence, hint): Nothing) -> Error {
    Error::Refused {
        sentence: sentence.to_owned(),
        hint: Some(hint.into()),
        exit: Exit::Refused,
    }
}
