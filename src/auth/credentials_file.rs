//! The forms of a file with an access key: the SDK's profile, the JSON of a metadata service, and
//! the console's `credentials.csv`.
//!
//! No error quotes what was read: it may be a secret.

use serde_json::Value;

use crate::auth::access_key::KeyParts;

/// The parts of an access key as a file has them; not validated yet.
type Parts = KeyParts<Option<String>>;

/// The separators of columns: the console's comma, and what spreadsheets save instead.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Parses a file in any form into the parts of the key and its expiry time, if any, as written
/// there. The error says what is wrong with the file.
pub fn parse(bytes: &[u8]) -> Result<(Parts, Option<String>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next().ok_or("empty")?;
    let (parts, end) = if first.trim_start().starts_with('{') {
        parse_json(text)?
    } else if let Some(header) = Header::parse(first) {
        (parse_csv(&header, lines)?, None)
    } else {
        (parse_profile(text)?, None)
    };
    // The SDK takes an empty value as not given.
    Ok((parts.map(|value| value.filter(|text| !is_blank(text))), end))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Parses the JSON of a metadata service, in every spelling that the SDK takes. The first spelling
/// with a value counts.
fn parse_json(text: &str) -> Result<(Parts, Option<String>), String> {
    let json: Value = serde_json::from_str(text).map_err(|e| {
        // serde_json's message may quote the secret.
        format!("not valid JSON (line {}, column {})", e.line(), e.column())
    })?;
    let mut places = [&json["credential"], &json["credentials"]].into_iter();
    let credential = places
        .find(|credential| credential.is_object())
        .ok_or("no \"credential\" object (does the host have an agency?)")?;
    let find = |names: &[&'static str]| {
        let mut values = names.iter().map(|name| (*name, &credential[name]));
        values.find(|(_, value)| !value.is_null() && !value.as_str().is_some_and(is_blank))
    };
    let text = |names: &[&'static str]| match find(names) {
        None => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.clone())),
        Some((name, _)) => Err(format!("\"{name}\" is not a string")),
    };
    let parts = KeyParts {
        access_key: text(&["access", "accessKeyId", "access_key_id"])?,
        secret_key: text(&["secret", "secretAccessKey", "secret_access_key"])?,
        security_token: text(&["securitytoken", "securityToken", "security_token"])?,
        project_id: None,
    };
    // An expiry time that can't be parsed is ignored later.
    let end = find(&["expires_at", "expiration"]).and_then(|(_, end)| end.as_str());
    Ok((parts, end.map(str::to_owned)))
}

/// The header of the console's table.
struct Header {
    separator: char,
    columns: usize,
    /// The columns of the access key ID and the secret.
    access_key: usize,
    secret_key: usize,
}

impl Header {
    /// Parses a line that contains the names of both columns.
    fn parse(line: &str) -> Option<Self> {
        SEPARATORS.into_iter().find_map(|separator| {
            let names = columns(line, separator);
            let find = |wanted| {
                names
                    .iter()
                    .position(|name| name.eq_ignore_ascii_case(wanted))
            };
            Some(Self {
                separator,
                columns: names.len(),
                access_key: find("Access Key Id")?,
                secret_key: find("Secret Access Key")?,
            })
        })
    }
}

/// Parses the numbered lines below the header. A row with more or fewer columns than the header is
/// refused: the secret key might be in the column of the access key, which is sent.
fn parse_csv<'a>(
    header: &Header,
    lines: impl Iterator<Item = (usize, &'a str)>,
) -> Result<Parts, String> {
    let mut rows = lines
        .map(|(number, line)| (number, columns(line, header.separator)))
        .filter(|(_, row)| row.iter().any(|value| !value.is_empty()));
    let (number, mut row) = rows.next().ok_or("no line of values below the header")?;
    if rows.next().is_some() {
        return Err("more than one key: keep one line of values".to_owned());
    }
    if row.len() != header.columns {
        return Err(format!(
            "the header has {} columns, but line {number} has {}",
            header.columns,
            row.len()
        ));
    }
    let mut value = |at: usize| Some(std::mem::take(&mut row[at]));
    Ok(KeyParts {
        access_key: value(header.access_key),
        secret_key: value(header.secret_key),
        ..KeyParts::default()
    })
}

/// The values of a line, without the quotes and the white space around them.
fn columns(line: &str, separator: char) -> Vec<String> {
    let mut is_quoted = false;
    let ends_value = |c: char| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    };
    line.split(ends_value)
        .map(|value| value.trim().trim_matches('"').trim().to_owned())
        .collect()
}

/// Parses the SDK's profile, an INI file: names in either case, the first `=` or `:` of a line ends
/// a name, `#` and `;` begin a comment line. Unlike Python's `configparser`, it has no `[DEFAULT]`
/// and no interpolation (a `%` is a `%`), and it refuses values that continue on an indented line.
fn parse_profile(text: &str) -> Result<Parts, String> {
    let mut parts = Parts::default();
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
                "line {number} is indented and continues a value: write it on one line"
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
                "line {number} is neither a [section] nor NAME = VALUE"
            ));
        };
        let name = name.trim().to_ascii_lowercase();
        let part = match &*name {
            "ak" => &mut parts.access_key,
            "sk" => &mut parts.secret_key,
            "security_token" => &mut parts.security_token,
            "project_id" => &mut parts.project_id,
            _ => continue,
        };
        if part.replace(value.trim().to_owned()).is_some() {
            return Err(format!("line {number} has {name} again"));
        }
    }
    if has_section {
        Ok(parts)
    } else {
        Err("no section [basic]".to_owned())
    }
}
