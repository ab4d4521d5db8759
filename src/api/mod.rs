//! The service's own rules: its calls, IDs, hosts and regions, the JSON and the errors that it
//! answers with, and how it writes a time.
//!
//! It sends nothing itself, and uses `report` alone.

pub mod authority;
pub mod call;
pub mod endpoint;
pub mod error;
pub mod id;
pub mod json;
pub mod timestamp;
