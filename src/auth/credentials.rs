//! How a call is authenticated: by a token, or by a signature made with an access key.
//!
//! The sources of credentials are tried here in order, and the first one found is used. They enter
//! a request only through [`Credentials::authenticate`].

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::api::call::Call;
use crate::api::timestamp::Timestamp;
use crate::auth::access_key::{AccessKey, KeyParts, check_key};
use crate::auth::credentials_file;
use crate::auth::input::{Input, MAX_FILE, MAX_TOKEN, check_secret};
use crate::auth::signature::sign;
use crate::report::error::Error;
use crate::report::named_file::NamedFile;
use crate::report::redact::{Secret, Secrets};

const TOKEN: &str = "HUAWEICLOUD_TOKEN";
/// The project of any access key without one.
const PROJECT_ID: &str = "HUAWEICLOUD_SDK_PROJECT_ID";
/// The variables of an access key in the vendor's SDK, and in the Terraform provider.
const SDK_VARIABLES: KeyParts<&str> = KeyParts {
    access_key: "HUAWEICLOUD_SDK_AK",
    secret_key: "HUAWEICLOUD_SDK_SK",
    security_token: "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    project_id: PROJECT_ID,
};
const TERRAFORM_VARIABLES: KeyParts<&str> = KeyParts {
    access_key: "HW_ACCESS_KEY",
    secret_key: "HW_SECRET_KEY",
    security_token: "HW_SECURITY_TOKEN",
    project_id: "HW_PROJECT_ID",
};
const CREDENTIALS_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
const HOME: &str = "HOME";
/// The SDK's file, below the home folder.
const DEFAULT_FILE: &str = ".huaweicloud/credentials";

const NO_CREDENTIALS: &str = "no credentials: give --credentials-file or --token-file, or set \
    HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, HUAWEICLOUD_SDK_CREDENTIALS_FILE \
    or HUAWEICLOUD_TOKEN, or write ~/.huaweicloud/credentials";

const FILE_HINT: &str = "a credentials file is the console's credentials.csv, a metadata service's \
    JSON, or three lines: '[basic]', 'ak = ACCESS_KEY_ID', 'sk = SECRET_ACCESS_KEY'";

pub enum Credentials {
    /// A user token, which lasts 24 hours.
    Token(Secret),
    Key(AccessKey),
}

/// The authentication of one call.
pub struct Authentication {
    /// The names may be in any case; the values are visible ASCII.
    pub headers: Vec<(&'static str, Secret)>,
    pub secrets: Secrets,
    pub method: AuthMethod,
    /// Characters of the token or the security token, 0 without one.
    pub token_length: usize,
}

/// How a call is authenticated, for the hints to a refusal.
#[derive(Clone, Copy)]
pub enum AuthMethod {
    Token,
    Signature {
        /// This host's time, which was signed.
        at: Timestamp,
        /// Whether `X-Project-Id` is sent.
        has_project: bool,
    },
}

impl Credentials {
    /// Authenticates `call` to `host` (as the header `Host` has it), to be sent at once.
    pub fn authenticate(self, call: &Call, host: &str, now: Timestamp) -> Authentication {
        let key = match self {
            Credentials::Key(key) => key,
            Credentials::Token(token) => {
                return Authentication {
                    token_length: token.expose().len(),
                    headers: vec![("X-Auth-Token", token.clone())],
                    secrets: Secrets::new(vec![token]),
                    method: AuthMethod::Token,
                };
            }
        };
        let date = now.to_basic_format();
        let mut headers = vec![("X-Sdk-Date", Secret::new(date.clone()))];
        let mut secrets = vec![key.secret.clone()];
        let token_length = (key.security_token.as_ref()).map_or(0, |token| token.expose().len());
        if let Some(token) = key.security_token {
            secrets.push(token.clone());
            headers.push(("X-Security-Token", token));
        }
        let has_project = key.project_id.is_some();
        if let Some(project_id) = key.project_id {
            headers.push(("X-Project-Id", Secret::new(project_id)));
        }
        let signed = sign(call, host, &headers, &date, &key.id, &key.secret);
        headers.push(("Authorization", signed.authorization));
        secrets.push(signed.signature);
        Authentication {
            headers,
            secrets: Secrets::new(secrets),
            method: AuthMethod::Signature {
                at: now,
                has_project,
            },
            token_length,
        }
    }
}

/// Credentials that were read.
pub struct Loaded {
    pub credentials: Credentials,
    /// "token" or "access key"
    pub kind: &'static str,
    /// A variable, a path or standard input.
    pub origin: String,
    /// A warning about the file that they were read from.
    pub warning: Option<String>,
}

/// The configured sources in order of precedence; not validated yet.
pub struct Sources {
    sources: Vec<Source>,
    /// The project for an access key without one.
    project_id: Option<String>,
}

enum Source {
    TokenVariable(OsString),
    TokenFile(Input),
    /// The variables of an access key, and their values.
    KeyVariables(KeyParts<&'static str>, KeyParts<Option<String>>),
    KeyFile(Input),
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
        // A value that is not Unicode is refused later, like any other that is not ASCII.
        let text = |name| env(name).map(|value| value.to_string_lossy().into_owned());
        let key = |names: KeyParts<&'static str>| {
            let values = names.map(text);
            let is_there = values.access_key.is_some() || values.secret_key.is_some();
            is_there.then_some(Source::KeyVariables(names, values))
        };
        let file = |variable, path: PathBuf| {
            let variable = Some(variable);
            Source::KeyFile(Input::File(NamedFile { path, variable }))
        };
        let sources = [
            token_file.map(Source::TokenFile),
            credentials_file.map(Source::KeyFile),
            env(TOKEN).map(Source::TokenVariable),
            key(SDK_VARIABLES),
            env(CREDENTIALS_FILE).map(|path| file(CREDENTIALS_FILE, path.into())),
            env(HOME).map(|home| file(HOME, PathBuf::from(home).join(DEFAULT_FILE))),
            key(TERRAFORM_VARIABLES),
        ];
        Ok(Self {
            sources: sources.into_iter().flatten().collect(),
            project_id: text(PROJECT_ID),
        })
    }

    /// Reads and checks the first source.
    pub fn read(self) -> Result<Loaded, Error> {
        let mut sources = self.sources.into_iter();
        let Some(source) = sources.find(|source| !source.is_missing()) else {
            return Err(Error::Usage(NO_CREDENTIALS.to_owned()));
        };
        let mut loaded = source.read()?;
        if let Credentials::Key(AccessKey {
            project_id: missing @ None,
            ..
        }) = &mut loaded.credentials
        {
            let project_id = self.project_id.map(|text| check_key(&text, PROJECT_ID));
            let project_id = project_id.transpose();
            *missing = project_id.map_err(|reason| Error::settings(reason, None))?;
        }
        Ok(loaded)
    }
}

impl Source {
    /// Whether this is the optional default file and it does not exist.
    fn is_missing(&self) -> bool {
        let Source::KeyFile(Input::File(file)) = self else {
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
                let (bytes, warning) = input.read()?;
                let origin = input.to_string();
                (parse_token(&bytes, &origin)?, "token", origin, warning)
            }
            Source::KeyVariables(names, values) => {
                let key = AccessKey::new(values, &names.map(str::to_owned));
                let key = key.map_err(|reason| Error::settings(reason, None))?;
                let origin = names.access_key.to_owned();
                (Credentials::Key(key), "access key", origin, None)
            }
            Source::KeyFile(input) => {
                let (bytes, warning) = input.read()?;
                let origin = input.to_string();
                let key = parse_key_file(&bytes, &origin)?;
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

/// Parses a token, without the white space around it.
fn parse_token(bytes: &[u8], origin: &str) -> Result<Credentials, Error> {
    match check_secret(bytes, &format!("the token in {origin}"), MAX_TOKEN) {
        Ok(token) => Ok(Credentials::Token(Secret::new(token))),
        Err(reason) => Err(Error::settings(reason, None)),
    }
}

fn parse_key_file(bytes: &[u8], origin: &str) -> Result<AccessKey, Error> {
    let parsed = match bytes.len() {
        0..=MAX_FILE => credentials_file::parse(bytes),
        _ => Err("too large for a credentials file".to_owned()),
    };
    let (parts, end) =
        parsed.map_err(|fault| Error::settings(format!("{origin}: {fault}"), Some(FILE_HINT)))?;
    let now = Timestamp::now();
    if let Some(end) = end.and_then(|end| now.expired(&end)) {
        let reason = format!(
            "the temporary access key in {origin} expired at {end}, \
             and this host's clock says {now}"
        );
        return Err(Error::settings(reason, None));
    }
    let names = KeyParts {
        access_key: "access key",
        secret_key: "secret key",
        security_token: "security token",
        project_id: "project ID",
    };
    let names = names.map(|part| format!("the {part} in {origin}"));
    AccessKey::new(parts, &names).map_err(|reason| Error::settings(reason, Some(FILE_HINT)))
}
