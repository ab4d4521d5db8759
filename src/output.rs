//! The package on its way to its name: all of it, or nothing.
//!
//! Until it is whole, checked and on the disk, the package is a file without a name: whatever ends
//! the run, even a power cut, leaves nothing behind and the old file untouched. Where the file
//! system has no such files, the partial file has a short unique name beside the output's.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;
use crate::printable::display_path;
use crate::system::{self, PinnedFile};

const NOT_A_FILE: &str = "not a regular file";

/// Names tried beside the output before giving up: each is taken only by an unlikely accident.
const NAME_ATTEMPTS: u32 = 100;

/// A package that is not there yet.
pub struct Partial {
    file: File,
    /// Its name, where it can't do without.
    name: Option<TemporaryName>,
    /// The output's folder, open to be synced at the end.
    folder: File,
    /// Where the package goes: no symbolic link.
    target: PathBuf,
    /// The same as the user wrote it, for messages.
    output: PathBuf,
    /// The file that was there at the start.
    replaced: Option<Replaced>,
}

/// A file that is to be replaced.
struct Replaced {
    file: PinnedFile,
    access_list: Option<Vec<u8>>,
}

impl Partial {
    /// Opens the partial file for the package that goes to `output`. What would fail at the end
    /// fails here, as far as it can be known.
    pub fn open(output: PathBuf) -> Result<Self, Error> {
        let failed = |e: io::Error| Error::local("write", display_path(&output), e);
        let target = locate(&output).map_err(failed)?;
        let folder_path = folder_of(&target).to_owned();
        let folder = File::open(&folder_path)
            .map_err(|e| Error::local("open the folder", display_path(&folder_path), e))?;
        let replaced = Replaced::open(&target).map_err(failed)?;
        // A file that is replaced may have been readable by few. Until the new one has its mode,
        // it is readable by its owner alone; else the umask decides, as for any new file.
        let mode = if replaced.is_some() { 0o600 } else { 0o666 };
        let (file, name) = if let Ok(file) = system::create_nameless(&folder_path, mode) {
            (file, None)
        } else {
            // If the reason is another than a file system without O_TMPFILE, it comes again here.
            let (file, name) = create_named(&folder_path, mode)
                .map_err(|e| Error::local("create a file in", display_path(&folder_path), e))?;
            system::deadline::remove_on(&name.0).map_err(failed)?;
            (file, Some(name))
        };
        Ok(Self {
            file,
            name,
            folder,
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
        system::deadline::disarm();
        self.make_visible().map_err(|e| self.failed("write", &e))?;
        self.folder.sync_all().map_err(|e| {
            self.failed(
                "sync the folder (the package is there, but a power cut may undo it) of",
                &e,
            )
        })
    }

    fn make_visible(&mut self) -> io::Result<()> {
        let name = match self.name.take() {
            Some(name) => name,
            None => match system::link_nameless(&self.file, &self.target) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    let link = |path: &Path| system::link_nameless(&self.file, path);
                    TemporaryName::create(folder_of(&self.target), link)?.1
                }
                result => return result,
            },
        };
        name.rename(&self.target)
    }

    /// Gives the file the mode and, where allowed, the owner and the group of the one that it
    /// replaces. It is never readable by more people. A file that took that one's place during the
    /// run says nothing: another run put it there, with the same access, or a stranger did.
    fn adopt_access(&self) -> io::Result<()> {
        is_file_or_free(&self.target)?;
        let Some(replaced) = &self.replaced else {
            return Ok(());
        };
        let old = replaced.file.metadata()?;
        // What a server sends is no program to run as somebody else.
        let old_mode = old.mode() & 0o777;
        // Only root may give a file away, but its owner may give it to a group of theirs. Where
        // neither is allowed, the mode makes up for it.
        let _ = fchown(&self.file, Some(old.uid()), Some(old.gid()))
            .or_else(|_| fchown(&self.file, None, Some(old.gid())));
        let keeps_group = self.file.metadata()?.gid() == old.gid();
        let list = replaced.access_list.as_deref();
        system::set_access_list(&self.file, list.filter(|_| keeps_group))?;
        let mode = match (keeps_group, list) {
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
        self.file.set_permissions(Permissions::from_mode(mode))
    }
}

impl Replaced {
    /// Opens the file at `path`, if there is one.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let open = || -> io::Result<Self> {
            Ok(Self {
                file: PinnedFile::open(path)?,
                access_list: system::access_list(path)?,
            })
        };
        match open() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
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

/// Makes sure that at `path` is a regular file, or nothing: no symbolic link either.
fn is_file_or_free(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) => check_kind(&found),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// A name beside the output's, removed again unless it becomes the output's.
struct TemporaryName(PathBuf);

impl TemporaryName {
    /// Has `create` make a file in `folder` under a name that is free.
    fn create<T>(
        folder: &Path,
        create: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<(T, TemporaryName)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanoseconds = now.map_or(0, |time| time.subsec_nanos());
        let process = std::process::id();
        for attempt in 0..NAME_ATTEMPTS {
            let name = format!(".codearts-check-log.{process}.{nanoseconds}.{attempt}");
            let path = folder.join(name);
            match create(&path) {
                Ok(created) => return Ok((created, TemporaryName(path))),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn rename(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.0, to)?;
        std::mem::forget(self); // the name is gone
        Ok(())
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // The run has failed already, for a reason of its own that matters more.
        let _ = fs::remove_file(&self.0);
    }
}

fn create_named(folder: &Path, mode: u32) -> io::Result<(File, TemporaryName)> {
    TemporaryName::create(folder, |path| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
    })
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
            Err(io::Error::other("a symbolic link to nowhere"))
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
