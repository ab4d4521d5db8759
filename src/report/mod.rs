//! What people and scripts are told: errors with their hints and exit codes, progress, and text
//! from outside made safe to print.
//!
//! It uses `system` alone.

pub mod console;
pub mod error;
pub mod escape;
pub mod exit;
pub mod named_file;
pub mod progress;
pub mod redact;
pub mod size;
