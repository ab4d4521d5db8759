//! The one exchange of a run: how it is prepared, the connection, the request, the response, and
//! the words for what fails in between or is refused.
//!
//! Only this folder names ureq and rustls. It uses `auth`, `api` and what lies below them.

pub mod connect;
pub mod exchange;
pub mod failure;
pub mod lookup;
pub mod options;
pub mod proxy;
pub mod quirks;
pub mod refusal;
pub mod request;
pub mod response;
pub mod tls;
pub mod trust;
