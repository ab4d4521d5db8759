//! The package on its way to its name: all of it, or nothing.
//!
//! Until it is whole, checked and on the disk, the package is a file without a name: whatever ends
//! the run, even a power cut, leaves nothing behind and the old file untouched. Where the file
//! system has no such files, or lets none get a name, the partial file has a short unique name beside
//! the output's.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::console::Console;
use crate::report::error::Error;
use crate::report::escape::display_path;
use crate::system::deadline::{self, with_signals_blocked};
use crate::system::files;
use crate::system::folder::Folder;

const MOUNT_POINT: &str = "it is a mount point: mount its folder instead";

/// Where a package goes.
pub struct Output {
    folder: Folder,
    /// The file's name in the folder.
    name: OsString,
    /// The path as the user wrote it, for messages.
    path: PathBuf,
    /// The old file, if its mode, group and owner are taken over.
    replaced: Option<File>,
}

impl Output {
    /// Finds where the package goes: to a file, or, under the name `default_name`, into an existing
    /// folder. If something is there already, it must be a regular file.
    pub fn find(mut path: PathBuf, default_name: &str) -> Result<Self, Error> {
        if path.is_dir() {
            path.push(default_name);
        }
        let failed = |e: io::Error| Error::local("write", display_path(&path), e);
        let (folder_path, name) = split(&path).map_err(failed)?;
        let folder = Folder::open(&Path::new(".").join(folder_path))
            .map_err(|e| Error::local("open the folder", display_path(folder_path), e))?;
        let old = folder.pin(name).map_err(failed)?;
        let replaced = match old {
            Some(old) => {
                sets_access(&old, &folder, &path).map(|sets_access| sets_access.then_some(old))
            }
            None => Ok(None),
        };
        Ok(Self {
            folder,
            name: name.to_owned(),
            replaced: replaced.map_err(failed)?,
            path,
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
        match self.folder.open_file(&self.name) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some).map_err(|e| self.failed("read", &e)),
        }
    }

    /// Syncs the folder, so that the name is durable too.
    pub fn sync_folder(&self, console: Console) -> Result<(), Error> {
        let file = self.display();
        match self.folder.sync().map_err(|e| e.to_string()) {
            Ok(true) => {}
            Ok(false) => console.detail(|| format!("{file}: its file system can't sync a folder")),
            Err(reason) => return Err(Error::Unsynced { file, reason }),
        }
        Ok(())
    }

    /// The mode of a new file. A file that is replaced may have been readable by few. Until the new
    /// one has its mode, it is readable by its owner alone; else the umask decides, as for any file.
    fn mode(&self) -> u32 {
        if self.replaced.is_some() {
            0o600
        } else {
            0o666
        }
    }

    /// Creates a partial file that has a name.
    fn create_named(&self) -> io::Result<(File, OsString)> {
        with_signals_blocked(|| {
            let name = unique_name();
            let file = self.folder.create(&name, self.mode())?;
            deadline::remove_on_end(&self.folder, &name)?;
            Ok((file, name))
        })
    }
}

/// A package that is not there yet.
pub struct Partial {
    pub file: File,
    /// Its temporary name, if it has one: from the start where there are no nameless files, else only
    /// between link and rename.
    name: Option<OsString>,
    pub output: Output,
}

impl Partial {
    /// Creates the partial file for the package that goes to `output`. What would fail at the end
    /// fails here, as far as it can be known.
    pub fn create(output: Output) -> Result<Self, Error> {
        let (file, name) = if let Ok(file) = output.folder.create_nameless(output.mode()) {
            (file, None)
        } else {
            // Any other reason than a file system without O_TMPFILE makes this fail too.
            let created = output.create_named();
            let (file, name) = created.map_err(|e| output.failed("write", &e))?;
            (file, Some(name))
        };
        Ok(Self { file, name, output })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes);
        written.map_err(|e| self.output.failed("write", &e))
    }

    /// Makes the package durable, and then visible under its name, in one step.
    pub fn commit(mut self, console: Console) -> Result<(), Error> {
        let written = self.sync().and_then(|()| self.make_visible());
        written.map_err(|e| match e.kind() {
            ErrorKind::ResourceBusy => self.output.failed("write", MOUNT_POINT),
            _ => self.output.failed("write", &e),
        })?;
        self.output.sync_folder(console)
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
        let is_visible = with_signals_blocked(|| -> io::Result<bool> {
            if self.name.is_none() && !self.link()? {
                return Ok(false);
            }
            if let Some(partial) = &self.name {
                self.output.folder.rename(partial, &self.output.name)?;
            }
            self.name = None;
            deadline::disarm();
            Ok(true)
        })?;
        if is_visible {
            return Ok(());
        }
        self.copy()?;
        self.make_visible()
    }

    /// Links the nameless file to the output's name or, where that is taken, to one beside it; false
    /// if this is refused here.
    fn link(&mut self) -> io::Result<bool> {
        let Output { folder, name, .. } = &self.output;
        match folder.link(&self.file, name) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            linked => return linked,
        }
        let name = unique_name();
        let is_linked = folder.link(&self.file, &name)?;
        if is_linked {
            deadline::remove_on_end(folder, &name)?;
            self.name = Some(name);
        }
        Ok(is_linked)
    }

    /// Copies the package from its nameless file into one with a name.
    fn copy(&mut self) -> io::Result<()> {
        let (file, name) = self.output.create_named()?;
        self.name = Some(name);
        let mut nameless = mem::replace(&mut self.file, file);
        nameless.seek(SeekFrom::Start(0))?;
        io::copy(&mut nameless, &mut self.file)?;
        self.sync()
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

/// Whether the old file, which must be a regular one, says who may read the new one: in a folder where
/// all users may plant files, only one of our own does. If it is replaced during the run, the new file's
/// mode is ignored.
fn sets_access(old: &File, folder: &Folder, path: &Path) -> io::Result<bool> {
    const STICKY: u32 = 0o1000;
    let old = old.metadata()?;
    check_kind(&old, path)?;
    Ok(folder.metadata()?.mode() & STICKY == 0 || files::is_own(&old))
}

/// A name beside the output's that no other run uses.
fn unique_name() -> OsString {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |time| time.as_nanos());
    let process = std::process::id();
    format!(".codearts-check-log.{process}.{nanoseconds}").into()
}

/// Splits a file's path into its folder, which is empty for a bare name, and its name.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        // A path that ends in a slash or a dot is a folder's.
        (Some(folder), Some(name)) if path.as_os_str().as_bytes().ends_with(name.as_bytes()) => {
            Ok((folder, name))
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
