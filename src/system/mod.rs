//! What the program needs from Linux and std does not offer. Every `unsafe` call is here, with the
//! reason why it is sound.

// Microseconds, nanoseconds and the numbers of requests fit into any of the C types.
#![allow(unsafe_code, clippy::cast_possible_wrap)]

pub mod allocator;
pub mod deadline;
pub mod files;
pub mod process;
pub mod streams;
pub mod terminal;
