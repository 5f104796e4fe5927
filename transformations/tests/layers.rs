//! The picture that the imports of each crate draw: vocabulary lies below all that speak of it, so no files
//! import each other in a circle, but a parent and its children.
//!
//! Reads the sources of every crate in the workspace as text. What is imported through the root of a crate,
//! by a glob, or only in tests, is not seen.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The path of a module in its crate.
type Module = Vec<String>;
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_files_import_each_other_in_a_circle_but_parents_and_children() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut crates = 0;
    let mut found = Vec::new();
    for member in fs::read_dir(workspace).unwrap() {
        let root = member.unwrap().path().join("src");
        if !root.join("lib.rs").exists() && !root.join("main.rs").exists() {
            continue;
        }
        crates += 1;
        let mut sources = BTreeMap::new();
        read(&root, &[], &mut sources);
        for circle in circles(&arrows(&sources)) {
            found.push(format!("{}: {circle}", root.display()));
        }
    }
    assert!(crates > 3, "{crates} crates were found");
    let advice = "what several of these speak of belongs into a file below all of them";
    assert!(found.is_empty(), "{}\n{advice}", found.join("\n"));
}

#[test]
fn a_circle_is_found_whatever_way_its_files_name_each_other() {
    let is_circle = |texts: [(&str, &str); 4]| {
        let module = |path: &str| path.split('/').map(str::to_owned).collect();
        let sources = texts.map(|(path, text)| (module(path), text.to_owned()));
        circles(&arrows(&BTreeMap::from(sources)))
    };
    let through_a_child = is_circle([
        ("a", "mod low;"),
        (
            "a/low",
            "use crate::{\n    b::Thing,\n    c::{self, Other},\n};",
        ),
        ("b", "pub(crate) use crate::c::Other;"),
        ("c", "fn of(_: &crate::a::low::Word) {}"),
    ]);
    assert_eq!(through_a_child, ["a/low -> c -> a/low"]);
    let of_siblings = is_circle([
        ("a", "use low::Word;"),
        ("a/low", "use super::high::Word;"),
        ("a/high", "use super::low::Word;"),
        ("c", ""),
    ]);
    assert_eq!(of_siblings, ["a/high -> a/low -> a/high"]);
    let family = is_circle([
        ("a", "use low::Word;"),
        ("a/low", "use super::Word; // crate::c::Word"),
        ("a/high", "use super::{Word, low};"),
        (
            "c",
            "use crate::a::Word;\n#[cfg(test)]\nmod tests {\n    use crate::c::Word;\n}",
        ),
    ]);
    assert!(family.is_empty(), "{family:?}");
}

fn read(folder: &Path, at: &[String], sources: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut module = at.to_vec();
        module.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        if path.is_dir() {
            read(&path, &module, sources);
        } else if path.extension().is_some_and(|it| it == "rs")
            && !module.contains(&"tests".to_owned())
        {
            sources.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Who imports whom.
fn arrows(sources: &BTreeMap<Module, String>) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, text) in sources {
        let imported = named(text, module, sources);
        let files = imported.iter().filter_map(|path| {
            let lengths = (1..=path.len()).rev();
            let mut prefixes = lengths.filter_map(|length| path.get(..length));
            let file = prefixes.find(|prefix| sources.contains_key(*prefix))?;
            (file != module.as_slice()).then(|| file.to_vec())
        });
        arrows.insert(module.clone(), files.collect());
    }
    arrows
}

/// The paths in this crate that a file names.
fn named(text: &str, module: &[String], sources: &BTreeMap<Module, String>) -> Vec<Module> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join(" ");
    let words = code.split(|c: char| !(c.is_alphanumeric() || "_:{},".contains(c) || c == ' '));
    let mut paths = Vec::new();
    for statement in words {
        // Of an import the tree is read, of other code what begins a path.
        let tree = statement.split_once("use ").map(|(_, tree)| tree.trim());
        let trees = match tree {
            Some(tree) => vec![tree],
            None => statement.split([' ', ',', '{', '}']).collect(),
        };
        for mut path in trees.into_iter().flat_map(expand) {
            if path.len() < 2 {
                continue;
            }
            let child = [module, path.get(..1).unwrap_or_default()].concat();
            match path.first().map(String::as_str) {
                Some("crate") => drop(path.remove(0)),
                Some("self") => drop(path.splice(..1, module.iter().cloned())),
                Some("super") => {
                    let ups = path.iter().take_while(|it| *it == "super").count();
                    let kept = module.len().saturating_sub(ups);
                    path.splice(..ups, module.iter().take(kept).cloned());
                }
                _ if tree.is_some() && sources.contains_key(&child) => {
                    path.splice(..0, module.iter().cloned());
                }
                _ => continue,
            }
            paths.push(path);
        }
    }
    paths
}

/// The paths in the tree of an import.
fn expand(tree: &str) -> Vec<Module> {
    let segments = |path: &str| {
        let path = path.split(" as ").next().unwrap_or_default();
        let segments = path.split("::").map(|it| it.trim().to_owned());
        segments.filter(|it| !it.is_empty()).collect::<Module>()
    };
    let Some((head, group)) = tree.split_once('{') else {
        return vec![segments(tree)];
    };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let mut depth = 0;
    let parts = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let tails = parts.flat_map(expand).map(|mut tail| {
        tail.retain(|it| it != "self");
        tail
    });
    tails.map(|tail| [segments(head), tail].concat()).collect()
}

/// The shortest way around each circle that is more than a parent and its children.
fn circles(arrows: &Arrows) -> Vec<String> {
    let all: BTreeMap<_, _> = arrows.keys().map(|it| (it, reached(arrows, it))).collect();
    let reaches = |from: &Module, to: &Module| {
        let reached = all.get(from);
        reached.is_some_and(|reached| reached.contains_key(to))
    };
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for start in arrows.keys() {
        let back: BTreeSet<_> = arrows
            .keys()
            .filter(|it| reaches(start, it) && reaches(it, start))
            .collect();
        let is_family = back
            .iter()
            .any(|it| back.iter().all(|other| other.starts_with(it)));
        if back.is_empty() || is_family || !seen.insert(back.clone()) {
            continue;
        }
        let outside = |from: &Module, to: &Module| !from.starts_with(to) && !to.starts_with(from);
        let ways = back.iter().flat_map(|from| {
            let next = arrows.get(*from).into_iter().flatten();
            next.filter(|to| back.contains(to) && outside(from, to))
                .filter_map(|to| way(arrows, from, to))
        });
        let shortest = ways.min_by_key(Vec::len).unwrap_or_default();
        let names: Vec<_> = shortest.iter().map(|it| it.join("/")).collect();
        found.push(names.join(" -> "));
    }
    found
}

/// From a file to one that it imports, and back.
fn way(arrows: &Arrows, from: &Module, to: &Module) -> Option<Vec<Module>> {
    let before = reached(arrows, to);
    let mut way = vec![from.clone()];
    while way.last() != Some(to) {
        way.push(before.get(way.last()?)?.clone());
    }
    way.push(from.clone());
    way.reverse();
    Some(way)
}

/// What a file imports, and what that does, each with the file that it was reached from.
fn reached(arrows: &Arrows, start: &Module) -> BTreeMap<Module, Module> {
    let mut before = BTreeMap::new();
    let mut left = VecDeque::from([start.clone()]);
    while let Some(at) = left.pop_front() {
        for next in arrows.get(&at).into_iter().flatten() {
            if !before.contains_key(next) {
                before.insert(next.clone(), at.clone());
                left.push_back(next.clone());
            }
        }
    }
    before
}
