//! Who is calling: where the credentials come from, and how a call is signed with them.
//!
//! Only this folder uses ring. It uses `api` and what lies below it.

pub mod access_key;
pub mod credentials;
pub mod credentials_file;
pub mod input;
pub mod signature;
