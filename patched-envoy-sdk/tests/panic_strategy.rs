//! The panic guard needs unwinding: a profile that aborts must not get as far as a module.

use std::process::Command;

#[test]
fn the_crate_refuses_to_compile_where_a_panic_aborts() {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "--offline", "--quiet", "--lib"])
        .args(["--config", "profile.dev.panic='abort'", "--target-dir"])
        .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/abort"))
        .output()
        .expect("cargo runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{stderr}");
    assert!(
        stderr.contains("the profile needs `panic = \"unwind\"`"),
        "{stderr}"
    );
}
