//! Names of tools: Bedrock takes letters, digits, `_` and `-`, 64 at most; clients and their tool
//! servers also have dots and slashes. What had to change is changed back in the answer.

use std::borrow::Cow;

use crate::refusal::Refusal;
use crate::translate::loss::invalid;

const LONGEST: usize = 64;

/// The names that had to change: as they are sent, and as the client has them.
#[derive(Clone, Debug, Default)]
pub(in crate::translate) struct Names(Vec<(String, String)>);

impl Names {
    /// The name to send.
    pub(super) fn send(&mut self, name: &str) -> Result<String, Refusal> {
        let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        if name.len() <= LONGEST && name.chars().all(is_fine) {
            // Nobody else may have become what this is.
            return match self.0.iter().any(|(sent, _)| sent == name) {
                true => Err(same()),
                false => Ok(name.to_owned()),
            };
        }
        if let Some((sent, _)) = self.0.iter().find(|(_, own)| own == name) {
            return Ok(sent.clone());
        }
        let clean = |it: char| if is_fine(it) { it } else { '_' };
        let sent: String = name.chars().map(clean).take(LONGEST).collect();
        if self.0.iter().any(|(it, _)| *it == sent) {
            return Err(same());
        }
        self.0.push((sent.clone(), name.to_owned()));
        Ok(sent)
    }

    /// The client's name for one that came back.
    pub(super) fn own<'n>(&'n self, sent: Cow<'n, str>) -> Cow<'n, str> {
        match self.0.iter().find(|(it, _)| *it == sent) {
            Some((_, own)) => Cow::Borrowed(own),
            None => sent,
        }
    }
}

fn same() -> Refusal {
    invalid(
        "tools[].function",
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
        for name in ["fine-1_a", "server.tool", "server.tool", &long, "süß"] {
            let sent = names.send(name).unwrap();
            assert!(sent.len() <= LONGEST && sent.is_ascii());
            assert_eq!(names.own(Cow::Owned(sent)), name);
        }
        assert!(names.send("server/tool").is_err());
        assert!(names.send("server_tool").is_err());
    }
}
