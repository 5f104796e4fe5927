//! Recipes of the documentation, run as they are printed: files that a page shows, and an Envoy that is started
//! from one of them.
//!
//! Called by tests on their own thread. A file is a code block behind the line `<!-- recipe NAME: FILE -->`.
//! Nothing of it is changed but the ports, which the page has as a reader would and a test cannot share.

use anyhow::{Context as _, Result, ensure};

use crate::envoy::{Envoy, EnvoyProcess, Settings};
use crate::workspace;

/// Where the Envoys of recipes listen for clients.
pub const LISTENER_PORT: u16 = 10000;
/// Where the model is.
pub const LLM_PORT: u16 = 3090;
/// Where the rate limit service is.
pub const RATE_LIMIT_PORT: u16 = 8081;

/// The Envoy's admin interface, which finds itself a port.
const ADMIN_PORT: u16 = 9901;
/// What the listener is called in every recipe.
const LISTENER: &str = "llm";

/// The files of one recipe.
#[derive(Debug)]
pub struct Recipe {
    name: String,
    files: Vec<(String, String)>,
}

impl Recipe {
    /// The recipe `name` of `docs/llm.md`.
    ///
    /// # Errors
    /// When the page cannot be read, or has no file of that recipe.
    pub fn read(name: &str) -> Result<Self> {
        let page = std::fs::read_to_string(workspace::root().join("docs/llm.md"))?;
        let files = files(&page, name);
        ensure!(!files.is_empty(), "docs/llm.md has no recipe {name}");
        Ok(Self {
            name: name.to_owned(),
            files,
        })
    }

    /// A file of it, as printed.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn file(&self, name: &str) -> Result<&str> {
        let found = self.files.iter().find(|(file, _)| file == name);
        found
            .map(|(_, text)| text.as_str())
            .with_context(|| format!("the recipe {} has no file {name}", self.name))
    }

    /// An Envoy that runs its `envoy.yaml`, with each port of `ports` in the place of the printed one, and
    /// where it listens.
    ///
    /// # Errors
    /// When a printed port is not in the file, or Envoy does not start: with the end of its log.
    pub fn start(&self, envoy: &Envoy, ports: &[(u16, u16)]) -> Result<Running> {
        self.start_text(envoy, self.file("envoy.yaml")?, ports)
    }

    /// As [`Recipe::start`] with a file that a test has made of the printed one.
    ///
    /// # Errors
    /// As [`Recipe::start`].
    pub fn start_text(&self, envoy: &Envoy, text: &str, ports: &[(u16, u16)]) -> Result<Running> {
        let mut text = text.to_owned();
        let own = [(LISTENER_PORT, 0), (ADMIN_PORT, 0)];
        for (printed, port) in own.iter().chain(ports) {
            let printed = format!("port_value: {printed} ");
            ensure!(text.contains(&printed), "no {printed:?} in {}", self.name);
            text = text.replace(&printed, &format!("port_value: {port} "));
        }
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("envoy.yaml");
        std::fs::write(&file, text)?;
        let settings = Settings {
            module_folder: Some(workspace::module_folder()?),
            ..Settings::default()
        };
        let process = EnvoyProcess::start_file(envoy, &file, &settings)?;
        let address = process.listener(LISTENER)?;
        Ok(Running { process, address })
    }
}

/// An Envoy of a recipe.
pub struct Running {
    /// Its process.
    pub process: EnvoyProcess,
    /// Where clients find it.
    pub address: std::net::SocketAddr,
}

/// The names and texts of the files of recipe `name`, in their order.
fn files(page: &str, name: &str) -> Vec<(String, String)> {
    let mark = format!("<!-- recipe {name}: ");
    let file = |rest: &str| {
        let (file, rest) = rest.split_once(" -->\n")?;
        let (_, block) = rest.strip_prefix("```")?.split_once('\n')?;
        let (text, _) = block.split_once("```")?;
        Some((file.to_owned(), text.to_owned()))
    };
    page.split(&mark).skip(1).filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_the_blocks_behind_their_marks() {
        let page = "a\n<!-- recipe x: a.yaml -->\n```yaml\none: 1\n```\n<!-- recipe y: b -->\n```\nno\n```\n\
                    <!-- recipe x: c.json -->\n```json\n{}\n```\n<!-- recipe x: d -->\nno block\n";
        let found = files(page, "x");
        let expected = [("a.yaml", "one: 1\n"), ("c.json", "{}\n")];
        assert_eq!(
            found,
            expected.map(|(name, text)| (name.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn a_recipe_that_is_not_there_is_missed_by_name() {
        let error = Recipe::read("soup").unwrap_err().to_string();
        assert_eq!(error, "docs/llm.md has no recipe soup");
    }
}
