//! From the checked `mask` to what runs, its key included. On the main thread.

use std::io::Read;
use std::sync::{Arc, OnceLock};

use llm::mask::{HashKey, Masker, PatternSetting, Settings, SettingsError, WordsSetting};

use crate::ai::MaskStage;
use crate::codes::Code;
use crate::config::ai::mask::{MaskPattern, MaskRules, MaskWords};
use crate::diagnostics::Diagnostic;

/// How many bytes a file may hold that is a key.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=4 << 10;

/// Compiles what is masked; none if something is wrong, which is added to `found`.
pub(super) fn mask(rules: &MaskRules, found: &mut Vec<Diagnostic>) -> Option<MaskStage> {
    let before = found.len();
    // One by one first, so that each that is wrong is told where it stands.
    for pattern in &rules.patterns {
        let patterns = vec![to_pattern(pattern)];
        check(&pattern.path, "regex", patterns, Vec::new(), found);
    }
    for list in &rules.words {
        check(&list.path, "words", Vec::new(), vec![to_words(list)], found);
    }
    let hash_key = match &rules.hash_key_file {
        None => process_key(),
        Some(file) => match read_key(file) {
            Ok(key) => key,
            Err(problem) => {
                let path = format!("{}.hashKeyFile", rules.path);
                found.push(Diagnostic::error(Code::BAD_MASK, &path, problem));
                return None;
            }
        },
    };
    if found.len() > before {
        return None;
    }
    let settings = Settings {
        detectors: rules.detectors.clone(),
        patterns: rules.patterns.iter().map(to_pattern).collect(),
        words: rules.words.iter().map(to_words).collect(),
        hash_key,
    };
    match Masker::compile(&settings) {
        Ok(masker) => Some(MaskStage {
            masker: Arc::new(masker),
            roles: rules.roles.as_slice().into(),
            returns: rules.returns,
            passes_unseen: rules.passes_unseen,
            is_shadow: rules.is_shadow,
        }),
        Err(error) => {
            found.push(Diagnostic::error(
                Code::BAD_MASK,
                &rules.path,
                error.to_string(),
            ));
            None
        }
    }
}

fn check(
    path: &str,
    of: &str,
    patterns: Vec<PatternSetting>,
    words: Vec<WordsSetting>,
    found: &mut Vec<Diagnostic>,
) {
    let settings = Settings {
        patterns,
        words,
        ..Settings::default()
    };
    if let Err(error) = Masker::compile(&settings) {
        let member = match error {
            SettingsError::Name { .. } => "name",
            _ => of,
        };
        let path = format!("{path}.{member}");
        found.push(Diagnostic::error(Code::BAD_MASK, &path, error.to_string()));
    }
}

fn to_pattern(pattern: &MaskPattern) -> PatternSetting {
    PatternSetting {
        name: pattern.name.clone(),
        regex: pattern.regex.clone(),
        action: pattern.action,
    }
}

fn to_words(list: &MaskWords) -> WordsSetting {
    WordsSetting {
        name: list.name.clone(),
        words: list.words.clone(),
        case_sensitive: list.case_sensitive,
        action: list.action,
    }
}

/// The key of all maskers of this process that have none of their own.
fn process_key() -> HashKey {
    static KEY: OnceLock<HashKey> = OnceLock::new();
    KEY.get_or_init(|| HashKey::new(&rand::random::<[u8; 32]>()))
        .clone()
}

/// Reads a key. Says what is wrong, and nothing of what is in the file.
fn read_key(path: &str) -> Result<HashKey, String> {
    let unread = |error: std::io::Error| format!("the file cannot be read: {error}");
    // Opening something else may wait for ever.
    if !std::fs::metadata(path).map_err(unread)?.is_file() {
        return Err("this is no file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(unread)?;
    let mut key = Vec::new();
    // One byte more than may be shows that there are more; so may a line end.
    file.take(*KEY_BYTES.end() as u64 + 3)
        .read_to_end(&mut key)
        .map_err(unread)?;
    let line = key.strip_suffix(b"\n").unwrap_or(&key);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match KEY_BYTES.contains(&line.len()) {
        true => Ok(HashKey::new(line)),
        false => Err("a key has 16 bytes to 4 KiB; 32 random ones are right".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn key(contents: &[u8]) -> Result<Masker, String> {
        // Tests run beside each other.
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("rustformations-key-{}-{number}", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, contents).unwrap();
        let key = read_key(file.to_str().unwrap());
        std::fs::remove_file(&file).unwrap();
        let settings = Settings {
            detectors: vec![(llm::mask::Kind::Email, llm::mask::Action::Hash)],
            hash_key: key?,
            ..Settings::default()
        };
        Masker::compile(&settings).map_err(|error| error.to_string())
    }

    fn masked(masker: Result<Masker, String>) -> String {
        let mut masking = Arc::new(masker.unwrap()).open();
        let text = "jo@example.com";
        let edits = masking.mask(text, llm::mask::Form::Plain).unwrap();
        llm::mask::apply(text, &edits)
    }

    #[test]
    fn a_line_end_is_no_part_of_a_key() {
        let plain = masked(key(b"0123456789abcdef"));
        assert!(plain.starts_with("[EMAIL#"), "{plain}");
        assert_eq!(masked(key(b"0123456789abcdef\n")), plain);
        assert_eq!(masked(key(b"0123456789abcdef\r\n")), plain);
        assert_ne!(masked(key(b"0123456789abcdeg")), plain);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let long = [b'k'; 5000];
        for contents in [b"short".as_slice(), b"0123456789abcde\n", &long] {
            let refused = key(contents).unwrap_err();
            assert!(refused.starts_with("a key has 16 bytes"), "{refused}");
        }
        assert!(key(&[b'k'; 4 << 10]).is_ok());
        assert_eq!(read_key("/").unwrap_err(), "this is no file");
        assert!(
            read_key("/nowhere/key")
                .unwrap_err()
                .starts_with("the file cannot be read")
        );
    }

    #[test]
    fn the_key_of_the_process_is_one() {
        let settings = |hash_key| Settings {
            detectors: vec![(llm::mask::Kind::Email, llm::mask::Action::Hash)],
            hash_key,
            ..Settings::default()
        };
        let masker = || Masker::compile(&settings(process_key())).map_err(|it| it.to_string());
        assert_eq!(masked(masker()), masked(masker()));
    }
}
