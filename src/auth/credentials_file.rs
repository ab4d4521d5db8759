//! The forms of a file with an access key: the SDK's profile, what a metadata service gives for an
//! agency, and what the console hands out with a new key.
//!
//! No error quotes what was read: it is a secret, or beside one.

use serde_json::Value;

/// What a file, or the environment, says of an access key: access key, secret key, security token and
/// project. Nothing of it is checked yet.
pub type Fields = [Option<String>; 4];

/// Their names in a profile.
const NAMES: [&str; 4] = ["ak", "sk", "security_token", "project_id"];

/// Parses a file in any form into the fields and the key's expiry time, if any, as written there. The
/// error is what follows the file's name.
pub fn parse(bytes: &[u8]) -> Result<(Fields, Option<String>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let (mut fields, end) = if text.is_empty() {
        return Err("is empty".to_owned());
    } else if text.starts_with('{') {
        parse_json(text)?
    } else if let Some(columns) = find_columns(text) {
        (parse_csv(text, columns)?, None)
    } else {
        (parse_profile(text)?, None)
    };
    // The SDK takes these as not given.
    for field in &mut fields[2..] {
        field.take_if(|text| text.is_empty());
    }
    Ok((fields, end))
}

/// Parses the JSON of a metadata service, in every spelling that the SDK takes.
fn parse_json(text: &str) -> Result<(Fields, Option<String>), String> {
    let json: Value = serde_json::from_str(text).map_err(|e| {
        // Its own sentence may quote the text.
        format!(
            "is not valid JSON (line {}, column {})",
            e.line(),
            e.column()
        )
    })?;
    let mut places = [&json["credential"], &json["credentials"]].into_iter();
    let credential = places
        .find(|credential| credential.is_object())
        .ok_or("has no \"credential\" object (does the host have an agency?)")?;
    let field = |names: &[&str]| {
        let mut values = names.iter().map(|name| (name, &credential[name]));
        match values.find(|(_, value)| !value.is_null()) {
            None => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(text.clone())),
            Some((name, _)) => Err(format!("has something other than text as \"{name}\"")),
        }
    };
    let fields = [
        field(&["access", "accessKeyId", "access_key_id"])?,
        field(&["secret", "secretAccessKey", "secret_access_key"])?,
        field(&["securitytoken", "securityToken", "security_token"])?,
        None,
    ];
    // A time that can't be read refuses nothing.
    let mut ends = ["expires_at", "expiration"].into_iter();
    let end = ends.find_map(|name| credential[name].as_str());
    Ok((fields, end.map(str::to_owned)))
}

/// Where the two halves of a key are in the console's table, if its first line has both names.
fn find_columns(text: &str) -> Option<[usize; 2]> {
    let header = columns(text.lines().next()?);
    let find = |name| {
        header
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
    };
    Some([find("Access Key Id")?, find("Secret Access Key")?])
}

fn parse_csv(text: &str, [access_key, secret_key]: [usize; 2]) -> Result<Fields, String> {
    let mut lines = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let values = columns(
        lines
            .next()
            .ok_or("has no line of values below its header")?,
    );
    if lines.next().is_some() {
        return Err("has more than one key: keep one line of values".to_owned());
    }
    let value = |at| values.get(at).cloned();
    Ok([value(access_key), value(secret_key), None, None])
}

/// The values between a line's commas, without the quotes and the white space around them.
fn columns(line: &str) -> Vec<String> {
    let mut is_quoted = false;
    let is_comma = |c: char| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    };
    line.split(is_comma)
        .map(|value| value.trim().trim_matches('"').trim().to_owned())
        .collect()
}

/// Parses the SDK's profile, an INI file: names in either case, the first `=` or `:` of a line ends a
/// name, `#` and `;` begin a line of comment. Not supported of Python's
/// `configparser`: `[DEFAULT]`, interpolation (a `%` is a `%`), and values that go on in an indented line,
/// which are refused.
fn parse_profile(text: &str) -> Result<Fields, String> {
    let mut fields = Fields::default();
    let mut has_section = false;
    let mut in_section = false;
    let mut indent_of_name = usize::MAX;
    for (number, line) in (1..).zip(text.lines()) {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if in_section && indent > indent_of_name {
            return Err(format!(
                "continues a value in line {number}, which is indented: write it on one line"
            ));
        }
        if let Some((name, _)) = line.strip_prefix('[').and_then(|l| l.split_once(']')) {
            in_section = name == "basic";
            has_section |= in_section;
            indent_of_name = usize::MAX;
            continue;
        }
        if !in_section {
            continue;
        }
        indent_of_name = indent;
        let Some((name, value)) = line.split_once(['=', ':']) else {
            return Err(format!(
                "has neither a section nor NAME = VALUE in line {number}"
            ));
        };
        let name = name.trim().to_ascii_lowercase();
        let Some(at) = NAMES.iter().position(|known| *known == name) else {
            continue;
        };
        if fields[at].replace(value.trim().to_owned()).is_some() {
            return Err(format!("has {name} twice (again in line {number})"));
        }
    }
    if has_section {
        Ok(fields)
    } else {
        Err("has no section [basic]".to_owned())
    }
}
