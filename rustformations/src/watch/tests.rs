//! Files that change in every way in which files do.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::ThreadId;
use std::time::Instant;

use super::*;

/// A follower that passes on what it is told, as text.
struct Recorder {
    path: PathBuf,
    told: Mutex<Sender<(ThreadId, String)>>,
}

impl Follower for Recorder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn on_change(&self, content: io::Result<Vec<u8>>) {
        let text = match content {
            Ok(content) if content == b"panic" => panic!("as asked"),
            Ok(content) => String::from_utf8(content).unwrap(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let told = self.told.lock().unwrap();
        let _ = told.send((thread::current().id(), text));
    }
}

struct Lab {
    folder: tempfile::TempDir,
    watcher: Arc<Watcher>,
    told: Receiver<(ThreadId, String)>,
    recorder: Arc<Recorder>,
}

impl Lab {
    /// A watcher that follows `name` in a folder of its own, which `prepare` fills.
    fn new(name: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let (told, receiver) = channel();
        let recorder = Arc::new(Recorder {
            path: folder.path().join(name),
            told: Mutex::new(told),
        });
        let watcher = Arc::new(Watcher::new(Duration::from_millis(5)));
        let (seen, _) = read(&recorder.path);
        let follower: Weak<dyn Follower> = Arc::downgrade(&recorder) as _;
        watcher.follow(follower, seen);
        Self {
            folder,
            watcher,
            told: receiver,
            recorder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits to be told `text`. A file that is written to where it is may be seen while it is empty.
    fn expect(&self, text: &str) {
        let mut told = String::new();
        while told.is_empty() {
            (_, told) = self.told.recv_timeout(Duration::from_secs(5)).unwrap();
        }
        assert_eq!(told, text);
    }

    fn expect_nothing(&self) {
        let told = self.told.recv_timeout(Duration::from_millis(80));
        assert_eq!(told.unwrap_err(), RecvTimeoutError::Timeout);
    }
}

fn one(folder: &Path) {
    fs::write(folder.join("file"), "one").unwrap();
}

#[test]
fn what_is_written_moved_removed_and_mended_is_told_once_each() {
    let lab = Lab::new("file", one);
    let _watching = lab.watcher.watch();
    lab.expect_nothing();
    fs::write(lab.path("file"), "two").unwrap();
    lab.expect("two");
    // The same size, and on many file systems the same times.
    fs::write(lab.path("file"), "six").unwrap();
    lab.expect("six");
    fs::write(lab.path("new"), "three").unwrap();
    fs::rename(lab.path("new"), lab.path("file")).unwrap();
    lab.expect("three");
    fs::remove_file(lab.path("file")).unwrap();
    lab.expect("NotFound");
    lab.expect_nothing();
    fs::create_dir(lab.path("file")).unwrap();
    lab.expect("InvalidInput");
    fs::remove_dir(lab.path("file")).unwrap();
    lab.expect("NotFound");
    fs::write(lab.path("file"), "three").unwrap();
    lab.expect("three");
    // Touched, not changed.
    fs::write(lab.path("copy"), "three").unwrap();
    fs::rename(lab.path("copy"), lab.path("file")).unwrap();
    lab.expect_nothing();
}

#[test]
fn a_link_that_leads_elsewhere_is_a_change_as_kubernetes_makes_it() {
    let lab = Lab::new("profiles.yaml", |folder| {
        for (version, text) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(folder.join(version)).unwrap();
            fs::write(folder.join(version).join("profiles.yaml"), text).unwrap();
        }
        symlink("..1", folder.join("..data")).unwrap();
        symlink("..data/profiles.yaml", folder.join("profiles.yaml")).unwrap();
    });
    let _watching = lab.watcher.watch();
    lab.expect_nothing();
    symlink("..2", lab.path("..data_tmp")).unwrap();
    fs::rename(lab.path("..data_tmp"), lab.path("..data")).unwrap();
    lab.expect("two");
    fs::remove_dir_all(lab.path("..1")).unwrap();
    lab.expect_nothing();
    fs::remove_dir_all(lab.path("..2")).unwrap();
    lab.expect("NotFound");
}

#[test]
fn what_cannot_be_read_is_said_and_never_waited_for() {
    let lab = Lab::new("file", |_| {});
    let _watching = lab.watcher.watch();
    lab.expect_nothing();
    let large = fs::File::create(lab.path("large")).unwrap();
    large.set_len(seen::MAX_BYTES + 1).unwrap();
    fs::rename(lab.path("large"), lab.path("file")).unwrap();
    lab.expect("FileTooLarge");
    let made = std::process::Command::new("mkfifo")
        .arg(lab.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    fs::rename(lab.path("pipe"), lab.path("file")).unwrap();
    lab.expect("InvalidInput");
    symlink("file", lab.path("link")).unwrap();
    fs::rename(lab.path("link"), lab.path("file")).unwrap();
    lab.expect(&format!(
        "{:?}",
        fs::metadata(lab.path("file")).unwrap_err().kind()
    ));
    fs::write(lab.path("small"), "small").unwrap();
    fs::rename(lab.path("small"), lab.path("file")).unwrap();
    lab.expect("small");
}

#[test]
fn the_thread_runs_for_its_users_and_has_ended_after_the_last() {
    let lab = Lab::new("file", one);
    let threads = || lab.watcher.lock().thread.is_some();
    assert!(!threads());
    let first = lab.watcher.watch();
    let second = lab.watcher.watch();
    fs::write(lab.path("file"), "two").unwrap();
    let (thread, _) = lab.told.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_ne!(thread, thread::current().id());
    drop(first);
    fs::write(lab.path("file"), "three").unwrap();
    lab.expect("three");
    drop(second);
    // It was joined, so nothing but the lab itself holds the watcher.
    assert_eq!(Arc::strong_count(&lab.watcher), 1);
    assert!(!threads());
    fs::write(lab.path("file"), "four").unwrap();
    lab.expect_nothing();
    // What happened meanwhile is told by the next thread, without a pause before it.
    let _watching = lab.watcher.watch();
    lab.expect("four");
}

#[test]
fn the_last_user_does_not_wait_for_the_pause() {
    let watcher = Arc::new(Watcher::new(Duration::from_secs(3600)));
    let began = Instant::now();
    for _ in 0..100 {
        drop(watcher.watch());
    }
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(Arc::strong_count(&watcher), 1);
}

#[test]
fn a_follower_that_is_gone_is_forgotten_and_one_that_panics_is_told_again() {
    let lab = Lab::new("file", one);
    let watching = lab.watcher.watch();
    fs::write(lab.path("file"), "panic").unwrap();
    thread::sleep(Duration::from_millis(80));
    fs::write(lab.path("file"), "two").unwrap();
    lab.expect("two");
    drop(watching);
    let Lab {
        watcher, recorder, ..
    } = lab;
    assert_eq!(watcher.lock().followers.len(), 1);
    drop(recorder);
    // A thread looks at everything before it ends.
    drop(watcher.watch());
    assert!(watcher.lock().followers.is_empty());
}
