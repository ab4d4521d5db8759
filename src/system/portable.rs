//! What is left of them on other systems. README's "What is promised" says what that means.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Opens a file for reading, but no FIFO: opening one could wait for ever.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::other("a FIFO can't be read here"));
    }
    File::open(path)
}

/// There are no nameless files.
pub fn create_nameless(_folder: &Path, _mode: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn link_nameless(_file: &File, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A file's metadata of when it was opened: it can't be kept open without being readable.
pub struct PinnedFile(Metadata);

impl PinnedFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::symlink_metadata(path).map(Self)
    }

    pub fn metadata(&self) -> io::Result<Metadata> {
        Ok(self.0.clone())
    }
}

pub fn access_list(_path: &Path) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

pub fn set_access_list(_file: &File, _list: Option<&[u8]>) -> io::Result<()> {
    Ok(())
}

pub fn prepare_lookup() {}

/// Whether standard output was closed from the start is not known.
pub fn check_standard_output() -> io::Result<()> {
    Ok(())
}

/// The signal's default stays: a file size limit ends the process.
pub fn ignore_file_size_signal() {}

/// Whether the group of a regular file, or everybody, may read it.
pub fn is_readable_by_others(file: &File) -> io::Result<bool> {
    let found = file.metadata()?;
    Ok(found.is_file() && found.mode() & 0o044 != 0)
}

/// Only ureq's own clock limits the run: a name lookup takes as long as the resolver lets it.
pub mod deadline {
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    pub fn arm(_time: Duration, _last_words: String) -> io::Result<()> {
        Ok(())
    }

    pub fn remove_on(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub fn disarm() {}
}
