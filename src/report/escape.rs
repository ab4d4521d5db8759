//! Text from outside, made fit for one line of a terminal or a log.
//!
//! A server, a file name or an environment variable may hold anything: escape sequences that
//! repaint a terminal, line breaks that forge a log entry, overrides that reverse the reading
//! order, characters that show nothing.

use std::ops::RangeInclusive;
use std::path::Path;

/// How many characters of one piece of a server's text a message shows.
pub const TEXT_LIMIT: usize = 500;

/// How many characters are shown of a value that may be a secret in the wrong place: enough to see
/// which value it is.
pub const SECRET_PREVIEW: usize = 8;

/// The longest unknown option or region that is shown whole, so that a typo is seen wherever it is.
/// The longest known one has 18 characters, a secret key 40, and a token hundreds.
const LONGEST_NAME: usize = 24;

/// The longest path that Linux takes, in bytes (`PATH_MAX`), and so in characters.
const LONGEST_PATH: usize = 4096;

/// Turns each run of white space into one space; returns none if there is nothing else in the text.
pub fn on_one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ")).filter(|line| !line.is_empty())
}

/// An unknown option or region as a message shows it: whole, unless it is too long for a name.
pub fn display_name(name: &str) -> String {
    let limit = match name.chars().count() {
        0..=LONGEST_NAME => LONGEST_NAME,
        _ => SECRET_PREVIEW,
    };
    escape(name, limit)
}

/// A path as a message shows it: escaped, and whole.
pub fn display_path(path: &Path) -> String {
    escape(&path.to_string_lossy(), LONGEST_PATH)
}

/// Returns `text` with its unsafe characters escaped as in Rust (`\n`, `\u{202e}`). It is cut to at
/// most `limit` characters (1 or more), and ends in `…` if anything was cut.
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

/// Whether a character controls the terminal, ends a line, or shows nothing. The latter include the
/// formatting characters of Unicode's bidirectional algorithm (UAX #9, section 2).
fn is_unsafe(c: char) -> bool {
    let is_ignorable = || DEFAULT_IGNORABLE.iter().any(|range| range.contains(&c));
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_ignorable()
}

/// The characters with the property `Default_Ignorable_Code_Point` (Unicode 16.0,
/// `DerivedCoreProperties.txt`).
const DEFAULT_IGNORABLE: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}', // soft hyphen
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}', // Hangul fillers, as U+3164 and U+FFA0
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}', // zero width spaces and joiners, directional marks
    '\u{202a}'..='\u{202e}', // directional embeddings and overrides
    '\u{2060}'..='\u{206f}', // word joiner, invisible operators, directional isolates
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}', // variation selectors
    '\u{feff}'..='\u{feff}', // zero width no-break space, the byte order mark
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}', // tags, and more variation selectors
];

#[cfg(test)]
mod tests {
    use super::{display_name, escape};

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
    fn characters_that_show_nothing_are_escaped_and_their_neighbours_kept() {
        for c in "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b5}\u{180b}\u{180e}\u{200b}\u{200d}\u{2060}\
                  \u{2065}\u{206f}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff8}\u{1bca0}\u{1d17a}\
                  \u{e0001}\u{e007f}\u{e0fff}"
            .chars()
        {
            assert_eq!(escape(&c.to_string(), 500), c.escape_unicode().to_string());
        }
        for c in
            "\u{ac}\u{ae}\u{1161}\u{180a}\u{2010}\u{2027}\u{2070}\u{fe10}\u{fff9}\u{fffd}\u{e1000}"
                .chars()
        {
            assert_eq!(escape(&c.to_string(), 500), c.to_string());
        }
        // The number of characters that the source states for the property.
        let count = (super::DEFAULT_IGNORABLE.into_iter()).map(Iterator::count);
        assert_eq!(count.sum::<usize>(), 4174);
    }

    #[test]
    fn a_name_is_whole_and_what_is_too_long_for_one_is_cut() {
        assert_eq!(
            display_name("--a-rather-long-optionn-"),
            "--a-rather-long-optionn-"
        );
        assert_eq!(display_name("--a-rather-long-optionn-1"), "--a-rat…");
    }

    #[test]
    fn a_text_of_the_limit_is_whole_and_a_longer_one_ends_in_an_ellipsis_within_it() {
        assert_eq!(escape("12345", 5), "12345");
        assert_eq!(escape("123456", 5), "1234…");
        assert_eq!(escape("123\n5", 5), "123…");
        assert_eq!(escape("1234\n", 5), "1234…");
    }
}
