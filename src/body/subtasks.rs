//! Which subtasks an execution has, by the answer to [`Call::ShowTask`](crate::api::call::Call).
//!
//! Their IDs go into a shell's pipeline: each is checked like one of the command line, and one that
//! is anything else refuses the whole answer.

use serde_json::{Value, json};

use crate::api::error::{ErrorBody, without_byte_order_mark};
use crate::api::id::Id;
use crate::body::unexpected::recognize;
use crate::http::response::Body;
use crate::report::error::{Error, FIELD_LIMIT};

/// The largest answer, in bytes: it bounds the memory that parsing takes. A real one has about 9 kB;
/// this has room for some 1,500 subtasks with their statuses.
const MAX_ANSWER: u64 = 256 << 10;

/// The reference's words for an execution that has ended, and for one that has not: the second of
/// these is the service's spelling of "not started".
const ENDED: [&str; 3] = ["success", "failed", "aborted"];
const RUNNING: [&str; 2] = ["running", "quering"];

/// An execution that has ended, and its subtasks.
pub struct Execution {
    /// At least one.
    pub sub_job_ids: Vec<Id>,
    id: Option<String>,
    status: String,
    finish_time: Option<String>,
}

impl Execution {
    /// Reads the answer about the execution `wanted`, or about the latest one. A value of the
    /// wrong type counts as missing.
    pub fn read(body: &mut Body, wanted: Option<&Id>) -> Result<Self, Error> {
        let bytes = body.read_all(MAX_ANSWER)?;
        let answer = parse_json(&bytes, body)?;
        let job = &answer["result"]["lastJob"];
        let unexpected = |reason: &str| Err(body.unexpected(reason.to_owned()));
        if !job.is_object() {
            return match ErrorBody::of(&answer) {
                Some(error) => Err(body.exchange.error(&error)),
                None if answer["result"].is_object() => unexpected("the task has no execution"),
                None => unexpected("it is JSON, but it has no \"result\""),
            };
        }
        let id = &job["id"];
        if wanted.is_some_and(|wanted| !id.is_null() && id != wanted.as_str()) {
            return unexpected("it is about another execution");
        }
        let Some(status) = job["status"].as_str() else {
            return unexpected("its execution has no status");
        };
        let is_one_of = |words: &[&str], status: &str| {
            words.iter().any(|word| word.eq_ignore_ascii_case(status))
        };
        let process = job["process"]["status"].as_str().unwrap_or_default();
        let is_running = is_one_of(&RUNNING, process);
        if is_running || !is_one_of(&ENDED, status) {
            let status = body
                .exchange
                .redact(if is_running { process } else { status });
            return Err(Error::StillRunning { status });
        }
        // "Usually empty", says the reference of the second.
        let lists = [&job["process"]["subJobIds"], &job["subJobIds"]];
        let list = lists
            .into_iter()
            .find(|list| *list != &json!([]) && !list.is_null());
        let sub_job_ids = match list {
            None => return unexpected("its execution has no subtasks"),
            Some(Value::Array(ids)) => ids.iter().map(|id| sub_job_id(id, body)),
            Some(_) => return unexpected("its \"subJobIds\" is not a list"),
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            sub_job_ids: sub_job_ids.collect::<Result<_, _>>()?,
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
        let subtasks = self.sub_job_ids.len();
        format!(
            "execution {id:.FIELD_LIMIT$}, status {status:.FIELD_LIMIT$}, \
             finish time {finish_time:.FIELD_LIMIT$}, subtasks: {subtasks}"
        )
    }
}

fn parse_json(bytes: &[u8], body: &Body) -> Result<Value, Error> {
    let text = without_byte_order_mark(bytes);
    let parsed = serde_json::from_slice(text);
    parsed.map_err(|e| {
        if text.trim_ascii_start().starts_with(b"{") {
            return body.unexpected(format!("its JSON can't be parsed: {e}"));
        }
        recognize(body, bytes).unwrap_or_else(|| body.unexpected("it is not JSON".to_owned()))
    })
}

fn sub_job_id(value: &Value, body: &Body) -> Result<Id, Error> {
    let wrong = |fault: String| body.unexpected(format!("its \"subJobIds\" has {fault}"));
    let id = value.as_str();
    let id = id.ok_or_else(|| wrong("something other than a string".to_owned()))?;
    Id::of_subtask(id).map_err(|fault| {
        let id = body.exchange.redact(id);
        wrong(format!("a bad ID, '{id:.FIELD_LIMIT$}': it {fault}"))
    })
}
