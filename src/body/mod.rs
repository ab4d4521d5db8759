//! What becomes of the body of a 200: a package is saved and then verified, a list of subtasks is
//! parsed.
//!
//! It uses the response of `http`, the rules of `api`, and what lies below them. `archive` and
//! `output` know nothing of HTTP.

pub mod archive;
pub mod output;
pub mod package;
pub mod subtasks;
pub mod unexpected;
