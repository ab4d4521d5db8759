//! The service's own rules: its calls, IDs and regions, and the errors that it answers with.
//!
//! It knows nothing of HTTP's machinery, and uses `report` alone.

pub mod call;
pub mod endpoint;
pub mod error;
pub mod id;
