//! What a server says when it sends no package: an error in one of the cloud's JSON shapes, or
//! whatever an intermediary sends instead. What it means stands in `http/refusal.rs`.

use std::fmt;

use serde_json::Value;

use crate::api::json;
use crate::report::escape::on_one_line;

/// How many characters of `httpStatus` are kept: HTTP's longest phrase has 31.
const LONGEST_WORD: usize = 100;

/// An error from the service, from the gateway in front of it, or from another service of the same
/// cloud. Nothing in it is safe to print unescaped.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
    /// `httpStatus`, unless it is `OK`.
    pub http_status: Option<String>,
    /// Whether `status` is `error`.
    pub is_marked: bool,
}

impl ErrorBody {
    /// Parses at most [`json::LARGEST`] bytes of an error's body. A body that has neither code nor
    /// message becomes the message, on one line.
    pub fn parse(body: &[u8]) -> Self {
        let parsed = json::parse(body).ok().and_then(|json| Self::of(&json));
        match parsed.filter(|error| error.code.is_some() || error.message.is_some()) {
            // The status of HTTP counts instead.
            Some(error) => Self {
                http_status: None,
                ..error
            },
            None => Self {
                message: on_one_line(&String::from_utf8_lossy(body)),
                ..Self::default()
            },
        }
    }

    /// Extracts the error from parsed JSON, if it is one. The service and the gateway have the
    /// first shape, other services of the same cloud the rest.
    pub fn of(json: &Value) -> Option<Self> {
        let find = |pointers: &[&str]| {
            let texts = pointers.iter().filter_map(|at| json.pointer(at)?.as_str());
            let mut texts = texts.map(str::trim);
            texts.find(|text| !text.is_empty()).map(str::to_owned)
        };
        let parsed = Self {
            code: find(&["/error_code", "/error/code", "/errorCode", "/code"]),
            message: find(&[
                "/error_msg",
                "/error/message",
                "/error/reason",
                "/errorMsg",
                "/message",
            ]),
            request_id: find(&[
                "/request_id",
                "/error/request_id",
                "/requestId",
                "/error/requestId",
            ]),
            http_status: http_status(&json["httpStatus"]),
            is_marked: (json["status"].as_str())
                .is_some_and(|status| status.eq_ignore_ascii_case("error")),
        };
        let is_error = parsed.code.is_some()
            || parsed.message.is_some()
            || parsed.http_status.is_some()
            || parsed.is_marked;
        is_error.then_some(parsed)
    }

    /// The code and the status that may follow it, as in `CC.00050007.401`.
    pub fn code_and_status(&self) -> Option<(&str, Option<u16>)> {
        let code = self.code.as_deref()?;
        let ends_in_status = |(_, last): &(&str, &str)| {
            last.len() == 3 && last.bytes().all(|byte| byte.is_ascii_digit())
        };
        Some(match code.rsplit_once('.').filter(ends_in_status) {
            Some((before, status)) => (before, status.parse().ok()),
            None => (code, None),
        })
    }
}

/// The value of `httpStatus`, a string or a number, unless it reports success.
fn http_status(value: &Value) -> Option<String> {
    let word = match value {
        Value::String(word) => word.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let mut fine = ["", "200", "OK", "200 OK"].iter();
    let is_fine = fine.any(|fine| word.eq_ignore_ascii_case(fine));
    (!is_fine).then(|| word.chars().take(LONGEST_WORD).collect())
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self
            .http_status
            .as_ref()
            .map(|word| format!("httpStatus {word}"));
        let words = [&verdict, &self.code, &self.message];
        let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
        let words = words.join(": ");
        f.write_str(if words.is_empty() && self.is_marked {
            "status error"
        } else {
            &words
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::ErrorBody;
    use crate::report::escape::{TEXT_LIMIT, escape};

    /// JSON of any shape, with the names that count among its keys.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        let key = prop::sample::select(vec![
            "error",
            "error_code",
            "error_msg",
            "request_id",
            "code",
            "message",
            "errorCode",
            "errorMsg",
        ]);
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                vec((key.clone().prop_map(str::to_owned), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_bytes_are_shown_on_one_line(body in vec(any::<u8>(), 0..2_000)) {
            let shown = escape(&ErrorBody::parse(&body).to_string(), TEXT_LIMIT);
            prop_assert!(!shown.contains(char::is_control) && shown.chars().count() <= TEXT_LIMIT);
        }

        #[test]
        fn any_json_is_shown(json in any_json()) {
            let body = json.to_string();
            let parsed = ErrorBody::parse(body.as_bytes());
            // What is no error is shown as it stands, so nothing is lost either way.
            prop_assert!(parsed.code.is_some() || parsed.message.is_some());
        }

        #[test]
        fn every_shape_is_understood(
            [code, message, id] in proptest::array::uniform3(r"\S(.{0,18}\S)?"),
        ) {
            let expected = ErrorBody {
                code: Some(code.clone()),
                message: Some(message.clone()),
                request_id: Some(id.clone()),
                ..ErrorBody::default()
            };
            let flat = json!({"error_code": code, "error_msg": message, "request_id": id});
            let nested = json!({"error": {"code": code, "message": message}, "request_id": id});
            let camel = json!({"errorCode": code, "errorMsg": message, "requestId": id});
            let bare = json!({"code": code, "message": message, "requestId": id});
            for body in [flat, nested, camel, bare] {
                prop_assert_eq!(&ErrorBody::parse(body.to_string().as_bytes()), &expected);
            }
        }
    }
}
