//! Text from outside, made fit for one line of a terminal or a log.
//!
//! A server, a file name or an environment variable may hold anything: escape sequences that
//! repaint a terminal, new lines that forge a log entry, overrides that turn the reading order.

use std::path::Path;

/// Characters that one piece of a server's text may take in a message.
pub const TEXT_LIMIT: usize = 500;

/// Characters of a value of the user's that are shown where it may be a secret in the wrong place:
/// enough to find a slip by.
pub const VALUE_PREVIEW: usize = 24;

/// The longest path that Linux takes, in bytes (`PATH_MAX`), and so in characters.
const LONGEST_PATH: usize = 4096;

/// A text with every run of white space as one space; none if there is nothing else in it.
pub fn on_one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ")).filter(|line| !line.is_empty())
}

/// A path as a message shows it: escaped, and whole.
pub fn display_path(path: &Path) -> String {
    escape(&path.to_string_lossy(), LONGEST_PATH)
}

/// Returns `text` with its control, line-breaking and bidirectional-formatting characters escaped
/// as in Rust (`\n`, `\u{202e}`), cut to at most `limit` characters (1 or more), the last of them `…`
/// if anything was cut.
pub fn escape(text: &str, limit: usize) -> String {
    let mut escaped = String::new();
    let mut room = limit;
    let mut at_ellipsis = 0;
    for c in text.chars() {
        let piece = if is_unsafe(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        };
        let Some(left) = room.checked_sub(piece.chars().count()) else {
            escaped.truncate(at_ellipsis);
            escaped.push('…');
            break;
        };
        room = left;
        escaped.push_str(&piece);
        if room > 0 {
            at_ellipsis = escaped.len();
        }
    }
    escaped
}

/// Control characters, and the formatting characters of Unicode's bidirectional algorithm (UAX #9,
/// section 2) and its line and paragraph separators.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn control_and_bidirectional_characters_are_escaped_and_others_kept() {
        assert_eq!(
            escape("a\nb\u{1b}[2J\u{7f}\u{9b}é漢\\", 500),
            "a\\nb\\u{1b}[2J\\u{7f}\\u{9b}é漢\\"
        );
        // Unicode's Bidi_Control characters (UAX #9), and its two line ends.
        for c in "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
                  \u{2066}\u{2067}\u{2068}\u{2069}\u{2028}\u{2029}"
            .chars()
        {
            assert_eq!(escape(&c.to_string(), 500), c.escape_unicode().to_string());
        }
    }

    #[test]
    fn a_text_of_the_limit_is_whole_and_a_longer_one_ends_in_an_ellipsis_within_it() {
        assert_eq!(escape("12345", 5), "12345");
        assert_eq!(escape("123456", 5), "1234…");
        assert_eq!(escape("123\n5", 5), "123…");
        assert_eq!(escape("1234\n", 5), "1234…");
    }
}
