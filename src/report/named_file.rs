//! A file from the command line or the environment, as messages name it.

use std::fmt;
use std::path::PathBuf;

use crate::report::escape::display_path;

/// A file, and the variable that names it, if one does.
pub struct NamedFile {
    pub path: PathBuf,
    pub variable: Option<&'static str>,
}

impl fmt::Display for NamedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display_path(&self.path))?;
        (self.variable).map_or(Ok(()), |variable| write!(f, " ({variable})"))
    }
}
