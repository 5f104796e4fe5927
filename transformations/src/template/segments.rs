//! The fast path: templates of literal text and plain reads never enter the engine.
//!
//! Recognised by the compiler on the syntax tree, so white space control and trimming are already
//! done; rendered on workers by appending to the output. A property test shows that the engine
//! gives the same text. Envoy's command operators are segments too.

use llm::facts::Fact;
use minijinja::machinery::ast::{CallArg, CallType, Expr, Stmt};

use super::analysis::facts::below_facts;
use super::commands::{Command, Rewritten};
use super::context::FieldContext;
use crate::ai::known::FactsHere;
use crate::direction::Direction;
use crate::functions::environment::EnvAccess;
use crate::message::{EVENT, EventField, FACTS, Field, LINE, Part, fact_path};
use crate::value::print;

/// A piece of output.
#[derive(Debug)]
pub(crate) enum Segment {
    Literal(Box<str>),
    Header {
        direction: Direction,
        name: Box<str>,
        part: Part,
    },
    /// A field of the parsed JSON body.
    Json {
        steps: Box<[Step]>,
        /// By its bare name: there must be a body to read.
        bare: bool,
    },
    /// A field of the event that the message is, other than its JSON.
    Event(EventField),
    /// The line of a header that the template is about.
    Line,
    /// The variable of the configuration of this number.
    Var(usize),
    /// What is known of the exchange as LLM traffic.
    Fact(Fact),
    /// One of Envoy's command operators.
    Command(Box<Command>),
}

/// One step into a JSON value.
#[derive(Debug)]
pub(crate) enum Step {
    Key(Box<str>),
    Index(usize),
}

/// How names resolve while segments are recognised.
pub(crate) struct Roots<'a> {
    pub(super) direction: Direction,
    pub(super) as_json: bool,
    /// The message is an event of a stream, or what comes at its end.
    pub(super) event: bool,
    /// `ai` is what is known of the exchange.
    pub(super) facts: bool,
    /// There is a line of a header to be read.
    pub(super) line: bool,
    /// The variables of the configuration.
    pub(super) vars: &'a [Box<str>],
    pub(super) env: &'a EnvAccess,
    pub(super) rewritten: Option<&'a Rewritten>,
}

impl<'a> Roots<'a> {
    pub(super) fn of(context: &FieldContext<'a>) -> Roots<'a> {
        Roots {
            direction: context.direction,
            as_json: context.as_json,
            event: context.event,
            facts: matches!(context.facts, FactsHere::Some(_)),
            line: context.line,
            vars: context.vars,
            env: context.env,
            rewritten: None,
        }
    }

    /// The number of the variable of the configuration that has this name.
    fn var(&self, name: &str) -> Option<usize> {
        self.vars.iter().position(|known| **known == *name)
    }

    /// The field of a message that `holder.name` is, if it is one.
    pub(super) fn field(&self, holder: &Expr<'_>, name: &str) -> Option<(Direction, Field)> {
        let Expr::Var(var) = holder else {
            return None;
        };
        let direction = Direction::named(var.id)?;
        let field = Field::find(direction, name)?;
        (!self.as_json || field.exists(direction, self.direction)).then_some((direction, field))
    }

    /// Whether the expression is the event, or stands where there could be one.
    fn is_event(&self, expr: &Expr<'_>) -> bool {
        self.event && matches!(expr, Expr::Var(var) if var.id == EVENT)
    }
}

/// The segments of a template, if it consists only of such.
pub(crate) fn recognise(template: &Stmt<'_>, roots: &Roots<'_>) -> Option<Vec<Segment>> {
    let Stmt::Template(template) = template else {
        return None;
    };
    let mut segments = Vec::new();
    for statement in &template.children {
        let segment = match statement {
            Stmt::EmitRaw(raw) => Segment::Literal(raw.raw.into()),
            Stmt::EmitExpr(emit) => expression(&emit.expr, roots)?,
            _ => return None,
        };
        match (segments.last_mut(), segment) {
            (Some(Segment::Literal(before)), Segment::Literal(text)) => {
                *before = format!("{before}{text}").into();
            }
            (_, segment) => segments.push(segment),
        }
    }
    Some(segments)
}

pub(super) fn expression(expr: &Expr<'_>, roots: &Roots<'_>) -> Option<Segment> {
    match expr {
        Expr::Var(var) if roots.line && var.id == LINE => Some(Segment::Line),
        Expr::Var(var) if roots.var(var.id).is_some() => roots.var(var.id).map(Segment::Var),
        Expr::Const(constant) => {
            let mut text = String::new();
            print::value(&mut text, &constant.value).ok()?;
            Some(Segment::Literal(text.into()))
        }
        Expr::Call(call) => {
            let CallType::Function(function) = call.identify_call() else {
                return None;
            };
            let [CallArg::Pos(Expr::Const(argument))] = call.args.as_slice() else {
                return None;
            };
            if let Some(rewritten) = roots.rewritten
                && rewritten.function == function
            {
                let command = rewritten.command(argument.value.as_usize()?)?;
                return Some(Segment::Command(Box::new(command.clone())));
            }
            let name = argument.value.as_str()?;
            let direction = match function {
                "header" => roots.direction,
                "request_header" => Direction::Request,
                "env" => {
                    return Some(Segment::Literal(
                        roots.env.find(name).unwrap_or_default().into(),
                    ));
                }
                _ => return None,
            };
            let name = name.to_ascii_lowercase().into();
            Some(Segment::Header {
                direction,
                name,
                part: Part::Whole,
            })
        }
        _ => attribute(expr, roots)
            .or_else(|| event(expr, roots))
            .or_else(|| fact(expr, roots))
            .or_else(|| json(expr, roots)),
    }
}

/// `event.name` and its like. What stands for the event at the end of a stream is the engine's.
fn event(expr: &Expr<'_>, roots: &Roots<'_>) -> Option<Segment> {
    let (parent, name) = member(expr)?;
    match EventField::find(name)? {
        EventField::Json => None,
        field => (roots.as_json && roots.is_event(parent)).then_some(Segment::Event(field)),
    }
}

/// `ai.model` and its like.
fn fact(expr: &Expr<'_>, roots: &Roots<'_>) -> Option<Segment> {
    let (group, name) = below_facts(expr).filter(|_| roots.facts)?;
    fact_path(group, name).map(Segment::Fact)
}

/// `request.method` and its like, and `request.headers["name"]`.
fn attribute(expr: &Expr<'_>, roots: &Roots<'_>) -> Option<Segment> {
    let (parent, name) = member(expr)?;
    if let Some((direction, field)) = roots.field(parent, name) {
        let (name, part) = match field {
            Field::Header { name, part } => (name, part),
            Field::Status => (":status", Part::Whole),
            _ => return None,
        };
        return Some(Segment::Header {
            direction,
            name: name.into(),
            part,
        });
    }
    let (root, "headers") = member(parent)? else {
        return None;
    };
    let (direction, _) = roots.field(root, "headers")?;
    Some(Segment::Header {
        direction,
        name: name.to_ascii_lowercase().into(),
        part: Part::Whole,
    })
}

/// `a.b` or `a["b"]`.
pub(super) fn member<'t, 's>(expr: &'t Expr<'s>) -> Option<(&'t Expr<'s>, &'t str)> {
    match expr {
        Expr::GetAttr(get) => Some((&get.expr, get.name)),
        Expr::GetItem(get) => match &get.subscript_expr {
            Expr::Const(key) => Some((&get.expr, key.value.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

/// `model`, `usage.total_tokens`, `choices[0].message.content`, `response.json.usage`.
fn json(expr: &Expr<'_>, roots: &Roots<'_>) -> Option<Segment> {
    if !roots.as_json {
        return None;
    }
    let mut steps = Vec::new();
    let mut at = expr;
    let bare = loop {
        if roots.is_event(at) {
            return None;
        }
        if let Some((root, name)) = member(at)
            && roots.is_event(root)
        {
            match EventField::find(name)? {
                EventField::Json => break false,
                _ => return None,
            }
        }
        if let Some((root, name)) = member(at)
            && let Some((_, field)) = roots.field(root, name)
        {
            // The document by its name, in place of one of its fields.
            if field == Field::Json {
                break false;
            }
            return None;
        }
        at = match at {
            Expr::Var(var) if roots.line && var.id == LINE => return None,
            Expr::Var(var) if roots.var(var.id).is_some() => return None,
            Expr::Var(var) if roots.facts && var.id == FACTS => return None,
            Expr::Var(var) => {
                steps.push(Step::Key(var.id.into()));
                break true;
            }
            Expr::GetAttr(get) => {
                steps.push(Step::Key(get.name.into()));
                &get.expr
            }
            Expr::GetItem(get) => {
                let Expr::Const(key) = &get.subscript_expr else {
                    return None;
                };
                steps.push(match key.value.as_str() {
                    Some(name) => Step::Key(name.into()),
                    // A float would index too, in the engine; not here.
                    None if key.value.is_integer() => Step::Index(key.value.as_usize()?),
                    None => return None,
                });
                &get.expr
            }
            _ => return None,
        };
    };
    steps.reverse();
    Some(Segment::Json {
        steps: steps.into(),
        bare,
    })
}
