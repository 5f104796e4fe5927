//! Messages line by line: what stays, what is gone and what is new.

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};
use transformations::Reply;

use super::{Passage, Shown, as_text, name};

impl Shown {
    /// Both messages and an answer, line by line, with what is to be said of them; and the metadata.
    pub(crate) fn differences(&self) -> Value {
        let messages = self.passages().into_iter();
        let messages = messages.map(|(direction, passage)| self.message(name(direction), passage));
        let messages = messages.chain(self.reply.as_ref().map(reply));
        json!({"messages": messages.collect::<Vec<_>>(), "metadata": self.entries()})
    }

    fn message(&self, title: &str, passage: &Passage) -> Value {
        let before = as_text(&passage.before);
        let after = passage.after.as_ref();
        let after = after.map_or_else(|| before.clone(), as_text);
        let mut shown = json!({"title": title, "lines": as_json(&before, &after)});
        if let Err(failure) = &passage.sent {
            let (status, sentence) = (failure.error().status(), self.sentence(failure));
            shown["failed"] = json!(format!("answered with {status}: {sentence}"));
        }
        let mut notes = Vec::new();
        // Nothing that is written to memory fails.
        if self.explain(passage, &mut notes).is_ok() {
            let notes = anstream::adapter::strip_bytes(&notes).into_vec();
            let notes = String::from_utf8_lossy(&notes);
            let notes = notes.lines().map(|line| line.trim_start_matches("note: "));
            shown["notes"] = notes.collect();
        }
        shown
    }
}

fn reply(reply: &Reply) -> Value {
    let mut text = format!(":status: {}\n", reply.status);
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    if !reply.body.is_empty() {
        text.push_str(&format!("\n{}\n", reply.body));
    }
    json!({"title": format!("answered ({})", reply.details), "lines": as_json("", &text)})
}

fn as_json(before: &str, after: &str) -> Value {
    let lines = lines(before, after).into_iter().map(|(tag, text)| {
        let kind = match tag {
            ChangeTag::Equal => "same",
            ChangeTag::Delete => "gone",
            ChangeTag::Insert => "new",
        };
        json!({"kind": kind, "text": text})
    });
    lines.collect()
}

/// The lines of two texts, and in which of them they are.
pub(super) fn lines(before: &str, after: &str) -> Vec<(ChangeTag, String)> {
    let diff = TextDiff::from_lines(before, after);
    let changes = diff.iter_all_changes();
    changes
        .map(|it| (it.tag(), it.value().trim_end_matches('\n').to_owned()))
        .collect()
}
