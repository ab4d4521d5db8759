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
use crate::system;

const NOT_A_FILE: &str = "it is no regular file";

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
    /// Of the file that was there at the start.
    replaced: Option<Access>,
}

/// Who may do what with a file, and which file it was.
struct Access {
    device: u64,
    inode: u64,
    owner: u32,
    group: u32,
    mode: u32,
    list: Option<Vec<u8>>,
}

impl Partial {
    /// Opens the partial file for the package that goes to `output`, a file or, to get the name
    /// `default_name` in it, an existing folder. What would fail at the end fails here, as far as
    /// it can be known.
    pub fn open(output: &Path, default_name: &str) -> Result<Self, Error> {
        let output = if output.is_dir() {
            output.join(default_name)
        } else {
            output.to_owned()
        };
        let failed = |e: io::Error| Error::local("write", &output, e);
        let target = locate(&output).map_err(failed)?;
        let replaced = Access::of(&target).map_err(failed)?;
        let folder_path = folder_of(&target).to_owned();
        let folder = File::open(&folder_path)
            .map_err(|e| Error::local("open the folder", &folder_path, e))?;
        // A file that is replaced may have been readable by few. Until the new one has its mode,
        // it is readable by its owner alone; else the umask decides, as for any new file.
        let mode = if replaced.is_some() { 0o600 } else { 0o666 };
        let (file, name) = if let Ok(file) = system::create_nameless(&folder_path, mode) {
            (file, None)
        } else {
            // If the reason is another than a file system without O_TMPFILE, it comes again here.
            let (file, name) = create_named(&folder_path, mode)
                .map_err(|e| Error::local("create a file in", &folder_path, e))?;
            system::remove_at_end(&name.0).map_err(failed)?;
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

    /// The output's path, with its file name, as the user wrote it.
    pub fn output(&self) -> &Path {
        &self.output
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(bytes)
            .map_err(|e| Error::local("write", &self.output, e))
    }

    /// The file, to be read back.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Makes the package durable, and then visible under its name, in one step.
    pub fn commit(mut self) -> Result<(), Error> {
        self.adopt_access()
            .and_then(|()| self.file.sync_all())
            .map_err(|e| Error::local("write", &self.output, e))?;
        system::let_run_finish();
        self.make_visible()
            .map_err(|e| Error::local("write", &self.output, e))?;
        self.folder.sync_all().map_err(|e| {
            Error::local(
                "sync the folder (the package is there, but a power cut may undo it) of",
                &self.output,
                e,
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
        let there_now = Access::of(&self.target)?;
        let Some(at_start) = &self.replaced else {
            return Ok(());
        };
        let old = there_now
            .as_ref()
            .filter(|now| (now.device, now.inode) == (at_start.device, at_start.inode))
            .unwrap_or(at_start);
        // Only root may give a file away, but its owner may give it to a group of theirs. Where
        // neither is allowed, the mode makes up for it.
        let _ = fchown(&self.file, Some(old.owner), Some(old.group))
            .or_else(|_| fchown(&self.file, None, Some(old.group)));
        let new = self.file.metadata()?;
        let keeps_group = new.gid() == old.group;
        let list = old.list.as_deref().filter(|_| keeps_group);
        system::set_access_list(&self.file, list)?;
        let mode = match (keeps_group, &old.list) {
            (true, _) => old.mode,
            // The group's bits are the list's mask: who of the others it keeps out is not known.
            (false, Some(_)) => old.mode & 0o700,
            // The new group's members were among the others, or in the old group, whose members
            // are among the others now: both get what both had.
            (false, None) => {
                let both = old.mode >> 3 & old.mode & 0o007;
                old.mode & 0o700 | both << 3 | both
            }
        };
        self.file.set_permissions(Permissions::from_mode(mode))
    }
}

impl Access {
    /// Of the file at `path`, if there is one. It must be a file still: no link, for one.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() => found,
            Ok(_) => return Err(io::Error::other(NOT_A_FILE)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        Ok(Some(Self {
            device: found.dev(),
            inode: found.ino(),
            owner: found.uid(),
            group: found.gid(),
            // What a server sends is no program to run as somebody else.
            mode: found.mode() & 0o777,
            list: match system::access_list(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                list => list?,
            },
        }))
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

/// Finds the file that `output` names, or will name, following symbolic links.
fn locate(output: &Path) -> io::Result<PathBuf> {
    // `metadata` comes first: it follows links by the kernel's rules, which refuse a link that
    // somebody else planted in a sticky folder; `canonicalize` reads links by itself.
    match fs::metadata(output) {
        Ok(found) if found.is_file() => output.canonicalize(),
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => Err(io::Error::other(NOT_A_FILE)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if output.symlink_metadata().is_ok() {
                return Err(io::Error::other("it is a symbolic link to nowhere"));
            }
            let is_file_name =
                matches!(output.components().next_back(), Some(Component::Normal(_)))
                    && !output.as_os_str().as_bytes().ends_with(b"/")
                    && !output.as_os_str().as_bytes().ends_with(b"/.");
            if is_file_name {
                Ok(output.to_owned())
            } else {
                Err(e)
            }
        }
        Err(e) => Err(e),
    }
}

/// The folder that a file of `path` is in; the working folder for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
