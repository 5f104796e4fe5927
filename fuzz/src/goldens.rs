//! The golden cases of the transformations and of LLM traffic, read where they stand, in the forms that
//! targets read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::scene::SEPARATOR;

/// The golden cases: those of the transformations, and those of LLM traffic.
#[derive(Debug)]
pub struct Goldens {
    cases: Vec<Value>,
    llm: Vec<Value>,
    translations: Vec<Value>,
}

impl Goldens {
    /// Reads all of them.
    ///
    /// # Errors
    /// If a file is missing or is not a list of cases.
    pub fn read() -> Result<Goldens> {
        Ok(Goldens {
            cases: cases("../transformations/tests/cases")?,
            llm: cases("../llm/tests/cases")?,
            translations: cases("../llm/tests/translation")?,
        })
    }

    /// Every path, body and stream of LLM traffic.
    pub fn traffic(&self) -> Vec<Vec<u8>> {
        self.llm.iter().filter_map(traffic).collect()
    }

    /// Every body and stream that is translated.
    pub fn translations(&self) -> Vec<Vec<u8>> {
        self.translations.iter().filter_map(traffic).collect()
    }

    /// Every case as a scene.
    pub fn scenes(&self) -> Vec<Vec<u8>> {
        self.cases.iter().map(scene).collect()
    }

    /// Every text that is a body of a message.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        let body =
            |case: &Value, side: &str| Some(case[side]["body"].as_str()?.as_bytes().to_vec());
        let of = |case| {
            ["request", "response"]
                .into_iter()
                .filter_map(move |side| body(case, side))
        };
        self.cases.iter().flat_map(of).collect()
    }

    /// Every configuration.
    pub fn configs(&self) -> Vec<Vec<u8>> {
        self.cases.iter().map(config).collect()
    }

    /// Every patch in a configuration, behind the body that it meets.
    pub fn patches(&self) -> Vec<Vec<u8>> {
        let patch = |case: &Value, side: &str| {
            let patch = case["config"][side]["body"].get("patch")?.to_string();
            let body = case[side]["body"].as_str().unwrap_or("{}");
            Some([body.as_bytes(), patch.as_bytes()].join(SEPARATOR))
        };
        let of = |case| {
            ["request", "response"]
                .into_iter()
                .filter_map(move |side| patch(case, side))
        };
        self.cases.iter().flat_map(of).collect()
    }
}

/// The cases in all files of a folder.
fn cases(folder: &str) -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut cases = Vec::new();
    for file in files(&folder)? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let more: Vec<Value> =
            serde_json::from_str(&text).with_context(|| file.display().to_string())?;
        cases.extend(more);
    }
    Ok(cases)
}

fn traffic(case: &Value) -> Option<Vec<u8>> {
    let text = |key: &str| case.get(key).and_then(Value::as_str);
    if let Some(text) = text("text").or(text("path")) {
        return Some(text.as_bytes().to_vec());
    }
    if let Some(events) = case.get("events").and_then(Value::as_array) {
        let event = |event: &Value| match event.as_str() {
            Some(raw) => raw.to_owned(),
            None => format!("data: {event}\n\n"),
        };
        return Some(events.iter().map(event).collect::<String>().into_bytes());
    }
    Some(case.get("body")?.to_string().into_bytes())
}

fn config(case: &Value) -> Vec<u8> {
    match case.get("configText") {
        Some(text) => text.as_str().unwrap_or_default().as_bytes().to_vec(),
        None => case["config"].to_string().into_bytes(),
    }
}

fn scene(case: &Value) -> Vec<u8> {
    let head = |side: &str| {
        let fields = case[side]["headers"].as_array().into_iter().flatten();
        let lines =
            fields.filter_map(|it| Some(format!("{}: {}", it[0].as_str()?, it[1].as_str()?)));
        lines.collect::<Vec<_>>().join("\n").into_bytes()
    };
    let body = |side: &str| {
        case[side]["body"]
            .as_str()
            .unwrap_or_default()
            .as_bytes()
            .to_vec()
    };
    let sections = [
        config(case),
        Vec::new(),
        head("request"),
        body("request"),
        head("response"),
        body("response"),
    ];
    sections.join(SEPARATOR)
}

/// The files of a folder, by name.
///
/// # Errors
/// If there is no such folder.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}
