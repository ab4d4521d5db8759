//! What shows the service who is calling: a token, or a signature made with an access key.
//!
//! The sources of credentials are tried here in order, and the first one found is used; there is one
//! way from it into a request, [`Credentials::authenticate`].

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::api::call::Call;
use crate::auth::credentials_file::{self, Fields};
use crate::auth::signature::sign;
use crate::auth::timestamp::Timestamp;
use crate::report::error::Error;
use crate::report::escape::display_path;
use crate::report::redact::{Secret, Secrets};
use crate::system::files;

/// The longest token, in characters (API reference, `X-Auth-Token`). Temporary keys come with a
/// token of the same kind.
const MAX_TOKEN: usize = 100_000;

/// The longest access key, secret key and project ID, in characters. They have 20 to 40.
const MAX_KEY: usize = 256;

/// The largest file with a token or a key, in bytes: the longest token, and white space around it
/// or a profile's other lines.
const MAX_FILE: usize = MAX_TOKEN + (16 << 10);

const TOKEN: &str = "HUAWEICLOUD_TOKEN";
const PROJECT_ID: &str = "HUAWEICLOUD_SDK_PROJECT_ID";
/// The variables of an access key's [`PARTS`].
const KEY_VARIABLES: [&str; 4] = [
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    PROJECT_ID,
];
const CREDENTIALS_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
const HOME: &str = "HOME";
/// The SDK's file, below the home folder.
const DEFAULT_FILE: &str = ".huaweicloud/credentials";

const PARTS: [&str; 4] = [
    "the access key",
    "the secret key",
    "the security token",
    "the project ID",
];

const NO_CREDENTIALS: &str = "no credentials: give --credentials-file or --token-file, or set \
    HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, HUAWEICLOUD_SDK_CREDENTIALS_FILE \
    or HUAWEICLOUD_TOKEN, or write ~/.huaweicloud/credentials";

/// Either way to authenticate a call.
pub enum Credentials {
    /// A user token, which lasts 24 hours.
    Token(Secret),
    Key(Key),
}

/// An access key: permanent, or temporary with a security token.
pub struct Key {
    /// The public half (`AK`), which names the key.
    access: String,
    /// The secret half (`SK`).
    secret: Secret,
    security_token: Option<Secret>,
    project_id: Option<String>,
}

/// What authenticates one call.
pub struct Authentication {
    /// The names are HTTP's own, in any case; the values are visible ASCII.
    pub headers: Vec<(&'static str, Secret)>,
    pub secrets: Secrets,
    pub method: AuthMethod,
}

/// How a call is authenticated, for the hint to a 401.
#[derive(Clone, Copy)]
pub enum AuthMethod {
    Token,
    /// Signed at this host's time.
    Signature(Timestamp),
}

impl Credentials {
    /// Authenticates `call` to `host` (as the header `Host` has it), made now.
    pub fn authenticate(self, call: &Call, host: &str, now: Timestamp) -> Authentication {
        match self {
            Credentials::Token(token) => Authentication {
                headers: vec![("X-Auth-Token", token.clone())],
                secrets: Secrets::new(vec![token]),
                method: AuthMethod::Token,
            },
            Credentials::Key(key) => key.authenticate(call, host, now),
        }
    }
}

impl Key {
    /// Checks what was found of a key. The errors name its parts by `names`, in the order of
    /// [`PARTS`], and quote no value.
    fn new(fields: Fields, names: &[String; 4]) -> Result<Self, Error> {
        let required = |text: Option<String>, name: &str| match text {
            Some(text) => check_key(&text, name),
            None => Err(Error::Usage(format!("{name} is missing"))),
        };
        let security_token = fields
            .security_token
            .map(|text| check(text.as_bytes(), &names[2], MAX_TOKEN).map(Secret::new));
        let project_id = fields.project_id.map(|text| check_key(&text, &names[3]));
        Ok(Self {
            access: required(fields.access_key, &names[0])?,
            secret: required(fields.secret_key, &names[1]).map(Secret::new)?,
            security_token: security_token.transpose()?,
            project_id: project_id.transpose()?,
        })
    }

    fn authenticate(self, call: &Call, host: &str, now: Timestamp) -> Authentication {
        let date = now.to_basic_format();
        let mut headers = vec![("X-Sdk-Date", Secret::new(date.clone()))];
        let mut secrets = vec![self.secret.clone()];
        if let Some(token) = self.security_token {
            secrets.push(token.clone());
            headers.push(("X-Security-Token", token));
        }
        if let Some(project_id) = self.project_id {
            headers.push(("X-Project-Id", Secret::new(project_id)));
        }
        let signed = sign(call, host, &headers, &date, &self.access, &self.secret);
        headers.push(("Authorization", signed.authorization));
        secrets.push(signed.signature);
        Authentication {
            headers,
            secrets: Secrets::new(secrets),
            method: AuthMethod::Signature(now),
        }
    }
}

/// Credentials that were read.
pub struct Loaded {
    pub credentials: Credentials,
    /// What the user should know of the file that they come from.
    pub warning: Option<String>,
}

/// Where the credentials come from. Nothing of it is checked yet.
pub enum Source {
    /// The token in [`TOKEN`].
    TokenVariable(OsString),
    /// The access key in [`KEY_VARIABLES`].
    KeyVariables(Fields),
    TokenFile(Input),
    CredentialsFile {
        input: Input,
        /// The project, if the file has none.
        project_id: Option<String>,
        /// What counts where the file is missing, if it may be.
        otherwise: Option<Box<Source>>,
    },
    Missing,
}

/// Something to read.
pub enum Input {
    File(PathBuf),
    StandardInput,
}

impl Source {
    /// Chooses the first of: the files of the command line, `HUAWEICLOUD_TOKEN`, the variables of
    /// an access key, the credentials file that a variable names, the SDK's own.
    pub fn choose(
        token_file: Option<Input>,
        credentials_file: Option<Input>,
        env: &dyn Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        // What is not Unicode is refused later, like anything that is not ASCII.
        let text = |name| env(name).map(|value| value.to_string_lossy().into_owned());
        let file = |input, project_id, otherwise| Source::CredentialsFile {
            input,
            project_id,
            otherwise,
        };
        match (token_file, credentials_file) {
            (Some(_), Some(_)) => {
                return Err(Error::not_together("--token-file", "--credentials-file"));
            }
            (Some(input), None) => return Ok(Source::TokenFile(input)),
            (None, Some(input)) => return Ok(file(input, None, None)),
            (None, None) => {}
        }
        if let Some(token) = env(TOKEN) {
            return Ok(Source::TokenVariable(token));
        }
        let [access_key, secret_key, security_token, project_id] = KEY_VARIABLES.map(text);
        if access_key.is_some() || secret_key.is_some() {
            return Ok(Source::KeyVariables(Fields {
                access_key,
                secret_key,
                security_token,
                project_id,
            }));
        }
        if let Some(named) = env(CREDENTIALS_FILE) {
            return Ok(file(Input::File(named.into()), project_id, None));
        }
        Ok(env(HOME).map_or(Source::Missing, |home| {
            let default = Input::File(PathBuf::from(home).join(DEFAULT_FILE));
            file(default, project_id, Some(Box::new(Source::Missing)))
        }))
    }

    /// Reads and checks the credentials.
    pub fn read(self) -> Result<Loaded, Error> {
        let (credentials, warning) = match self {
            Source::TokenVariable(token) => {
                let token = parse_token(token.as_bytes(), &format!("the token in {TOKEN}"))?;
                (Credentials::Token(token), None)
            }
            Source::KeyVariables(fields) => {
                let key = Key::new(fields, &KEY_VARIABLES.map(str::to_owned))?;
                (Credentials::Key(key), None)
            }
            Source::TokenFile(input) => {
                let (bytes, warning) = input
                    .read()
                    .map_err(|e| Error::local("read the token from", input.name_or_length(), e))?;
                let token = parse_token(&bytes, &format!("the token in {input}"))?;
                (Credentials::Token(token), warning)
            }
            Source::CredentialsFile {
                input,
                project_id,
                otherwise,
            } => match (input.read(), otherwise) {
                (Err(e), Some(otherwise)) if is_missing(&e) => return otherwise.read(),
                (Err(e), _) => {
                    let name = input.name_or_length();
                    return Err(Error::local("read the credentials from", name, e));
                }
                (Ok((bytes, warning)), _) => {
                    let key = parse_file(&input, &bytes, project_id)?;
                    (Credentials::Key(key), warning)
                }
            },
            Source::Missing => return Err(Error::Usage(NO_CREDENTIALS.to_owned())),
        };
        Ok(Loaded {
            credentials,
            warning,
        })
    }
}

fn parse_file(input: &Input, bytes: &[u8], project_id: Option<String>) -> Result<Key, Error> {
    let parsed = if bytes.len() > MAX_FILE {
        Err("is too large for a credentials file".to_owned())
    } else {
        credentials_file::parse(bytes)
    };
    let mut fields = parsed.map_err(|fault| Error::Usage(format!("{input} {fault}")))?;
    let mut names = PARTS.map(|part| format!("{part} in {input}"));
    if fields.project_id.is_none() {
        fields.project_id = project_id;
        PROJECT_ID.clone_into(&mut names[3]);
    }
    Key::new(fields, &names)
}

impl Input {
    /// Reads at most one byte more than [`MAX_FILE`], and returns a warning with them if not only the
    /// file's owner may read it.
    fn read(&self) -> io::Result<(Vec<u8>, Option<String>)> {
        let file = match self {
            Input::File(path) => File::open(path)?,
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
        let mut bytes = Vec::new();
        file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
        Ok((bytes, warning))
    }

    /// The name as a message may show it when it can't be read. Where there is no such file, the
    /// name may be the secret itself, given in the file's place: only its length is told.
    fn name_or_length(&self) -> String {
        match self {
            Input::File(path) if path.symlink_metadata().is_err() => {
                let length = path.as_os_str().len();
                format!("a file with a name of {length} bytes (not shown: it may be a secret)")
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::File(path) => f.write_str(&display_path(path)),
            Input::StandardInput => f.write_str("standard input"),
        }
    }
}

/// Whether there is no such file.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Parses a token, leaving out the white space around it.
fn parse_token(bytes: &[u8], what: &str) -> Result<Secret, Error> {
    check(bytes, what, MAX_TOKEN).map(Secret::new)
}

/// Checks an access key, a secret key or a project ID. A comma would end it in `Authorization`.
fn check_key(text: &str, what: &str) -> Result<String, Error> {
    let key = check(text.as_bytes(), what, MAX_KEY)?;
    if key.contains(',') {
        return Err(Error::Usage(format!("{what} contains a comma")));
    }
    Ok(key)
}

/// Checks that `bytes` are 1 to `longest` visible ASCII characters, but for white space around
/// them, which is left out. The error names what is wrong, without quoting it.
fn check(bytes: &[u8], what: &str, longest: usize) -> Result<String, Error> {
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
    Err(Error::Usage(format!("{what} {fault}")))
}
