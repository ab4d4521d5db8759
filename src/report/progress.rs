//! The progress line of a download, for a terminal.

use std::env;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::report::size::{number, size, unit};
use crate::system::streams::write_stderr;
use crate::system::terminal;

/// The shortest time between two drawings. Redrawing more often costs CPU and flickers.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// The width of a terminal that does not report one, in columns.
const USUAL_WIDTH: usize = 80;

/// The narrowest terminal that gets a line, in columns.
const NARROWEST: usize = 20;

/// The longest line, in columns.
const LINE: usize = 79;

/// The widest and the narrowest bar, in columns.
const BARS: [usize; 2] = [20, 5];

/// One line on standard error, redrawn as bytes come in. The next line that is printed erases it.
pub struct Progress {
    label: String,
    started: Instant,
    drawn: Option<Instant>,
    bytes: u64,
    total: Option<u64>,
    /// The sequence that erases the line before; empty if no line is shown.
    erase: &'static str,
}

impl Progress {
    /// A line that begins with `label`, for a package of `total` bytes, or of unknown length.
    pub fn new(label: &str, total: Option<u64>, is_shown: bool) -> Self {
        Self {
            label: label.to_owned(),
            started: Instant::now(),
            drawn: None,
            bytes: 0,
            total: total.filter(|total| *total > 0),
            erase: if is_shown { erase_sequence() } else { "" },
        }
    }

    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let is_due = self.drawn.is_none_or(|at| at.elapsed() >= REDRAW_INTERVAL);
        if is_due && !self.erase.is_empty() {
            self.drawn = Some(Instant::now());
            self.draw(terminal::width().unwrap_or(USUAL_WIDTH));
        }
    }

    /// Draws the line on a terminal of `width` columns, the last of which stays free: otherwise the
    /// cursor would move to the next line.
    fn draw(&self, width: usize) {
        if width >= NARROWEST {
            let room = LINE.min(width - 1);
            let line = line(
                &self.label,
                self.bytes,
                self.total,
                self.started.elapsed(),
                room,
            );
            write_stderr(&format!("{}{line}", self.erase));
        }
    }
}

/// The sequence that erases the cursor's line (ECMA-48, EL); empty unless standard error is a
/// terminal that understands it.
pub fn erase_sequence() -> &'static str {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    if io::stderr().is_terminal() && !is_dumb {
        "\r\x1b[2K"
    } else {
        ""
    }
}

/// A line of at most `room` characters. If it would be longer, the bar is left out first, then the
/// rate, and then its end is cut.
fn line(label: &str, bytes: u64, total: Option<u64>, elapsed: Duration, room: usize) -> String {
    let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
    let shown_rate = format!("  {}/s", size(rate as u64));
    let (start, amount, left, share) = match total {
        None => (
            label.to_owned(),
            format!("  {}", size(bytes)),
            String::new(),
            None,
        ),
        Some(total) => {
            let share = (bytes as f64 / total as f64).min(1.0);
            let (scale, unit) = unit(total);
            let (done, all) = (number(bytes, scale), number(total, scale));
            let left = time(total.saturating_sub(bytes) as f64 / rate.max(1.0));
            (
                format!("{label}{:4.0} %", share * 100.0),
                format!("  {done} of {all} {unit}"),
                format!("  {left} left"),
                Some(share),
            )
        }
    };
    let end = format!("{amount}{shown_rate}{left}");
    let for_bar = room.saturating_sub(start.len() + " []".len() + end.len());
    let [widest, narrowest] = BARS;
    match share {
        Some(share) if for_bar >= narrowest => {
            format!("{start} [{}]{end}", bar(share, for_bar.min(widest)))
        }
        _ if start.len() + end.len() <= room => start + &end,
        _ => {
            let mut line = start + &amount + &left;
            line.truncate(room);
            line
        }
    }
}

fn bar(share: f64, width: usize) -> String {
    let full = (share * width as f64) as usize;
    let bar = format!("{:=>full$}{}", "", if full < width { ">" } else { "" });
    format!("{bar:width$}")
}

fn time(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LINE, line};

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_line_has_a_bar_and_the_time_left() {
        let line = |bytes, total, seconds| {
            let elapsed = Duration::from_secs_f64(seconds);
            line("a777ff00", bytes, total, elapsed, LINE)
        };
        for (drawn, expected) in [
            (
                line(2_202_010, Some(8 * MIB), 0.808),
                "a777ff00  26 % [=====>              ]  2.1 of 8.0 MiB  2.6 MiB/s  3 s left",
            ),
            (
                line(1, Some(3), 100.0),
                "a777ff00  33 % [======>             ]  1 of 3 B  0 B/s  2 s left",
            ),
            (
                line(8 * MIB, Some(8 * MIB), 1.0),
                "a777ff00 100 % [====================]  8.0 of 8.0 MiB  8.0 MiB/s  0 s left",
            ),
            (line(3 * MIB, None, 2.0), "a777ff00  3.0 MiB  1.5 MiB/s"),
        ] {
            assert_eq!(drawn, expected);
        }
    }

    #[test]
    fn a_line_fits_by_losing_its_bar_then_its_rate_and_then_its_end() {
        let second = Duration::from_secs(1);
        let no_bar = "a777ff00  25 %  2.0 of 8.0 MiB  2.0 MiB/s  3 s left";
        let no_rate = "a777ff00  25 %  2.0 of 8.0 MiB  3 s left";
        for (room, expected) in [
            (
                60,
                "a777ff00  25 % [=>    ]  2.0 of 8.0 MiB  2.0 MiB/s  3 s left",
            ),
            (
                59,
                "a777ff00  25 % [=>   ]  2.0 of 8.0 MiB  2.0 MiB/s  3 s left",
            ),
            (58, no_bar),
            (51, no_bar),
            (50, no_rate),
            (40, no_rate),
            (39, "a777ff00  25 %  2.0 of 8.0 MiB  3 s lef"),
            (19, "a777ff00  25 %  2.0"),
        ] {
            let drawn = line("a777ff00", 2 * MIB, Some(8 * MIB), second, room);
            assert_eq!(drawn, expected, "{room}");
        }
        assert_eq!(
            line("a777ff00", 3 * MIB, None, second, 19),
            "a777ff00  3.0 MiB"
        );
        for total in [None, Some(1), Some(1 << 40), Some(u64::MAX)] {
            for bytes in [1, 1 << 20, u64::MAX] {
                for seconds in [0.0, 0.1, 1e9] {
                    for room in 19..=LINE {
                        let elapsed = Duration::from_secs_f64(seconds);
                        let line = line("a777ff00", bytes, total, elapsed, room);
                        assert!(line.is_ascii() && line.len() <= room, "{line}");
                    }
                }
            }
        }
    }
}
