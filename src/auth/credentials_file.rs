//! The two forms of a file with an access key: the SDK's profile, and what an ECS host's metadata
//! service gives for its agency.
//!
//! No error quotes what was read: it is a secret, or beside one.

use serde_json::Value;

/// What a file, or the environment, says of an access key: nothing of it is checked yet.
#[derive(Default)]
pub struct Fields {
    pub access_key: Option<String>,
    pub secret_key: Option<String>,
    pub security_token: Option<String>,
    pub project_id: Option<String>,
}

/// Parses a file in either form. The error is what follows the file's name.
pub fn parse(bytes: &[u8]) -> Result<Fields, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    let mut fields = match text.trim_start().bytes().next() {
        None => return Err("is empty".to_owned()),
        Some(b'{') => parse_json(text)?,
        Some(_) => parse_profile(text)?,
    };
    // The SDK takes these as not given.
    for field in [&mut fields.security_token, &mut fields.project_id] {
        if field.as_deref() == Some("") {
            *field = None;
        }
    }
    Ok(fields)
}

/// Parses the metadata service's JSON:
/// `{"credential":{"access","secret","securitytoken","expires_at"}}`.
fn parse_json(text: &str) -> Result<Fields, String> {
    let json: Value = serde_json::from_str(text).map_err(|e| {
        // Its own sentence may quote the text.
        format!(
            "is not valid JSON (line {}, column {})",
            e.line(),
            e.column()
        )
    })?;
    let credential = json
        .get("credential")
        .filter(|credential| credential.is_object())
        .ok_or("has no \"credential\" object (does the host have an agency?)")?;
    let field = |name: &str| match credential.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("has something other than text as \"{name}\"")),
    };
    Ok(Fields {
        access_key: field("access")?,
        secret_key: field("secret")?,
        security_token: field("securitytoken")?,
        project_id: None,
    })
}

/// Parses the SDK's profile, an INI file: names in either case, the first `=` or `:` of a line ends a
/// name, `#` and `;` begin a line of comment. Of what Python's `configparser` has besides, nothing that
/// a profile needs: no `[DEFAULT]`, no values on several lines, and a `%` is a `%`.
fn parse_profile(text: &str) -> Result<Fields, String> {
    let mut fields = Fields::default();
    let mut has_section = false;
    let mut in_section = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some((name, _)) = line.strip_prefix('[').and_then(|l| l.split_once(']')) {
            in_section = name == "basic";
            has_section |= in_section;
            continue;
        }
        if !in_section {
            continue;
        }
        let Some((name, value)) = line.split_once(['=', ':']) else {
            return Err(format!(
                "has neither a section nor NAME = VALUE in line {number}"
            ));
        };
        let name = name.trim().to_ascii_lowercase();
        let (name, field) = match name.as_str() {
            "ak" => ("ak", &mut fields.access_key),
            "sk" => ("sk", &mut fields.secret_key),
            "security_token" => ("security_token", &mut fields.security_token),
            "project_id" => ("project_id", &mut fields.project_id),
            _ => continue,
        };
        if field.replace(value.trim().to_owned()).is_some() {
            return Err(format!("has {name} twice (again in line {number})"));
        }
    }
    if has_section {
        Ok(fields)
    } else {
        Err("has no section [basic]".to_owned())
    }
}
