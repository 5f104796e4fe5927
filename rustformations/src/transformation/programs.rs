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

/// What a text was compiled to.
struct Known {
    /// All that a program follows from beside its text; the process has one set of them.
    options: Arc<CompileOptions>,
    program: Weak<Loaded>,
}

#[derive(Default)]
struct Programs {
    known: HashMap<Box<[u8]>, Known>,
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
    options: &Arc<CompileOptions>,
) -> Result<(Arc<Loaded>, bool), Diagnostics> {
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = programs.find(text, options) {
        return Ok((loaded, false));
    }
    let loaded = Arc::new(Loaded {
        program: Arc::new(Program::compile(text, options)?),
        reports: Reports::default(),
    });
    programs.insert(text, options, &loaded);
    Ok((loaded, true))
}

impl Programs {
    fn find(&self, text: &[u8], options: &Arc<CompileOptions>) -> Option<Arc<Loaded>> {
        let known = self.known.get(text)?;
        let same = Arc::ptr_eq(&known.options, options) || known.options == *options;
        known.program.upgrade().filter(|_| same)
    }

    /// Remembers a program, instead of that of the same text and other options if there is one.
    fn insert(&mut self, text: &[u8], options: &Arc<CompileOptions>, loaded: &Arc<Loaded>) {
        if self.known.len() >= self.room {
            self.known
                .retain(|_, known| known.program.strong_count() > 0);
            // Twice what is alive: each sweep is paid for by as many compilations.
            self.room = 2 * self.known.len() + 16;
        }
        let known = Known {
            options: Arc::clone(options),
            program: Arc::downgrade(loaded),
        };
        self.known.insert(text.into(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Arc<Loaded> {
        let (loaded, _) = of_text(text.as_bytes(), &Arc::default()).unwrap();
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
        let (_, compiled) = of_text(text.as_bytes(), &Arc::default()).unwrap();
        assert!(compiled);
    }

    #[test]
    fn a_list_of_environment_variables_makes_another_program() {
        let text = br#"{"request": {"set": [{"name": "x-env", "value": "{{ env('HOME') }}"}]}}"#;
        let load = |names: &[&str]| {
            let options = CompileOptions {
                env_allow: Some(names.iter().map(ToString::to_string).collect()),
                ..CompileOptions::default()
            };
            of_text(text, &Arc::new(options)).unwrap().0
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
            programs.insert(number.to_string().as_bytes(), &Arc::default(), program);
        }
        assert!(programs.known.len() < 50, "{}", programs.known.len());
        assert!(
            programs
                .known
                .values()
                .any(|it| it.program.strong_count() > 0)
        );
    }
}
