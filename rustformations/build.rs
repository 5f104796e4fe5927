//! Puts the unwinder and the revision into the module. Run by cargo before this crate is compiled.
//!
//! The revision is `RUSTFORMATIONS_REVISION` of the environment, else git's, else `unknown`: images are
//! built without the checkout. The same source with the same revision makes the same file.
//!
//! rustc asks the linker for the unwinder as `libgcc_s.so`, and the module would then need
//! `libgcc_s.so.1` wherever it is loaded; distroless images, such as kgateway's from 2.4 on, have no
//! such file, and Envoy would refuse the module. A linker script of that name, found first, hands
//! the linker the static archives of the same compiler instead. Only the shared library is linked
//! this way; tests and other programs are left as they are.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, io};

const REVISION: &str = "RUSTFORMATIONS_REVISION";
/// `:` asks for the very file, so a shared library of that name is never taken.
const SCRIPT: &str = "GROUP ( -l:libgcc_eh.a -l:libgcc.a )\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={REVISION}");
    let given = env::var(REVISION).ok().filter(|it| !it.is_empty());
    let revision = given.or_else(revision_of_checkout);
    println!(
        "cargo::rustc-env={REVISION}={}",
        revision.as_deref().unwrap_or("unknown")
    );
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // Elsewhere the unwinder has another name, or comes with the standard library.
    if (target("OS").as_str(), target("ENV").as_str()) == ("linux", "gnu") {
        let folder = env::var_os("OUT_DIR")
            .map(PathBuf::from)
            .ok_or(io::ErrorKind::NotFound)?;
        fs::write(folder.join("libgcc_s.so"), SCRIPT)?;
        println!("cargo::rustc-cdylib-link-arg=-L{}", folder.display());
    }
    Ok(())
}

/// What is checked out, and has cargo look again when that changes.
fn revision_of_checkout() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"]).filter(|it| !it.is_empty())
}
