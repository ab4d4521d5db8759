//! Faults that only the kernel can make: system calls that fail as on other machines.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::LazyLock;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::harness::before_exec;

/// A filter that fails `openat` with `errno` where the flags have all of `flags`.
pub fn fail_open_with(flags: i32, errno: i32) -> BpfProgram {
    let flags = u64::from(flags as u32);
    let has_flags = SeccompCondition::new(
        2,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(flags),
        flags,
    )
    .expect("a valid condition");
    let rule = SeccompRule::new(vec![has_flags]).expect("a valid rule");
    filter(libc::SYS_openat, vec![rule], errno)
}

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

/// Has the command run under the filter.
pub fn install(command: &mut Command, filter: BpfProgram) {
    before_exec(command, move || {
        seccompiler::apply_filter(&filter).map_err(|_| io::ErrorKind::Unsupported.into())
    });
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

/// Limits a resource of the command (getrlimit(2)).
pub fn limit(command: &mut Command, resource: Resource, limit: libc::rlim_t) {
    before_exec(command, move || {
        let limit = libc::rlimit {
            rlim_cur: limit,
            rlim_max: limit,
        };
        // SAFETY: the pointer is to a local.
        match unsafe { libc::setrlimit(resource, &raw const limit) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    });
}

pub fn set_umask(command: &mut Command, umask: libc::mode_t) {
    before_exec(command, move || {
        // SAFETY: it can't fail.
        unsafe { libc::umask(umask) };
        Ok(())
    });
}

/// Has the command, which must be root's, see other files in the place of some of this host's.
pub fn replace_files(command: &mut Command, files: &[(&CStr, &Path)]) {
    let files: Vec<(CString, CString)> = files
        .iter()
        .map(|(target, source)| {
            let source = CString::new(source.as_os_str().as_bytes()).expect("a path without NUL");
            ((*target).to_owned(), source)
        })
        .collect();
    let check = |result: libc::c_int| match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    before_exec(command, move || {
        // SAFETY: every string is NUL-terminated, and null where mount(2) ignores it.
        unsafe {
            check(libc::unshare(libc::CLONE_NEWNS))?;
            let everything = c"/".as_ptr();
            let private = libc::MS_REC | libc::MS_PRIVATE;
            check(libc::mount(
                ptr::null(),
                everything,
                ptr::null(),
                private,
                ptr::null(),
            ))?;
            for (target, source) in &files {
                let (target, source) = (target.as_ptr(), source.as_ptr());
                check(libc::mount(
                    source,
                    target,
                    ptr::null(),
                    libc::MS_BIND,
                    ptr::null(),
                ))?;
            }
        }
        Ok(())
    });
}

/// Whether file systems can be mounted: root can, unless a container keeps it from it.
pub fn can_mount() -> bool {
    static CAN_MOUNT: LazyLock<bool> = LazyLock::new(|| {
        let mut command = Command::new("true");
        replace_files(&mut command, &[]);
        command.status().is_ok_and(|status| status.success())
    });
    *CAN_MOUNT
}

pub fn is_root() -> bool {
    // SAFETY: it can't fail.
    unsafe { libc::geteuid() == 0 }
}
