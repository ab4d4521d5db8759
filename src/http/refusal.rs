//! What is said to a refusal. Who answers, with which status and which error code, decides the exit
//! code, the sentence and the hint. Each rule is a row.

use ureq::http::StatusCode;

use Code::{Foreign, Gateway, Known, Missing, Service};
use Speaker::{Inside200, Proxy, Server};

use crate::api::call::Call;
use crate::api::error::ErrorBody;
use crate::api::timestamp::Timestamp;
use crate::auth::credentials::AuthMethod;
use crate::http::exchange::Exchange;
use crate::report::error::{Error, FIELD_LIMIT, Hint};
use crate::report::escape::TEXT_LIMIT;
use crate::report::exit::Exit;
use crate::report::redact::Redacted;

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

/// A token longer than this, in characters, is a likely cause of a 400: the gateway accepts header
/// lines of up to 32 KiB, and the servers in front of it often only 4 or 8 KiB.
const LONG_TOKEN: usize = 4_000;

/// Seconds by which the two clocks may differ before a hint mentions it. A signature is valid for
/// 15 minutes.
const CLOCK_TOLERANCE: u64 = 5 * 60;

const LOGIN: &str = "the proxy wants a user and a password: write USER:PASSWORD@ before its host; \
    only Basic is supported: NTLM and Kerberos need a local helper such as px";
const OTHER_LOGIN: &str = "the proxy did not accept the user and the password; only Basic is \
    supported: NTLM and Kerberos need a local helper such as px";
const ONLY_200: &str = "this program accepts only 200 as an open tunnel, neither an interim answer \
    (1xx) nor another 2xx";
const LOGIN_PAGE: &str = "the proxy may require a login first: open a page through it in a browser";
const NOT_LET_THROUGH: &str =
    "the proxy does not let this call through: ask the proxy's administrator";

const REDIRECT: &str = "redirects are not followed: check --region or --endpoint";
const BUSY: &str = "the service says that it is busy: try again later";
const SUB_JOB_ID: &str =
    "check the subtask ID: every execution of a task has new ones (--list TASK_ID)";
const TASK_ID: &str = "check the task ID (not the ID of an execution or a subtask) and the region";
const TASK_AND_JOB_ID: &str = "check the task ID (not the ID of an execution or a subtask), the \
    execution ID and the region";
const GATEWAY_FAULT: &str =
    "the gateway itself is at fault: only the vendor's support can fix that";
const TOO_LONG_TOKEN: &str = "the token may be too long for the gateway: the token of a single \
    project is shorter, and a permanent access key needs none";
const SUPPORT: &str = "give the request ID to the vendor's support";
const NO_TOKEN: &str =
    "this is not an IAM user token, which IAM returns in the header X-Subject-Token";
const NEW_TOKEN: &str = "get a new token: a token lasts 24 hours";
/// The causes of "no permission" (API reference, and the vendor's FAQ).
const PERMISSION: &str = "the caller needs the permission codeartscheck:task:get, and a role in \
    the project that may open check tasks; or the region is not the task's";
const PROJECT: &str = "check the region and the project: the token's own, or that of the access \
    key (HUAWEICLOUD_SDK_PROJECT_ID)";
const EUROPE: &str =
    "the API reference of eu-west-101 has neither call of this program: the region may lack both";
const NOT_PUBLISHED: &str = "the endpoint is wrong, or this call is not published in the region";
const ENDPOINT: &str = "check the endpoint: --region or --endpoint";
const TOO_MANY: &str = "the service limits the call rate: try again later, and less often";
const TOO_LARGE_HEAD: &str = "the request's head is too large for the gateway: the token of a \
    single project is shorter, and a permanent access key needs none";

/// The name of the request ID among the notes of an answer.
pub const REQUEST_ID: &str = "request ID";

/// Who answers.
#[derive(Clone, Copy)]
enum Speaker {
    /// The server, or an intermediary in its place, by a status of HTTP.
    Server,
    /// The service, by an error in the body of a 200.
    Inside200,
    /// The proxy that is asked for a tunnel (`CONNECT`).
    Proxy,
}

/// Whose error code it is. A status that follows the code is left out.
#[derive(Clone, Copy)]
enum Code<'a> {
    /// One of [`CODES`], with its status.
    Known(u16),
    /// Another code of the service.
    Service(&'a str),
    Gateway(&'a str),
    /// Another service's.
    Foreign,
    Missing,
}

/// Everything that the hint to a refusal depends on.
struct Refusal<'a> {
    by: Speaker,
    status: u16,
    error: &'a ErrorBody,
    has_request_id: bool,
    exchange: &'a Exchange,
}

impl Speaker {
    #[rustfmt::skip] // one row per line
    fn exit(self, status: u16) -> Exit {
        match (self, status) {
            (Proxy, 408 | 429 | 500..=599) => Exit::Network, // it fails itself
            (Proxy, 400..=499)             => Exit::Refused, // 40 and 41 are the service's
            (_, 400)                       => Exit::BadRequest,
            (_, 401)                       => Exit::Unauthorized,
            (_, 408 | 429 | 500..=599)     => Exit::TryLater,
            (_, 402..=499)                 => Exit::Refused,
            (Inside200, _)                 => Exit::UnexpectedBody,
            (Server | Proxy, _)            => Exit::UnexpectedStatus,
        }
    }
}

impl Refusal<'_> {
    /// What the user can do. With a 400, a known code says more than the status; with any other
    /// status, the status counts.
    #[rustfmt::skip] // one row per line
    #[allow(clippy::match_same_arms)] // the first that fits counts
    fn hint(&self) -> Hint {
        let code = Code::of(self.error);
        let status = match (self.status, code) {
            (400, Known(meaning)) => meaning,
            (status, _) => status,
        };
        let (here, call) = (self.exchange, &self.exchange.call);
        let hint = match (self.by, status, code) {
            (Server | Proxy, 407, _)            => login(here),
            (Proxy, 401, _)                     => login(here), // tinyproxy, to a wrong password
            (Proxy, 100..=299, _)               => ONLY_200,
            (Proxy, 300..=399, _)               => LOGIN_PAGE,
            (Proxy, 408 | 429 | 500..=599, _)   => return None,
            (Proxy, _, _)                       => NOT_LET_THROUGH,
            (_, 301..=303 | 307 | 308, _)       => REDIRECT,
            (_, 400, Service("CC.00000000"))    => BUSY, // "network busy, try again later"
            (_, 404, Known(404))                => PROJECT,
            (_, 400 | 404, Gateway("APIGW.0103" | "APIGW.0104" | "APIGW.0105")) => GATEWAY_FAULT,
            (Server, 404, _) if is_in_europe(here) => EUROPE,
            (_, 400 | 404, Known(_) | Service(_)) => check_ids(call),
            (Inside200, 400 | 404, Missing)     => check_ids(call),
            (Server, 400, _) if here.token_length > LONG_TOKEN                  => TOO_LONG_TOKEN,
            (Server, 400, _) if self.has_request_id                             => SUPPORT,
            (_, 401, Gateway("APIGW.0301")) if self.is_no_token()               => NO_TOKEN,
            (_, 401, _)                         => return Some(check_credentials(here).into()),
            (_, 403, _)                         => PERMISSION,
            (_, 404, Gateway("APIGW.0101"))     => return Some(not_published(here).into()),
            (_, 404, _)                         => ENDPOINT,
            (_, 429, _)                         => TOO_MANY,
            (_, 431 | 494, _) if here.token_length > 0 => TOO_LARGE_HEAD,
            (_, 503, Known(503))                => BUSY,
            _                                   => return None,
        };
        Some(hint.into())
    }

    /// Whether the gateway looked for an access key where a token was sent: "ak … not exist".
    fn is_no_token(&self) -> bool {
        let message = self.error.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
        let names_a_key = words.any(|word| word == "ak");
        let rest: Vec<&str> = words.collect();
        matches!(self.exchange.auth_method, AuthMethod::Token)
            && names_a_key
            && rest.windows(2).any(|two| two == ["not", "exist"])
    }

    fn into_error(self, sentence: String) -> Error {
        Error::Refused {
            sentence,
            hint: self.hint(),
            exit: self.by.exit(self.status),
        }
    }
}

impl<'a> Code<'a> {
    fn of(error: &'a ErrorBody) -> Self {
        let Some((code, _)) = error.code_and_status() else {
            return Missing;
        };
        match CODES.iter().find(|(known, _)| *known == code) {
            Some((_, status)) => Known(*status),
            None if code.starts_with("CC.") => Service(code),
            None if code.starts_with("APIGW.") => Gateway(code),
            None => Foreign,
        }
    }
}

/// The error for a status other than 200. `said` is the body as a message shows it; `notes` are at
/// most three short texts from the head and the body, each with its name.
pub fn by_server(
    exchange: &Exchange,
    status: StatusCode,
    error: &ErrorBody,
    said: &Redacted,
    notes: &[(&str, Redacted)],
) -> Error {
    let with = match status {
        StatusCode::UNAUTHORIZED => format!(" with {}", exchange.caller),
        _ => String::new(),
    };
    let has_request_id = notes.iter().any(|(name, _)| *name == REQUEST_ID);
    let notes = notes.iter();
    let notes = notes.map(|(name, value)| format!("{name} {value:.FIELD_LIMIT$}"));
    let notes = match notes.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        notes => format!(" ({notes})"),
    };
    let said = if said.is_empty() {
        String::new()
    } else {
        // The short texts leave enough room for the long one.
        let room = TEXT_LIMIT - notes.chars().count();
        format!(": {said:.room$}")
    };
    let refusal = Refusal {
        by: Server,
        status: status.as_u16(),
        error,
        has_request_id,
        exchange,
    };
    let (by, status) = (exchange.endpoint.name(), shown(status));
    refusal.into_error(format!("{by} answered {status}{with}{said}{notes}"))
}

/// The error for a proxy's answer to `CONNECT` that opens no tunnel.
pub fn by_proxy(exchange: &Exchange, status: StatusCode) -> Error {
    let refusal = Refusal {
        by: Proxy,
        status: status.as_u16(),
        error: &ErrorBody::default(), // its body is out of reach
        has_request_id: false,
        exchange,
    };
    refusal.into_error(format!(
        "{}: the proxy answered {}",
        exchange.name,
        shown(status)
    ))
}

/// The error for a 200 whose body is an error in JSON.
pub fn inside_200(exchange: &Exchange, error: &ErrorBody) -> Error {
    let said = exchange.redact(&error.to_string());
    let reason = format!("it is an error in JSON: {said}");
    let Some(status) = status_inside_200(error) else {
        return unexpected(exchange, &reason, None);
    };
    let with = match status {
        401 => format!(" (with {})", exchange.caller),
        _ => String::new(),
    };
    let refusal = Refusal {
        by: Inside200,
        status,
        error,
        has_request_id: false, // not shown
        exchange,
    };
    refusal.into_error(not_what_was_wanted(exchange, &(reason + &with)))
}

/// The error for a 200 whose body is not what was asked for.
pub fn unexpected(exchange: &Exchange, reason: &str, hint: Hint) -> Error {
    Error::Refused {
        sentence: not_what_was_wanted(exchange, reason),
        hint,
        exit: Exit::UnexpectedBody,
    }
}

fn not_what_was_wanted(exchange: &Exchange, reason: &str) -> String {
    let (by, wanted) = (exchange.endpoint.name(), exchange.call.wanted());
    format!("{by} answered 200, but the body is not {wanted}: {reason}")
}

/// The status that an error in a 200 stands for: that of a known code, else the answer's own
/// `httpStatus`, else the one that follows an unknown code.
fn status_inside_200(error: &ErrorBody) -> Option<u16> {
    if let Known(status) = Code::of(error) {
        return Some(status);
    }
    let own = error.http_status.as_deref().and_then(status_by_word);
    let own = own.filter(|status| !matches!(Inside200.exit(*status), Exit::UnexpectedBody));
    own.or_else(|| {
        let (_, behind) = error.code_and_status()?;
        behind.filter(|status| matches!(status, 400 | 401 | 403 | 404 | 429 | 500..=599))
    })
}

/// Parses a status that is written as its number, as HTTP's phrase in the spelling of Java's
/// frameworks (`BAD_REQUEST`), or as both.
fn status_by_word(word: &str) -> Option<u16> {
    let number = word.split(' ').next().unwrap_or(word);
    if let Ok(number) = number.parse() {
        return Some(number);
    }
    let letters = |text: &str| {
        text.replace(|c: char| !c.is_ascii_alphabetic(), "")
            .to_lowercase()
    };
    let word = letters(word);
    (100..=599).find(|status| {
        let status = StatusCode::from_u16(*status).ok();
        let phrase = status.and_then(|status| status.canonical_reason());
        phrase.is_some_and(|phrase| letters(phrase) == word)
    })
}

/// A status and its standard phrase, if it has one.
fn shown(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(phrase) => format!("{} {phrase}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

fn login(exchange: &Exchange) -> &'static str {
    match &exchange.proxy {
        Some(proxy) if proxy.has_login() => OTHER_LOGIN,
        _ => LOGIN,
    }
}

fn check_ids(call: &Call) -> &'static str {
    match call {
        Call::DownloadLog(_) => SUB_JOB_ID,
        Call::ShowTask(_, None) => TASK_ID,
        Call::ShowTask(_, Some(_)) => TASK_AND_JOB_ID,
    }
}

/// Whether it is the European region's host, however it was given.
fn is_in_europe(exchange: &Exchange) -> bool {
    exchange.endpoint.authority.host.contains(".eu-west-101.")
}

fn not_published(exchange: &Exchange) -> String {
    match exchange.endpoint.other_host() {
        Some(host) => format!(
            "{NOT_PUBLISHED}; the vendor's SDK has another endpoint for it: --endpoint {host}"
        ),
        None => format!("{NOT_PUBLISHED}: check --region or --endpoint"),
    }
}

/// What to check after a 401. The clock is left out if the server's shows that it is right.
fn check_credentials(exchange: &Exchange) -> String {
    let AuthMethod::Signature { at, has_project } = exchange.auth_method else {
        return NEW_TOKEN.to_owned();
    };
    let key = "the access key (temporary ones expire)";
    let project = "its project (it has none: HUAWEICLOUD_SDK_PROJECT_ID)";
    let key = match (has_project, exchange.clocks) {
        (true, _) => key.to_owned(),
        (false, Some(_)) => format!("{key} and {project}"),
        (false, None) => format!("{key}, {project}"),
    };
    let off = exchange
        .clocks
        .map(|[ours, theirs]| clock_error(ours, theirs));
    match off {
        None => format!(
            "check {key} and this host's clock, which must be right within 15 minutes: it says {at}"
        ),
        Some(None) => format!("check {key}"),
        Some(Some(off)) => format!(
            "this host's clock is {off} the server's, and must be right within 15 minutes; \
             then check {key}"
        ),
    }
}

/// How far this host's clock is off, if by more than [`CLOCK_TOLERANCE`]: "61 minutes ahead of".
fn clock_error(ours: Timestamp, theirs: Timestamp) -> Option<String> {
    let seconds = ours.0.abs_diff(theirs.0);
    if seconds <= CLOCK_TOLERANCE {
        return None;
    }
    let (unit, name) = match seconds {
        0..7_200 => (60, "minutes"),
        7_200..172_800 => (3_600, "hours"),
        _ => (86_400, "days"),
    };
    let side = if ours.0 > theirs.0 {
        "ahead of"
    } else {
        "behind"
    };
    Some(format!("{} {name} {side}", (seconds + unit / 2) / unit))
}
