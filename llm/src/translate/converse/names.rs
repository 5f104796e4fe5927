//! Names of tools: Bedrock and OpenAI take letters, digits, `_` and `-`, 64 at most; clients and their
//! tool servers also have dots and slashes, and longer names. What had to change is changed back in the answer.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::refusal::Refusal;
use crate::translate::loss::invalid;

const LONGEST: usize = 64;

/// How many characters stay of a name that is too long, in front of `_` and eight of its digest.
const KEPT: usize = LONGEST - 9;

/// The names of a request, of its tools and of earlier calls.
#[derive(Clone, Debug, Default)]
pub(in crate::translate) struct Names {
    /// Those that had to change: as they are sent, by what the client has.
    sent: HashMap<String, String>,
    /// The same the other way round.
    own: HashMap<String, String>,
    /// Those that are sent as they are.
    kept: HashSet<String>,
}

impl Names {
    /// The name to send.
    pub(in crate::translate) fn send(&mut self, name: &str) -> Result<String, Refusal> {
        let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        if name.len() <= LONGEST && name.chars().all(is_fine) {
            // Nobody else may have become what this is, now or later.
            if self.own.contains_key(name) {
                return Err(same());
            }
            if !self.kept.contains(name) {
                self.kept.insert(name.to_owned());
            }
            return Ok(name.to_owned());
        }
        if let Some(sent) = self.sent.get(name) {
            return Ok(sent.clone());
        }
        let clean = |it: char| if is_fine(it) { it } else { '_' };
        let mut sent: String = name.chars().map(clean).collect();
        if sent.len() > LONGEST {
            // Names of one server's tools differ at their ends.
            sent.truncate(KEPT);
            sent.push('_');
            let digest = Sha256::digest(name.as_bytes());
            sent.extend(digest.iter().take(4).map(|byte| format!("{byte:02x}")));
        }
        if self.own.contains_key(&sent) || self.kept.contains(&sent) {
            return Err(same());
        }
        self.sent.insert(name.to_owned(), sent.clone());
        self.own.insert(sent.clone(), name.to_owned());
        Ok(sent)
    }

    /// The client's name for one that came back.
    pub(in crate::translate) fn own<'n>(&'n self, sent: Cow<'n, str>) -> Cow<'n, str> {
        match self.own.get(&*sent) {
            Some(own) => Cow::Borrowed(own),
            None => sent,
        }
    }
}

fn same() -> Refusal {
    invalid(
        "tools",
        "must have names that differ in letters, digits, `_` and `-` within 64 characters",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        let mut names = Names::default();
        let long = "x".repeat(70);
        let longer = "x".repeat(71);
        for name in [
            "fine-1_a",
            "server.tool",
            "server.tool",
            &long,
            &longer,
            "süß",
        ] {
            let sent = names.send(name).unwrap();
            assert!(sent.len() <= LONGEST && sent.is_ascii());
            assert_eq!(names.own(Cow::Owned(sent)), name);
        }
        assert!(names.send("server/tool").is_err());
        assert!(names.send("server_tool").is_err());
    }

    #[test]
    fn names_that_are_kept_are_nobody_elses() {
        let mut names = Names::default();
        assert_eq!(names.send("server_tool").unwrap(), "server_tool");
        assert!(names.send("server.tool").is_err());
        assert_eq!(names.send("server_tool").unwrap(), "server_tool");
        assert_eq!(names.own(Cow::Borrowed("server_tool")), "server_tool");
    }

    /// Comparing each name with all before it would take hours.
    #[test]
    fn names_are_looked_up_at_once() {
        let mut names = Names::default();
        for place in 0..100_000 {
            names.send(&format!("a.{place}")).unwrap();
        }
        assert_eq!(names.own(Cow::Borrowed("a_7")), "a.7");
    }
}
