//! Numbers of bytes, as people read them.

/// A number of bytes in the largest fitting binary unit: `512 B`, `12.3 MiB`.
pub fn size(bytes: u64) -> String {
    let (scale, unit) = unit(bytes);
    format!("{} {unit}", number(bytes, scale))
}

/// A number of bytes in a unit of `scale` bytes.
pub fn number(bytes: u64, scale: f64) -> String {
    let decimals = usize::from(scale > 1.0);
    format!("{:.decimals$}", bytes as f64 / scale)
}

/// The largest unit that fits, and its bytes.
pub fn unit(bytes: u64) -> (f64, &'static str) {
    let mut unit = (1.0, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        // From here on, rounding to one decimal would give 1024.0.
        if (bytes as f64) < 1023.95 * unit.0 {
            break;
        }
        unit = (unit.0 * 1024.0, larger);
    }
    unit
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
