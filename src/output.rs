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
    /// Owner and mode of the file that was there at the start.
    replaced: Option<fs::Metadata>,
}

impl Partial {
    /// Opens the partial file for the package that goes to `output`, a file or, to get the name
    /// `default_name` in it, an existing folder. What would fail at the end should fail here.
    pub fn open(output: &Path, default_name: &str) -> Result<Self, Error> {
        let output = if output.is_dir() {
            output.join(default_name)
        } else {
            output.to_owned()
        };
        let failed = |e: io::Error| Error::local("write", &output, e);
        let (target, replaced) = locate(&output).map_err(failed)?;
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
        self.adopt_owner_and_mode()
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
    /// replaces; of the one there now, if there is one. It is never readable by more people.
    fn adopt_owner_and_mode(&self) -> io::Result<()> {
        let there_now = match fs::metadata(&self.target) {
            Ok(old) => Some(old),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(e),
        };
        let Some(old) = there_now.as_ref().or(self.replaced.as_ref()) else {
            return Ok(());
        };
        let new = self.file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            // Only root may give a file away, but its owner may give it to a group of theirs.
            // Where neither is allowed, the mode below makes up for it.
            let _ = fchown(&self.file, Some(old.uid()), Some(old.gid()))
                .or_else(|_| fchown(&self.file, None, Some(old.gid())));
        }
        let mut mode = old.mode() & 0o777;
        if self.file.metadata()?.gid() != old.gid() {
            // Another group gets nothing, and the old group, now among the others, no more than
            // it had.
            mode &= 0o700 | (mode >> 3 & 0o007);
        }
        self.file.set_permissions(Permissions::from_mode(mode))
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

/// Finds the file that `output` names, or will name, following symbolic links, and what is there.
fn locate(output: &Path) -> io::Result<(PathBuf, Option<fs::Metadata>)> {
    // `metadata` comes first: it follows links by the kernel's rules, which refuse a link that
    // somebody else planted in a sticky folder; `canonicalize` reads links by itself.
    match fs::metadata(output) {
        Ok(found) if found.is_file() => Ok((output.canonicalize()?, Some(found))),
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => Err(io::Error::other("it is no regular file")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if output.symlink_metadata().is_ok() {
                return Err(io::Error::other("it is a symbolic link to nowhere"));
            }
            let is_file_name =
                matches!(output.components().next_back(), Some(Component::Normal(_)))
                    && !output.as_os_str().as_bytes().ends_with(b"/")
                    && !output.as_os_str().as_bytes().ends_with(b"/.");
            if is_file_name {
                Ok((output.to_owned(), None))
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
