//! What a secret is read from: a file, or standard input.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;

use crate::report::error::Error;
use crate::report::named_file::NamedFile;
use crate::system::{files, streams};

const VALUE_HINT: &str = "--token-file and --credentials-file take a file; \
    a token itself goes into HUAWEICLOUD_TOKEN";

pub enum Input {
    File(NamedFile),
    StandardInput,
}

impl Input {
    /// Reads at most one byte more than `limit`, and returns a warning with them if not only the
    /// file's owner may read it.
    pub fn read(&self, limit: usize) -> Result<(Vec<u8>, Option<String>), Error> {
        self.try_read(limit).map_err(|e| self.unreadable(&e))
    }

    fn try_read(&self, limit: usize) -> io::Result<(Vec<u8>, Option<String>)> {
        let file = match self {
            Input::File(file) => File::open(&file.path)?,
            Input::StandardInput => File::from(io::stdin().as_fd().try_clone_to_owned()?),
        };
        if file.is_terminal() {
            return Err(io::Error::other(
                "refusing to read a secret from a terminal",
            ));
        }
        let warning = files::is_readable_by_others(&file)?.then(|| {
            format!("{self} holds a secret but is readable by its group or others: chmod 600 it")
        });
        let bytes = streams::read(&file, limit + 1)?;
        // A pipe is empty if the command that should write to it has failed.
        let is_stream = matches!(self, Input::StandardInput) || !file.metadata()?.is_file();
        if bytes.is_empty() && is_stream {
            return Err(io::Error::other(format!("nothing came on {self}")));
        }
        Ok((bytes, warning))
    }

    fn unreadable(&self, reason: &io::Error) -> Error {
        let action = "read the credentials from";
        match self {
            Input::File(file) if file.variable.is_none() && may_be_secret(&file.path) => {
                let length = file.path.as_os_str().len();
                Error::Local {
                    action,
                    object: format!(
                        "a file with a name of {length} bytes (not shown: it may be a secret)"
                    ),
                    reason: reason.to_string(),
                    hint: Some(VALUE_HINT.into()),
                }
            }
            _ => Error::local(action, self, reason),
        }
    }
}

/// Whether a path may be a secret in a file's place: it names no file, does not begin like a path,
/// and its folder is not there either.
fn may_be_secret(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let is_path = ["/", "./", "../", "~", "$"]
        .iter()
        .any(|start| text.starts_with(start));
    let has_folder = path.parent().is_some_and(Path::is_dir); // "" is none
    !is_path && !has_folder && path.symlink_metadata().is_err()
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::StandardInput => f.write_str("standard input"),
            Input::File(file) => file.fmt(f),
        }
    }
}
