//! Puts the unwinder into the module. Run by cargo before this crate is compiled.
//!
//! rustc asks the linker for the unwinder as `libgcc_s.so`, and the module would then need
//! `libgcc_s.so.1` wherever it is loaded; distroless images, such as kgateway's from 2.4 on, have no
//! such file, and Envoy would refuse the module. A linker script of that name, found first, hands
//! the linker the static archives of the same compiler instead. Only the shared library is linked
//! this way; tests and other programs are left as they are.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::{env, fs, io};

/// `:` asks for the very file, so a shared library of that name is never taken.
const SCRIPT: &str = "GROUP ( -l:libgcc_eh.a -l:libgcc.a )\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
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
