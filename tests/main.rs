//! The real program against a stand-in of the service, one exchange for each test: a scripted
//! reply and a command line, and then what the server received, the exit code, both streams, and
//! everything in the folder.

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
mod injection;
mod listing;
mod output;
mod proxies;
mod refusals;
mod tls;
