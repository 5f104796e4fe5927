//! The programs of this process, by the text that each was compiled from.
//!
//! A route table says the same of many routes, and every update of it says everything again: equal texts
//! share one program, and an update that repeats a text costs its look-up. Programs are held weakly, so
//! the last configuration that uses one frees it. Asked on Envoy's main thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use once_cell::sync::Lazy;
use transformations::{CompileOptions, Diagnostics, Program};

use super::Loaded;
use super::reports::Reports;

/// All that a program follows from.
#[derive(PartialEq, Eq, Hash)]
struct Origin {
    text: Box<[u8]>,
    options: CompileOptions,
}

#[derive(Default)]
struct Programs {
    known: HashMap<Origin, Weak<Loaded>>,
    /// How many entries there may be before those of freed programs are taken out.
    room: usize,
}

static PROGRAMS: Lazy<Mutex<Programs>> = Lazy::new(Mutex::default);

/// The program of `text`, compiled if no configuration in use has the same text; `true` with one that
/// was compiled now.
///
/// # Errors
/// What is wrong with the configuration.
pub(super) fn of_text(
    text: &[u8],
    options: &CompileOptions,
) -> Result<(Arc<Loaded>, bool), Diagnostics> {
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    let origin = Origin {
        text: text.into(),
        options: options.clone(),
    };
    if let Some(loaded) = programs.known.get(&origin).and_then(Weak::upgrade) {
        return Ok((loaded, false));
    }
    let loaded = Arc::new(Loaded {
        program: Arc::new(Program::compile(text, options)?),
        reports: Reports::default(),
    });
    programs.insert(origin, &loaded);
    Ok((loaded, true))
}

impl Programs {
    fn insert(&mut self, origin: Origin, loaded: &Arc<Loaded>) {
        if self.known.len() >= self.room {
            self.known.retain(|_, program| program.strong_count() > 0);
            // Twice what is alive: each sweep is paid for by as many compilations.
            self.room = 2 * self.known.len() + 16;
        }
        self.known.insert(origin, Arc::downgrade(loaded));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Arc<Loaded> {
        let (loaded, _) = of_text(text.as_bytes(), &CompileOptions::default()).unwrap();
        loaded
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
        let (_, compiled) = of_text(text.as_bytes(), &CompileOptions::default()).unwrap();
        assert!(compiled);
    }

    #[test]
    fn a_list_of_environment_variables_makes_another_program() {
        let text = br#"{"request": {"set": [{"name": "x-env", "value": "{{ env('HOME') }}"}]}}"#;
        let allowing = |names: &[&str]| CompileOptions {
            env_allow: Some(names.iter().map(ToString::to_string).collect()),
            ..CompileOptions::default()
        };
        let (home, _) = of_text(text, &allowing(&["HOME"])).unwrap();
        let (both, _) = of_text(text, &allowing(&["HOME", "PATH"])).unwrap();
        assert!(!Arc::ptr_eq(&home, &both));
    }

    #[test]
    fn programs_that_nobody_uses_make_room() {
        let mut programs = Programs::default();
        let kept = load("{}");
        for number in 0..1000 {
            let origin = Origin {
                text: format!("{number}").into_bytes().into(),
                options: CompileOptions::default(),
            };
            let (loaded, _) = of_text(
                format!(r#"{{"limits": {{"fuel": {}}}}}"#, number + 1).as_bytes(),
                &CompileOptions::default(),
            )
            .unwrap();
            programs.insert(origin, if number == 0 { &kept } else { &loaded });
        }
        assert!(programs.known.len() < 50, "{}", programs.known.len());
        assert!(programs.known.values().any(|it| it.strong_count() > 0));
    }
}
