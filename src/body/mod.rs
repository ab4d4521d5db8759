//! What becomes of a 200's body: the package, saved and then judged, or the list of subtasks.
//!
//! It uses the response of `http`, the rules of `api`, and what lies below them. `archive` and
//! `output` know nothing of HTTP.

pub mod archive;
pub mod output;
pub mod package;
pub mod subtasks;
pub mod unexpected;
