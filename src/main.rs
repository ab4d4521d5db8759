//! A command-line client for the log packages of CodeArts Check, made for cron, systemd timers and
//! minimal hosts. It downloads the package of a subtask, whole or not at all, or lists the subtasks
//! of an execution; the exit code says what happened.
//!
//! Data goes one way: command line, request, response, and then either partial file, archive check
//! and final name, or the list.

#[cfg(not(target_os = "linux"))]
compile_error!("codearts-check-log runs on Linux only");

mod api;
mod args;
mod auth;
mod body;
mod http;
mod report;
mod system;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use crate::api::call::Call;
use crate::args::{Command, Download, HELP, Inputs};
use crate::body::output::{Output, Partial};
use crate::body::package;
use crate::body::subtasks::Execution;
use crate::http::failure;
use crate::http::options::Options;
use crate::http::request::Request;
use crate::http::trust::Trust;
use crate::report::console::{Console, write_stderr_line, write_stdout_data, write_stdout_text};
use crate::report::error::{Error, Failure};
use crate::report::progress::erase_sequence;
use crate::report::size::size;
use crate::system::allocator::PageAligned;
use crate::system::{deadline, process};

#[global_allocator]
static ALLOCATOR: PageAligned = PageAligned;

/// Grace period: ureq's own timeout fires at `--max-time`; if it does not, SIGALRM ends the run
/// this much later.
const GRACE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    process::hide_memory();
    process::ignore_file_size_signal();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            write_stderr_line(&failure.to_string());
            if let Some(hint) = failure.error.hint() {
                write_stderr_line(&format!("hint: {hint}"));
            }
            failure.error.exit().into()
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments = env::args_os().skip(1).collect();
    match args::parse(arguments, &|name| env::var_os(name))? {
        Command::Help => Ok(write_stdout_text(HELP)?),
        Command::Version => Ok(write_stdout_text(concat!(
            "codearts-check-log ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        ))?),
        Command::Download(call, wanted, inputs, options) => {
            download(&call, wanted, inputs, options).map_err(|e| e.about(call.subject()))
        }
        Command::List(call, long, inputs, options) => {
            list(&call, long, inputs, options).map_err(|e| e.about(call.subject()))
        }
    }
}

fn download(call: &Call, wanted: Download, inputs: Inputs, options: Options) -> Result<(), Error> {
    let console = Console::new(options.verbosity);
    limit_run(call, &options);
    let output = Output::find(wanted.output, &wanted.default_name)?;
    let shown = output.display();
    if !wanted.clobber && package::is_there(&output, wanted.verify, console)? {
        console.result(&format!("{shown} already exists"));
        return Ok(());
    }
    let saved = format!("saved {shown}");
    let unsynced = unsynced_at_deadline(&saved, call, &options);
    let request = prepare(call, inputs, options, console)?;
    let mut partial = Partial::create(output)?;
    let mut body = request.send(console)?.into_body()?;
    let progress = console.progress(&call.subject()[..8], body.length);
    let length = package::save(&mut body, &mut partial, progress)?;
    if wanted.verify {
        package::verify(&body, &mut partial)?;
    }
    let output = partial.commit(console)?;
    deadline::change_message(&unsynced);
    output.sync_folder(&saved, console)?;
    console.result(&format!("{saved} ({})", size(length)));
    Ok(())
}

fn list(call: &Call, long: bool, inputs: Inputs, options: Options) -> Result<(), Error> {
    let console = Console::new(options.verbosity);
    limit_run(call, &options);
    let mut body = prepare(call, inputs, options, console)?
        .send(console)?
        .into_body()?;
    let execution = Execution::read(&mut body, call.job_id())?;
    console.detail(|| execution.summary(&body));
    write_stdout_data(&execution.lines(long))
}

/// Reads the certificates and the credentials, reports where they come from, and prepares the
/// request.
fn prepare(
    call: &Call,
    inputs: Inputs,
    options: Options,
    console: Console,
) -> Result<Request, Error> {
    let trust = Trust::read(inputs.cacert)?;
    console.detail(|| format!("trust: {trust}"));
    let loaded = inputs.credentials.read()?;
    console.detail(|| format!("credentials: {} from {}", loaded.kind, loaded.origin));
    if let Some(warning) = &loaded.warning {
        console.warn(warning);
    }
    Ok(Request::prepare(call.clone(), options, loaded, trust))
}

/// Installs the signal handlers and arms the `--max-time` alarm.
fn limit_run(call: &Call, options: &Options) {
    deadline::catch_signals(erase_sequence());
    let Some(time) = options.limits.run else {
        return;
    };
    let failure = failure::out_of_time(call, options).about(call.subject());
    let exit_code = failure.error.exit() as i32;
    deadline::arm(time + GRACE, &failure.to_string(), exit_code);
}

/// The message at `--max-time` once the package has its final name.
fn unsynced_at_deadline(state: &str, call: &Call, options: &Options) -> String {
    let seconds = options.limits.run.unwrap_or_default().as_secs_f64();
    let reason = format!("was not synced within {seconds} s (--max-time)");
    let state = state.to_owned();
    Error::Unsynced { state, reason }
        .about(call.subject())
        .to_string()
}
