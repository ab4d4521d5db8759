//! The real program against a stand-in of the service. A test is one exchange, or a table of
//! exchanges of one kind: a scripted reply and a command line, and then what the server received,
//! the exit code, both streams, and everything in the folder.

#![allow(unsafe_code)] // signals, and system calls between fork and exec

mod fault;
mod harness;
mod packages;
mod signing;
mod stand_in;

mod answers;
mod command_line;
mod credentials;
mod deployment;
mod documents;
mod hints;
mod injection;
mod key_files;
mod listing;
mod masking;
mod output;
mod proxies;
mod recipes;
mod refusals;
mod tls;
