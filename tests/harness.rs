//! One run of the real program, with a folder of its own, a clean environment and a time limit.
//! Every failed assertion shows a record of all that the run did.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::fault::{self, is_root};
use crate::stand_in::{self, Greeting, StandIn};

/// The reference's example of a subtask ID.
pub const ID: &str = "a777ff00d3cf4d369d87066806aexxxx";
/// The ID of a task.
pub const TASK: &str = "5c4005220809463fbcb39c02ea0a40d0";
pub const TOKEN: &str = "MIIEvQ-token-that-nobody-may-see";
pub const ACCESS_KEY: &str = "ACCESSKEYOFTESTS0001";
pub const SECRET_KEY: &str = "Secret/key+of=tests~that-nobody-may-see";
pub const SECURITY_TOKEN: &str = "gQ9j+security/token==that-nobody-may-see";
/// Where the package goes unless a test says otherwise.
pub const OUTPUT: &str = "a777ff00d3cf4d369d87066806aexxxx.zip";

/// After this time a run counts as hanging, unless a test sets another limit.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run to be started.
pub struct Run {
    /// The folder that it runs in, empty but for what the test puts there.
    pub folder: TempDir,
    command: Command,
    input: Vec<u8>,
    patience: Duration,
    /// Files beside the folder, such as the CA's certificate, for all to read.
    side: TempDir,
    /// The user of the run, if it is not the tests' own.
    user: Option<u32>,
    /// Where a copy of the program is, if this run has one of its own.
    _program: Option<TempDir>,
}

impl Run {
    /// A run that has only its environment's token, and no arguments.
    pub fn bare() -> Self {
        Self::of(Path::new(env!("CARGO_BIN_EXE_codearts-check-log")), None)
    }

    /// The same below another program, which gets the program as its last argument.
    pub fn below(command: &[&str]) -> Self {
        let run = Self::of(Path::new(command[0]), None);
        run.args(&command[1..])
            .arg(env!("CARGO_BIN_EXE_codearts-check-log"))
    }

    /// The same as an ordinary user, whatever the tests' own is. That user may not be able to reach
    /// the program where it was built, and gets a copy.
    pub fn ordinary() -> Self {
        const NOBODY: u32 = 65534;
        if !is_root() {
            return Self::bare();
        }
        let place = tempfile::tempdir().expect("a temporary folder");
        open_to_all(place.path());
        let program = place.path().join("codearts-check-log");
        // Not by this process: a program that is open for writing, if only in the child of another
        // test on its way to exec, can't be executed.
        let copied = Command::new("cp")
            .args([
                Path::new(env!("CARGO_BIN_EXE_codearts-check-log")),
                &program,
            ])
            .status();
        assert!(copied.expect("run cp").success());
        open_to_all(&program);
        let mut run = Self::of(&program, Some(place));
        chown(run.folder.path(), Some(NOBODY), Some(NOBODY)).expect("give the folder away");
        run.command.uid(NOBODY).gid(NOBODY);
        run.user = Some(NOBODY);
        run
    }

    fn of(program: &Path, place: Option<TempDir>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let side = tempfile::tempdir().expect("a temporary folder");
        open_to_all(side.path());
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .env_clear()
            .env("HUAWEICLOUD_TOKEN", TOKEN);
        // Whatever the tests' own parent ignored.
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
            fault::set_signal(&mut command, signal, libc::SIG_DFL);
        }
        Self {
            folder,
            command,
            input: Vec::new(),
            patience: PATIENCE,
            side,
            user: None,
            _program: place,
        }
    }

    /// A run that asks `server`, trusting the tests' CA, for the package of [`ID`].
    pub fn new(server: &StandIn) -> Self {
        Self::bare().calling(server)
    }

    /// A run that asks for the subtasks of [`TASK`].
    pub fn list(server: &StandIn) -> Self {
        Self::bare().to(server).args(&["--list", TASK])
    }

    pub fn calling(self, server: &StandIn) -> Self {
        self.to(server).arg(ID)
    }

    /// Adds the endpoint and the CA of `server`.
    pub fn to(self, server: &StandIn) -> Self {
        self.trusting()
            .arg("--endpoint")
            .arg(format!("https://localhost:{}", server.address.port()))
    }

    /// Has the environment hold an access key in the token's place.
    pub fn with_key(self) -> Self {
        self.without_env("HUAWEICLOUD_TOKEN")
            .env("HUAWEICLOUD_SDK_AK", ACCESS_KEY)
            .env("HUAWEICLOUD_SDK_SK", SECRET_KEY)
    }

    /// Adds `--cacert` with the tests' CA.
    pub fn trusting(self) -> Self {
        let ca = self.side_file("ca.pem", stand_in::ca_pem().as_bytes());
        self.arg("--cacert").arg(ca)
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn input(mut self, input: &[u8]) -> Self {
        self.input = input.to_vec();
        self
    }

    pub fn patience(mut self, seconds: u64) -> Self {
        self.patience = Duration::from_secs(seconds);
        self
    }

    /// Puts a file into the folder.
    pub fn file(self, name: impl AsRef<Path>, content: &[u8]) -> Self {
        fs::write(self.path(name), content).expect("write a test's file");
        self
    }

    /// Puts a file beside the folder that only the run's user may read, and returns its path.
    pub fn secret_file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.side_file(name, content);
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("set a mode");
        chown(&path, self.user, None).expect("give a file away");
        path
    }

    /// Puts a file beside the folder for all to read, and returns its path.
    pub fn side_file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.side.path().join(name);
        fs::write(&path, content).expect("write a test's file");
        open_to_all(&path);
        path
    }

    /// The user of an ordinary run, if it is not the tests' own.
    pub fn user(&self) -> Option<u32> {
        self.user
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Access to the methods of [`Command`] that this type lacks.
    pub fn command(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    /// Starts the program, and leaves it running.
    pub fn spawn(mut self) -> Running {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.start()
    }

    /// Starts the program with the standard streams that the test has set up.
    pub fn start(mut self) -> Running {
        let started = Instant::now();
        let mut child = self.command.spawn().expect("start the program");
        if let Some(mut stdin) = child.stdin.take() {
            // A program that doesn't read its input closes the pipe.
            let _ = stdin.write_all(&self.input);
        }
        Running {
            pid: child.id(),
            started,
            outcome: watch(child),
            run: self,
        }
    }

    /// Runs the program to its end with these streams, and no input.
    pub fn with_streams(self, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Outcome {
        let run = self.command(|command| {
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        });
        run.start().wait()
    }

    /// Runs the program to its end.
    pub fn go(self) -> Outcome {
        self.spawn().wait()
    }
}

/// A run in progress.
pub struct Running {
    pub pid: u32,
    pub run: Run,
    started: Instant,
    outcome: mpsc::Receiver<(ExitStatus, Vec<u8>, Vec<u8>)>,
}

impl Running {
    /// Whether it is waiting in the kernel. Only root can see for what.
    pub fn is_asleep(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let state = stat.rsplit(") ").next();
        state.is_some_and(|fields| fields.starts_with('S'))
    }

    pub fn signal(&self, signal: libc::c_int) {
        assert!(self.signal_if_running(signal), "the program has ended");
    }

    /// Sends a signal unless the program has ended already; returns whether it was sent.
    pub fn signal_if_running(&self, signal: libc::c_int) -> bool {
        let pid = libc::pid_t::try_from(self.pid).expect("a process ID");
        // SAFETY: a process ID is not used again as soon as its process has ended.
        unsafe { libc::kill(pid, signal) == 0 }
    }

    /// Closes the streams that the program was given: the test holds them open too.
    pub fn close_streams(&mut self) {
        let command = &mut self.run.command;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
    }

    pub fn wait(self) -> Outcome {
        let outcome = self.outcome.recv_timeout(self.run.patience);
        let elapsed = self.started.elapsed();
        let Ok((status, stdout, stderr)) = outcome else {
            self.signal(libc::SIGKILL);
            panic!("the program hung: {:?}", self.run.command);
        };
        Outcome {
            status,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            elapsed,
            files: listing(self.run.folder.path()),
            run: self.run,
        }
    }
}

/// Waits for the child on threads of its own.
fn watch(mut child: Child) -> mpsc::Receiver<(ExitStatus, Vec<u8>, Vec<u8>)> {
    fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                stream.read_to_end(&mut bytes).expect("read a pipe");
            }
            bytes
        })
    }
    let (sender, receiver) = mpsc::channel();
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    thread::spawn(move || {
        let status = child.wait().expect("wait for the program");
        let stdout = stdout.join().expect("the program's standard output");
        let stderr = stderr.join().expect("the program's standard error");
        // The receiver may have lost its patience.
        let _ = sender.send((status, stdout, stderr));
    });
    receiver
}

/// The files of a folder by name. Anything but a regular file has no content.
fn listing(folder: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new(); // some tests remove it
    };
    entries
        .map(|entry| {
            let entry = entry.expect("read a folder");
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let content = if is_file {
                fs::read(entry.path()).unwrap_or_default()
            } else {
                Vec::new()
            };
            (entry.file_name(), content)
        })
        .collect()
}

/// The outcome of a run.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
    pub files: BTreeMap<OsString, Vec<u8>>,
    pub run: Run,
}

impl Outcome {
    /// Asserts the exit code, and that nothing anywhere shows a secret.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "exit code\n{self}");
        for secret in [TOKEN, SECRET_KEY, SECURITY_TOKEN] {
            assert!(!self.stderr.contains(secret), "a secret shows\n{self}");
            assert!(!self.stdout.contains(secret), "a secret shows\n{self}");
        }
        self
    }

    /// Asserts the whole of standard error.
    #[track_caller]
    pub fn says(&self, stderr: &str) -> &Self {
        assert_eq!(self.stderr, stderr, "standard error\n{self}");
        self
    }

    /// Asserts that standard error is one line for the error, which has `text` in it, and at most
    /// one hint. The line names what the run was about, unless the command line was wrong.
    #[track_caller]
    pub fn complains(&self, text: &str) -> &Self {
        let lines: Vec<&str> = self.stderr.lines().collect();
        let is_well_formed = match lines[..] {
            [error] => error.starts_with("codearts-check-log: "),
            [error, hint] => {
                error.starts_with("codearts-check-log: ") && hint.starts_with("hint: ")
            }
            _ => false,
        };
        assert!(is_well_formed, "one line and a hint\n{self}");
        if self.status.code() != Some(2) {
            let subject = [ID, TASK]
                .into_iter()
                .find(|id| self.run.command.get_args().any(|arg| arg == *id));
            let start = subject.map_or(String::new(), |id| format!("codearts-check-log: {id}: "));
            assert!(lines[0].starts_with(&start), "no ID in the error\n{self}");
        }
        assert!(lines[0].contains(text), "no '{text}' in the error\n{self}");
        self
    }

    /// What `--verbose` says of the CA of [`Run::trusting`].
    pub fn trust_line(&self) -> String {
        let ca = self.run.side.path().join("ca.pem");
        format!("trust: 1 certificate of {}\n", ca.display())
    }

    /// The endpoint that was given by option.
    pub fn endpoint(&self) -> &str {
        let mut arguments = self.run.command.get_args();
        arguments.find(|argument| *argument == "--endpoint");
        let value = arguments.next().and_then(OsStr::to_str);
        value.expect("--endpoint and its value")
    }

    /// Asserts that the folder holds this one file, and nothing else.
    #[track_caller]
    pub fn leaves_only(&self, name: impl AsRef<OsStr>, content: &[u8]) -> &Self {
        let names: Vec<&OsString> = self.files.keys().collect();
        assert_eq!(names, [name.as_ref()], "files\n{self}");
        let found = &self.files[name.as_ref()];
        assert!(found == content, "the file's content\n{self}");
        self
    }

    /// Asserts that the folder is empty.
    #[track_caller]
    pub fn leaves_nothing(&self) -> &Self {
        assert!(self.files.is_empty(), "files\n{self}");
        self
    }

    /// Asserts that the run took this long, or up to a second longer.
    #[track_caller]
    pub fn takes(&self, time: Duration) -> &Self {
        let fits = (time..time + Duration::from_secs(1)).contains(&self.elapsed);
        assert!(fits, "a run of {time:?} to a second more\n{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "command: {:?}", self.run.command)?;
        writeln!(f, "status: {}, after {:?}", self.status, self.elapsed)?;
        if let Some(signal) = self.status.signal() {
            writeln!(f, "signal: {signal}")?;
        }
        writeln!(f, "--- standard output\n{}", self.stdout)?;
        writeln!(f, "--- standard error\n{}", self.stderr)?;
        writeln!(f, "--- files")?;
        for (name, content) in &self.files {
            let beginning = &content[..content.len().min(40)];
            writeln!(
                f,
                "{name:?}: {} bytes, {}",
                content.len(),
                beginning.escape_ascii()
            )?;
        }
        Ok(())
    }
}

/// Lets all users read, and enter or execute, whatever the umask left.
fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("set a mode");
}

pub fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("run mkfifo").success());
}

/// Waits until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::yield_now();
    }
}

/// An argument of arbitrary bytes.
pub fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

#[test]
#[should_panic(expected = "a stand-in was never called")]
fn a_stand_in_that_is_never_called_fails_the_test() {
    StandIn::tls(Vec::new());
}

#[test]
#[should_panic(expected = "a stand-in was called")]
fn a_stand_in_that_must_not_be_called_and_is_fails_the_test() {
    let server = StandIn::tls(Vec::new()).never_called();
    Run::new(&server).go();
}

#[test]
#[should_panic(expected = "a stand-in's script panicked")]
fn a_panic_in_a_stand_in_s_script_fails_the_test() {
    let server = StandIn::start(Greeting::tls(), |_| panic!("it is part of the test"));
    Run::new(&server).go();
}
