//! The stand-ins for systems other than Linux. README's "What is promised" says what they lack.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Opens a file for reading, but no FIFO: opening one could wait for ever.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::other("a FIFO can't be read here"));
    }
    File::open(path)
}

/// A folder by its path: whoever puts another in its place has what comes next done there.
pub struct Folder {
    path: PathBuf,
    file: File,
}

impl Folder {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: File::open(path)?,
        })
    }

    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    pub fn is_append_only(&self) -> bool {
        false
    }

    /// There are no nameless files.
    pub fn create_nameless(&self, _mode: u32) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn link(&self, _file: &File, _name: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(self.path.join(name))
    }

    pub fn pin(&self, name: &OsStr) -> io::Result<Option<PinnedFile>> {
        match fs::symlink_metadata(self.path.join(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(|metadata| Some(PinnedFile(metadata))),
        }
    }

    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }
}

/// A file's metadata of when it was looked at: it can't be kept open without being readable.
pub struct PinnedFile(Metadata);

impl PinnedFile {
    pub fn metadata(&self) -> io::Result<Metadata> {
        Ok(self.0.clone())
    }

    pub fn access_list(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

pub fn set_access_list(_file: &File, _list: Option<&[u8]>) -> io::Result<()> {
    Ok(())
}

/// Whose this process is can't be asked.
pub fn is_own(_file: &Metadata) -> bool {
    false
}

/// What can't be asked is hoped for.
pub fn wait_for_standard_error(_time: Duration) -> bool {
    true
}

pub fn hide_memory() {}

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
    use std::ffi::OsStr;
    use std::io;
    use std::time::Duration;

    use super::Folder;

    pub fn arm(_time: Duration, _last_words: String) -> io::Result<()> {
        Ok(())
    }

    pub fn hold<T>(create: impl FnOnce() -> T) -> T {
        create()
    }

    pub fn remove_on_end(_folder: &Folder, _name: &OsStr) -> io::Result<()> {
        Ok(())
    }

    pub fn disarm() {}

    pub fn out_of_memory() -> ! {
        std::process::abort()
    }
}
