//! The package on its way to its name: all of it, or nothing.
//!
//! Until it is whole, checked and on the disk, the package is a file without a name: whatever ends
//! the run, even a power cut, leaves nothing behind and the old file untouched. Where the file
//! system has no such files, the partial file has a short unique name beside the output's.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::error::Error;
use crate::report::escape::display_path;
use crate::system::deadline;
use crate::system::files;
use crate::system::folder::{Folder, PinnedFile};

const NOT_A_FILE: &str = "not a regular file";

/// Names tried beside the output before giving up: each is taken only by an unlikely accident.
const NAME_ATTEMPTS: u32 = 100;

/// A package that is not there yet.
pub struct Partial {
    file: File,
    /// The name beside the output's that it has, if it has one: from the start, where it can't do
    /// without, or for the instant before it takes the output's.
    name: Option<OsString>,
    folder: Folder,
    /// Where the folder was found.
    folder_path: PathBuf,
    /// The output's name in the folder: no symbolic link.
    target: OsString,
    /// The output as the user wrote it, for messages.
    output: PathBuf,
    /// The file that was there at the start, if it says who may read the new one.
    replaced: Option<PinnedFile>,
}

impl Partial {
    /// Opens the partial file for the package that goes to `output`. What would fail at the end
    /// fails here, as far as it can be known.
    pub fn open(output: PathBuf) -> Result<Self, Error> {
        let failed = |e: io::Error| Error::local("write", display_path(&output), e);
        let target = locate(&output).map_err(failed)?;
        let folder_path = folder_of(&target).to_owned();
        let folder = Folder::open(&folder_path)
            .map_err(|e| Error::local("open the folder", display_path(&folder_path), e))?;
        if folder.is_append_only() {
            let reason = "the folder is append-only: a package there could not be replaced";
            return Err(failed(io::Error::other(reason)));
        }
        let target = target.file_name().unwrap_or_default().to_owned();
        let replaced = find_replaced(&folder, &target).map_err(failed)?;
        // A file that is replaced may have been readable by few. Until the new one has its mode,
        // it is readable by its owner alone; else the umask decides, as for any new file.
        let mode = if replaced.is_some() { 0o600 } else { 0o666 };
        let (file, name) = if let Ok(file) = folder.create_nameless(mode) {
            (file, None)
        } else {
            // If the reason is another than a file system without O_TMPFILE, it comes again here.
            let create = || -> io::Result<_> {
                let (file, name) = with_free_name(|name| folder.create(name, mode))?;
                deadline::remove_on_end(&folder, &name)?;
                Ok((file, Some(name)))
            };
            deadline::with_signal_blocked(create)
                .map_err(|e| Error::local("create a file in", display_path(&folder_path), e))?
        };
        Ok(Self {
            file,
            name,
            folder,
            folder_path,
            target,
            output,
            replaced,
        })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(bytes)
            .map_err(|e| self.failed("write", &e))
    }

    /// The file, to be read back.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// What was written can't be read back.
    pub fn unreadable(&self, error: &io::Error) -> Error {
        self.failed("read back", error)
    }

    fn failed(&self, action: &'static str, error: &io::Error) -> Error {
        Error::local(action, display_path(&self.output), error)
    }

    /// Makes the package durable, and then visible under its name, in one step.
    pub fn commit(mut self) -> Result<(), Error> {
        self.adopt_access()
            .and_then(|()| self.file.sync_all())
            .map_err(|e| self.failed("write", &e))?;
        deadline::disarm();
        self.check_folder()
            .and_then(|()| self.make_visible())
            .map_err(|e| self.failed("write", &e))?;
        self.folder.sync().map_err(|e| {
            self.failed(
                "make durable (the package is there, but a power cut may undo it)",
                &e,
            )
        })?;
        self.check_folder().map_err(|e| {
            self.failed(
                "confirm the place of (the package is there, but may have moved with its folder)",
                &e,
            )
        })
    }

    fn make_visible(&mut self) -> io::Result<()> {
        if self.name.is_none() {
            match self.folder.link(&self.file, &self.target) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    let link = |name: &OsStr| self.folder.link(&self.file, name);
                    self.name = Some(with_free_name(link)?.1);
                }
                linked => return linked,
            }
        }
        if let Some(name) = &self.name {
            self.folder.rename(name, &self.target)?;
            self.name = None;
        }
        Ok(())
    }

    /// Makes sure that the folder is where it was found: whoever moved it, and put another in its
    /// place, would find nothing there.
    fn check_folder(&self) -> io::Result<()> {
        let (held, there) = (self.folder.metadata()?, fs::metadata(&self.folder_path)?);
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            Ok(())
        } else {
            Err(io::Error::other("its folder was moved during the run"))
        }
    }

    /// Gives the file the mode and, where allowed, the owner and the group of the one that it
    /// replaces. It is never readable by more people. A file that took that one's place during the
    /// run says nothing: another run put it there, with the same access, or a stranger did.
    fn adopt_access(&self) -> io::Result<()> {
        if let Some(there) = self.folder.pin(&self.target)? {
            check_kind(&there.metadata()?)?;
        }
        let Some(replaced) = &self.replaced else {
            return Ok(());
        };
        let old = replaced.metadata()?;
        // What a server sends is no program to run as somebody else.
        let old_mode = old.mode() & 0o777;
        // Each step may be refused, by the file system or for want of a right. Then what was reached
        // has to do: created for its owner alone, the file is readable by fewer, never by more. The
        // owner comes last, who alone may do the rest.
        let _ = fchown(&self.file, None, Some(old.gid()));
        let keeps_group = self.file.metadata()?.gid() == old.gid();
        let Ok(list) = replaced.access_list() else {
            return Ok(()); // there is no /proc to ask it by
        };
        let mode = match (keeps_group, &list) {
            (true, _) => old_mode,
            // The group's bits are the list's mask: who of the others it keeps out is not known.
            (false, Some(_)) => old_mode & 0o700,
            // The new group's members were among the others, or in the old group, whose members
            // are among the others now: both get what both had.
            (false, None) => {
                let both = old_mode >> 3 & old_mode & 0o007;
                old_mode & 0o700 | both << 3 | both
            }
        };
        let list = list.as_deref().filter(|_| keeps_group);
        let _ = files::set_access_list(&self.file, list)
            .and_then(|()| self.file.set_permissions(Permissions::from_mode(mode)));
        let _ = fchown(&self.file, Some(old.uid()), None);
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // The run has failed already, for a reason of its own that matters more.
            let _ = self.folder.remove(name);
        }
    }
}

/// Pins the file of this name that is to be replaced, if there is one, and if it says who may read
/// the new one: in a folder where everybody may plant files, only one of our own does.
fn find_replaced(folder: &Folder, name: &OsStr) -> io::Result<Option<PinnedFile>> {
    const STICKY: u32 = 0o1000;
    let Some(pinned) = folder.pin(name)? else {
        return Ok(None);
    };
    let found = pinned.metadata()?;
    check_kind(&found)?;
    let is_trusted = folder.metadata()?.mode() & STICKY == 0 || files::is_own(&found);
    Ok(is_trusted.then_some(pinned))
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
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Where the package goes that was asked for at `output`: a file, or, to get the name
/// `default_name` in it, an existing folder.
pub fn path(output: PathBuf, default_name: &str) -> PathBuf {
    if output.is_dir() {
        output.join(default_name)
    } else {
        output
    }
}

/// Finds the file that `output` names, or will name, following a symbolic link. It makes no two
/// looks at one thing that another run may create between them.
fn locate(output: &Path) -> io::Result<PathBuf> {
    let found = match fs::symlink_metadata(output) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound && is_file_name(output) => {
            return Ok(output.to_owned());
        }
        Err(e) => return Err(e),
    };
    if !found.is_symlink() {
        return check_kind(&found).map(|()| output.to_owned());
    }
    // `metadata` comes first: it follows links by the kernel's rules, which refuse a link that
    // somebody else planted in a sticky folder; `canonicalize` reads links by itself.
    match fs::metadata(output) {
        Ok(found) => check_kind(&found).and_then(|()| output.canonicalize()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Err(io::Error::other("a dangling symbolic link"))
        }
        Err(e) => Err(e),
    }
}

fn check_kind(found: &fs::Metadata) -> io::Result<()> {
    if found.is_file() {
        Ok(())
    } else if found.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        Err(io::Error::other(NOT_A_FILE))
    }
}

/// Whether a file could have this path: it doesn't end in a slash, a dot or two.
fn is_file_name(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    matches!(path.components().next_back(), Some(Component::Normal(_)))
        && !bytes.ends_with(b"/")
        && !bytes.ends_with(b"/.")
}

/// The folder that a file of `path` is in; the working folder for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
