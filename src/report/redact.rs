//! Secrets, which can't be printed by accident, and the masking of secrets in texts.
//!
//! A server may repeat in its error message what it was sent: the gateway's answer to a bad
//! signature repeats the whole signed request. A text from outside is printed only as a
//! [`Redacted`], and only this file makes one.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fmt;

use crate::report::escape::{TEXT_LIMIT, escape};

/// What replaces a word with a secret in it.
const MASK: &str = "***";

/// How many consecutive letters and digits of a secret give it away: as many bytes as a `u64` has.
const MIN_LEAK: usize = 8;

/// A token, a key or a signature: visible ASCII characters. Without `Debug` it can't be printed by
/// accident.
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
}

/// The secrets of a run that are masked: those of at least [`MIN_LEAK`] characters. A shorter one
/// can be guessed anyway, and masking it would garble every message with its letters in it.
#[derive(Default)]
pub struct Secrets {
    secrets: Vec<Secret>,
    /// The runs of all of them, collected when the first text is masked.
    runs: OnceCell<HashSet<u64>>,
}

impl Secrets {
    pub fn new(mut secrets: Vec<Secret>) -> Self {
        secrets.retain(|secret| secret.0.len() >= MIN_LEAK);
        Self {
            secrets,
            runs: OnceCell::new(),
        }
    }

    /// Masks the secrets in a text from outside: every word that shares [`MIN_LEAK`] consecutive
    /// letters and digits with one, and each secret where it stands whole. Only as much of the text
    /// as a message can show is searched.
    pub fn redact(&self, text: &str) -> Redacted {
        let mut masked = String::new();
        let mut room = TEXT_LIMIT + 1; // one more than is shown, so that the cut is seen
        for piece in text.split_inclusive(ends_word) {
            if room == 0 {
                break;
            }
            let word = piece.trim_end_matches(ends_word);
            let seen = &word[..word.len().min(room)];
            let shown = if self.is_leak(seen) { MASK } else { seen };
            let separator = &piece[word.len()..];
            masked.extend([shown, separator]);
            room = room.saturating_sub(shown.len() + separator.chars().count());
        }
        // A secret may have few letters and digits, or characters in it that end a word.
        for Secret(secret) in &self.secrets {
            masked = masked.replace(secret, MASK);
        }
        Redacted(masked)
    }

    fn is_leak(&self, word: &str) -> bool {
        let all = || self.secrets.iter().flat_map(|secret| runs(&secret.0));
        runs(word).any(|run| self.runs.get_or_init(|| all().collect()).contains(&run))
    }
}

/// Whether a word ends at this character. Any character beyond ASCII ends one, so words are ASCII.
fn ends_word(c: char) -> bool {
    !c.is_ascii() || c.is_whitespace() || "\"'<>".contains(c)
}

/// Every window of [`MIN_LEAK`] letters and digits of a text, other characters skipped.
fn runs(text: &str) -> impl Iterator<Item = u64> {
    text.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .scan(0, |run, byte| {
            *run = *run << 8 | u64::from(byte);
            Some(*run)
        })
        .skip(MIN_LEAK - 1)
}

/// A text from outside, with the run's secrets masked. It is shown escaped, in at most as many
/// characters as the format's precision says, or [`TEXT_LIMIT`].
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Redacted, Secret, Secrets, TEXT_LIMIT};

    fn redact(secret: &str, text: &str) -> String {
        let secrets = Secrets::new(vec![Secret::new(secret.to_owned())]);
        secrets.redact(text).to_string()
    }

    /// As many letters and digits as the longest token may have, in no order that repeats.
    fn longest_token() -> String {
        let mut state = 1_u64;
        let mut letter = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            char::from(letters[(state >> 33) as usize % letters.len()])
        };
        (0..100_000).map(|_| letter()).collect()
    }

    /// Whether a word of `text` has 8 consecutive letters and digits of `secret`.
    fn leaks(text: &str, secret: &str) -> bool {
        let letters = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let secret = letters(secret);
        text.split(|c: char| c.is_whitespace() || "\"'<>".contains(c) || !c.is_ascii())
            .any(|word| {
                let word = letters(word);
                (8..=word.len()).any(|end| secret.contains(&word[end - 8..end]))
            })
    }

    #[test]
    fn a_word_with_eight_letters_and_digits_of_a_secret_is_masked() {
        let secret = "abcd+efgh/=&ijklmnop-qrstuvwxyz";
        for (text, masked) in [
            (
                "token abcd+efgh/=&ijklmnop-qrstuvwxyz. end",
                "token *** end",
            ),
            ("Signature=abcd+efgh/=&ijklmnop-qrstuvwxyz, x", "*** x"),
            // A beginning, a middle, an end.
            ("abcd+efgh", "***"),
            ("abcdefgh", "***"),
            ("xghijklmnx", "***"),
            ("tuvwxyz", "tuvwxyz"),
            ("stuvwxyz", "***"),
            ("abcd+efg", "abcd+efg"),
            // Wrapped, or broken by a mark.
            ("abcd+efgh/=&ij\nklmnop-qrstuvwxyz", "***\\n***"),
            ("<p>abcd+efgh/=&<br>ijklmnop</p>", "<p>***<br>***</p>"),
            ("\"abcd+efgh/=&ijkl\": 'mnop-qrstuvwxyz'", "\"***\": '***'"),
            ("é漢abcd+efgh漢é", "é漢***漢é"),
            ("ABCD+EFGH", "ABCD+EFGH"),
            // As encodeURIComponent writes it, and with other marks in between.
            ("?t=abcd%2Befgh%2F%3D%26ijklmnop-qrstuvwxyz", "***"),
            (r"a\b\c\d\e\f\g\h", "***"),
        ] {
            assert_eq!(redact(secret, text), masked, "{text}");
        }
    }

    #[test]
    fn a_secret_is_masked_where_it_stands_whole() {
        assert_eq!(redact("a-b-c-d-", "a-b a-b-c-d- a-b-c-d-e"), "a-b *** ***e");
        assert_eq!(redact("a'b<c-1234", "ab a'b<c-1234"), "ab ***");
        // Its quotes end words, and no word of it is long.
        let secret = "abcdefg'hijklmn\"opqrstu";
        assert_eq!(
            redact(secret, &format!("bad token: {secret}.")),
            "bad token: ***."
        );
    }

    #[test]
    fn a_secret_with_a_quote_in_it_is_masked_whole() {
        for secret in ["abcdefg'hijklmn'opqrstu", "abcdefg\"hijk<lmn>opqrstu"] {
            assert_eq!(redact(secret, &format!("no {secret}, no")), "no ***, no");
        }
    }

    #[test]
    fn what_is_too_short_for_a_secret_garbles_no_text() {
        assert_eq!(redact("e", "cannot connect"), "cannot connect");
        assert_eq!(redact("abcdefg", "abcdefgh abcdefg"), "abcdefgh abcdefg");
        assert_eq!(redact("a-b-c-d", "a-b-c-d"), "a-b-c-d");
    }

    #[test]
    fn every_secret_of_the_run_counts() {
        let secrets = ["abcdefgh", "12345678", "x:y:z:x:"].map(|text| Secret::new(text.to_owned()));
        let secrets = Secrets::new(secrets.to_vec());
        let masked = secrets.redact("abcdefgh 12345678 x:y:z:x: efgh1234");
        assert_eq!(masked.to_string(), "*** *** *** efgh1234");
    }

    #[test]
    fn what_helps_stays_beside_the_longest_token() {
        let token = longest_token();
        let text = "APIGW.0301: com.huawei.paas.foundation.auth.credentials.NotFoundException: \
            org.springframework.web.client.HttpClientErrorException$Unauthorized at \
            java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:628) \
            request ID 6b7f0d1fe15e4a0c8a4e5b8f9a3d2c17, a777ff00d3cf4d369d87066806aexxxx";
        assert_eq!(redact(&token, text), text);
        let beside = format!("{text} {}", &token[70_000..70_008]);
        assert_eq!(redact(&token, &beside), format!("{text} ***"));
    }

    #[test]
    fn the_longest_texts_are_cut_and_masked_beside_the_longest_token() {
        let token = longest_token();
        let long_word = "&".repeat(4 << 20);
        let leaks_late = format!("{}{}\n", "-".repeat(480), &token[99_992..]).repeat(500);
        assert_eq!(redact(&token, &long_word).chars().count(), TEXT_LIMIT);
        assert!(redact(&token, &leaks_late).starts_with("***\\n***"));
        let Redacted(masked) = Secrets::default().redact(&"a ".repeat(2 << 20));
        assert!(masked.len() <= TEXT_LIMIT + 2, "{} bytes", masked.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_eight_letters_and_digits_of_a_secret_are_left(
            secret in "[a-d!-~]{8,60}",
            before in "[ -~é\n]{0,20}",
            from in 0..60_usize,
            length in 0..60_usize,
            break_at in 0..60_usize,
            after in ".{0,20}",
        ) {
            let from = from.min(secret.len());
            let mut part = secret[from..(from + length).min(secret.len())].to_owned();
            part.insert(break_at.min(part.len()), '\n');
            let secrets = Secrets::new(vec![Secret::new(secret.clone())]);
            let Redacted(masked) = secrets.redact(&format!("{before}{part}{after}"));
            prop_assert!(!leaks(&masked, &secret), "{masked}");
        }

        #[test]
        fn a_text_without_eight_of_them_stays_as_it_is(
            secret in "[a-c+/]{12,60}",
            text in "([a-c+/ é<]{0,9}|.{0,9}){0,8}",
        ) {
            let is_long = secret.replace(['+', '/'], "").len() >= 8;
            prop_assume!(is_long && !leaks(&text, &secret));
            let secrets = Secrets::new(vec![Secret::new(secret)]);
            prop_assert_eq!(secrets.redact(&text), Redacted(text));
        }
    }
}
