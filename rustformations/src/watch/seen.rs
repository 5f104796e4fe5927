//! What is remembered of a file, to tell whether it has changed.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest content that is read.
pub(crate) const MAX_BYTES: u64 = 16 << 20;

/// How long after a change the same times can still hide another one: file systems count in ticks.
const SETTLING: Duration = Duration::from_secs(2);

/// A file as it was looked at last.
#[derive(Debug)]
pub(crate) struct Seen {
    mark: Result<Mark, ErrorKind>,
    /// A hash of the content.
    content: Result<u64, ErrorKind>,
    /// The mark will differ when the content does.
    is_settled: bool,
}

/// What differs between a file and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Reads a file, and remembers it.
///
/// # Errors
/// As for reading a file; also if the path leads to something else, or to more than [`MAX_BYTES`].
pub(crate) fn read(path: &Path) -> (Seen, io::Result<Vec<u8>>) {
    // The mark is taken first: what is written while the content is read differs from it.
    let metadata = std::fs::metadata(path);
    let now = SystemTime::now();
    let content = match &metadata {
        Ok(metadata) => content(path, metadata),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    };
    let mark = metadata.map(|it| Mark::of(&it)).map_err(|it| it.kind());
    let is_settled = content.is_ok() && mark.as_ref().is_ok_and(|mark| mark.is_settled(now));
    let seen = Seen {
        // A path that leads nowhere is as settled as one that leads to an old file.
        is_settled: is_settled || mark.is_err(),
        mark,
        content: content.as_deref().map(hash).map_err(io::Error::kind),
    };
    (seen, content)
}

impl Seen {
    /// What the file holds, if that is something else than before. Costs one look at the file where it has not
    /// been touched.
    pub(super) fn look(&mut self, path: &Path) -> Option<io::Result<Vec<u8>>> {
        if self.is_settled {
            let metadata = std::fs::metadata(path);
            let mark = metadata.map(|it| Mark::of(&it)).map_err(|it| it.kind());
            if mark == self.mark {
                return None;
            }
        }
        let (seen, content) = read(path);
        let is_other = seen.content != self.content;
        *self = seen;
        is_other.then_some(content)
    }
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether nothing that happens from `now` on can leave the mark as it is. The time of the last change is
    /// the kernel's, which nobody sets back.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(seconds) = u64::try_from(self.changed.0) else {
            return true;
        };
        let settled = UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .and_then(|changed| changed.checked_add(SETTLING));
        settled.is_none_or(|settled| settled < now)
    }
}

fn content(path: &Path, metadata: &Metadata) -> io::Result<Vec<u8>> {
    // Anything else can keep its reader waiting for ever, or does not end.
    if !metadata.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "this is not a file",
        ));
    }
    let mut content = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut content)?;
    match u64::try_from(content.len()) {
        Ok(length) if length <= MAX_BYTES => Ok(content),
        _ => {
            let message = format!("the file has more than {} MiB", MAX_BYTES >> 20);
            Err(io::Error::new(ErrorKind::FileTooLarge, message))
        }
    }
}

fn hash(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
