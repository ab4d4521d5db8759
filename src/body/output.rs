//! The package on its way to its name: all of it, or nothing.
//!
//! Until it is whole, checked and on the disk, the package is a file without a name: whatever ends
//! the run, even a power cut, leaves nothing behind and the old file untouched. Where the file
//! system has no such files, the partial file has a short unique name beside the output's.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::error::Error;
use crate::report::escape::display_path;
use crate::system::deadline;
use crate::system::files;
use crate::system::folder::Folder;

/// Names tried beside the output before giving up: each is taken only by an unlikely accident.
const NAME_ATTEMPTS: u32 = 100;

/// Where a package goes.
pub struct Output {
    folder: Folder,
    /// The file's name in the folder.
    name: OsString,
    /// The path as the user wrote it, for messages.
    path: PathBuf,
    /// Whether a file is there already.
    pub exists: bool,
    /// That file, if it says who may read the new one.
    replaced: Option<File>,
}

impl Output {
    /// Finds where the package goes: to a file, or, under the name `default_name`, into an existing
    /// folder. If something is there already, it must be a regular file.
    pub fn find(path: PathBuf, default_name: &str) -> Result<Self, Error> {
        let path = if path.is_dir() {
            path.join(default_name)
        } else {
            path
        };
        let failed = |e: io::Error| Error::local("write", display_path(&path), e);
        let (folder_path, name) = split(&path).map_err(failed)?;
        let folder = Folder::open(folder_path)
            .map_err(|e| Error::local("open the folder", display_path(folder_path), e))?;
        let found = find_old(&folder, name, &path).map_err(failed)?;
        Ok(Self {
            folder,
            name: name.to_owned(),
            exists: found.is_some(),
            replaced: found.and_then(|(old, is_trusted)| is_trusted.then_some(old)),
            path,
        })
    }

    /// The path, for messages.
    pub fn display(&self) -> String {
        display_path(&self.path)
    }

    fn failed(&self, action: &'static str, error: &io::Error) -> Error {
        Error::local(action, self.display(), error)
    }
}

/// A package that is not there yet.
pub struct Partial {
    file: File,
    /// The name beside the output's that it has, if it has one: from the start, where it can't do
    /// without, or for the instant before it takes the output's.
    name: Option<OsString>,
    output: Output,
}

impl Partial {
    /// Creates the partial file for the package that goes to `output`. What would fail at the end
    /// fails here, as far as it can be known.
    pub fn create(output: Output) -> Result<Self, Error> {
        // A file that is replaced may have been readable by few. Until the new one has its mode,
        // it is readable by its owner alone; else the umask decides, as for any new file.
        let mode = if output.replaced.is_some() {
            0o600
        } else {
            0o666
        };
        let folder = &output.folder;
        let (file, name) = if let Ok(file) = folder.create_nameless(mode) {
            (file, None)
        } else {
            // If the reason is another than a file system without O_TMPFILE, it comes again here.
            let create = || -> io::Result<_> {
                let (file, name) = with_free_name(|name| folder.create(name, mode))?;
                deadline::remove_on_end(folder, &name)?;
                Ok((file, Some(name)))
            };
            deadline::with_signal_blocked(create).map_err(|e| {
                let folder_path = output.path.parent().unwrap_or(Path::new("."));
                Error::local("create a file in", display_path(folder_path), e)
            })?
        };
        Ok(Self { file, name, output })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(bytes)
            .map_err(|e| self.output.failed("write", &e))
    }

    /// The file, to be read back.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// What was written can't be read back.
    pub fn unreadable(&self, error: &io::Error) -> Error {
        self.output.failed("read back", error)
    }

    /// Makes the package durable, and then visible under its name, in one step.
    pub fn commit(mut self) -> Result<(), Error> {
        self.sync().map_err(|e| self.output.failed("write", &e))?;
        deadline::disarm();
        self.make_visible()
            .map_err(|e| self.output.failed("write", &e))?;
        self.output.folder.sync().map_err(|e| Error::Unsynced {
            file: self.output.display(),
            reason: e.to_string(),
        })
    }

    /// Syncs the data; and only then, because that may take long, takes over the old file's access of
    /// now, and syncs that.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(replaced) = &self.output.replaced {
            adopt_access(&self.file, &replaced.metadata()?)?;
            self.file.sync_all()?;
        }
        Ok(())
    }

    fn make_visible(&mut self) -> io::Result<()> {
        let Output { folder, name, .. } = &self.output;
        if self.name.is_none() {
            match folder.link(&self.file, name) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                    let link = |name: &OsStr| folder.link(&self.file, name);
                    self.name = Some(with_free_name(link)?.1);
                }
                linked => return linked,
            }
        }
        if let Some(partial) = &self.name {
            folder.rename(partial, name)?;
            self.name = None;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // The run has failed already, for a reason of its own that matters more.
            let _ = self.output.folder.remove(name);
        }
    }
}

/// Gives `file` the mode and, where allowed, the owner and the group of the old one. By its mode, it
/// is never readable by more people.
fn adopt_access(file: &File, old: &Metadata) -> io::Result<()> {
    // Never carry over set-ID bits.
    let old_mode = old.mode() & 0o777;
    // Each step may be refused, by the file system or for want of a right. Then the file keeps what
    // it has: created for its owner alone, it is readable by fewer, never by more. The owner comes
    // last, because only the owner may do the rest.
    let _ = fchown(file, None, Some(old.gid()));
    let mode = if file.metadata()?.gid() == old.gid() {
        old_mode
    } else {
        // The new group's members were among the others, or in the old group, whose members
        // are among the others now: both get what both had.
        let both = old_mode >> 3 & old_mode & 0o007;
        old_mode & 0o700 | both << 3 | both
    };
    let _ = file.set_permissions(Permissions::from_mode(mode));
    let _ = fchown(file, Some(old.uid()), None);
    Ok(())
}

/// Pins the file of this name, if there is one, and tells whether it says who may read the new one:
/// in a folder where all users may plant files, only one of our own does. If it is replaced during
/// the run, the new file's mode is ignored.
fn find_old(folder: &Folder, name: &OsStr, path: &Path) -> io::Result<Option<(File, bool)>> {
    const STICKY: u32 = 0o1000;
    let Some(old) = folder.pin(name)? else {
        return Ok(None);
    };
    let found = old.metadata()?;
    check_kind(&found, path)?;
    let is_trusted = folder.metadata()?.mode() & STICKY == 0 || files::is_own(&found);
    Ok(Some((old, is_trusted)))
}

/// Has `create` make something under a name that is free.
fn with_free_name<T>(create: impl Fn(&OsStr) -> io::Result<T>) -> io::Result<(T, OsString)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |time| time.subsec_nanos());
    let process = std::process::id();
    for attempt in 0..NAME_ATTEMPTS {
        let name = format!(".codearts-check-log.{process}.{nanoseconds}.{attempt}");
        let name = OsString::from(name);
        match create(&name) {
            Ok(created) => return Ok((created, name)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Splits a file's path into its folder, the working folder for a bare name, and its name.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        // A path that ends in a slash or a dot is a folder's.
        (Some(folder), Some(name)) if path.as_os_str().as_bytes().ends_with(name.as_bytes()) => {
            let is_bare = folder == Path::new("");
            Ok((if is_bare { Path::new(".") } else { folder }, name))
        }
        _ => Err(fs::metadata(path)
            .err()
            .unwrap_or(ErrorKind::NotADirectory.into())),
    }
}

fn check_kind(found: &Metadata, path: &Path) -> io::Result<()> {
    if found.is_file() {
        Ok(())
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
