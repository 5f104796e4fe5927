//! `validate`: every configuration that is found is compiled as the module would do it.

pub(crate) mod report;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use transformations::access::AccessPolicy;
use transformations::config::beyond_policy;
use transformations::profiles::Profiles;
use transformations::provider::Providers;
use transformations::{Capabilities, Code, CompileOptions, Diagnostic, Program};

use crate::Outcome;
use crate::files::{FileArguments, LocalFiles};
use crate::find::locate::{Position, Text};
use crate::find::{self, Filter, Found, What, find};
use crate::source::{self, Source};
use report::{Problem, Report};

const EXAMPLES: &str = "\
Examples:
  rustformations validate envoy.yaml                       a bootstrap, with all routes in it
  rustformations validate k8s/ --traffic-policy 2.3        policies, for what kgateway 2.3 can carry
  rustformations validate config.json --envoy 1.37         one configuration, for an older Envoy
  curl -s localhost:9901/config_dump | rustformations validate -
  rustformations validate . --format github                annotations in a workflow

Exit codes: 0 if all is valid, warnings or not (see --deny-warnings); 1 if something is refused, or nothing was
found; 2 if the arguments make no sense.";

/// Check configurations: JSON for the module's filters, profiles, TrafficPolicies, bootstraps, config dumps
///
/// Looks into files, folders and standard input for every configuration of the module, and says what the module
/// would say when it loads them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Files or folders; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,

    /// How to tell what was found
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Check that this Envoy can do what is asked, not the newest
    #[arg(long, value_name = "RELEASE", value_parser = envoy)]
    envoy: Option<(u16, u16)>,

    /// Check that a TrafficPolicy of this kgateway can carry it: policies, and configurations without an envelope
    #[arg(long, value_name = "RELEASE", value_parser = kgateway)]
    traffic_policy: Option<(u16, u16)>,

    /// The files that are named hold configurations of this filter, and nothing around them
    #[arg(long, value_name = "NAME", value_parser = Filter::configured)]
    filter: Option<Filter>,

    /// Warnings refuse, too
    #[arg(long)]
    deny_warnings: bool,

    #[command(flatten)]
    files: FileArguments,
}

impl Arguments {
    /// One file, for one Envoy, told to people.
    pub(crate) fn of(path: &Path, envoy: (u16, u16), files: FileArguments) -> Arguments {
        Arguments {
            paths: vec![path.to_owned()],
            format: Format::Text,
            envoy: Some(envoy),
            traffic_policy: None,
            filter: None,
            deny_warnings: false,
            files,
        }
    }
}

/// How it is told.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people, as Envoy's log has it
    #[default]
    Text,
    /// One JSON object
    Json,
    /// Annotations of GitHub Actions
    Github,
}

/// The Envoy that is meant where none is named.
const NEWEST: (u16, u16) = (1, 40);

fn envoy(text: &str) -> Result<(u16, u16), String> {
    release(text, [(1, 36), (1, 37), (1, 38), (1, 39), NEWEST])
}

fn kgateway(text: &str) -> Result<(u16, u16), String> {
    release(text, [(2, 2), (2, 3), (2, 4)])
}

/// One of the releases; a patch version behind it says nothing more.
fn release<const N: usize>(text: &str, known: [(u16, u16); N]) -> Result<(u16, u16), String> {
    let mut parts = text.trim_start_matches('v').split('.').map(str::parse);
    let found = match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    };
    found.filter(|found| known.contains(found)).ok_or_else(|| {
        let known = known.map(|(major, minor)| format!("{major}.{minor}"));
        format!("expected one of {}", known.join(", "))
    })
}

/// Runs the command.
///
/// # Errors
/// If nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let mut options = CompileOptions::from_process();
    if let Some(envoy) = asked.envoy {
        options.capabilities = Capabilities::of_envoy(envoy);
    }
    let files = LocalFiles::new(&asked.files);
    let sources = source::read_all(&asked.paths);
    let found: Vec<(&Source, Vec<Found>)> = sources
        .iter()
        .map(|source| match asked.filter {
            Some(filter) if source.is_named => (source, find::alone(source, filter)),
            _ => (source, find(source)),
        })
        .collect();
    let mut check = Check {
        options,
        envoy: asked.envoy.unwrap_or(NEWEST),
        kgateway: asked.traffic_policy,
        files,
        nearby: nearby(&found),
        report: Report::default(),
    };
    for (source, found) in &found {
        let text = source.text().map(Text::new);
        for one in found {
            check.one(source, text.as_ref(), one);
        }
    }
    let mut report = check.report;
    if report.configurations == 0 && report.problems.is_empty() {
        report.problems.push(nothing(&asked.paths));
    }
    match asked.format {
        Format::Text => report.text(out)?,
        Format::Json => report.json(out)?,
        Format::Github => report.github(out)?,
    }
    let refused = report.errors() > 0 || asked.deny_warnings && report.warnings() > 0;
    Ok(match refused {
        true => Outcome::Refused,
        false => Outcome::Fine,
    })
}

fn nothing(paths: &[PathBuf]) -> Problem {
    let message = "there is no configuration of this module here";
    let help = "a configuration is a JSON object with \"request\", \"response\" or \"ai\"; it is found in \
                bootstraps, dumps, TrafficPolicies, ConfigMaps and files of profiles, too";
    let names = paths.iter().map(|path| path.display().to_string());
    Problem {
        file: names.collect::<Vec<_>>().join(", "),
        place: String::new(),
        position: None,
        diagnostic: Diagnostic::error(Code::NOTHING_FOUND, "", message).with_help(help),
    }
}

/// The profiles among what was found, by the file that they stand in.
fn nearby(found: &[(&Source, Vec<Found>)]) -> Vec<(String, Arc<Profiles>)> {
    let mut nearby = Vec::new();
    for (source, found) in found {
        for one in found {
            if let What::Profiles(text) = &one.what
                && let Ok(profiles) = Profiles::parse(&source.name, text)
            {
                nearby.push((source.name.clone(), Arc::new(profiles)));
            }
        }
    }
    nearby
}

/// Where a problem stands in its file.
fn position(
    source: &Source,
    text: Option<&Text<'_>>,
    one: &Found,
    problem: &Diagnostic,
) -> Option<Position> {
    let is_malformed = problem.code() == Code::NOT_JSON;
    // What stands in the profiles of this file says so.
    let here = format!("{}: ", source.name);
    let field = problem.path();
    let field = match &one.what {
        What::Profiles(_) => field.strip_prefix(&here).unwrap_or(field),
        _ => field,
    };
    one.spot.locate(text?, field, is_malformed)
}

/// Checking what was found.
struct Check {
    options: CompileOptions,
    envoy: (u16, u16),
    kgateway: Option<(u16, u16)>,
    files: LocalFiles,
    nearby: Vec<(String, Arc<Profiles>)>,
    report: Report,
}

impl Check {
    fn one(&mut self, source: &Source, text: Option<&Text<'_>>, one: &Found) {
        let mut found = Vec::new();
        match &one.what {
            What::Unread => return self.report.unread.push(source.name.clone()),
            What::Config(filter, text) => found = self.compile_for(*filter, text, source),
            What::Bare(text) => {
                found = self.compile(text, source);
                let value = self
                    .kgateway
                    .and_then(|_| serde_json::from_slice(text).ok());
                found.extend(value.iter().flat_map(|value| self.carried(value)));
            }
            What::Policy(value) => {
                found = self.compile(value.to_string().as_bytes(), source);
                found.extend(self.carried(value));
            }
            What::Profiles(text) => found = self.profiles(text, source),
            What::Wrong(problem) => found.push(problem.clone()),
        }
        self.report.configurations += usize::from(!matches!(one.what, What::Wrong(_)));
        self.report
            .problems
            .extend(found.into_iter().map(|it| Problem {
                file: source.name.clone(),
                place: one.place.clone(),
                position: position(source, text, one, &it),
                diagnostic: it,
            }));
    }

    fn carried(&self, value: &serde_json::Value) -> Vec<Diagnostic> {
        self.kgateway
            .map_or_else(Vec::new, |release| beyond_policy(value, release))
    }

    fn compile_for(&self, filter: Filter, text: &[u8], source: &Source) -> Vec<Diagnostic> {
        let refused = match filter {
            Filter::Transformation => return self.compile(text, source),
            Filter::AccessList => AccessPolicy::compile(text).err(),
            Filter::Provider => Providers::compile(text, self.envoy, &self.files).err(),
            Filter::Tutorial => None,
        };
        refused.iter().flatten().cloned().collect()
    }

    fn compile(&self, text: &[u8], source: &Source) -> Vec<Diagnostic> {
        let near = self
            .near(&source.name)
            .map(|it| self.files.with_profiles(it));
        self.compile_with(text, near.as_ref().unwrap_or(&self.files))
    }

    fn compile_with(&self, text: &[u8], files: &LocalFiles) -> Vec<Diagnostic> {
        match Program::compile_with(text, &self.options, files) {
            Ok(program) => program.warnings().to_vec(),
            Err(found) => found.iter().cloned().collect(),
        }
    }

    /// Each profile by itself.
    fn profiles(&self, text: &[u8], source: &Source) -> Vec<Diagnostic> {
        let profiles = match Profiles::parse(&source.name, text) {
            Ok(profiles) => Arc::new(profiles),
            Err(found) => return found.iter().cloned().collect(),
        };
        let files = self.files.with_profiles(Arc::clone(&profiles));
        let choosers = profiles.names().map(Profiles::chooser);
        let found = choosers.flat_map(|it| self.compile_with(it.as_bytes(), &files));
        found.collect()
    }

    /// The profiles that go with a file where none were named: those of the file itself, else of a file in its
    /// folder.
    fn near(&self, name: &str) -> Option<Arc<Profiles>> {
        if self.files.has_profiles() {
            return None;
        }
        let folder = |name: &str| Path::new(name).parent().map(Path::to_owned);
        let same = self.nearby.iter().find(|(file, _)| file == name);
        let beside = || {
            let mut all = self.nearby.iter();
            all.find(|(file, _)| folder(file) == folder(name))
        };
        let (_, profiles) = same.or_else(beside)?;
        Some(Arc::clone(profiles))
    }
}
