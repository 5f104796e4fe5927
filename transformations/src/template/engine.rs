//! The template engine: one environment for the process, and the templates of each program.
//!
//! Templates are compiled on the main thread. Rendering happens on workers, without locks, look-ups of
//! templates by name or parsing: instructions are kept beside the text they borrow from and are run
//! directly. Functions, filters and tests are registered once; what depends on a configuration reaches
//! them beside the message (see [`Configured`]), and limits in a copy of the environment, which is a few
//! counts.
//!
//! Between compiling and running, some instructions are replaced (see [`instructions`]). This folder is
//! the only place that knows the engine's instructions. The rest of the crate has its syntax tree (to
//! analyse templates), its values, and [`Engine`].
//!
//! # Moving to minijinja 3
//!
//! Its instructions carry no promise, so a new version is taken when the golden cases, the properties and
//! the sweep of costs pass with it. Nothing new is built on replacing instructions: what a template
//! shall do otherwise becomes a function, a filter or a stage. What is replaced today goes as soon as the
//! engine lets an environment define operators, attribute access and the cost of a call, or else stays as
//! it is; version 3 is due when that is there, or when version 2 gets no more fixes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use minijinja::machinery::{
    CodeGenerator, Instruction, Instructions, Vm, WhitespaceConfig, make_string_output, parse,
};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};
use once_cell::sync::{Lazy, OnceCell};
use self_cell::self_cell;

mod absence;
mod instructions;
pub(crate) mod operators;
mod priced;

use crate::config::Limits;
use crate::error::{Cause, TransformErrorKind};
use crate::functions::{self, Configured};
use crate::message::{Private, PrivateFunctions};
use crate::value::Fault;
use crate::value::NodeValue;
use crate::value::{Absent, budget, print, weigh};
use formats::json::Kind;
use instructions::rewrite;

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

/// What every program renders with: all functions, filters, tests and operators, and the usual limits.
static ENVIRONMENT: Lazy<Environment<'static>> = Lazy::new(environment);

/// The functions of the environment that templates call under names which they cannot write.
static FUNCTIONS: Lazy<PrivateFunctions> = Lazy::new(|| {
    let globals = ENVIRONMENT.globals();
    let private = globals.filter(|(name, _)| name.contains(' '));
    private.map(|(name, value)| (name.into(), value)).collect()
});

/// Bodies up to this size earn no fuel: the limit by itself is generous for them.
const EARNS_NOTHING: usize = 64 << 10;

/// A compiled template, which borrows from its text.
struct Template<'s> {
    instructions: Box<[Instruction<'s>]>,
    /// The same in the engine's own container, which has room for hundreds from the start and no way to
    /// give it back. Made for the first render: most routes of a large table see no request for long.
    running: OnceCell<Box<Instructions<'s>>>,
}

impl<'s> Template<'s> {
    fn running(&self) -> &Instructions<'s> {
        self.running.get_or_init(|| {
            let mut running = Instructions::new("", "");
            for instruction in &self.instructions {
                running.add(instruction.clone());
            }
            Box::new(running)
        })
    }
}

self_cell! {
    struct Templates {
        owner: Box<[Box<str>]>,
        #[not_covariant]
        dependent: Compiled,
    }
}

type Compiled<'s> = Box<[Template<'s>]>;

/// All templates of a program that need the engine.
pub(crate) struct Engine {
    templates: Templates,
    /// With limits of its own, if the program has such.
    environment: Option<Box<Environment<'static>>>,
    /// What templates and functions find beside the message.
    private: Private,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("templates", &self.templates.borrow_owner().len())
            .finish()
    }
}

impl Engine {
    /// Compiles templates that were analysed before.
    ///
    /// # Errors
    /// If a template cannot be parsed after all.
    pub(crate) fn new(
        mut sources: Vec<Source>,
        limits: &Limits,
        configured: Configured,
    ) -> Result<Engine, Error> {
        let texts = sources
            .iter_mut()
            .map(|source| std::mem::take(&mut source.text));
        let texts: Box<[Box<str>]> = texts.map(Into::into).collect();
        let templates = Templates::try_new(texts, |texts| {
            let sources = texts.iter().zip(&sources);
            sources
                .map(|(text, source)| template(text, source, unpaid(limits)))
                .collect::<Result<_, _>>()
        })?;
        Ok(Engine {
            templates,
            environment: limited(limits),
            private: Private {
                configured: match configured.is_empty() {
                    true => Value::UNDEFINED,
                    false => Value::from_object(configured),
                },
                functions: Some(&FUNCTIONS),
            },
        })
    }

    /// What templates and functions find beside the message, which holds it for them.
    pub(crate) fn private(&self) -> &Private {
        &self.private
    }

    /// Renders one template, appending to `out`, which may end up holding a part on failure.
    /// `read_bytes` is how long the body is that it may read: a long one earns it fuel. What it took of that
    /// is added to `fuel`, if somebody wants to know.
    ///
    /// # Errors
    /// Why the render failed, without any of its values.
    pub(crate) fn render(
        &self,
        index: usize,
        root: Value,
        read_bytes: usize,
        fuel: Option<&mut u64>,
        out: &mut String,
    ) -> Result<(), Cause> {
        let environment = self.fueled(read_bytes);
        self.templates.with_dependent(|_, templates| {
            let Some(template) = templates.get(index) else {
                return Err(TransformErrorKind::Render.into());
            };
            run(&environment, template.running(), root, fuel, out)
        })
    }

    fn environment(&self) -> &Environment<'static> {
        self.environment.as_deref().unwrap_or(&ENVIRONMENT)
    }

    /// The environment with the fuel for a body of this length: one instruction more for each byte, so
    /// that a loop over a long list is not stopped for the list's length. A copy is a few counts.
    fn fueled(&self, read_bytes: usize) -> Cow<'_, Environment<'static>> {
        let environment = self.environment();
        match (environment.fuel(), u64::try_from(read_bytes)) {
            (Some(limit), Ok(earned)) if read_bytes > EARNS_NOTHING => {
                let mut environment = environment.clone();
                environment.set_fuel(Some(limit.saturating_add(earned)));
                Cow::Owned(environment)
            }
            _ => Cow::Borrowed(environment),
        }
    }
}

/// The environment for other limits than the usual ones.
fn limited(limits: &Limits) -> Option<Box<Environment<'static>>> {
    let usual = Limits::default();
    if (limits.fuel, limits.recursion) == (usual.fuel, usual.recursion) {
        return None;
    }
    let mut environment = ENVIRONMENT.clone();
    environment.set_fuel(Some(limits.fuel));
    environment.set_recursion_limit(limits.recursion);
    Some(Box::new(environment))
}

fn run<'e>(
    environment: &'e Environment<'e>,
    instructions: &Instructions<'e>,
    root: Value,
    fuel: Option<&mut u64>,
    out: &mut String,
) -> Result<(), Cause> {
    // The engine asks for the blocks of template inheritance, which this project leaves out.
    let blocks = BTreeMap::new();
    let mut output = make_string_output(out);
    let vm = Vm::new(environment);
    match vm.eval(instructions, root, &blocks, &mut output, AutoEscape::None) {
        // Some walks cannot fail, only end early.
        _ if budget::is_overdrawn() => Err(TransformErrorKind::TooMuchOutput.into()),
        Ok((_, state)) => {
            if let (Some(fuel), Some((taken, _))) = (fuel, state.fuel_levels()) {
                *fuel += taken;
            }
            Ok(())
        }
        Err(error) => Err(to_cause(&error)),
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

fn environment() -> Environment<'static> {
    let limits = Limits::default();
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(limits.fuel));
    environment.set_recursion_limit(limits.recursion);
    environment.set_formatter(write_value);
    functions::register(&mut environment);
    for name in ["range", "dict", "namespace", "debug"] {
        environment.remove_global(name);
    }
    priced::register(&mut environment);
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

fn template<'s>(text: &'s str, source: &Source, unpaid: usize) -> Result<Template<'s>, Error> {
    Ok(Template {
        instructions: rewrite(&compile(text)?, source, unpaid).into(),
        running: OnceCell::new(),
    })
}

/// The engine's own instructions for a template.
pub(super) fn compile(text: &str) -> Result<Instructions<'_>, Error> {
    let tree = parse(text, "", Default::default(), WhitespaceConfig::default())?;
    let mut generator = CodeGenerator::new("", text);
    generator.compile_stmt(&tree);
    let (instructions, _) = generator.finish();
    Ok(instructions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that is looked for in vain there is looked for in the tree of globals, at each call.
    #[test]
    fn all_that_templates_call_is_found_at_the_message() {
        let mut known = ENVIRONMENT.globals().map(|(name, _)| name);
        assert!(known.all(|name| FUNCTIONS.contains_key(name)));
        let mut called = functions::all().map(functions::Function::private);
        assert!(called.all(|name| FUNCTIONS.contains_key(name)));
    }
}
