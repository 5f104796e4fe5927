//! Refuses templates too large to be parsed safely.
//!
//! The parser bounds how deeply brackets nest, but not how long a chain such as `a + a + ...` or
//! `{% elif %}` grows, and each link costs stack when the tree is walked or dropped. Counting
//! tokens needs no tree, so it comes first.

use minijinja::machinery::{Token, WhitespaceConfig, tokenize};

use crate::codes::Code;
use crate::diagnostics::Diagnostic;

/// Tokens in one expression or block tag.
const MAX_TAG_TOKENS: usize = 4_000;
/// `elif` branches in one template.
const MAX_BRANCHES: usize = 200;
/// What is not longer than this holds neither: a token takes a byte, a branch `{%elif%}`.
const SMALL: usize = MAX_BRANCHES * 8;
/// Bytes of template text.
const MAX_BYTES: usize = 4 << 20;

/// What is wrong with a template's size, if anything. A text that cannot be tokenized passes: the parser says why, better.
pub(super) fn check(source: &str, path: &str) -> Option<Diagnostic> {
    check_tokens(source, path, false)
}

/// As [`check`], for an expression by itself.
pub(super) fn check_expression(source: &str, path: &str) -> Option<Diagnostic> {
    check_tokens(source, path, true)
}

fn check_tokens(source: &str, path: &str, is_expression: bool) -> Option<Diagnostic> {
    let refuse =
        |what: String| {
            Some(Diagnostic::error(Code::TOO_LARGE, path, what).with_help(
                "split the template: compute parts with {% set %}, or use several rules",
            ))
        };
    if source.len() > MAX_BYTES {
        return refuse(format!("the template is larger than {MAX_BYTES} bytes"));
    }
    if source.len() <= SMALL {
        return None;
    }
    let mut in_tag = 0;
    let mut branches = 0;
    let tokens = tokenize(
        source,
        is_expression,
        Default::default(),
        WhitespaceConfig::default(),
    );
    for token in tokens {
        let Ok((token, _)) = token else { break };
        match token {
            Token::VariableStart | Token::BlockStart => in_tag = 0,
            Token::Ident("elif") => branches += 1,
            _ => {}
        }
        in_tag += 1;
        if in_tag > MAX_TAG_TOKENS {
            return refuse(format!(
                "an expression has more than {MAX_TAG_TOKENS} parts"
            ));
        }
        if branches > MAX_BRANCHES {
            return refuse(format!(
                "the template has more than {MAX_BRANCHES} elif branches"
            ));
        }
    }
    None
}
