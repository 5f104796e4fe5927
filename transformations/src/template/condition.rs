//! One condition of a configuration, in the cheapest form that can decide it.
//!
//! Made by the compiler on the main thread from an expression, decided on workers. What people ask most
//! (a header, the status) is compared directly; anything else is a template of the engine that prints
//! something where the condition holds. A test shows that both agree.

use minijinja::Value;
use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};

use super::{Segment, Template};
use crate::direction::Direction;
use crate::message::Part;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Test {
    /// Nothing: the answer is known.
    Always(bool),
    /// A header, or a part of it; one that is not there is empty.
    Header {
        direction: Direction,
        name: Box<str>,
        part: Part,
        is: Comparison,
    },
    /// Whether the status is between these, both included.
    Status(u16, u16),
    Not(Box<Test>),
    Both(Box<Test>, Box<Test>),
    Either(Box<Test>, Box<Test>),
    /// Whether a template prints something.
    Template(Template),
}

/// What is asked of a text.
#[derive(Debug)]
pub(crate) enum Comparison {
    /// That it is not empty.
    Something,
    /// That it is this.
    Equal(Box<str>),
    /// That this is in it.
    Contains(Box<str>),
}

impl Comparison {
    pub(crate) fn holds(&self, text: &str) -> bool {
        match self {
            Comparison::Something => !text.is_empty(),
            Comparison::Equal(other) => text == &**other,
            Comparison::Contains(part) => text.contains(&**part),
        }
    }
}

/// The test that an expression is, if it needs no engine. `read` answers what an expression reads, if that
/// is one thing.
pub(crate) fn recognise(
    expr: &Expr<'_>,
    read: &dyn Fn(&Expr<'_>) -> Option<Segment>,
) -> Option<Test> {
    match expr {
        Expr::Const(constant) => Some(Test::Always(constant.value.is_true())),
        Expr::UnaryOp(unary) => match unary.op {
            UnaryOpKind::Not => Some(Test::Not(Box::new(recognise(&unary.expr, read)?))),
            UnaryOpKind::Neg => None,
        },
        Expr::BinOp(binary) => {
            let (left, right) = (&binary.left, &binary.right);
            let both = || {
                Some((
                    recognise(left, read)?.into(),
                    recognise(right, read)?.into(),
                ))
            };
            match binary.op {
                BinOpKind::ScAnd => both().map(|(left, right)| Test::Both(left, right)),
                BinOpKind::ScOr => both().map(|(left, right)| Test::Either(left, right)),
                BinOpKind::Eq => equality(left, right, read),
                BinOpKind::Ne => equality(left, right, read).map(|it| Test::Not(it.into())),
                BinOpKind::In => {
                    let part = text(left)?;
                    header(right, Comparison::Contains(part), read)
                }
                op => order(left, op, right, read),
            }
        }
        _ => header(expr, Comparison::Something, read),
    }
}

/// A constant text that is not empty: to the empty one a header that is not there may be equal or not,
/// depending on how it is read.
fn text(expr: &Expr<'_>) -> Option<Box<str>> {
    let constant = expr.as_const()?;
    let text = constant.as_str().filter(|text| !text.is_empty())?;
    Some(text.into())
}

fn equality(
    left: &Expr<'_>,
    right: &Expr<'_>,
    read: &dyn Fn(&Expr<'_>) -> Option<Segment>,
) -> Option<Test> {
    let either = [(left, right), (right, left)];
    let mut texts = either
        .into_iter()
        .filter_map(|(expr, constant)| header(expr, Comparison::Equal(text(constant)?), read));
    texts
        .next()
        .or_else(|| order(left, BinOpKind::Eq, right, read))
}

fn header(
    expr: &Expr<'_>,
    is: Comparison,
    read: &dyn Fn(&Expr<'_>) -> Option<Segment>,
) -> Option<Test> {
    match read(expr)? {
        Segment::Header {
            direction,
            name,
            part,
        } if &*name != STATUS => Some(Test::Header {
            direction,
            name,
            part,
            is,
        }),
        _ => None,
    }
}

const STATUS: &str = ":status";

/// The status and a whole number; a status is never beyond what three digits say.
fn order(
    left: &Expr<'_>,
    op: BinOpKind,
    right: &Expr<'_>,
    read: &dyn Fn(&Expr<'_>) -> Option<Segment>,
) -> Option<Test> {
    let is_status = |expr: &Expr<'_>| match expr {
        // By the name of a header it is a text.
        Expr::GetAttr(_) => match read(expr) {
            Some(Segment::Header { name, .. }) => &*name == STATUS,
            _ => false,
        },
        _ => false,
    };
    let number = |value: Value| {
        let number = value.is_integer().then(|| value.as_i64())??;
        u16::try_from(number).ok().filter(|number| *number > 0)
    };
    let (number, mirrored) = if is_status(left) {
        (number(right.as_const()?)?, false)
    } else if is_status(right) {
        (number(left.as_const()?)?, true)
    } else {
        return None;
    };
    let (least, most) = match (op, mirrored) {
        (BinOpKind::Eq, _) => (number, number),
        (BinOpKind::Lt, false) | (BinOpKind::Gt, true) => (0, number - 1),
        (BinOpKind::Lte, false) | (BinOpKind::Gte, true) => (0, number),
        (BinOpKind::Gt, false) | (BinOpKind::Lt, true) => (number.checked_add(1)?, u16::MAX),
        (BinOpKind::Gte, false) | (BinOpKind::Lte, true) => (number, u16::MAX),
        _ => return None,
    };
    Some(Test::Status(least, most))
}
