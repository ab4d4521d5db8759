//! Large blocks of memory that begin at the start of a page, for the speed of copying; with musl, they
//! have room to grow, too.
//!
//! On its way to the file, a record (16 KiB) is copied from buffer to buffer, in ureq and rustls.
//! Where the copy's place in its page is a few bytes ahead of the original's, `rep movsb`, glibc's
//! way to copy as much, falls to a fraction of its speed on AMD's processors. The heap likes to make
//! it so: it puts a block right behind the last one, with 16 bytes of its own between. With every
//! large block at the start of a page, it is the record, which has a header before it, that is
//! ahead. Measured with 512 MiB, in 30 alternating turns: 154 ms of user time in place of 300.
//!
//! For each record, rustls grows a block from 4 KiB to 32, in steps, and takes another for a moment.
//! musl maps each of them anew, aligned or not, and the kernel clears its pages. With all that room from
//! the start, the first stays where it is, and the second is kept for the next record. Measured with
//! 1 MiB, in 250 alternating turns: 3.3 ms of CPU time in place of 4.8, and 320 page faults in place of
//! 732. glibc's heap keeps such blocks by itself, and gains nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::deadline::out_of_memory;

/// The smallest page of any processor, in bytes.
const PAGE: usize = 4096;

/// The smallest block that it is about, in bytes: half a record.
const LARGE: usize = 8 << 10;

/// Whether each large block would be mapped anew. The unit tests run as if, whatever the C library.
const MAPS_EACH: bool = cfg!(any(target_env = "musl", test));

/// What such a block gets at least, in bytes.
const ROOM: usize = if MAPS_EACH { 32 << 10 } else { LARGE };

/// A block of that size that was given back, for the next one that is asked for.
static SPARE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// The system's allocator, with large blocks aligned to pages, and an end of the run in good order
/// where there is no memory left.
pub struct PageAligned;

// SAFETY: every block is the system allocator's, which gets a layout that is at least as large and as
// strictly aligned as the caller's. It depends on the caller's layout alone, so a block is given back
// with the layout that it was taken with. The spare one belongs to who swaps it out.
unsafe impl GlobalAlloc for PageAligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let layout = roomy(layout);
        if is_kept(layout) {
            let spare = SPARE.swap(ptr::null_mut(), Ordering::Acquire);
            if !spare.is_null() {
                return spare;
            }
        }
        // SAFETY: the caller's promises hold for the other layout too.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() {
            out_of_memory();
        }
        block
    }

    unsafe fn dealloc(&self, mut block: *mut u8, layout: Layout) {
        let layout = roomy(layout);
        if is_kept(layout) {
            block = SPARE.swap(block, Ordering::AcqRel);
            if block.is_null() {
                return;
            }
        }
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that it is a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if MAPS_EACH && roomy(wanted) == roomy(layout) {
            return block;
        }
        // SAFETY: as much is in both blocks, which are two.
        unsafe {
            let moved = self.alloc(wanted);
            ptr::copy_nonoverlapping(block, moved, size.min(layout.size()));
            self.dealloc(block, layout);
            moved
        }
    }
}

/// Whether a block of this layout is kept for the next one.
fn is_kept(layout: Layout) -> bool {
    MAPS_EACH && layout.size() == ROOM && layout.align() == PAGE
}

fn roomy(layout: Layout) -> Layout {
    if layout.size() < LARGE {
        return layout;
    }
    // It fails only for sizes near the end of the address space.
    Layout::from_size_align(layout.size().max(ROOM), layout.align().max(PAGE)).unwrap_or(layout)
}
