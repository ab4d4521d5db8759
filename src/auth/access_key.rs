//! An access key, and what its parts must look like.

use crate::auth::input::{MAX_TOKEN, check_secret};
use crate::report::redact::Secret;

/// The longest access key, secret key and project ID, in characters. They have 20 to 40.
const MAX_KEY: usize = 256;

/// How many characters an access key and its secret key have when the console creates them.
const ACCESS_KEY: usize = 20;
const SECRET_KEY: usize = 40;

/// The four parts of an access key: their names, or their values in a file or the environment.
#[derive(Clone, Copy, Default)]
pub struct KeyParts<T> {
    pub access_key: T,
    pub secret_key: T,
    pub security_token: T,
    pub project_id: T,
}

impl<T> KeyParts<T> {
    pub fn map<U>(self, f: impl Fn(T) -> U) -> KeyParts<U> {
        KeyParts {
            access_key: f(self.access_key),
            secret_key: f(self.secret_key),
            security_token: f(self.security_token),
            project_id: f(self.project_id),
        }
    }
}

/// An access key: permanent, or temporary with a security token.
pub struct AccessKey {
    /// The public half (`AK`), which names the key.
    pub id: String,
    /// The secret half (`SK`).
    pub secret: Secret,
    pub security_token: Option<Secret>,
    pub project_id: Option<String>,
}

impl AccessKey {
    /// Checks the parts of a key. The error calls them by `names`, and quotes no value.
    pub fn new(parts: KeyParts<Option<String>>, names: &KeyParts<String>) -> Result<Self, String> {
        let required = |text: Option<String>, name: &str| {
            check_key(&text.ok_or_else(|| format!("{name} is missing"))?, name)
        };
        let id = required(parts.access_key, &names.access_key)?;
        let secret = required(parts.secret_key, &names.secret_key)?;
        // The access key itself is sent, so a secret key in its place would reach the server.
        if id.len() == SECRET_KEY && secret.len() == ACCESS_KEY {
            return Err(format!(
                "{} has {SECRET_KEY} characters, and {} {ACCESS_KEY}: the two are swapped",
                names.access_key, names.secret_key
            ));
        }
        if id == secret {
            return Err(format!(
                "{} and {} are the same",
                names.access_key, names.secret_key
            ));
        }
        let security_token = (parts.security_token)
            .map(|text| check_secret(text.as_bytes(), &names.security_token, MAX_TOKEN));
        let project_id = parts
            .project_id
            .map(|text| check_key(&text, &names.project_id));
        Ok(Self {
            id,
            secret: Secret::new(secret),
            security_token: security_token.transpose()?.map(Secret::new),
            project_id: project_id.transpose()?,
        })
    }
}

/// Checks an access key, a secret key or a project ID. In `Authorization`, a comma would end it.
pub fn check_key(text: &str, name: &str) -> Result<String, String> {
    let key = check_secret(text.as_bytes(), name, MAX_KEY)?;
    if key.contains(',') {
        return Err(format!("{name} contains a comma"));
    }
    Ok(key)
}
