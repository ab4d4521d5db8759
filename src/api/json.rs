//! The JSON of answers. Services send strings with bytes that JSON does not allow: a raw line
//! break, or a character cut in the middle.

use serde_json::{Error, Value};

/// How many bytes are read of an answer that is not a package: this limits the memory for parsing.
/// A real list has about 9 kB; this has room for some 1,500 subtasks with their statuses.
pub const LARGEST: u64 = 256 << 10;

/// Parses an answer strictly; if that fails, with each control character replaced by a space, and
/// each byte that is not UTF-8 by U+FFFD. If that fails too, it returns the strict error.
/// serde_json limits the nesting.
pub fn parse(answer: &[u8]) -> Result<Value, Error> {
    let text = without_byte_order_mark(answer);
    serde_json::from_slice(text)
        .or_else(|strict| serde_json::from_str(&mended(text)).map_err(|_| strict))
}

fn mended(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace(|c| c < ' ', " ")
}

fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::parse;

    #[test]
    fn bytes_that_json_does_not_allow_are_replaced_in_strings_and_nowhere_else() {
        for (text, expected) in [
            (b"{\"a\":\"b\nc\"}".as_slice(), "b c"),
            (b"{\"a\":\"b\0\x1f\tc\"}", "b   c"),
            (b"{\"a\":\"\xe6\xbc\"}", "\u{fffd}"),
            (
                b"{\"a\":\"\xe6\xbc\xa2\xff\",\r\n\"b\":\"\x1b\"}",
                "漢\u{fffd}",
            ),
            (b"\xef\xbb\xbf{\"a\":\"b\nc\"}", "b c"),
            // What JSON allows stays as it is.
            ("{\"a\":\"\u{7f}\\n漢\"}".as_bytes(), "\u{7f}\n漢"),
        ] {
            assert_eq!(parse(text).unwrap()["a"], expected);
        }
    }

    #[test]
    fn json_that_can_t_be_repaired_has_the_strict_error() {
        let error = parse(b"{\"a\":\"b\nc\",}").unwrap_err();
        let expected =
            serde_json::from_slice::<serde_json::Value>(b"{\"a\":\"b\nc\",}").unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
        assert!(parse(b"{\"a\":\xff}").is_err() && parse(b"").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None, // a failure becomes a test of its own
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_bytes_in_a_text_leave_the_fields_beside_it(
            bytes in vec((0..=255_u8).prop_filter("marks", |byte| !b"\"\\".contains(byte)), 0..40),
        ) {
            let start = b"{\"code\":\"CC.1\",\"text\":\"".as_slice();
            let body = [start, &bytes, b"\",\"id\":7}"].concat();
            let parsed = parse(&body).unwrap();
            prop_assert_eq!(&parsed["code"], &json!("CC.1"));
            prop_assert_eq!(&parsed["id"], &json!(7));
        }
    }
}
