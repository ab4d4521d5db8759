//! The progress line of a download, for a terminal.

use std::time::{Duration, Instant};

use crate::system::streams::write_stderr;

/// The shortest time between two drawings. Redrawing more often costs CPU and flickers.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Back to the line's beginning, and erase the line (ECMA-48, EL).
pub const ERASE_LINE: &str = "\r\x1b[2K";

/// One line on standard error that is drawn anew as bytes come in.
pub struct Progress {
    started: Instant,
    drawn: Option<Instant>,
    bytes: u64,
    total: Option<u64>,
    shown: bool,
}

impl Progress {
    /// A progress line for a package of `total` bytes, or of unknown length, if it is `shown`.
    pub fn new(total: Option<u64>, shown: bool) -> Self {
        Self {
            started: Instant::now(),
            drawn: None,
            bytes: 0,
            total,
            shown,
        }
    }

    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let is_due = self.drawn.is_none_or(|at| at.elapsed() >= REDRAW_INTERVAL);
        if self.shown && is_due {
            self.drawn = Some(Instant::now());
            write_stderr(&format!("{ERASE_LINE}{}", self.line()));
        }
    }

    fn line(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = size((self.bytes as f64 / seconds) as u64);
        let bytes = size(self.bytes);
        match self.total {
            Some(total) if total > 0 => {
                let percent = self.bytes as f64 * 100.0 / total as f64;
                format!("{bytes} of {}, {percent:.0} %, {rate}/s", size(total))
            }
            _ => format!("{bytes}, {rate}/s"),
        }
    }
}

/// Erases the line: whatever comes next stands on a clean one.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            write_stderr(ERASE_LINE);
        }
    }
}

/// A number of bytes in the largest fitting binary unit: `512 B`, `12.3 MiB`.
pub fn size(bytes: u64) -> String {
    let mut amount = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        // From here on, one decimal would be rounded up to 1024.
        if amount < 1023.95 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_has_one_decimal_in_the_largest_unit_that_fits() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1, "1 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1_048_524, "1023.9 KiB"),
            (1_048_525, "1.0 MiB"),
            (1 << 20, "1.0 MiB"),
            (1 << 30, "1.0 GiB"),
            (1 << 40, "1.0 TiB"),
            (1 << 50, "1.0 PiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
    }
}
