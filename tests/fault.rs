//! Faults that only the kernel can make: system calls that fail as on other machines, and what a
//! parent leaves behind. Everything that happens between fork and exec is in this file, because the
//! child may do little there: see [`before_exec`].

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::LazyLock;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// A filter that fails every call of `number` with `errno`.
pub fn fail(number: libc::c_long, errno: i32) -> BpfProgram {
    filter(number, Vec::new(), errno)
}

/// A filter that fails `fsync` of this descriptor with `errno`.
pub fn fail_sync_of(descriptor: u64, errno: i32) -> BpfProgram {
    let is_descriptor =
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, descriptor)
            .expect("a valid condition");
    let rule = SeccompRule::new(vec![is_descriptor]).expect("a valid rule");
    filter(libc::SYS_fsync, vec![rule], errno)
}

/// A filter that fails `socket` with `errno` for TCP over IPv6. UDP, with which a lookup tests
/// addresses, is left alone.
pub fn fail_tcp_over_ipv6(errno: i32) -> BpfProgram {
    const TYPE: u64 = 0xf; // without the flags (SOCK_TYPE_MASK, linux/net.h)
    let is = |index, operator, value: i32| {
        SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value as u64)
            .expect("a valid condition")
    };
    let is_ipv6 = is(0, SeccompCmpOp::Eq, libc::AF_INET6);
    let is_tcp = is(1, SeccompCmpOp::MaskedEq(TYPE), libc::SOCK_STREAM);
    let rule = SeccompRule::new(vec![is_ipv6, is_tcp]).expect("a valid rule");
    filter(libc::SYS_socket, vec![rule], errno)
}

fn filter(number: libc::c_long, rules: Vec<SeccompRule>, errno: i32) -> BpfProgram {
    SeccompFilter::new(
        BTreeMap::from([(number, rules)]),
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        std::env::consts::ARCH.try_into().expect("a known machine"),
    )
    .and_then(BpfProgram::try_from)
    .expect("a valid filter")
}

/// Runs `change` in the child before the program.
///
/// # Safety
///
/// The child has one thread, whatever locks the others held: `change` may only make system calls
/// (signal-safety(7)), and allocate nothing.
unsafe fn before_exec(
    command: &mut Command,
    change: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: it is the caller's to keep.
    unsafe { command.pre_exec(change) };
}

/// What a system call returned, as a result.
fn check(result: libc::c_int) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Has the command run under the filter.
pub fn install(command: &mut Command, filter: BpfProgram) {
    // SAFETY: it makes two system calls, and neither allocates nor frees anything.
    unsafe {
        before_exec(command, move || {
            seccompiler::apply_filter(&filter).map_err(|_| io::ErrorKind::Unsupported.into())
        });
    }
}

/// Has the command begin with a signal ignored (`SIG_IGN`) or not (`SIG_DFL`).
pub fn set_signal(command: &mut Command, signal: libc::c_int, action: libc::sighandler_t) {
    // SAFETY: one system call; no handler is installed.
    unsafe {
        before_exec(command, move || match libc::signal(signal, action) {
            libc::SIG_ERR => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
}

/// Has the command begin with a signal blocked.
pub fn block_signal(command: &mut Command, signal: libc::c_int) {
    // SAFETY: all-zero bytes are a valid set, and the pointers are to it or null.
    unsafe {
        before_exec(command, move || {
            let mut signals: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&raw mut signals, signal);
            check(libc::sigprocmask(
                libc::SIG_BLOCK,
                &raw const signals,
                ptr::null_mut(),
            ))
        });
    }
}

/// Has the command begin with an alarm set, which outlives exec (alarm(2)).
pub fn set_alarm(command: &mut Command, seconds: libc::c_uint) {
    // SAFETY: one system call, which can't fail.
    unsafe {
        before_exec(command, move || {
            libc::alarm(seconds);
            Ok(())
        });
    }
}

/// Has the command begin without some of the standard streams.
pub fn close(command: &mut Command, descriptors: &[libc::c_int]) {
    let descriptors = descriptors.to_vec();
    // SAFETY: system calls on the child's own descriptors.
    unsafe {
        before_exec(command, move || {
            descriptors
                .iter()
                .try_for_each(|&descriptor| check(libc::close(descriptor)))
        });
    }
}

/// Has the command's folder, which must be empty, removed under it.
pub fn remove_folder(command: &mut Command, folder: &Path) {
    let folder = CString::new(folder.as_os_str().as_bytes()).expect("a path without NUL");
    // SAFETY: one system call with a NUL-terminated string.
    unsafe { before_exec(command, move || check(libc::rmdir(folder.as_ptr()))) };
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

/// Limits a resource of the command (getrlimit(2)).
pub fn limit(command: &mut Command, resource: Resource, limit: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: limit,
        rlim_max: limit,
    };
    // SAFETY: one system call with a pointer to a local.
    unsafe {
        before_exec(command, move || {
            check(libc::setrlimit(resource, &raw const limit))
        });
    };
}

pub fn set_umask(command: &mut Command, umask: libc::mode_t) {
    // SAFETY: one system call, which can't fail.
    unsafe {
        before_exec(command, move || {
            libc::umask(umask);
            Ok(())
        });
    }
}

/// Replaces some of this host's files for the command, which must be run by root.
pub fn replace_files(command: &mut Command, files: &[(&CStr, &Path)]) {
    let files: Vec<(CString, CString)> = files
        .iter()
        .map(|(target, source)| {
            let source = CString::new(source.as_os_str().as_bytes()).expect("a path without NUL");
            ((*target).to_owned(), source)
        })
        .collect();
    let mount = |source: *const libc::c_char, target: *const libc::c_char, flags| {
        // SAFETY: the strings are NUL-terminated or null, and null is where mount(2) ignores it.
        check(unsafe { libc::mount(source, target, ptr::null(), flags, ptr::null()) })
    };
    // SAFETY: system calls with strings that were made before.
    unsafe {
        before_exec(command, move || {
            check(libc::unshare(libc::CLONE_NEWNS))?;
            mount(ptr::null(), c"/".as_ptr(), libc::MS_REC | libc::MS_PRIVATE)?;
            files.iter().try_for_each(|(target, source)| {
                mount(source.as_ptr(), target.as_ptr(), libc::MS_BIND)
            })
        });
    }
}

/// Whether file systems can be mounted: by root, unless a container forbids it.
pub fn can_mount() -> bool {
    static CAN_MOUNT: LazyLock<bool> = LazyLock::new(|| {
        let mut command = Command::new("true");
        replace_files(&mut command, &[]);
        command.status().is_ok_and(|status| status.success())
    });
    *CAN_MOUNT
}

/// Reports that a test is skipped because this host `lacks` something, and fails in CI, where every
/// test must run.
pub fn skip(test: &str, lacks: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI lacks {lacks}");
    // Not by a macro, whose output the test runner keeps to itself.
    let line = format!("skipped, for lack of {lacks}: {test}\n");
    io::stderr()
        .write_all(line.as_bytes())
        .expect("standard error");
}

pub fn is_root() -> bool {
    // SAFETY: it can't fail.
    unsafe { libc::geteuid() == 0 }
}

/// Whether system calls can be traced here.
pub fn has_strace() -> bool {
    let status = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    status.is_ok_and(|status| status.success())
}
