//! Downloads the log package of a CodeArts Check subtask: the service's call "Downloading Log
//! Files" as a program for cron jobs, where the package is there whole, or the old file is
//! untouched and the exit code says why.
//!
//! Data goes one way: command line, request, response, partial file, archive check, final name.

mod allocator;
mod archive;
mod args;
mod endpoint;
mod error;
mod error_body;
mod output;
mod printable;
mod progress;
mod proxy;
mod request;
mod response;
mod system;
mod token;

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::allocator::PageAligned;
use crate::archive::Fault;
use crate::args::{Args, Command, HELP, Verbosity};
use crate::error::{Error, display_path};
use crate::output::Partial;
use crate::progress::{ERASE_LINE, Progress, size};
use crate::request::Call;
use crate::response::Package;

#[global_allocator]
static ALLOCATOR: PageAligned = PageAligned;

/// How many bytes go to the disk at a time. ureq hands out one TLS record, 16 KiB, and fewer,
/// larger writes are faster.
const COPY_BUFFER: usize = 256 << 10;

/// How long after `--max-time` the run is ended from outside, where no timeout of ureq's could do
/// it in good order.
const GRACE: Duration = Duration::from_millis(300);

/// How much of a body that is no package is looked at, in bytes.
const LOOK: u64 = 64 << 10;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("codearts-check-log: {error}"));
            if let Some(hint) = error.hint() {
                say(&format!("hint: {hint}"));
            }
            error.exit().into()
        }
    }
}

fn run() -> Result<(), Error> {
    let arguments = env::args_os().skip(1).collect();
    match args::parse(arguments, &|name| env::var_os(name))? {
        Command::Help => print(HELP),
        Command::Version => print(concat!(
            "codearts-check-log ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Command::Download(args) => download(*args),
    }
}

fn download(args: Args) -> Result<(), Error> {
    let at_terminal = io::stderr().is_terminal() && args.verbosity != Verbosity::Quiet;
    let verbose = args.verbosity == Verbosity::Verbose;
    system::ignore_file_size_signal();
    limit_run(&args, at_terminal)?;
    let request = args.call();
    let call = Call::prepare(&args)?;
    let token = args.token.read()?;
    let mut partial = Partial::open(&args.output, &format!("{}.zip", args.sub_job_id))?;

    if verbose {
        say(&request);
    }
    let answer = call.send(&token)?;
    if verbose {
        say(&answer.summary());
    }

    let mut package = answer.into_package()?;
    let mut progress = Progress::new(package.length, at_terminal);
    let copied = copy(&mut package, &mut partial, &mut progress);
    progress.clear();
    let length = copied?;

    let output = partial.output().to_owned();
    if args.verify {
        verify(partial.file(), &output)?;
    }
    partial.commit()?;
    if at_terminal || verbose {
        say(&format!(
            "saved {} ({})",
            display_path(&output),
            size(length)
        ));
    }
    Ok(())
}

/// Sees to it that the run ends soon after `--max-time`, in whatever it waits.
fn limit_run(args: &Args, at_terminal: bool) -> Result<(), Error> {
    let Some(time) = args.limits.run else {
        return Ok(());
    };
    let error = Error::Network {
        call: args.call(),
        reason: args.limits.out_of_time(),
        hint: None,
    };
    let erase = if at_terminal { ERASE_LINE } else { "" };
    let last_words = format!("{erase}codearts-check-log: {error}\n");
    system::end_run_after(time + GRACE, last_words)
        .map_err(|e| Error::local("set a timer for", Path::new("--max-time"), e))
}

/// Copies the package to the partial file, and returns its length in bytes.
fn copy(
    package: &mut Package,
    partial: &mut Partial,
    progress: &mut Progress,
) -> Result<u64, Error> {
    let mut buffer = vec![0; COPY_BUFFER];
    let mut length = 0;
    loop {
        let mut filled = 0;
        let mut at_end = false;
        while filled < buffer.len() && !at_end {
            let read = package.read(&mut buffer[filled..])?;
            progress.add(read);
            filled += read;
            at_end = read == 0;
        }
        partial.write(&buffer[..filled])?;
        length += filled as u64;
        if at_end {
            return Ok(length);
        }
    }
}

/// Checks that the file is a complete ZIP archive; if it is not, says what it looks like.
fn verify(file: &mut File, output: &Path) -> Result<(), Error> {
    let unreadable = |e: io::Error| Error::local("read back", output, e);
    let fault = match archive::check(file) {
        Ok(()) => return Ok(()),
        Err(Fault::Unreadable(e)) => return Err(unreadable(e)),
        Err(Fault::Incomplete(fault)) => fault,
    };
    let mut beginning = Vec::new();
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.take(LOOK).read_to_end(&mut beginning))
        .map_err(unreadable)?;
    Err(Error::NotPackage {
        reason: match error_body::looks_like(&beginning) {
            Some(looks) => looks,
            None if beginning.starts_with(b"PK\x03\x04") => {
                format!("it is a ZIP archive cut short or damaged: {fault}")
            }
            None => format!("it is something else: {fault}"),
        },
    })
}

/// Prints to standard output.
fn print(text: &str) -> Result<(), Error> {
    match io::stdout()
        .write_all(text.as_bytes())
        .and_then(|()| io::stdout().flush())
    {
        // The reader has seen enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|e| Error::local("write to", Path::new("standard output"), e)),
    }
}

/// Prints a line on standard error. There is nobody to tell that it can't be written.
fn say(line: &str) {
    // In one call, so that the lines of runs at once don't mix.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
