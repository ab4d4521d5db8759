//! The package on its way to its final name: whole, or not at all.
//!
//! Until it is whole, checked and on the disk, the package is a partial file with a name of its own
//! in the output's folder, and the old file is untouched. Then it is renamed, in one step.
//! Everything is done by path: if the folder is moved during the run, the run fails, and the
//! partial file may be left there.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::console::Console;
use crate::report::error::Error;
use crate::report::escape::display_path;
use crate::system::{deadline, files};

/// CIFS says the same of a file that is open elsewhere (Linux, fs/smb/client/smb2maperror.c).
const MOUNT_POINT: &str = "if it is a mount point, mount its folder instead";

/// Where a package goes.
pub struct Output {
    path: PathBuf,
    folder: PathBuf,
    /// The old file, if the new one gets its mode, owner and group.
    replaced: Option<Metadata>,
}

impl Output {
    /// Finds where the package goes: to a file, or, under the name `default_name`, into an existing
    /// folder. If something is there already, it must be a regular file.
    pub fn find(mut path: PathBuf, default_name: &str) -> Result<Self, Error> {
        if path.is_dir() {
            path.push(default_name);
        }
        Self::find_file(&path).map_err(|e| Error::local("write", display_path(&path), e))
    }

    /// The same for the path of a file.
    fn find_file(path: &Path) -> io::Result<Self> {
        const STICKY: u32 = 0o1000;
        let folder = folder_of(path)?;
        let in_folder = metadata_of_folder(&folder)?;
        // In a folder where all users may create files, the old one counts only if it is our own.
        let counts = |old: &Metadata| in_folder.mode() & STICKY == 0 || files::is_own(old);
        Ok(Self {
            replaced: find_old(path)?.filter(counts),
            path: path.to_owned(),
            folder,
        })
    }

    /// The path, for messages.
    pub fn display(&self) -> String {
        display_path(&self.path)
    }

    pub fn failed(&self, action: &'static str, reason: impl fmt::Display) -> Error {
        Error::local(action, self.display(), reason)
    }

    /// Opens the file that is there already, if there is one.
    pub fn open_old(&self) -> Result<Option<File>, Error> {
        match File::open(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some).map_err(|e| self.failed("read", &e)),
        }
    }

    /// Syncs the output's file or folder; `kind` names it. A file system that can't do that is no
    /// error.
    pub fn sync(&self, file: &File, kind: &str, console: Console) -> io::Result<()> {
        if !files::sync(file)? {
            console.detail(|| format!("{}: its file system can't sync a {kind}", self.display()));
        }
        Ok(())
    }

    /// Syncs the folder, so that the name is durable too. In an error, `state` describes the file.
    pub fn sync_folder(&self, state: &str, console: Console) -> Result<(), Error> {
        let synced = match File::open(&self.folder) {
            // A folder may be writable but not readable.
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                let file = self.display();
                console.detail(|| {
                    format!("{file}: there is no permission to open its folder and sync it")
                });
                return Ok(());
            }
            opened => opened.and_then(|folder| self.sync(&folder, "folder", console)),
        };
        synced.map_err(|e| Error::Unsynced {
            state: state.to_owned(),
            reason: format!("could not be synced: {e}"),
        })
    }

    /// The mode that a new file is created with, before the umask is applied. The file may have
    /// another group than the old one, so its group gets no more than others do.
    fn mode(&self) -> u32 {
        self.replaced.as_ref().map_or(0o666, |old| {
            let others = old.mode() & 0o007;
            old.mode() & (0o700 | others << 3) | others
        })
    }
}

/// A package that does not have its final name yet.
pub struct Partial {
    pub file: File,
    path: PartialPath,
    pub output: Output,
}

impl Partial {
    /// Creates the partial file for the package that goes to `output`. As far as possible, what
    /// would fail at the end fails here.
    pub fn create(output: Output) -> Result<Self, Error> {
        let failed = |e: io::Error| output.failed("write", &e);
        let path = output.folder.join(unique_name());
        // Before the file exists, a signal removes nothing. (It would remove another file of this
        // name, but process ID and nanosecond make the name unique.)
        deadline::remove_on_end(&path).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        options.mode(output.mode());
        let file = options.open(&path).map_err(failed)?;
        let path = PartialPath(path);
        if let Some(old) = &output.replaced {
            adopt_access(&file, old).map_err(failed)?;
        }
        Ok(Self { file, path, output })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes);
        written.map_err(|e| self.output.failed("write", &e))
    }

    /// Makes the package durable, and then visible under its name, in one step. Its folder is still
    /// to be synced.
    pub fn commit(self, console: Console) -> Result<Output, Error> {
        let Self { file, path, output } = self;
        let written = output.sync(&file, "file", console);
        let written = written.and_then(|()| files::close(file));
        let written = written.and_then(|()| fs::rename(&path.0, &output.path));
        written.map_err(|e| match e.kind() {
            ErrorKind::ResourceBusy => output.failed("write", format!("{e}; {MOUNT_POINT}")),
            _ => output.failed("write", &e),
        })?;
        mem::forget(path); // nothing has this name any more
        Ok(output)
    }
}

/// The path of the partial file. Dropping it removes the file.
struct PartialPath(PathBuf);

impl Drop for PartialPath {
    fn drop(&mut self) {
        // The run has failed already, and its own error matters more.
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives the new file the old one's owner and group, each if that is allowed. If it then has both,
/// it gets the old mode too, without set-ID bits; otherwise it keeps the mode that it was created
/// with.
fn adopt_access(file: &File, old: &Metadata) -> io::Result<()> {
    // The owner comes last: only the owner may do the rest.
    let _ = fchown(file, None, Some(old.gid()));
    let _ = fchown(file, Some(old.uid()), None);
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        // The file system may refuse it, or a right may be missing. Then fewer people may read the
        // file.
        let _ = file.set_permissions(Permissions::from_mode(old.mode() & 0o777));
    }
    Ok(())
}

/// A name beside the output's that no other run uses.
fn unique_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |time| time.as_nanos());
    let process = std::process::id();
    format!(".codearts-check-log.{process}.{nanoseconds}")
}

/// The folder in a file's path.
fn folder_of(path: &Path) -> io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        // A path that ends in a slash or a dot names a folder.
        (Some(folder), Some(name)) if path.as_os_str().as_bytes().ends_with(name.as_bytes()) => {
            let is_bare = folder.as_os_str().is_empty();
            Ok(if is_bare { Path::new(".") } else { folder }.to_owned())
        }
        _ => Err(match metadata_of_folder(path) {
            Ok(_) => ErrorKind::NotADirectory.into(),
            Err(error) => error,
        }),
    }
}

fn metadata_of_folder(folder: &Path) -> io::Result<Metadata> {
    fs::metadata(folder).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let folder = display_path(folder);
            io::Error::other(format!("the folder {folder} does not exist"))
        }
        _ => error,
    })
}

/// The metadata of the old file, which must be a regular one.
fn find_old(path: &Path) -> io::Result<Option<Metadata>> {
    let found = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if found.is_file() {
        Ok(Some(found))
    } else if found.is_dir() {
        Err(ErrorKind::IsADirectory.into())
    } else if found.is_symlink() {
        let mut reason = "it is a symbolic link: give the path of the file itself".to_owned();
        if fs::metadata(path).is_err_and(|e| e.kind() == ErrorKind::NotFound) {
            reason += " (its target does not exist)";
        }
        Err(io::Error::other(reason))
    } else {
        Err(io::Error::other("not a regular file"))
    }
}
