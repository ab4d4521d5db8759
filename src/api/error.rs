//! What a server says when it sends no package: an error in one of the cloud's JSON shapes, or
//! whatever a machine in between says in its place.

use std::fmt;

use serde_json::Value;

use crate::api::call::Call;
use crate::report::escape::on_one_line;

/// How much of a body that is not what was asked for is looked at, in bytes.
pub const MAX_ERROR_BODY: u64 = 64 << 10;

/// The service's errors that come with 200, and the status that says the same (API reference, page
/// `ErrorCode`).
const CODES: [(&str, u16); 8] = [
    ("CC.00050000", 400), // parameters not valid
    ("CC.00050007", 401), // IAM authentication failed
    ("CC.00050010", 403), // no permission
    ("CC.00050011", 403), // not a member of any project
    ("CC.00050013", 404), // the project does not exist
    ("CC.00050012", 503), // network busy, retry later
    ("CC.00050014", 503), // a call inside the service failed, retry later
    ("CC.00050015", 503), // the task is running, retry later
];

/// "Network busy, try again later", which comes with 400.
const BUSY: &str = "CC.00000000";

/// The causes of "no permission" (API reference, and the vendor's FAQ).
const NO_PERMISSION_HINT: &str = "the caller needs the permission codeartscheck:task:get, and a role \
    in the project that may open check tasks; or the region is not the task's";

const PROJECT_HINT: &str = "check the region and the project: the token's own, or the one that an \
    access key comes with (HUAWEICLOUD_SDK_PROJECT_ID)";

const BUSY_HINT: &str = "the service says that it is busy: try again later";

/// An error as the service, the gateway before it, or a sibling service of the same cloud words
/// it. Nothing in it is safe to print unescaped.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
}

impl ErrorBody {
    /// Parses a body, of which at most [`MAX_ERROR_BODY`] should be given. What is no error in JSON is
    /// the message as it stands.
    pub fn parse(body: &[u8]) -> Self {
        Self::parse_json(body).unwrap_or_else(|| Self {
            message: on_one_line(&String::from_utf8_lossy(body)),
            ..Self::default()
        })
    }

    /// Parses an error in JSON, and nothing else. serde_json bounds the nesting.
    pub fn parse_json(body: &[u8]) -> Option<Self> {
        Self::of(&serde_json::from_slice(without_byte_order_mark(body)).ok()?)
    }

    /// The error that a parsed answer is, if it is one. The service and the gateway have the first
    /// shape, other services of the same cloud the rest.
    pub fn of(json: &Value) -> Option<Self> {
        let find = |pointers: [&str; 4]| {
            let mut texts = pointers.iter().filter_map(|at| json.pointer(at)?.as_str());
            texts.find(|text| !text.is_empty()).map(str::to_owned)
        };
        let parsed = Self {
            code: find(["/error_code", "/error/code", "/errorCode", "/code"]),
            message: find(["/error_msg", "/error/message", "/errorMsg", "/message"]),
            request_id: find([
                "/request_id",
                "/error/request_id",
                "/requestId",
                "/error/requestId",
            ]),
        };
        (parsed.code.is_some() || parsed.message.is_some()).then_some(parsed)
    }

    /// The status that means the same, if the error is one that the service sends with 200.
    pub fn status(&self) -> Option<u16> {
        let code = self.code.as_deref()?;
        let found = CODES.iter().find(|(known, _)| *known == code);
        found.map(|(_, status)| *status)
    }

    /// What to do about the error, which came with `status` or means the same.
    pub fn hint(&self, status: u16, call: &Call) -> Option<&'static str> {
        match status {
            400 if self.code.as_deref() == Some(BUSY) => Some(BUSY_HINT),
            400 => Some(call.hint_on_400()),
            403 => Some(NO_PERMISSION_HINT),
            // The service itself says so: the endpoint is right.
            404 if self.status().is_some() => Some(PROJECT_HINT),
            404 => Some(call.hint_on_404()),
            _ => None,
        }
    }
}

pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => Ok(()),
        }
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
        fn every_shape_is_understood(code in ".{1,20}", message in ".{1,20}", id in ".{1,20}") {
            let expected = ErrorBody {
                code: Some(code.clone()),
                message: Some(message.clone()),
                request_id: Some(id.clone()),
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
