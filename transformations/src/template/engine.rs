//! The template engine, prepared once for all templates of a program.
//!
//! Compiled on the main thread. Rendering happens on workers, without locks, look-ups by name or
//! parsing: instructions are kept beside the text they borrow from and are run directly.
//!
//! Between compiling and running, some instructions are replaced (see
//! [`instructions`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use minijinja::machinery::{
    CodeGenerator, Instructions, Vm, WhitespaceConfig, make_string_output, parse,
};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};
use self_cell::self_cell;

mod absence;
mod instructions;
pub(crate) mod operators;
mod priced;

use crate::config::Limits;
use crate::error::{Cause, TransformErrorKind};
use crate::functions::{self, Configured};
use crate::value::Fault;
use crate::value::NodeValue;
use crate::value::{Absent, budget, print, weigh};
use formats::json::Kind;
use instructions::rewrite;
use priced::Names;

/// A template that analysis found to be sound but not simple.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) text: String,
    /// See [`Analysis::fields`](super::analysis::Analysis::fields).
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    pub(crate) assigned: BTreeSet<String>,
    pub(crate) repeated_literal: usize,
    /// The function that reads command operators, if the template has any.
    pub(crate) command_function: Option<String>,
}

struct Owner {
    sources: Vec<Source>,
    names: Names,
}

struct Prepared<'s> {
    environment: Environment<'s>,
    templates: Vec<Instructions<'s>>,
    /// The engine asks for the blocks of template inheritance, which this project leaves out.
    blocks: BTreeMap<&'s str, Instructions<'s>>,
}

/// Bodies up to this size earn no fuel: the limit by itself is generous for them.
const EARNS_NOTHING: usize = 64 << 10;

impl<'s> Prepared<'s> {
    /// The environment with the fuel for a body of this length: one instruction more for each byte, so
    /// that a loop over a long list is not stopped for the list's length. A copy is a few counts.
    fn fueled(&self, read_bytes: usize) -> Cow<'_, Environment<'s>> {
        let limit = self.environment.fuel();
        match (limit, u64::try_from(read_bytes)) {
            (Some(limit), Ok(earned)) if read_bytes > EARNS_NOTHING => {
                let mut environment = self.environment.clone();
                environment.set_fuel(Some(limit.saturating_add(earned)));
                Cow::Owned(environment)
            }
            _ => Cow::Borrowed(&self.environment),
        }
    }
}

self_cell! {
    struct Cell {
        owner: Owner,
        #[covariant]
        dependent: Prepared,
    }
}

/// All templates of a program that need the engine.
pub(crate) struct Engine(Cell);

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("templates", &self.0.borrow_owner().sources.len())
            .finish()
    }
}

impl Engine {
    /// Compiles templates that were analysed before.
    ///
    /// # Errors
    /// If a template cannot be parsed after all.
    pub(crate) fn new(
        sources: Vec<Source>,
        limits: &Limits,
        configured: &Configured,
    ) -> Result<Engine, Error> {
        let owner = Owner {
            sources,
            names: Names::new(),
        };
        let cell = Cell::try_new(owner, |Owner { sources, names }| {
            let templates = sources
                .iter()
                .map(|source| instructions(source, names, unpaid(limits)))
                .collect::<Result<_, _>>()?;
            let environment = environment(names, limits, configured);
            Ok::<_, Error>(Prepared {
                environment,
                templates,
                blocks: BTreeMap::new(),
            })
        })?;
        Ok(Engine(cell))
    }

    /// Renders one template, appending to `out`, which may end up holding a part on failure.
    /// `read_bytes` is how long the body is that it may read: a long one earns it fuel.
    ///
    /// # Errors
    /// Why the render failed, without any of its values.
    pub(crate) fn render(
        &self,
        index: usize,
        root: Value,
        read_bytes: usize,
        out: &mut String,
    ) -> Result<(), Cause> {
        let prepared = self.0.borrow_dependent();
        let Some(instructions) = prepared.templates.get(index) else {
            return Err(TransformErrorKind::Render.into());
        };
        let environment = prepared.fueled(read_bytes);
        let vm = Vm::new(&environment);
        let mut output = make_string_output(out);
        let none = AutoEscape::None;
        match vm.eval(instructions, root, &prepared.blocks, &mut output, none) {
            // Some walks cannot fail, only end early.
            _ if budget::is_overdrawn() => Err(TransformErrorKind::TooMuchOutput.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(to_cause(&error)),
        }
    }
}

/// What an engine error means: its innermost cause decides.
fn to_cause(error: &Error) -> Cause {
    let mut reason = None;
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(Absent(kind)) = cause.downcast_ref() {
            return (*kind).into();
        }
        if let Some(Fault::JsonTooDeep) = cause.downcast_ref() {
            return TransformErrorKind::JsonTooDeep.into();
        }
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            return Cause::because(TransformErrorKind::Render, fault);
        }
        if let Some(cause) = cause.downcast_ref::<Error>() {
            match cause.kind() {
                ErrorKind::OutOfFuel => return TransformErrorKind::OutOfFuel.into(),
                ErrorKind::InvalidOperation
                    if cause
                        .detail()
                        .is_some_and(|d| d.contains("recursion limit")) =>
                {
                    return TransformErrorKind::TooDeep.into();
                }
                _ => reason = Some(to_reason(cause)),
            }
        }
        next = cause.source();
    }
    Cause {
        kind: TransformErrorKind::Render,
        reason: reason.map(Into::into),
    }
}

/// What may be told of an engine error: details that speak of types only, else just its kind. Other
/// details hold values.
fn to_reason(error: &Error) -> String {
    const OF_TYPES: [&str; 9] = [
        "cannot calculate length of",
        "cannot convert ",
        "cannot join value of type",
        "cannot reverse values of type",
        "cannot round value",
        "can only sum numbers",
        "tried to use ",
        "unsupported operation",
        "value of type ",
    ];
    let detail = error.detail().unwrap_or_default();
    let of_types = OF_TYPES.iter().any(|start| detail.starts_with(start))
        || detail.ends_with(" is not iterable") && !detail.contains(['"', '\'']);
    let kind = error.kind();
    match of_types {
        true => format!("{kind}: {detail}"),
        false => kind.to_string(),
    }
}

/// Literal text is written without passing the formatter, so no one pays for it. Up to this length
/// there is not enough fuel to repeat it beyond the limit; longer ones are made to pay.
fn unpaid(limits: &Limits) -> usize {
    let shares = usize::try_from(limits.fuel.max(1)).unwrap_or(usize::MAX);
    limits.output_bytes / shares
}

fn environment<'s>(names: &'s Names, limits: &Limits, configured: &Configured) -> Environment<'s> {
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(limits.fuel));
    environment.set_recursion_limit(limits.recursion);
    environment.set_formatter(write_value);
    functions::register(&mut environment, configured);
    for name in ["range", "dict", "namespace", "debug"] {
        environment.remove_global(name);
    }
    names.register(&mut environment);
    operators::register(&mut environment);
    environment
}

/// Prints what `{{ ... }}` yields.
fn write_value(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    if state.auto_escape() != AutoEscape::None && !is_number_of_message(value) {
        // Only inside {% autoescape %}, where the author asked for it. An escape has six bytes.
        weigh::as_text(value)?;
        budget::charge(
            value
                .as_str()
                .map_or(0, |text| text.len().saturating_mul(6)),
        )?;
        return minijinja::escape_formatter(out, state, value);
    }
    if let Some(text) = value.as_str() {
        budget::charge(text.len())?;
        return out.write_str(text).map_err(fmt_error);
    }
    weigh::as_text(value)?;
    print::value(&mut Metered(out), value).map_err(fmt_error)
}

/// Whether this is a number that keeps its spelling. There is nothing in it to escape.
fn is_number_of_message(value: &Value) -> bool {
    value
        .downcast_object_ref::<NodeValue>()
        .is_some_and(|found| found.node().kind() == Kind::Number)
}

/// Pays for text on its way to the output.
struct Metered<'a, 'o>(&'a mut Output<'o>);

impl Write for Metered<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        budget::charge(text.len()).map_err(|_| fmt::Error)?;
        self.0.write_str(text)
    }
}

pub(super) fn fmt_error(_: fmt::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, "the value cannot be printed")
}

fn instructions<'s>(
    source: &'s Source,
    names: &'s Names,
    unpaid: usize,
) -> Result<Instructions<'s>, Error> {
    Ok(rewrite(&compile(&source.text)?, source, names, unpaid))
}

/// The engine's own instructions for a template.
pub(super) fn compile(text: &str) -> Result<Instructions<'_>, Error> {
    let tree = parse(text, "", Default::default(), WhitespaceConfig::default())?;
    let mut generator = CodeGenerator::new("", text);
    generator.compile_stmt(&tree);
    let (instructions, _) = generator.finish();
    Ok(instructions)
}
