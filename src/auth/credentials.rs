//! What shows the service who is calling: a token, or a signature made with an access key.
//!
//! The sources of credentials are tried here in order, and the first one found is used.
//! [`Credentials::authenticate`] is the only way into a request.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::api::call::Call;
use crate::api::error::without_byte_order_mark;
use crate::auth::credentials_file::{self, Fields};
use crate::auth::input::Input;
use crate::auth::signature::sign;
use crate::auth::timestamp::Timestamp;
use crate::report::error::Error;
use crate::report::named_file::NamedFile;
use crate::report::redact::{Secret, Secrets};

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
/// The variables of a key's [`Fields`]: the SDK's, and the Terraform provider's.
#[rustfmt::skip] // one row per family
const KEY_VARIABLES: [[&str; 4]; 2] = [
    ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN", PROJECT_ID],
    ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN", PROJECT_ID],
];
const CREDENTIALS_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
const HOME: &str = "HOME";
/// The SDK's file, below the home folder.
const DEFAULT_FILE: &str = ".huaweicloud/credentials";

const NO_CREDENTIALS: &str = "no credentials: give --credentials-file or --token-file, or set \
    HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, HUAWEICLOUD_SDK_CREDENTIALS_FILE \
    or HUAWEICLOUD_TOKEN, or write ~/.huaweicloud/credentials";

const FILE_HINT: &str = "a credentials file is the console's credentials.csv, a metadata service's \
    JSON, or three lines: '[basic]', 'ak = ACCESS_KEY_ID', 'sk = SECRET_ACCESS_KEY'";

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
    Token {
        /// In characters.
        length: usize,
    },
    Signature {
        /// This host's time, which was signed.
        date: Timestamp,
        /// Whether `X-Project-Id` is sent.
        has_project: bool,
    },
}

impl Key {
    /// Checks the fields of a key. The error calls them by `names`, and quotes no value.
    fn new(fields: Fields, names: &[String; 4]) -> Result<Self, String> {
        let [access_key, secret_key, security_token, project_id] = fields;
        let required = |text: Option<String>, name: &str| {
            check_key(&text.ok_or_else(|| format!("{name} is missing"))?, name)
        };
        let security_token =
            security_token.map(|text| check(text.as_bytes(), &names[2], MAX_TOKEN));
        let project_id = project_id.map(|text| check_key(&text, &names[3]));
        Ok(Self {
            access: required(access_key, &names[0])?,
            secret: Secret::new(required(secret_key, &names[1])?),
            security_token: security_token.transpose()?.map(Secret::new),
            project_id: project_id.transpose()?,
        })
    }
}

impl Credentials {
    /// Authenticates `call` to `host` (as the header `Host` has it), made now.
    pub fn authenticate(self, call: &Call, host: &str, now: Timestamp) -> Authentication {
        let key = match self {
            Credentials::Key(key) => key,
            Credentials::Token(token) => {
                let length = token.expose().len();
                return Authentication {
                    headers: vec![("X-Auth-Token", token.clone())],
                    secrets: Secrets::new(vec![token]),
                    method: AuthMethod::Token { length },
                };
            }
        };
        let date = now.to_basic_format();
        let mut headers = vec![("X-Sdk-Date", Secret::new(date.clone()))];
        let mut secrets = vec![key.secret.clone()];
        if let Some(token) = key.security_token {
            secrets.push(token.clone());
            headers.push(("X-Security-Token", token));
        }
        let has_project = key.project_id.is_some();
        if let Some(project_id) = key.project_id {
            headers.push(("X-Project-Id", Secret::new(project_id)));
        }
        let signed = sign(call, host, &headers, &date, &key.access, &key.secret);
        headers.push(("Authorization", signed.authorization));
        secrets.push(signed.signature);
        Authentication {
            headers,
            secrets: Secrets::new(secrets),
            method: AuthMethod::Signature {
                date: now,
                has_project,
            },
        }
    }
}

/// Credentials that were read.
pub struct Loaded {
    pub credentials: Credentials,
    /// "token" or "access key"
    pub kind: &'static str,
    /// Where they come from: a variable, a path, standard input.
    pub origin: String,
    /// What the user should know of the file that they come from.
    pub warning: Option<String>,
}

/// Every source of credentials that is given, the first of which counts. Nothing of it is checked yet.
pub struct Sources(Vec<Source>);

enum Source {
    TokenVariable(OsString),
    TokenFile(Input),
    /// The variables of an access key, and their values.
    KeyVariables([&'static str; 4], Fields),
    /// A credentials file, and the project for a key without one.
    CredentialsFile(Input, Option<String>),
}

impl Sources {
    pub fn find(
        token_file: Option<Input>,
        credentials_file: Option<Input>,
        env: &dyn Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        if token_file.is_some() && credentials_file.is_some() {
            return Err(Error::not_together("--token-file", "--credentials-file"));
        }
        // What is not Unicode is refused later, like anything that is not ASCII.
        let text = |name| env(name).map(|value| value.to_string_lossy().into_owned());
        let key = |names: [&'static str; 4]| {
            let fields = names.map(text);
            let is_there = fields[0].is_some() || fields[1].is_some();
            is_there.then_some(Source::KeyVariables(names, fields))
        };
        let [sdk_key, terraform_key] = KEY_VARIABLES.map(key);
        let file = |variable, path: PathBuf| {
            let variable = Some(variable);
            Source::CredentialsFile(Input::File(NamedFile { path, variable }), text(PROJECT_ID))
        };
        let sources = [
            token_file.map(Source::TokenFile),
            credentials_file.map(|input| Source::CredentialsFile(input, text(PROJECT_ID))),
            env(TOKEN).map(Source::TokenVariable),
            sdk_key,
            env(CREDENTIALS_FILE).map(|path| file(CREDENTIALS_FILE, path.into())),
            env(HOME).map(|home| file(HOME, PathBuf::from(home).join(DEFAULT_FILE))),
            terraform_key,
        ];
        Ok(Self(sources.into_iter().flatten().collect()))
    }

    /// Reads and checks the first credentials.
    pub fn read(self) -> Result<Loaded, Error> {
        let mut sources = self.0.into_iter();
        match sources.find(|source| !source.is_missing()) {
            Some(source) => source.read(),
            None => Err(Error::Usage(NO_CREDENTIALS.to_owned())),
        }
    }
}

impl Source {
    /// Whether it is the default file, which need not be there, and is not.
    fn is_missing(&self) -> bool {
        let Source::CredentialsFile(Input::File(file), _) = self else {
            return false;
        };
        let found = file.path.metadata().map_err(|e| e.kind());
        file.variable == Some(HOME)
            && matches!(found, Err(ErrorKind::NotFound | ErrorKind::NotADirectory))
    }

    fn read(self) -> Result<Loaded, Error> {
        let (credentials, kind, origin, warning) = match self {
            Source::TokenVariable(token) => {
                let path = Path::new(OsStr::from_bytes(token.as_bytes().trim_ascii()));
                if path.is_absolute() && path.is_file() {
                    let reason = format!("{TOKEN} is the path of a file, not a token");
                    let hint = Some("--token-file takes a file");
                    return Err(Error::settings(reason, hint));
                }
                let token = parse_token(token.as_bytes(), TOKEN)?;
                (token, "token", TOKEN.to_owned(), None)
            }
            Source::TokenFile(input) => {
                let (bytes, warning) = input.read(MAX_FILE)?;
                let origin = input.to_string();
                let token = parse_token(without_byte_order_mark(&bytes), &origin)?;
                (token, "token", origin, warning)
            }
            Source::KeyVariables(names, fields) => {
                let key = Key::new(fields, &names.map(str::to_owned));
                let key = key.map_err(|reason| Error::settings(reason, None))?;
                let origin = names[0].to_owned();
                (Credentials::Key(key), "access key", origin, None)
            }
            Source::CredentialsFile(input, project_id) => {
                let (bytes, warning) = input.read(MAX_FILE)?;
                let origin = input.to_string();
                let key = parse_key_file(&bytes, &origin, project_id)?;
                (Credentials::Key(key), "access key", origin, warning)
            }
        };
        Ok(Loaded {
            credentials,
            kind,
            origin,
            warning,
        })
    }
}

/// Parses a token, leaving out the white space around it.
fn parse_token(bytes: &[u8], origin: &str) -> Result<Credentials, Error> {
    match check(bytes, &format!("the token in {origin}"), MAX_TOKEN) {
        Ok(token) => Ok(Credentials::Token(Secret::new(token))),
        Err(reason) => Err(Error::settings(reason, None)),
    }
}

/// Parses a credentials file; `project_id` is used if it has none.
fn parse_key_file(bytes: &[u8], origin: &str, project_id: Option<String>) -> Result<Key, Error> {
    let parsed = match bytes.len() {
        0..=MAX_FILE => credentials_file::parse(bytes),
        _ => Err("is too large for a credentials file".to_owned()),
    };
    let (mut fields, end) =
        parsed.map_err(|fault| Error::settings(format!("{origin} {fault}"), Some(FILE_HINT)))?;
    let now = Timestamp::now();
    if let Some(end) = end.and_then(|end| now.expired(&end)) {
        let reason = format!(
            "the temporary access key in {origin} expired at {end}, \
             and this host's clock says {now}"
        );
        return Err(Error::settings(reason, None));
    }
    let parts = ["access key", "secret key", "security token", "project ID"];
    let mut names = parts.map(|part| format!("the {part} in {origin}"));
    if fields[3].is_none() {
        fields[3] = project_id;
        PROJECT_ID.clone_into(&mut names[3]);
    }
    Key::new(fields, &names).map_err(|reason| {
        let is_of_file = !reason.starts_with(PROJECT_ID);
        Error::settings(reason, is_of_file.then_some(FILE_HINT))
    })
}

/// Checks an access key, a secret key or a project ID. A comma would end it in `Authorization`.
fn check_key(text: &str, what: &str) -> Result<String, String> {
    let key = check(text.as_bytes(), what, MAX_KEY)?;
    if key.contains(',') {
        return Err(format!("{what} contains a comma"));
    }
    Ok(key)
}

/// Checks that `bytes` are 1 to `longest` visible ASCII characters, but for white space around
/// them, which is left out. The error names what is wrong, without quoting it.
fn check(bytes: &[u8], what: &str, longest: usize) -> Result<String, String> {
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
    Err(format!("{what} {fault}"))
}
