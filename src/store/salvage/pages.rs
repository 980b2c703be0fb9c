//! The pages of a database: those of its file, and over them those of its write-ahead log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// What a file of `SQLite` begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the numbers stand in the first page that are of interest.
const PAGE_SIZE_AT: usize = 16;
const COUNT_AT: usize = 28;
const FREE_AT: usize = 32;
const FREE_COUNT_AT: usize = 36;
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// What `SQLite` makes of a new database, and kinset leaves at that.
const USUAL_SIZE: usize = 4096;

const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Of which place on the way down a tree there can be no more; `SQLite` has the same limit.
pub(super) const DEEPEST: usize = 20;

/// The pages of a database, numbered from 1.
#[derive(Debug)]
pub(in crate::store) struct Pages {
    file: File,
    log: Option<File>,
    /// Where in the log the last version of a page stands.
    frames: BTreeMap<u32, u64>,
    size: usize,
    count: u32,
    header: Option<Header>,
}

/// What the first page says of the whole.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Header {
    pub(in crate::store) application_id: i32,
    pub(in crate::store) version: u32,
    /// How many pages there are.
    count: u32,
    /// The first page of those that list the free ones.
    free: u32,
    /// How many are free, those included.
    free_count: u32,
}

impl Pages {
    /// Opens a database, and its write-ahead log if there is one. What is in them is not looked at but to tell how long a page is.
    pub(in crate::store) fn open(path: &Path, log: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let log = match File::open(log) {
            Ok(log) => Some(log),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let mut beginning = [0; 100];
        let begins = read_exactly(&file, &mut beginning, 0);
        let own_size = if begins { page_size(&beginning) } else { None };
        let logged = log.as_ref().and_then(|log| Log::read(log, own_size));
        let size = own_size.or(logged.as_ref().map(|log| log.size)).unwrap_or(USUAL_SIZE);
        let (frames, logged_count) = logged.map_or((BTreeMap::new(), None), |log| (log.frames, log.count));
        let in_file = u32::try_from(length.div_ceil(size as u64)).unwrap_or(u32::MAX);
        let mut pages = Self {
            file,
            log,
            frames,
            size,
            count: logged_count.unwrap_or(in_file),
            header: None,
        };
        pages.header = pages.read(1).as_deref().and_then(header);
        Ok(pages)
    }

    /// What the first page says of the whole; `None` where it is damaged.
    pub(in crate::store) const fn header(&self) -> Option<Header> {
        self.header
    }

    /// The highest number of a page that is there.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// How many bytes a page has.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// A page; `None` where it is not there, or the disk does not give it.
    pub(super) fn read(&self, page: u32) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        let read = match (self.frames.get(&page), &self.log) {
            (Some(&place), Some(log)) => read_exactly(log, &mut bytes, place),
            _ => {
                let place = u64::from(page.checked_sub(1)?) * self.size as u64;
                read_exactly(&self.file, &mut bytes, place)
            }
        };
        read.then_some(bytes)
    }

    /// Whether this is the page that `SQLite` leaves out, as the bytes from 1 GiB on are what it locks.
    pub(super) const fn is_never_used(&self, page: u32) -> bool {
        const LOCKED: usize = 0x4000_0000;
        page as usize == LOCKED / self.size + 1
    }

    /// Whether pages are missing at the end, or nobody knows.
    pub(super) fn is_cut_short(&self) -> bool {
        self.header.is_none_or(|header| header.count > self.count)
    }

    /// The pages that hold nothing any more; `None` where that cannot be told.
    pub(super) fn free(&self) -> Option<BTreeSet<u32>> {
        let Header {
            free: first, free_count, ..
        } = self.header?;
        let mut free = BTreeSet::new();
        let mut is_new = |page: u32| (2..=self.count).contains(&page) && free.insert(page);
        let mut trunk = first;
        while trunk != 0 {
            let page = self.read(trunk).filter(|_| is_new(trunk))?;
            let leaves = number(&page, 4) as usize;
            let leaves = page.get(8..8 + leaves.checked_mul(4)?)?;
            if !leaves.chunks_exact(4).all(|leaf| is_new(number(leaf, 0))) {
                return None;
            }
            trunk = number(&page, 0);
        }
        (free.len() == free_count as usize).then_some(free)
    }
}

/// The last committed pages of a write-ahead log.
struct Log {
    frames: BTreeMap<u32, u64>,
    size: usize,
    /// How many pages the database has after the last commit.
    count: Option<u32>,
}

impl Log {
    /// Reads a log as far as its sums are right; what comes after was never committed, or is left over from earlier.
    fn read(file: &File, own_size: Option<usize>) -> Option<Self> {
        let mut header = [0; LOG_HEADER];
        if !read_exactly(file, &mut header, 0) {
            return None;
        }
        let sum = match number(&header, 0) {
            0x377f_0682 => Sum::of(u32::from_le_bytes),
            0x377f_0683 => Sum::of(u32::from_be_bytes),
            _ => return None,
        };
        let size = number(&header, 8) as usize;
        let mut sum = sum.and(&header[..24]);
        let is_whole = sum.stands_in(&header[24..]) && is_size(size) && own_size.is_none_or(|own| own == size);
        if !is_whole {
            return None;
        }
        let salt = &header[16..24];
        let mut frame = vec![0; FRAME_HEADER + size];
        let mut log = Self {
            frames: BTreeMap::new(),
            size,
            count: None,
        };
        let mut uncommitted = BTreeMap::new();
        let mut place = LOG_HEADER as u64;
        while read_exactly(file, &mut frame, place) {
            let (head, page) = frame.split_at(FRAME_HEADER);
            sum = sum.and(&head[..8]).and(page);
            if head[8..16] != *salt || !sum.stands_in(&head[16..]) {
                break;
            }
            uncommitted.insert(number(head, 0), place + FRAME_HEADER as u64);
            let count = number(head, 4);
            if count > 0 {
                log.frames.append(&mut uncommitted);
                log.count = Some(count);
            }
            place += frame.len() as u64;
        }
        Some(log)
    }
}

/// The running sum over a write-ahead log.
#[derive(Clone, Copy)]
struct Sum {
    word: fn([u8; 4]) -> u32,
    first: u32,
    second: u32,
}

impl Sum {
    const fn of(word: fn([u8; 4]) -> u32) -> Self {
        Self { word, first: 0, second: 0 }
    }

    /// The sum over what came before and these bytes.
    fn and(mut self, bytes: &[u8]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        for &[one, other] in pairs {
            self.first = self.first.wrapping_add((self.word)(one)).wrapping_add(self.second);
            self.second = self.second.wrapping_add((self.word)(other)).wrapping_add(self.first);
        }
        self
    }

    fn stands_in(self, bytes: &[u8]) -> bool {
        number(bytes, 0) == self.first && number(bytes, 4) == self.second
    }
}

fn header(first: &[u8]) -> Option<Header> {
    page_size(first)?;
    Some(Header {
        application_id: number(first, APPLICATION_AT).cast_signed(),
        version: number(first, VERSION_AT),
        count: number(first, COUNT_AT),
        free: number(first, FREE_AT),
        free_count: number(first, FREE_COUNT_AT),
    })
}

/// How long pages are, if this is the beginning of a database.
fn page_size(beginning: &[u8]) -> Option<usize> {
    let bytes = beginning.get(PAGE_SIZE_AT..PAGE_SIZE_AT + 2)?;
    let size = match u16::from_be_bytes(bytes.try_into().ok()?) {
        1 => 65_536,
        size => usize::from(size),
    };
    (beginning.starts_with(MAGIC) && is_size(size)).then_some(size)
}

const fn is_size(size: usize) -> bool {
    size.is_power_of_two() && size >= 512 && size <= 65_536
}

/// A number of four bytes; 0 past the end.
pub(super) fn number(bytes: &[u8], place: usize) -> u32 {
    let bytes = bytes.get(place..place + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_be_bytes)
}

/// Whether these bytes could all be read. A disk that does not give them is damage like any other.
fn read_exactly(file: &File, bytes: &mut [u8], place: u64) -> bool {
    file.read_exact_at(bytes, place).is_ok()
}
