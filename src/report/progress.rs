//! The progress line of a download, for a terminal.

use std::env;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::report::size::{number, size, unit};
use crate::system::streams::write_stderr;

/// The shortest time between two drawings. Redrawing more often costs CPU and flickers.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// The longest line, in columns: a terminal of the usual 80 does not wrap it.
const LINE: usize = 79;

/// The widest bar, in columns.
const BAR: usize = 20;

/// One line on standard error that is drawn anew as bytes come in. What is printed next erases it.
pub struct Progress {
    label: String,
    started: Instant,
    drawn: Option<Instant>,
    bytes: u64,
    total: Option<u64>,
    /// What erases the line before; empty if none is shown.
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
            erase: if is_shown { erase_line() } else { "" },
        }
    }

    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let is_due = self.drawn.is_none_or(|at| at.elapsed() >= REDRAW_INTERVAL);
        if is_due && !self.erase.is_empty() {
            self.drawn = Some(Instant::now());
            let line = line(&self.label, self.bytes, self.total, self.started.elapsed());
            write_stderr(&format!("{}{line}", self.erase));
        }
    }
}

/// What erases the line that the cursor is in (ECMA-48, EL), if standard error is a terminal that
/// understands it.
pub fn erase_line() -> &'static str {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    if io::stderr().is_terminal() && !is_dumb {
        "\r\x1b[2K"
    } else {
        ""
    }
}

fn line(label: &str, bytes: u64, total: Option<u64>, elapsed: Duration) -> String {
    let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
    let shown_rate = size(rate as u64);
    let Some(total) = total else {
        return format!("{label}  {}  {shown_rate}/s", size(bytes));
    };
    let share = (bytes as f64 / total as f64).min(1.0);
    let (scale, unit) = unit(total);
    let (done, all) = (number(bytes, scale), number(total, scale));
    let left = time(total.saturating_sub(bytes) as f64 / rate.max(1.0));
    let start = format!("{label}{:4.0} % [", share * 100.0);
    let end = format!("]  {done} of {all} {unit}  {shown_rate}/s  {left} left");
    let width = BAR.min(LINE.saturating_sub(start.len() + end.len()));
    let full = (share * width as f64) as usize;
    let bar = format!("{:=>full$}{}", "", if full < width { ">" } else { "" });
    format!("{start}{bar:width$}{end}")
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

    #[test]
    fn a_line_has_a_bar_and_the_time_left() {
        const MIB: u64 = 1 << 20;
        let line = |bytes, total, seconds| {
            line("a777ff00", bytes, total, Duration::from_secs_f64(seconds))
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
        for total in [1, 1 << 40, u64::MAX] {
            for bytes in [1, total / 2, total, u64::MAX] {
                for seconds in [0.0, 0.1, 1e9] {
                    let line = line(bytes, Some(total), seconds);
                    assert!(line.len() <= LINE, "{line}");
                }
            }
        }
    }
}
