//! The template engine, prepared once for all templates of a program.
//!
//! Compiled on the main thread. Rendering happens on workers, without locks, look-ups by name or
//! parsing: instructions are kept beside the text they borrow from and are run directly.
//!
//! Between compiling and running, some instructions are replaced: function calls go to names that
//! no JSON key can take, and operators that could make unbounded memory go to functions that pay
//! for it (see [`operators`](super::operators)).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use minijinja::machinery::{
    CodeGenerator, Instruction, Instructions, Vm, WhitespaceConfig, make_string_output, parse,
};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};
use self_cell::self_cell;

use super::{budget, operators, print};
use crate::config::Limits;
use crate::error::TransformErrorKind;
use crate::functions::{self, environment::EnvAccess};
use crate::message;

/// A template that analysis found to be sound but not simple.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) namespaces: Vec<&'static str>,
    pub(crate) assigned: BTreeSet<String>,
    pub(crate) repeated_literal: usize,
}

struct Prepared<'s> {
    environment: Environment<'s>,
    templates: Vec<Instructions<'s>>,
    /// The engine asks for the blocks of template inheritance, which this project leaves out.
    blocks: BTreeMap<&'s str, Instructions<'s>>,
}

self_cell! {
    struct Cell {
        owner: Vec<Source>,
        #[covariant]
        dependent: Prepared,
    }
}

/// All templates of a program that need the engine.
pub(crate) struct Engine(Cell);

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("templates", &self.0.borrow_owner().len())
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
        env: &EnvAccess,
    ) -> Result<Engine, Error> {
        let cell = Cell::try_new(sources, |sources| {
            let templates = sources.iter().map(instructions).collect::<Result<_, _>>()?;
            let environment = environment(fuel(sources, limits), limits, env);
            Ok::<_, Error>(Prepared {
                environment,
                templates,
                blocks: BTreeMap::new(),
            })
        })?;
        Ok(Engine(cell))
    }

    /// Renders one template, appending to `out`, which may end up holding a part on failure.
    ///
    /// # Errors
    /// Why the render failed, without any of its values.
    pub(crate) fn render(
        &self,
        index: usize,
        root: Value,
        out: &mut String,
    ) -> Result<(), TransformErrorKind> {
        let prepared = self.0.borrow_dependent();
        let Some(instructions) = prepared.templates.get(index) else {
            return Err(TransformErrorKind::Render);
        };
        let vm = Vm::new(&prepared.environment);
        let mut output = make_string_output(out);
        let none = AutoEscape::None;
        match vm.eval(instructions, root, &prepared.blocks, &mut output, none) {
            Ok(_) => Ok(()),
            Err(_) if budget::is_overdrawn() => Err(TransformErrorKind::TooMuchOutput),
            Err(error) => Err(to_kind(&error)),
        }
    }
}

/// The kind of an engine error: its innermost cause decides.
fn to_kind(error: &Error) -> TransformErrorKind {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<Error>() {
            match cause.kind() {
                ErrorKind::OutOfFuel => return TransformErrorKind::OutOfFuel,
                ErrorKind::InvalidOperation
                    if cause
                        .detail()
                        .is_some_and(|d| d.contains("recursion limit")) =>
                {
                    return TransformErrorKind::TooDeep;
                }
                _ => {}
            }
        }
        next = cause.source();
    }
    TransformErrorKind::Render
}

/// Literal text in a loop is written without passing the formatter, so no one pays for it. The
/// cheapest loop spends three instructions on a turn: with less fuel, less can be written.
fn fuel(sources: &[Source], limits: &Limits) -> u64 {
    let longest = sources
        .iter()
        .map(|source| source.repeated_literal)
        .max()
        .unwrap_or(0);
    // Eight times the output limit, so that loops which do more than write literals are not cut.
    let affordable = (limits.output_bytes as u64).saturating_mul(24) / (longest.max(1) as u64);
    limits.fuel.min(affordable.max(1_000))
}

fn environment<'s>(fuel: u64, limits: &Limits, env: &EnvAccess) -> Environment<'s> {
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(limits.recursion);
    environment.set_formatter(write_value);
    functions::register(&mut environment, env);
    for name in ["range", "dict", "namespace", "debug"] {
        environment.remove_global(name);
    }
    operators::register(&mut environment);
    environment
}

/// Prints what `{{ ... }}` yields.
fn write_value(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    if state.auto_escape() != AutoEscape::None {
        // Only inside {% autoescape %}, where the author asked for it.
        return minijinja::escape_formatter(out, state, value);
    }
    if let Some(text) = value.as_str() {
        budget::charge(text.len())?;
        return out.write_str(text).map_err(fmt_error);
    }
    print::value(&mut Metered(out), value).map_err(fmt_error)
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

fn instructions(source: &Source) -> Result<Instructions<'_>, Error> {
    let tree = parse(
        &source.text,
        "",
        Default::default(),
        WhitespaceConfig::default(),
    )?;
    let mut generator = CodeGenerator::new("", &source.text);
    generator.compile_stmt(&tree);
    let (mut instructions, _) = generator.finish();
    for index in 0..u32::try_from(instructions.len()).unwrap_or(u32::MAX) {
        if let Some(instruction) = instructions.get_mut(index)
            && let Some(replacement) = replace(instruction, source)
        {
            *instruction = replacement;
        }
    }
    Ok(instructions)
}

/// The instruction to run instead, with the same effect on the engine's stack.
fn replace<'s>(instruction: &Instruction<'s>, source: &Source) -> Option<Instruction<'s>> {
    let call = |name: &'static str, arguments: usize| {
        Some(Instruction::CallFunction(
            name,
            Some(u16::try_from(arguments).ok()?),
        ))
    };
    match instruction {
        Instruction::Add => call(operators::ADD, 2),
        Instruction::Mul => call(operators::MULTIPLY, 2),
        Instruction::StringConcat => call(operators::CONCATENATE, 2),
        Instruction::BuildList(Some(items)) => call(operators::LIST, *items),
        Instruction::BuildMap(pairs) => call(operators::MAP, pairs.checked_mul(2)?),
        Instruction::CallFunction(name, arguments) if !source.assigned.contains(*name) => {
            let function = functions::find(name)?;
            Some(Instruction::CallFunction(function.private(), *arguments))
        }
        Instruction::Lookup(name)
            if source.namespaces.contains(name) && !source.assigned.contains(*name) =>
        {
            let private = if *name == "request" {
                message::REQUEST
            } else {
                message::RESPONSE
            };
            Some(Instruction::Lookup(private))
        }
        _ => None,
    }
}
