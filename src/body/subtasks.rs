//! Which subtasks an execution has, by the answer to [`Call::ShowTask`](crate::api::call::Call).
//!
//! Their IDs go into a shell's pipeline: each is checked like one of the command line, and one that
//! is anything else refuses the whole answer.

use serde_json::Value;

use crate::api::error::{ErrorBody, without_byte_order_mark};
use crate::api::id::{JobId, SubJobId};
use crate::body::unexpected::{json_error, recognize};
use crate::http::response::Body;
use crate::report::error::{Error, FIELD_LIMIT};

/// The largest answer, in bytes: it bounds the memory that parsing takes. A real one has about 9 kB;
/// this has room for some 1,500 subtasks with their statuses.
const MAX_ANSWER: u64 = 256 << 10;

/// An execution that has ended, and its subtasks.
pub struct Execution {
    /// At least one.
    pub sub_job_ids: Vec<SubJobId>,
    id: Option<String>,
    status: String,
    finish_time: Option<String>,
}

impl Execution {
    /// Reads the answer about the execution `wanted`, or about the latest one.
    pub fn read(body: &mut Body, wanted: Option<&JobId>) -> Result<Self, Error> {
        let bytes = body.read_all(MAX_ANSWER)?;
        let answer = parse_json(&bytes, body)?;
        let fields = Fields(body);
        let result = fields.object(&answer, "result")?;
        let job = fields.object(result, "lastJob")?;
        if job.is_null() {
            return Err(body.unexpected("the task has no execution".to_owned()));
        }
        let id = fields.string(job, "id")?;
        if wanted.is_some_and(|wanted| id.is_some_and(|id| id != wanted.as_str())) {
            return Err(body.unexpected("it is about another execution".to_owned()));
        }
        let status = match fields.string(job, "status")? {
            // The second is the service's spelling of "not started".
            Some(status @ ("running" | "quering")) => {
                let status = body.redact(status);
                return Err(Error::StillRunning { status });
            }
            Some(status) => status,
            None => return Err(body.unexpected("its execution has no status".to_owned())),
        };
        let process = fields.object(job, "process")?;
        // "Usually empty", says the reference of the second.
        let mut sub_job_ids = fields.sub_job_ids(process)?;
        if sub_job_ids.is_empty() {
            sub_job_ids = fields.sub_job_ids(job)?;
        }
        if sub_job_ids.is_empty() {
            return Err(body.unexpected("its execution has no subtasks".to_owned()));
        }
        Ok(Self {
            sub_job_ids,
            id: id.map(str::to_owned),
            status: status.to_owned(),
            finish_time: fields.string(job, "finishTime")?.map(str::to_owned),
        })
    }

    /// ID, status and finish time, on one line.
    pub fn summary(&self, body: &Body) -> String {
        let [id, finish_time] = [&self.id, &self.finish_time]
            .map(|text| body.redact(text.as_deref().unwrap_or("unknown")));
        let status = body.redact(&self.status);
        let subtasks = self.sub_job_ids.len();
        format!(
            "execution {id:.FIELD_LIMIT$}, status {status:.FIELD_LIMIT$}, \
             finish time {finish_time:.FIELD_LIMIT$}, subtasks: {subtasks}"
        )
    }
}

/// Parses an answer that is JSON, and no error in JSON.
fn parse_json(bytes: &[u8], body: &Body) -> Result<Value, Error> {
    let text = without_byte_order_mark(bytes);
    let parsed = serde_json::from_slice(text);
    let answer = parsed.map_err(|e| {
        if text.trim_ascii_start().starts_with(b"{") {
            return body.unexpected(format!("its JSON can't be parsed: {e}"));
        }
        recognize(body, bytes).unwrap_or_else(|| body.unexpected("it is not JSON".to_owned()))
    })?;
    match ErrorBody::of(&answer) {
        Some(error) => Err(json_error(body, &error)),
        None if !answer.is_object() => {
            Err(body.unexpected("it is JSON, but not an object".to_owned()))
        }
        None => Ok(answer),
    }
}

/// Takes members out of JSON objects; what is missing or null is as good as empty, and what has
/// another type makes the body wrong.
struct Fields<'a>(&'a Body);

impl Fields<'_> {
    fn object<'a>(&self, value: &'a Value, name: &str) -> Result<&'a Value, Error> {
        match value.get(name) {
            None => Ok(&Value::Null),
            Some(field) if field.is_object() || field.is_null() => Ok(field),
            Some(_) => Err(self
                .0
                .unexpected(format!("its \"{name}\" is not an object"))),
        }
    }

    fn string<'a>(&self, object: &'a Value, name: &str) -> Result<Option<&'a str>, Error> {
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.0.unexpected(format!("its \"{name}\" is not a string"))),
        }
    }

    fn sub_job_ids(&self, object: &Value) -> Result<Vec<SubJobId>, Error> {
        let wrong = |fault: &str| self.0.unexpected(format!("its \"subJobIds\" {fault}"));
        let ids = match object.get("subJobIds") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(ids)) => ids,
            Some(_) => return Err(wrong("is not a list")),
        };
        ids.iter()
            .map(|id| {
                let id = id.as_str();
                let id = id.ok_or_else(|| wrong("has something other than a string"))?;
                SubJobId::parse(id).map_err(|fault| {
                    let id = self.0.redact(id);
                    wrong(&format!("has a bad ID, '{id:.FIELD_LIMIT$}': it {fault}"))
                })
            })
            .collect()
    }
}
