//! The one HTTP exchange of a run: options, connection, request and response, and the errors for
//! what fails or is refused.
//!
//! Only this folder uses ureq and rustls. It uses `auth`, `api` and what lies below them.

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
