//! Changes of a file of profiles, told as the watcher tells them.

use transformations::Diagnostics;

use super::super::programs::{Chosen, of_text};
use super::*;

struct Lab {
    folder: tempfile::TempDir,
    options: Arc<CompileOptions>,
}

impl Lab {
    fn new(profiles: &str) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
            options: Arc::default(),
        };
        std::fs::write(lab.path(), profiles).unwrap();
        lab
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("profiles.yaml")
    }

    fn load(&self, text: &str) -> Result<Chosen, Diagnostics> {
        let files = ModuleFiles::at(Some(self.path()), &self.options);
        of_text(text.as_bytes(), &self.options, files).map(|(chosen, _)| chosen)
    }

    /// A policy that chooses a profile, and says which test it is of: programs are the process's.
    fn choose(&self, name: &str, more: &str) -> Chosen {
        self.load(&self.policy(name, more)).unwrap()
    }

    fn policy(&self, name: &str, more: &str) -> String {
        let here = self.folder.path().display();
        format!(
            r#"{{"request": {{"set": [{{"name": "x-rustformations-profile", "value": "{name}"}},
                                      {{"name": "x-here", "value": "{here}"}}{more}]}}}}"#
        )
    }
}

/// The file that something in use follows.
fn file(lab: &Lab) -> Arc<ProfileFile> {
    ProfileFile::open(&lab.path(), &lab.options).unwrap()
}

fn take(file: &ProfileFile, text: &str) -> Result<usize, String> {
    file.take(Ok(text.as_bytes().to_vec()))
}

const BEFORE: &str =
    "profiles: {chat: {request: {remove: [x-a]}}, embed: {request: {remove: [x-e]}}}";

#[test]
fn a_change_swaps_the_programs_of_its_profile_and_of_no_other() {
    let lab = Lab::new(BEFORE);
    let (chat, embed) = (lab.choose("chat", ""), lab.choose("embed", ""));
    let same = lab.choose("chat", "");
    let file = file(&lab);
    let (old, untouched) = (chat.now(), embed.now());
    assert!(
        Arc::ptr_eq(&old, &same.now()),
        "equal texts share a program"
    );
    let changed = take(&file, &BEFORE.replace("x-a", "x-b"));
    assert_eq!(changed, Ok(1));
    assert!(!Arc::ptr_eq(&old, &chat.now()), "new exchanges run another");
    assert!(Arc::ptr_eq(&chat.now(), &same.now()));
    assert!(Arc::ptr_eq(&untouched, &embed.now()));
    // Whoever chooses the profile from now on has it as it is now.
    let later = lab.choose("chat", r#", {"name": "x-later", "value": "1"}"#);
    assert_eq!(take(&file, BEFORE), Ok(2));
    assert_eq!(later.now().program.profile(), Some("chat"));
}

#[test]
fn what_is_broken_changes_nothing_wherever_it_is_broken() {
    let lab = Lab::new(BEFORE);
    let uses = lab.choose("chat", r#", {"name": "x-late", "value": "{{ model }}"}"#);
    let file = file(&lab);
    let loaded = uses.now();
    let broken = [
        ("profiles: [", "error[RF1028]"),
        (
            "profiles: {chat: 1}",
            "profiles.chat: a profile is a configuration",
        ),
        // Nobody uses this profile.
        (
            "profiles: {chat: {request: {remove: [x-b]}}, embed: {request: {set: [{name: x, value: '{{'}]}}}",
            "profiles.embed.request.set[0].value: syntax error",
        ),
    ];
    for (text, why) in broken {
        let problems = take(&file, text).unwrap_err();
        assert!(problems.contains(why), "{text}: {problems}");
        assert!(Arc::ptr_eq(&loaded, &uses.now()), "{text}");
    }
    let missing = io::Error::from(io::ErrorKind::NotFound);
    let problem = file.take(Err(missing)).unwrap_err();
    assert!(problem.contains("cannot be read"), "{problem}");
    assert!(Arc::ptr_eq(&loaded, &uses.now()));
    // What was there last is still what policies can choose.
    assert_eq!(
        lab.choose("embed", "").now().program.profile(),
        Some("embed")
    );
    assert_eq!(take(&file, &BEFORE.replace("x-a", "x-b")), Ok(1));
}

#[test]
fn a_profile_that_no_longer_suits_a_policy_changes_nothing() {
    let find = "profiles: {chat: {request: {extractors: {team: {header: x-team, regex: '(.*)'}}}}}";
    let lab = Lab::new(find);
    let uses = lab.choose(
        "chat",
        r#", {"name": "x-t", "value": "{{ extraction('team') }}"}"#,
    );
    let loaded = uses.now();
    let problems = take(&file(&lab), &find.replace("team:", "group:")).unwrap_err();
    assert!(problems.contains("request.set[2].value"), "{problems}");
    assert!(Arc::ptr_eq(&loaded, &uses.now()));
}

#[test]
fn a_profile_that_is_gone_stays_with_those_who_use_it_and_with_no_other() {
    let lab = Lab::new(BEFORE);
    let uses = lab.choose("chat", "");
    let file = file(&lab);
    let loaded = uses.now();
    assert_eq!(take(&file, "profiles: {embed: {}}"), Ok(0));
    assert!(Arc::ptr_eq(&loaded, &uses.now()));
    // The same text is the same program still.
    assert!(Arc::ptr_eq(&loaded, &lab.choose("chat", "").now()));
    let other = lab.policy("chat", r#", {"name": "x-other", "value": "1"}"#);
    let refused = lab.load(&other).map(|_| ()).unwrap_err().to_string();
    assert!(
        refused.contains("[RF1027] request.set[0].value"),
        "{refused}"
    );
    assert!(refused.contains("the profiles are embed"), "{refused}");
    assert_eq!(take(&file, BEFORE), Ok(1));
    assert!(!Arc::ptr_eq(&loaded, &uses.now()));
}

#[test]
fn a_file_is_read_anew_when_nobody_has_followed_it() {
    let lab = Lab::new("profiles: {");
    let refused = lab.load(&lab.policy("chat", "")).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("is not valid"), "{refused}");
    std::fs::write(lab.path(), BEFORE).unwrap();
    let chosen = lab.choose("chat", "");
    let first = Arc::downgrade(&file(&lab));
    drop(chosen);
    assert!(first.upgrade().is_none(), "nothing holds it");
    std::fs::write(lab.path(), "profiles: {new: {}}").unwrap();
    assert_eq!(lab.choose("new", "").now().program.profile(), Some("new"));
}

#[test]
fn without_a_file_a_choice_is_refused_and_nothing_else() {
    let lab = Lab::new(BEFORE);
    let load = |text: &str| {
        let files = ModuleFiles::at(None, &lab.options);
        of_text(text.as_bytes(), &lab.options, files).map(|_| ())
    };
    let refused = load(&lab.policy("chat", "")).unwrap_err().to_string();
    assert!(refused.contains("RUSTFORMATIONS_PROFILES"), "{refused}");
    assert!(load("{}").is_ok());
}
