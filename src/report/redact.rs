//! What nobody may see: one type that can't be printed, and one place that takes it out of texts.
//!
//! A server may repeat in its error message what it was sent; the gateway's answer to a bad
//! signature repeats the whole signed request. What comes from outside is printed only as a
//! [`Redacted`], and it becomes one only here.

use std::fmt;

use crate::report::escape::{TEXT_LIMIT, escape};

/// What a secret is replaced by.
const MASK: &str = "***";

/// How many of a secret's first characters are as good as the whole.
const MIN_LEAK: usize = 8;

/// A token, a key or a signature: visible ASCII characters.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: for a request's header or a signature, and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The length in bytes of what `text` begins with that gives this secret away: the whole, or its
    /// first 8 or more characters and what stands behind them up to the end of the word; 0 if there is
    /// none. White space in between, where a text was wrapped, doesn't count.
    fn length_in(&self, text: &str) -> usize {
        // A secret may itself look like an encoding of something.
        let plain_first = self.length_by(text, |rest| [plain(rest), encoded(rest)]);
        let encoded_first = self.length_by(text, |rest| [encoded(rest), plain(rest)]);
        plain_first.max(encoded_first).1
    }

    /// Whether it is the whole, and the length, where `forms` tells what a text's first character can
    /// be, in the order to be tried.
    fn length_by(&self, text: &str, forms: fn(&str) -> [Form; 2]) -> (bool, usize) {
        let mut characters = 0;
        let mut end = 0;
        for secret in self.0.chars() {
            let mut rest = &text[end..];
            if characters > 0 {
                rest = rest.trim_start();
            }
            let form = forms(rest)
                .into_iter()
                .flatten()
                .find(|(c, _)| *c == secret);
            let Some((_, width)) = form else { break };
            end = text.len() - rest.len() + width;
            characters += 1;
        }
        let is_whole = characters == self.0.len();
        if !is_whole && characters < MIN_LEAK {
            return (false, 0);
        }
        if !is_whole {
            let is_end = |c: char| c.is_whitespace() || "\"'<>".contains(c);
            end += text[end..].find(is_end).unwrap_or(text.len() - end);
        }
        (is_whole, end)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Every secret of a run.
#[derive(Debug, Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    pub fn new(secrets: Vec<Secret>) -> Self {
        Self(secrets)
    }

    /// Takes the secrets out of a text from outside. They are looked for as they are, and as a URL,
    /// JSON or HTML writes them; and only as far as the text is ever shown.
    pub fn redact(&self, text: &str) -> Redacted {
        let mut hidden = String::new();
        let mut shown = 0;
        let mut rest = text;
        while shown <= TEXT_LIMIT {
            let Some(c) = rest.chars().next() else { break };
            let longest = self.0.iter().map(|secret| secret.length_in(rest)).max();
            let width = match longest {
                Some(length) if length > 0 => {
                    hidden.push_str(MASK);
                    shown += MASK.len();
                    length
                }
                _ => {
                    hidden.push(c);
                    shown += 1;
                    c.len_utf8()
                }
            };
            rest = &rest[width..];
        }
        Redacted(hidden)
    }
}

/// A text from outside without the run's secrets. It is shown escaped, in at most as many characters
/// as the format's precision says, else [`TEXT_LIMIT`].
#[derive(Debug, PartialEq, Eq)]
pub struct Redacted(String);

impl Redacted {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.0, f.precision().unwrap_or(TEXT_LIMIT)))
    }
}

/// A text's first character, in one way to read it, and its length in bytes.
type Form = Option<(char, usize)>;

fn plain(text: &str) -> Form {
    text.chars().next().map(|c| (c, c.len_utf8()))
}

/// The character that `text` begins with in the form of a URL (`%2B`), of JSON (`\u002b`, `\/`) or
/// of HTML (`&#43;`, `&#x2B;`, `&amp;`), and the length of that form in bytes.
fn encoded(text: &str) -> Form {
    /// Of a character in HTML, in bytes, with the semicolon.
    const LONGEST_NAME: usize = 10;
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    if text.starts_with('%') {
        return Some((number(text.get(1..3)?, 16)?, 3));
    }
    if text.starts_with("\\u") {
        return Some((number(text.get(2..6)?, 16)?, 6));
    }
    if let Some(escaped) = text.strip_prefix('\\') {
        let c = escaped.chars().next()?;
        return Some((c, 1 + c.len_utf8()));
    }
    let name = text.strip_prefix('&')?;
    let name = &name[..name
        .bytes()
        .take(LONGEST_NAME)
        .position(|byte| byte == b';')?];
    let c = match name.strip_prefix('#') {
        Some(code) => match code.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16)?,
            None => number(code, 10)?,
        },
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        },
    };
    Some((c, name.len() + 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Redacted, Secret, Secrets, TEXT_LIMIT};

    fn hide(secret: &str, text: &str) -> String {
        let secrets = Secrets::new(vec![Secret::new(secret.to_owned())]);
        secrets.redact(text).to_string()
    }

    #[test]
    fn a_secret_is_not_in_its_debug_form() {
        let secrets = Secrets::new(vec![Secret::new("secret".to_owned())]);
        assert_eq!(format!("{secrets:?}"), "Secrets([Secret(…)])");
    }

    #[test]
    fn a_secret_is_hidden_whole_or_from_its_first_eight_characters_on() {
        let secret = "abcdefgh+/=&xyz";
        for (text, hidden) in [
            ("token abcdefgh+/=&xyz!", "token ***!"),
            ("abcdefgh+/=&xyzabcdefgh+/=&xyz", "******"),
            ("abcdefgh+/x y", "*** y"),
            ("abcdefgh&plus;&sol;&equals;&amp;xyz end", "*** end"),
            ("abcdefgh\\x2B/=&xyz\" end", "***\" end"),
            ("abcdefgh%252B%252F<br>", "***<br>"),
            ("abcd\n efgh+\r\n/=&xyz.", "***."),
            ("abcd \n ", "abcd \\n "),
            ("aabcdefgh+/=&xyzz", "a***z"),
            ("abcdefgh", "***"),
            ("abcdefg", "abcdefg"),
            ("ababcdefgh", "ab***"),
            ("bcdefgh+/=&xyz", "bcdefgh+/=&xyz"),
            ("%61bcdefgh%2b%2F=%26xyz.", "***."),
            (r"abcdefgh\u002b\/\u003D\u0026xyz.", "***."),
            ("abcdefgh&#43;&#x2f;&#X3D;&amp;xyz.", "***."),
            ("abcdefgh%2", "***"),
            ("abcdefgh%", "***"),
            ("abcdefgh\\", "***"),
            ("abcdefgh&#;é", "***"),
            ("é", "é"),
        ] {
            assert_eq!(hide(secret, text), hidden, "{text}");
        }
    }

    #[test]
    fn a_short_secret_is_hidden_whole_only() {
        assert_eq!(hide("abc", "ab abc abcd"), "ab *** ***d");
    }

    #[test]
    fn a_secret_that_looks_encoded_or_begins_again_in_itself_is_hidden() {
        for (secret, text) in [
            ("abc%41/defghijklmnop", "abc%41\\/defghijklmnop"),
            ("ab\\cd/efghijklm", "ab\\cd&#47;efghijklm"),
            ("\\\\!A0Aa!x", "\\\\!A0Aa!x"),
            ("aaaaaaaaBCDEFGHIJ", "aaaaaaaaaaaaaBCDEFGHIJ"),
        ] {
            assert_eq!(hide(secret, text), "***", "{text}");
        }
    }

    #[test]
    fn only_what_is_shown_is_looked_at() {
        let long = "&".repeat(4 << 20);
        assert_eq!(hide("secret-key", &long).chars().count(), TEXT_LIMIT);
    }

    #[test]
    fn of_two_secrets_the_one_that_covers_more_counts() {
        let secrets = ["abcdefgh", "abcdefghij"].map(|text| Secret::new(text.to_owned()));
        let secrets = Secrets::new(secrets.to_vec());
        assert_eq!(secrets.redact("abcdefghijk").to_string(), "***k");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_beginning_of_eight_characters_is_left(
            secret in "[!-~]{8,40}",
            before in ".{0,20}",
            after in ".{0,20}",
            shown in 8..40_usize,
        ) {
            let shown = &secret[..shown.min(secret.len())];
            let hidden = hide(&secret, &format!("{before}{shown}{after}"));
            prop_assert!(!hidden.contains(&secret[..8]) || secret.contains("***"));
        }

        #[test]
        fn a_text_without_secrets_stays_as_it_is(text in ".{0,100}") {
            prop_assert_eq!(Secrets::default().redact(&text), Redacted(text));
        }
    }
}
