//! The two calls of the API: their URLs, and how messages describe them.

use crate::api::id::Id;

/// A call to be made: a `GET` without a body.
#[derive(Clone)]
pub enum Call {
    /// "Downloading Log Files" (`DownloadLog`): the logs of one subtask in a ZIP package.
    DownloadLog(Id),
    /// "Querying Task Details" (`ShowTaskInfoById`): a task and its latest execution, or the one
    /// that is named.
    ShowTask(Id, Option<Id>),
}

impl Call {
    /// Nothing in it needs percent-encoding: see [`crate::api::id`].
    pub fn path(&self) -> String {
        match self {
            Call::DownloadLog(_) => "/v1/log-file".to_owned(),
            Call::ShowTask(task_id, _) => format!("/v3/task/{}", task_id.as_str()),
        }
    }

    /// The one query parameter, if there is one. Nothing in it needs percent-encoding.
    pub fn query(&self) -> Option<String> {
        match self {
            Call::DownloadLog(sub_job_id) => Some(format!("sub_job_id={}", sub_job_id.as_str())),
            Call::ShowTask(..) => Some(format!("job_id={}", self.job_id()?.as_str())),
        }
    }

    /// The execution, if one was given.
    pub fn job_id(&self) -> Option<&Id> {
        match self {
            Call::DownloadLog(_) => None,
            Call::ShowTask(_, job_id) => job_id.as_ref(),
        }
    }

    /// The ID that the call is about, for the messages of a failed run.
    pub fn subject(&self) -> &str {
        match self {
            Call::DownloadLog(sub_job_id) => sub_job_id.as_str(),
            Call::ShowTask(task_id, _) => task_id.as_str(),
        }
    }

    /// What the body of a 200 should be.
    pub fn wanted(&self) -> &'static str {
        match self {
            Call::DownloadLog(_) => "a complete ZIP archive",
            Call::ShowTask(..) => "a list of an execution's subtasks",
        }
    }
}
