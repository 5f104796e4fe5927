//! Finds every configuration of the module in a text.
//!
//! A text is JSON, YAML with any number of documents, or Markdown with both in its fences. A document is a
//! configuration itself, a file of profiles, an object of Kubernetes that holds either, or anything in which
//! Envoy's filter for dynamic modules stands somewhere: a bootstrap, a dump, an xDS resource.

mod document;
mod envoy;
pub(crate) mod locate;
mod markdown;
pub(crate) mod path;
mod signs;
mod tree;
pub(crate) mod yaml;

pub(crate) use envoy::Filter;

use serde_json::Value;
use transformations::{Code, Diagnostic};

use crate::source::Source;
use locate::Spot;

/// Something that the module would be given.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it stands in its file, for people; empty if it is the file.
    pub(crate) place: String,
    /// The same, to be followed.
    pub(crate) spot: Spot,
    pub(crate) what: What,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum What {
    /// The text of a filter's configuration, as Envoy hands it over.
    Config(Filter, Vec<u8>),
    /// A configuration of the transformation filter that has no envelope, so that it might go anywhere.
    Bare(Vec<u8>),
    /// `spec.transformation` of a kgateway `TrafficPolicy`.
    Policy(Value),
    /// The text of a file of profiles.
    Profiles(Vec<u8>),
    /// What cannot even be given to the module.
    Wrong(Diagnostic),
    /// A file of a folder that cannot be read as what its name says, and does not look as if it were for the module.
    Unread,
}

/// Everything that is in a text.
pub(crate) fn find(source: &Source) -> Vec<Found> {
    let bytes = match &source.bytes {
        Ok(bytes) => bytes,
        Err(why) => return vec![unreadable(why)],
    };
    let name = source.name.to_ascii_lowercase();
    let Ok(text) = str::from_utf8(bytes) else {
        return match source.is_named || signs::are_in(&String::from_utf8_lossy(bytes)) {
            true => vec![not_utf8()],
            false => vec![Found::whole(What::Unread)],
        };
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_meant = || source.is_named || signs::are_in(text);
    if name.ends_with(".md") {
        return markdown::find(text);
    }
    let looks_like_json = text.trim_start().starts_with(['{', '[', '"']);
    if name.ends_with(".json") || looks_like_json {
        match serde_json::from_str(text) {
            Ok(value) => {
                let found = document::find(&value, text.as_bytes());
                if found.is_empty() && source.is_named {
                    return vec![Found::whole(What::Bare(bytes.clone()))];
                }
                return found;
            }
            Err(_) if name.ends_with(".json") && is_meant() => {
                return vec![Found::whole(What::Bare(bytes.clone()))];
            }
            // YAML in flow style may begin like JSON.
            Err(_) => {}
        }
    }
    match yaml::documents(text) {
        Ok(values) => {
            // What was meant to be JSON is given to the module as it is: YAML allows more.
            let text = match looks_like_json {
                true => text.as_bytes(),
                false => &[],
            };
            document::find_all(&values, text)
        }
        // Templates of other tools, most likely.
        Err(_) if !is_meant() => vec![Found::whole(What::Unread)],
        Err(_) if looks_like_json => vec![Found::whole(What::Bare(bytes.clone()))],
        Err(why) => vec![wrong(Code::NOT_A_DOCUMENT, why)],
    }
}

/// The configurations of one filter, in a text that holds nothing else.
pub(crate) fn alone(source: &Source, filter: Filter) -> Vec<Found> {
    let bytes = match &source.bytes {
        Ok(bytes) => bytes,
        Err(why) => return vec![unreadable(why)],
    };
    let what = |text| Found::whole(What::alone(filter, text));
    let Ok(text) = str::from_utf8(bytes) else {
        return vec![not_utf8()];
    };
    let text = text.trim_start();
    if text.starts_with(['{', '[', '"']) || text.is_empty() {
        return vec![what(bytes.clone())];
    }
    match yaml::documents(text) {
        Ok(values) => {
            let all = values.iter().map(|it| what(it.to_string().into_bytes()));
            in_documents(all.map(|it| vec![it]))
        }
        Err(why) => vec![wrong(Code::NOT_A_DOCUMENT, why)],
    }
}

fn wrong(code: Code, why: String) -> Found {
    Found::whole(What::Wrong(Diagnostic::error(code, "", why)))
}

fn unreadable(why: &str) -> Found {
    let problem = Diagnostic::error(Code::UNREADABLE_FILE, "", why);
    let help = "name a file or a folder that is there and may be read; \"-\" is standard input";
    Found::whole(What::Wrong(problem.with_help(help)))
}

/// The module's own sentence is for who gives it the text in Envoy.
fn not_utf8() -> Found {
    let problem = Diagnostic::error(Code::NOT_UTF8, "", "the file is not UTF-8 text");
    Found::whole(What::Wrong(problem.with_help("save it as UTF-8")))
}

impl What {
    /// A configuration without an envelope.
    fn alone(filter: Filter, text: Vec<u8>) -> What {
        match filter {
            Filter::Transformation => What::Bare(text),
            filter => What::Config(filter, text),
        }
    }
}

impl Found {
    fn whole(what: What) -> Found {
        Found::at("", Spot::default(), what)
    }

    fn at(place: impl Into<String>, spot: Spot, what: What) -> Found {
        Found {
            place: place.into(),
            spot,
            what,
        }
    }

    /// The same in a text that has a name.
    fn under(self, name: &str) -> Found {
        let place = match self.place.as_str() {
            "" => name.to_owned(),
            inside => format!("{name}: {inside}"),
        };
        Found { place, ..self }
    }

    /// The same somewhere else.
    fn moved(self, change: impl FnOnce(Spot) -> Spot) -> Found {
        Found {
            spot: change(self.spot),
            ..self
        }
    }
}

/// What was found in the documents of a text, in their order.
fn in_documents(all: impl Iterator<Item = Vec<Found>>) -> Vec<Found> {
    let numbered = all.enumerate().flat_map(|(number, found)| {
        let found = found.into_iter();
        found.map(move |it| it.moved(|spot| spot.in_document(number)))
    });
    numbered.collect()
}
