//! What fuzzing starts from: what each target makes of the golden cases, and the files in
//! `fuzz/corpus`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::goldens::{Goldens, files};
use crate::targets::Target;

/// The files of a target that stay: inputs that once found something, and starts that no golden case
/// gives.
///
/// # Errors
/// If there is no such folder.
pub fn corpus(target: &Target) -> Result<Vec<PathBuf>> {
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target.folder),
    )
}

/// Everything that a target starts from.
///
/// # Errors
/// If golden cases or corpus cannot be read.
pub fn all(target: &Target) -> Result<Vec<Vec<u8>>> {
    let mut inputs = (target.seeds)(&Goldens::read()?);
    for file in corpus(target)? {
        inputs.push(fs::read(&file).with_context(|| file.display().to_string())?);
    }
    Ok(inputs)
}
