//! Faults that only the kernel can make: system calls that fail as on other machines.

use std::collections::BTreeMap;
use std::process::Command;

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
        seccompiler::apply_filter(&filter).map_err(|_| std::io::ErrorKind::Unsupported.into())
    });
}
