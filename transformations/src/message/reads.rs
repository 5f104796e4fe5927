//! What a template reads of a message, found out when it is compiled.

use std::sync::Arc;

use crate::direction::Direction;
use crate::host::{Attribute, LastKinds, MetadataSource};

/// A set of headers, and what is asked of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderNames {
    which: Which,
    /// Somebody asks for the lines of a header one by one.
    has_lines: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Listed(Vec<Arc<str>>),
    /// All, because a template computes the name.
    All,
}

impl Default for Which {
    fn default() -> Self {
        Which::Listed(Vec::new())
    }
}

impl HeaderNames {
    /// Adds one name, in lower case.
    pub(crate) fn insert(&mut self, name: &str) {
        if let Which::Listed(names) = &mut self.which
            && !names.iter().any(|known| known.eq_ignore_ascii_case(name))
        {
            names.push(name.to_ascii_lowercase().into());
        }
    }

    pub(crate) fn insert_all(&mut self) {
        self.which = Which::All;
    }

    pub(crate) fn ask_for_lines(&mut self) {
        self.has_lines = true;
    }

    pub(crate) fn merge(&mut self, other: &HeaderNames) {
        self.has_lines |= other.has_lines;
        match &other.which {
            Which::All => self.insert_all(),
            Which::Listed(names) => names.iter().for_each(|name| self.insert(name)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.which, Which::Listed(names) if names.is_empty())
    }

    pub(crate) fn which(&self) -> &Which {
        &self.which
    }

    pub(crate) fn has_lines(&self) -> bool {
        self.has_lines
    }
}

/// A value that the host is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostRead {
    Metadata {
        source: MetadataSource,
        namespace: Box<str>,
        key: Box<str>,
    },
    Attribute(Attribute),
}

/// A value to ask the host for, and what is known from asking before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) read: HostRead,
    pub(crate) last: LastKinds,
}

/// Everything that a template, or several together, may read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) request_headers: HeaderNames,
    pub(crate) response_headers: HeaderNames,
    /// The body as text.
    pub(crate) body: bool,
    /// The parsed body as a whole: `context()`, `request.json`.
    pub(crate) document: bool,
    /// Variables that only a parsed JSON body can define.
    pub(crate) variables: bool,
    /// Metadata and attributes.
    pub(crate) host: Vec<Asked>,
    /// The time.
    pub(crate) clock: bool,
    /// The time at which the request came.
    pub(crate) start: bool,
    /// The trailers of the response.
    pub(crate) trailers: bool,
    /// What is known of the exchange as LLM traffic.
    pub(crate) facts: bool,
    /// The part of it that is known when the response has ended.
    pub(crate) end_facts: bool,
    /// Variables of the configuration, by number.
    pub(crate) vars: Vec<usize>,
}

impl Reads {
    pub(crate) fn merge(&mut self, other: &Reads) {
        self.request_headers.merge(&other.request_headers);
        self.response_headers.merge(&other.response_headers);
        self.body |= other.body;
        self.document |= other.document;
        self.variables |= other.variables;
        self.clock |= other.clock;
        self.start |= other.start;
        self.trailers |= other.trailers;
        self.facts |= other.facts;
        self.end_facts |= other.end_facts;
        other
            .vars
            .iter()
            .for_each(|number| self.insert_var(*number));
        for asked in &other.host {
            if !self.host.contains(asked) {
                self.host.push(asked.clone());
            }
        }
    }

    pub(crate) fn insert_var(&mut self, number: usize) {
        if !self.vars.contains(&number) {
            self.vars.push(number);
        }
    }

    pub(crate) fn insert_host(&mut self, read: HostRead) {
        let last = LastKinds::default();
        let asked = Asked { read, last };
        if !self.host.contains(&asked) {
            self.host.push(asked);
        }
    }

    /// Whether the body is read in any form.
    pub(crate) fn any_body(&self) -> bool {
        self.body || self.document || self.variables
    }

    pub(crate) fn headers_mut(&mut self, direction: Direction) -> &mut HeaderNames {
        match direction {
            Direction::Request => &mut self.request_headers,
            Direction::Response => &mut self.response_headers,
        }
    }

    pub(crate) fn headers(&self, direction: Direction) -> &HeaderNames {
        match direction {
            Direction::Request => &self.request_headers,
            Direction::Response => &self.response_headers,
        }
    }
}
