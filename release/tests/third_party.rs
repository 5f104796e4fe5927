//! The list of what others wrote is that of `Cargo.lock`, and the binaries go with every text that is asked for.

use std::fs;

use rustformations_release::{licences, linked};
use rustformations_tests::workspace;

#[test]
fn the_list_is_that_of_the_lock_file() {
    let file = workspace::root().join("THIRD-PARTY.md");
    let list = licences::list(&linked::crates().unwrap()).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &list).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs = "THIRD-PARTY.md is not that of Cargo.lock; \"make third-party\" writes it";
    assert!(written == list, "{differs}");
}

#[test]
fn the_texts_name_every_crate_and_give_each_text_once() {
    let crates = linked::crates().unwrap();
    assert!(crates.len() > 50, "{crates:?}");
    let texts = licences::texts(&crates).unwrap();
    for package in &crates {
        let name = format!("{} {}", package.name, package.version);
        assert!(texts.contains(&name), "{name}");
    }
    assert_eq!(texts.matches("TERMS AND CONDITIONS FOR USE").count(), 1);
    // Crates that leave no choice, one of them without a text of its own.
    for text in ["alloc-stdlib", "memchr", "foldhash", "ruzstd"] {
        assert!(texts.contains(text), "{text}");
    }
    assert!(texts.contains("Permission is hereby granted, free of charge"));
    assert!(texts.contains("Redistribution and use in source and binary forms"));
}

#[test]
fn a_crate_without_the_text_of_its_licence_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bare = linked::Crate {
        name: "bare".to_owned(),
        version: "1.0.0".to_owned(),
        licence: "MIT".to_owned(),
        repository: "https://example.com/bare".to_owned(),
        folder: folder.path().to_owned(),
    };
    let refused = licences::texts(&[bare]).unwrap_err().to_string();
    assert!(refused.contains("bare 1.0.0 (MIT)"), "{refused}");
}
