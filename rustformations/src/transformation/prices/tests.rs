//! Files of prices that change, told as the watcher tells them.

use std::io;

use super::*;
use crate::watch::Follower as _;

/// A price, by our own shape or by LiteLLM's.
fn has(prices: &Arc<dyn Live<Prices>>, model: &str) -> bool {
    prices.current().find(model).is_some()
}

#[test]
fn a_table_is_one_for_its_path_and_changes_for_all_who_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.json");
    let name = path.to_str().unwrap();
    assert!(open(name).unwrap_err().contains("No such file"));
    std::fs::write(&path, r#"{"m-1": {"input": 2.5}}"#).unwrap();
    assert!(
        open(name)
            .unwrap_err()
            .contains("m-1.input: a price must be")
    );
    std::fs::write(&path, r#"{"m-1": {"input": "2.50", "output": "10"}}"#).unwrap();
    let first = open(name).unwrap();
    let second = open(name).unwrap();
    assert!(has(&first, "m-1") && !has(&first, "m-2"));
    let file = WatchedFile::open(&FILES, name).unwrap();
    let of_a_token = r#"{"m-2": {"litellm_provider": "x", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}}"#;
    file.on_change(Ok(of_a_token.as_bytes().to_vec()));
    for prices in [&first, &second] {
        assert!(has(prices, "m-2") && !has(prices, "m-1"));
    }
    for broken in ["", "{}", "[", r#"{"m-3": {}}"#] {
        file.on_change(Ok(broken.as_bytes().to_vec()));
        assert!(has(&first, "m-2"), "{broken}");
    }
    file.on_change(Err(io::Error::from(io::ErrorKind::NotFound)));
    assert!(has(&second, "m-2"));
    drop((first, second, file));
    // Nobody uses it any more, so it is read again.
    let third = open(name).unwrap();
    assert!(has(&third, "m-1") && !has(&third, "m-2"));
}
