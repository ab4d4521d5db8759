//! What the program needs of Linux and std does not offer: every `unsafe` call is here, each with
//! the reason why it is sound.

// Numbers of microseconds and nanoseconds, and names of requests, fit anywhere.
#![allow(unsafe_code, clippy::cast_possible_wrap)]

pub mod allocator;
pub mod deadline;
pub mod files;
pub mod process;
pub mod streams;
pub mod terminal;
