//! The user token: the one secret, kept in one type that can't be printed by accident.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, display_path};
use crate::printable;
use crate::system;

/// The longest token, in characters (API reference, `X-Auth-Token`).
const MAX_LENGTH: usize = 100_000;

/// Bytes of white space that a file may have around a token before it counts as too long.
const MAX_WHITE_SPACE: usize = 4096;

/// The variable that holds the token where no file is named.
pub const VARIABLE: &str = "HUAWEICLOUD_TOKEN";

/// A token of 1 to 100,000 visible ASCII characters.
pub struct Token(String);

impl Token {
    /// Parses what `source` held, leaving out the white space around it. The error tells what is
    /// wrong, never what was read.
    pub fn parse(raw: &[u8], source: &str) -> Result<Self, Error> {
        let text = raw.trim_ascii();
        if text.is_empty() {
            return Err(Error::Usage(format!("the token in {source} is empty")));
        }
        if text.len() > MAX_LENGTH || raw.len() > MAX_LENGTH + MAX_WHITE_SPACE {
            return Err(Error::Usage(format!(
                "the token in {source} is longer than {MAX_LENGTH} characters"
            )));
        }
        if let Some(at) = text.iter().position(|byte| !byte.is_ascii_graphic()) {
            return Err(Error::Usage(format!(
                "the token in {source} has something else than a visible ASCII character at byte {}",
                at + 1
            )));
        }
        Ok(Self(text.iter().map(|&byte| char::from(byte)).collect()))
    }

    /// The secret itself, for the request's header and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Where the token comes from.
#[derive(Debug)]
pub enum TokenSource {
    /// The environment variable's token, already parsed.
    Variable(Token),
    File(PathBuf),
    StandardInput,
}

impl TokenSource {
    /// Reads the token, at most a little more than its longest form.
    pub fn read(self) -> Result<Token, Error> {
        match self {
            TokenSource::Variable(token) => Ok(token),
            TokenSource::File(path) => {
                let text = system::open_without_waiting(&path)
                    .and_then(read_some)
                    .map_err(|e| Error::local("read the token file", beginning(&path), e))?;
                Token::parse(&text, &display_path(&path))
            }
            TokenSource::StandardInput => {
                let text = read_some(io::stdin()).map_err(|e| {
                    Error::local("read the token from", Path::new("standard input"), e)
                })?;
                Token::parse(&text, "standard input")
            }
        }
    }
}

/// The path of a token file that can't be read, as far as it may be shown: a long one is more
/// likely the token itself, given in the file's place.
fn beginning(path: &Path) -> &Path {
    const LONG: usize = 255;
    match path.as_os_str().as_bytes() {
        bytes if bytes.len() > LONG => {
            Path::new(OsStr::from_bytes(&bytes[..printable::HINT_OF_A_VALUE]))
        }
        _ => path,
    }
}

fn read_some(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let limit = MAX_LENGTH + MAX_WHITE_SPACE + 1;
    reader.take(limit as u64).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Token, TokenSource};

    #[test]
    fn a_token_is_not_in_its_debug_form() {
        let Ok(token) = Token::parse(b" secret\n", "a test") else {
            panic!("a good token is refused");
        };
        assert_eq!(token.expose(), "secret");
        let shown = format!("{:?}", TokenSource::Variable(token));
        assert_eq!(shown, "Variable(Token(…))");
    }
}
