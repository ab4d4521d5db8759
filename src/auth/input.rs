//! How secrets are read from a file or standard input, and which characters they may have.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;

use crate::report::error::Error;
use crate::report::named_file::NamedFile;
use crate::system::files;

/// The longest token, in characters (API reference, `X-Auth-Token`). Temporary keys come with a
/// token of the same kind.
pub const MAX_TOKEN: usize = 100_000;

/// The largest file with a token or a key, in bytes: the longest token, and white space around it
/// or a profile's other lines.
pub const MAX_FILE: usize = MAX_TOKEN + (16 << 10);

/// U+FEFF, with which some editors and spreadsheets begin a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The longest name, in characters, that an extension marks as a file's and not as a secret.
const LONGEST_FILE_NAME: usize = 40;

const VALUE_HINT: &str = "--token-file and --credentials-file take a file; \
    a token itself goes into HUAWEICLOUD_TOKEN";

pub enum Input {
    File(NamedFile),
    StandardInput,
}

impl Input {
    /// Reads the content without a byte order mark. Of a larger file, it reads a little more than
    /// [`MAX_FILE`] bytes. It also returns a warning if others than the owner may read the file.
    pub fn read(&self) -> Result<(Vec<u8>, Option<String>), Error> {
        self.try_read().map_err(|e| self.unreadable(&e))
    }

    fn try_read(&self) -> io::Result<(Vec<u8>, Option<String>)> {
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
        let limit = (BYTE_ORDER_MARK.len() + MAX_FILE + 1) as u64;
        let mut bytes = Vec::new();
        (&file).take(limit).read_to_end(&mut bytes)?;
        // A pipe is empty if the command that should write to it has failed.
        let is_stream = matches!(self, Input::StandardInput) || !file.metadata()?.is_file();
        if bytes.is_empty() && is_stream {
            return Err(io::Error::other(format!("nothing came on {self}")));
        }
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
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
                        "a file with a {length}-byte name (not shown: it may be a secret)"
                    ),
                    reason: reason.to_string(),
                    hint: Some(VALUE_HINT.into()),
                }
            }
            _ => Error::local(action, self, reason),
        }
    }
}

/// Whether a path looks like a secret given instead of a path: it has neither the beginning nor the
/// end of a path, and neither the file nor its folder exists.
fn may_be_secret(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let is_path = ["/", "./", "../", "~", "$"]
        .iter()
        .any(|start| text.starts_with(start));
    let has_folder = path.parent().is_some_and(Path::is_dir); // false for ""
    let may_exist = has_folder || path.symlink_metadata().is_ok();
    !is_path && !ends_like_file(&text) && !may_exist
}

/// Whether a text has at most [`LONGEST_FILE_NAME`] characters and ends like `.csv`. A secret key
/// has no dot, and a token is longer.
fn ends_like_file(text: &str) -> bool {
    let extension = text.rsplit_once('.').map_or("", |(_, extension)| extension);
    text.chars().count() <= LONGEST_FILE_NAME
        && (1..=4).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Checks that `bytes` are 1 to `longest` visible ASCII characters after trimming. The error calls
/// them `name`, and does not quote them.
pub fn check_secret(bytes: &[u8], name: &str, longest: usize) -> Result<String, String> {
    let text = bytes.trim_ascii();
    let odd = text.iter().position(|byte| !byte.is_ascii_graphic());
    let fault = if text.is_empty() {
        "is empty".to_owned()
    } else if text.len() > longest || bytes.len() > MAX_FILE {
        format!("is longer than {longest} characters")
    } else if text.starts_with(b"Bearer ") {
        "begins with the word Bearer, which is not part of it".to_owned()
    } else if let [b'"' | b'\'', .., b'"' | b'\''] = text {
        "is in quotes, which are not part of it".to_owned()
    } else if let Some(at) = odd {
        let what = match text[at] {
            b' ' | b'\t' => "white space",
            b'\n' | b'\r' => "a line break",
            _ => "a character other than visible ASCII",
        };
        format!("contains {what} (byte {})", at + 1)
    } else {
        return Ok(text.iter().map(|&byte| char::from(byte)).collect());
    };
    Err(format!("{name} {fault}"))
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::StandardInput => f.write_str("standard input"),
            Input::File(file) => file.fmt(f),
        }
    }
}
