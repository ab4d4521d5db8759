//! Downloads the log package of a CodeArts Check subtask: the service's call "Downloading Log
//! Files" as a program for cron jobs, where the package is there whole, or the old file is
//! untouched and the exit code says why. It lists the subtasks of an execution, too.
//!
//! Data goes one way: command line, request, response, and then either partial file, archive check
//! and final name, or the list.

mod allocator;
mod archive;
mod args;
mod call;
mod clock;
mod connect;
mod console;
mod credentials;
mod credentials_file;
mod endpoint;
mod error;
mod error_body;
mod exchange;
mod exit;
mod id;
mod output;
mod package;
mod printable;
mod progress;
mod proxy;
mod request;
mod response;
mod secret;
mod signature;
mod subtasks;
mod system;
mod tls_fault;
mod wrong_body;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use crate::allocator::PageAligned;
use crate::args::{Command, Download, HELP, Options};
use crate::call::Call;
use crate::console::{Console, print, say, show};
use crate::error::{Error, Failure};
use crate::id::SubJobId;
use crate::output::Partial;
use crate::printable::display_path;
use crate::progress::{ERASE_LINE, size};
use crate::request::Request;
use crate::subtasks::Execution;

#[global_allocator]
static ALLOCATOR: PageAligned = PageAligned;

/// How long after `--max-time` the run is ended from outside, where no timeout of ureq's could do
/// it in good order.
const GRACE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&failure.to_string());
            if let Some(hint) = failure.error.hint() {
                say(&format!("hint: {hint}"));
            }
            failure.error.exit().into()
        }
    }
}

fn run() -> Result<(), Failure> {
    system::hide_memory();
    system::ignore_file_size_signal();
    let arguments = env::args_os().skip(1).collect();
    match args::parse(arguments, &|name| env::var_os(name))? {
        Command::Help => Ok(show(HELP)?),
        Command::Version => Ok(show(concat!(
            "codearts-check-log ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        ))?),
        Command::Download(call, wanted, options) => {
            download(&call, wanted, options).map_err(|e| e.about(call.subject()))
        }
        Command::List(call, options) => list(&call, options).map_err(|e| e.about(call.subject())),
    }
}

fn download(call: &Call, wanted: Download, options: Options) -> Result<(), Error> {
    let console = Console::new(options.verbosity);
    limit_run(call, &options, console)?;
    let output = output::path(wanted.output, &format!("{}.zip", call.subject()));
    if !wanted.clobber && output.is_file() {
        console.detail(&format!("{} already exists", display_path(&output)));
        return Ok(());
    }
    let request = Request::prepare(call.clone(), options, console)?;
    let mut partial = Partial::open(output.clone())?;
    let mut body = request.send(console)?.into_body()?;
    let progress = console.progress(body.length);
    let length = package::save(&mut body, &mut partial, progress)?;
    if wanted.verify {
        package::verify(&body, &mut partial)?;
    }
    partial.commit()?;
    console.result(&format!(
        "saved {} ({})",
        display_path(&output),
        size(length)
    ));
    Ok(())
}

fn list(call: &Call, options: Options) -> Result<(), Error> {
    let console = Console::new(options.verbosity);
    limit_run(call, &options, console)?;
    let body = Request::prepare(call.clone(), options, console)?
        .send(console)?
        .into_body()?;
    let execution = Execution::read(body, call.job_id())?;
    console.detail(&execution.to_string());
    let ids = execution.sub_job_ids.iter().map(SubJobId::as_str);
    print(&ids.flat_map(|id| [id, "\n"]).collect::<String>())
}

/// Sees to it that the run ends soon after `--max-time`, whatever it waits for.
fn limit_run(call: &Call, options: &Options, console: Console) -> Result<(), Error> {
    let Some(time) = options.limits.run else {
        return Ok(());
    };
    let failure = Error::Network {
        call: options.name(call),
        reason: options.limits.out_of_time(),
        hint: None,
    }
    .about(call.subject());
    let erase = if console.is_watched() { ERASE_LINE } else { "" };
    system::deadline::arm(time + GRACE, format!("{erase}{failure}\n"))
        .map_err(|e| Error::local("set a timer for", "--max-time", e))
}
