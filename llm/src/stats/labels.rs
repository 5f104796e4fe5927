//! Which names may become labels: only those that a configuration tells beforehand. A client chooses
//! the model that it asks for, and hosts keep every label for ever.
//!
//! Made with a configuration, on the main thread; asked on workers.

use std::collections::BTreeSet;

use crate::mask::Kind;

/// What everything else is called.
pub const OTHER: &str = "other";

/// How many names of models a process may count apart; as many of rules, and of kinds.
pub const MAX_NAMES: usize = 100;

/// The names of one sort or another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Models.
    pub models: BTreeSet<String>,
    /// Rules of the guard.
    pub rules: BTreeSet<String>,
    /// Kinds that masks find beside their own.
    pub kinds: BTreeSet<String>,
}

impl Names {
    /// Takes those of a configuration as far as there is room: what was named once keeps its place,
    /// since its label is never freed. Answers the labels of that configuration.
    pub fn admit(&mut self, wanted: &Names) -> Labels {
        Labels(Names {
            models: admit(&mut self.models, &wanted.models),
            rules: admit(&mut self.rules, &wanted.rules),
            kinds: admit(&mut self.kinds, &wanted.kinds),
        })
    }
}

fn admit(all: &mut BTreeSet<String>, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let mut admitted = BTreeSet::new();
    for name in wanted {
        if all.contains(name) || all.len() < MAX_NAMES {
            all.insert(name.clone());
            admitted.insert(name.clone());
        }
    }
    admitted
}

/// The names that a configuration counts apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Names);

impl Labels {
    pub(super) fn model<'n>(&self, name: Option<&'n str>) -> &'n str {
        name.filter(|name| self.0.models.contains(*name))
            .unwrap_or(OTHER)
    }

    pub(super) fn rule<'n>(&self, name: &'n str) -> &'n str {
        let is_ours = name == crate::guard::NOT_ALLOWED;
        match is_ours || self.0.rules.contains(name) {
            true => name,
            false => OTHER,
        }
    }

    pub(super) fn kind<'n>(&self, name: &'n str) -> &'n str {
        let is_ours = Kind::ALL.iter().any(|kind| kind.name() == name);
        match is_ours || self.0.kinds.contains(name) {
            true => name,
            false => OTHER,
        }
    }
}
