//! The programs of this process, by the text that each was compiled from.
//!
//! A route table says the same of many routes, and every update of it says everything again: equal texts
//! share one program, and an update that repeats a text costs its look-up. Programs are held weakly, so
//! the last configuration that uses one frees it. Asked on Envoy's main thread; the watcher's thread puts other
//! programs in the place of those that follow the file of profiles.

use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use once_cell::sync::Lazy;
use transformations::files::Files;
use transformations::{CompileOptions, Diagnostics, Program};

use super::loaded::Loaded;
use crate::watch::Follower;

/// What a configuration is compiled with.
pub(super) trait FollowedFiles: Files {
    /// The file of profiles, if the configuration asked for it.
    fn into_profile_file(self) -> Option<Arc<dyn Follower>>;
}

/// What a configuration runs.
#[derive(Clone)]
pub(super) enum Chosen {
    /// The program of its text.
    Fixed(Arc<Loaded>),
    /// The program of its text and of a profile.
    Following(Arc<Following>),
}

/// A program that is another one when a profile changes.
pub(super) struct Following {
    profile: Box<str>,
    /// Where the profile stands; followed for as long as this is in use.
    file: Arc<dyn Follower>,
    current: ArcSwap<Loaded>,
}

/// What a text was compiled to.
struct Known {
    /// All that a program follows from beside its text; the process has one set of them.
    options: Arc<CompileOptions>,
    program: Held,
}

/// As [`Chosen`], for as long as somebody uses it.
enum Held {
    Fixed(Weak<Loaded>),
    Following(Weak<Following>),
}

#[derive(Default)]
pub(super) struct Programs {
    known: HashMap<Box<[u8]>, Known>,
    /// How many entries there may be before those of freed programs are taken out.
    room: usize,
}

static PROGRAMS: Lazy<Mutex<Programs>> = Lazy::new(Mutex::default);

/// All programs. While they are held, no configuration is loaded.
pub(super) fn lock() -> MutexGuard<'static, Programs> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program of `text`, compiled if no configuration in use has the same text; `true` with one that
/// was compiled now.
///
/// # Errors
/// What is wrong with the configuration.
pub(super) fn of_text(
    text: &[u8],
    options: &Arc<CompileOptions>,
    files: impl FollowedFiles,
) -> Result<(Chosen, bool), Diagnostics> {
    let mut programs = lock();
    if let Some(chosen) = programs.find(text, options) {
        return Ok((chosen, false));
    }
    let program = Program::compile_with(text, options, &files)?;
    let profile = program.profile().map(Box::from);
    let loaded = Loaded::new(program);
    let chosen = match profile.zip(files.into_profile_file()) {
        None => Chosen::Fixed(loaded),
        Some((profile, file)) => Chosen::Following(Arc::new(Following {
            profile,
            file,
            current: ArcSwap::new(loaded),
        })),
    };
    programs.insert(text, options, &chosen);
    Ok((chosen, true))
}

impl Chosen {
    /// What a new exchange runs.
    pub(super) fn now(&self) -> Arc<Loaded> {
        match self {
            Chosen::Fixed(loaded) => Arc::clone(loaded),
            Chosen::Following(following) => following.current.load_full(),
        }
    }

    fn hold(&self) -> Held {
        match self {
            Chosen::Fixed(loaded) => Held::Fixed(Arc::downgrade(loaded)),
            Chosen::Following(following) => Held::Following(Arc::downgrade(following)),
        }
    }
}

impl Held {
    fn upgrade(&self) -> Option<Chosen> {
        match self {
            Held::Fixed(loaded) => loaded.upgrade().map(Chosen::Fixed),
            Held::Following(following) => following.upgrade().map(Chosen::Following),
        }
    }

    fn is_used(&self) -> bool {
        match self {
            Held::Fixed(loaded) => loaded.strong_count() > 0,
            Held::Following(following) => following.strong_count() > 0,
        }
    }
}

impl Following {
    /// The name of the profile.
    pub(super) fn profile(&self) -> &str {
        &self.profile
    }

    /// Has new exchanges run another program.
    pub(super) fn store(&self, loaded: Arc<Loaded>) {
        self.current.store(loaded);
    }
}

impl Programs {
    /// What follows the file of profiles at this address, with the text that it was compiled from.
    pub(super) fn following(
        &self,
        file: *const (),
    ) -> impl Iterator<Item = (&[u8], Arc<Following>)> {
        self.known.iter().filter_map(move |(text, known)| {
            let Held::Following(following) = &known.program else {
                return None;
            };
            let following = following.upgrade()?;
            ptr::addr_eq(Arc::as_ptr(&following.file), file).then_some((&**text, following))
        })
    }

    fn find(&self, text: &[u8], options: &Arc<CompileOptions>) -> Option<Chosen> {
        let known = self.known.get(text)?;
        let same = Arc::ptr_eq(&known.options, options) || known.options == *options;
        known.program.upgrade().filter(|_| same)
    }

    /// Remembers a program, instead of that of the same text and other options if there is one.
    fn insert(&mut self, text: &[u8], options: &Arc<CompileOptions>, chosen: &Chosen) {
        if self.known.len() >= self.room {
            self.known.retain(|_, known| known.program.is_used());
            // Twice what is alive: each sweep is paid for by as many compilations.
            self.room = 2 * self.known.len() + 16;
        }
        let known = Known {
            options: Arc::clone(options),
            program: chosen.hold(),
        };
        self.known.insert(text.into(), known);
    }
}

#[cfg(test)]
mod tests {
    use transformations::files::NoFiles;

    use super::*;

    impl FollowedFiles for NoFiles {
        fn into_profile_file(self) -> Option<Arc<dyn Follower>> {
            None
        }
    }

    /// What `text` runs, and whether it was compiled for that.
    fn load_with(text: &str, options: CompileOptions) -> (Arc<Loaded>, bool) {
        let options = Arc::new(options);
        let (chosen, is_new) = of_text(text.as_bytes(), &options, NoFiles).unwrap();
        (chosen.now(), is_new)
    }

    fn load(text: &str) -> Arc<Loaded> {
        load_with(text, CompileOptions::default()).0
    }

    #[test]
    fn equal_texts_share_one_program_for_as_long_as_it_is_used() {
        let text = r#"{"request": {"set": [{"name": "x-shared", "value": "{{ header('a') }}"}]}}"#;
        let first = load(text);
        assert!(Arc::ptr_eq(&first, &load(text)));
        let other = load(&text.replace("'a'", "'b'"));
        assert!(!Arc::ptr_eq(&first, &other));
        let gone = Arc::downgrade(&first);
        drop(first);
        assert!(gone.upgrade().is_none());
        let (_, compiled) = load_with(text, CompileOptions::default());
        assert!(compiled);
    }

    #[test]
    fn a_list_of_environment_variables_makes_another_program() {
        let text = r#"{"request": {"set": [{"name": "x-env", "value": "{{ env('HOME') }}"}]}}"#;
        let load = |names: &[&str]| {
            let options = CompileOptions {
                env_allow: Some(names.iter().map(ToString::to_string).collect()),
                ..CompileOptions::default()
            };
            load_with(text, options).0
        };
        let home = load(&["HOME"]);
        assert!(Arc::ptr_eq(&home, &load(&["HOME"])));
        assert!(!Arc::ptr_eq(&home, &load(&["HOME", "PATH"])));
    }

    #[test]
    fn programs_that_nobody_uses_make_room() {
        let mut programs = Programs::default();
        let kept = load("{}");
        for number in 0..1000 {
            let loaded = load(&format!(r#"{{"limits": {{"fuel": {}}}}}"#, number + 1));
            let program = if number == 0 { &kept } else { &loaded };
            let chosen = Chosen::Fixed(Arc::clone(program));
            programs.insert(number.to_string().as_bytes(), &Arc::default(), &chosen);
        }
        assert!(programs.known.len() < 50, "{}", programs.known.len());
        assert!(programs.known.values().any(|it| it.program.is_used()));
    }
}
