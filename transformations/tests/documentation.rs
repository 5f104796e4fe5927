//! Every JSON example of the documentation is a configuration that loads without a warning.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::{Path, PathBuf};

use transformations::files::read_prices;
use transformations::profiles::Profiles;
use transformations::testing::MemoryFiles;
use transformations::{CompileOptions, Program};

#[test]
fn every_example_configuration_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut examples = 0;
    for page in [
        "docs/configuration.md",
        "docs/llm.md",
        "docs/templates.md",
        "docs/neighbours.md",
        "docs/profiles.md",
        "docs/recipes.md",
    ] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let files = files(&text);
        for example in text.split("```json\n").skip(1) {
            let config = example.split("```").next().unwrap();
            let parts = ["\"request\"", "\"response\"", "\"ai\""];
            if !parts.iter().any(|part| config.contains(part)) {
                // The message of an example, not a configuration.
                continue;
            }
            examples += 1;
            match Program::compile_with(config.as_bytes(), &CompileOptions::default(), &files) {
                Ok(program) => {
                    let warnings: Vec<_> =
                        program.warnings().iter().map(ToString::to_string).collect();
                    assert_eq!(warnings, [""; 0], "{page}:\n{config}");
                }
                Err(problems) => panic!("{page}:\n{config}\n{problems}"),
            }
        }
    }
    assert!(examples >= 4, "only {examples} examples were found");
}

/// The profiles that a page shows, and prices for whatever names a file of them.
fn files(page: &str) -> MemoryFiles {
    let yaml = page.split("```yaml\nprofiles:").nth(1);
    let yaml = yaml.and_then(|rest| rest.split("```").next());
    let prices = r#"{"*": {"input": "1", "output": "1"}}"#.to_owned();
    MemoryFiles {
        profiles: yaml.map(|text| ("profiles.yaml".to_owned(), format!("profiles:{text}"))),
        prices: [("/etc/rustformations/prices.json".to_owned(), prices)].into(),
    }
}

#[test]
fn every_profile_and_every_table_of_prices_on_the_page_is_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/profiles.md")).unwrap();
    let files = files(&page);
    let (name, text) = files.profiles.clone().unwrap();
    let profiles = Profiles::parse(&name, text.as_bytes()).unwrap();
    assert_eq!(profiles.names().collect::<Vec<_>>(), ["chat", "embed"]);
    for name in profiles.names() {
        let chooser = Profiles::chooser(name);
        let options = CompileOptions::default();
        let program = Program::compile_with(chooser.as_bytes(), &options, &files);
        let program = program.unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert!(program.warnings().is_empty(), "{name}");
    }
    let tables = page.split("```json\n").skip(1);
    let tables = tables.filter_map(|it| it.split("```").next());
    let tables: Vec<_> = tables.filter(|it| it.contains("gpt-4o")).collect();
    assert_eq!(tables.len(), 2);
    for table in tables {
        let prices = read_prices(table.as_bytes()).unwrap();
        assert!(prices.find("gpt-4o").is_some(), "{table}");
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut links, mut broken) = (0, Vec::new());
    for page in pages(root) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in prose(&text).split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let leads = match anchor {
                "" => target.exists(),
                anchor => anchors(&target).iter().any(|it| it == anchor),
            };
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(links > 100, "only {links} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// All pages in Markdown that belong to the project.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(pages(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

/// A page without its blocks of code.
fn prose(text: &str) -> String {
    let blocks = text.split("```");
    blocks.step_by(2).collect()
}

/// The names by which the headings of a page are linked to, as forges make them.
fn anchors(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap_or_default();
    let prose = prose(&text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let letters = heading.chars().map(|it| if it == ' ' { '-' } else { it });
        letters
            .filter(|it| it.is_alphanumeric() || matches!(it, '-' | '_'))
            .collect()
    };
    headings.map(slug).collect()
}
