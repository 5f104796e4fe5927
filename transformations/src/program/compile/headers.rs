//! Compiles the rules of headers.

use super::Compiler;
use crate::codes::Code;
use crate::config::{ClearRouteCache, Expression, HeaderRule, RemoveRule, Transform};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;
use crate::http;
use crate::program::{Action, DirectionProgram, Rule, TemplateField};
use crate::template::Template;

impl Compiler<'_> {
    /// All rules of headers, in the order in which they apply.
    pub(super) fn headers(&mut self, compiled: &mut DirectionProgram, transform: &Transform) {
        for rule in &transform.edit {
            let name = rule.name.as_str().into();
            self.header(compiled, Action::Edit { name }, rule);
        }
        for rule in &transform.set {
            let name = rule.name.as_str().into();
            self.header(compiled, Action::Set { name }, rule);
        }
        for rule in transform.add.iter().filter(|rule| !rule.value.is_empty()) {
            let name = rule.name.as_str().into();
            self.header(compiled, Action::Add { name }, rule);
        }
        for rule in &transform.remove {
            self.removal(compiled, rule, transform);
        }
        for rule in &mut compiled.rules {
            rule.reroutes = match &rule.action {
                Action::RemoveAll { routing, .. } => !routing.is_empty(),
                action => action
                    .header()
                    .is_some_and(|name| is_routing(name, transform)),
            };
        }
    }

    pub(super) fn header(
        &mut self,
        compiled: &mut DirectionProgram,
        action: Action,
        rule: &HeaderRule,
    ) {
        let HeaderRule { value, path, .. } = rule;
        let mut template = match action {
            Action::Edit { .. } => self.line(compiled, value, path),
            _ => self.header_value(compiled, value, path),
        };
        if let Template::Constant(text) = &mut template {
            *text = http::clean(text).into();
            self.check_header(&action, compiled.direction, text, path);
        }
        self.lines(&action, rule);
        self.push(compiled, action, template, path, rule.when.as_ref());
    }

    /// Refuses to write several lines where the host can only join them.
    fn lines(&mut self, action: &Action, rule: &HeaderRule) {
        let Action::Edit { name } = action else {
            return;
        };
        if &**name != "set-cookie" || self.capabilities.header_lines {
            return;
        }
        let message = "this host cannot write several lines of set-cookie";
        let help = "Envoy can do it from 1.37 on; set replaces all lines by one";
        let problem = Diagnostic::error(Code::MISSING_CAPABILITY, &rule.path, message);
        self.found.push(problem.with_help(help));
    }

    fn removal(
        &mut self,
        compiled: &mut DirectionProgram,
        rule: &RemoveRule,
        transform: &Transform,
    ) {
        let action = match rule.names.name() {
            Some(name) => Action::Remove { name: name.into() },
            None => {
                let listed = transform.route_headers.iter().map(|header| &*header.name);
                let routing =
                    listed.filter(|name| rule.names.matches(name) && is_routing(name, transform));
                Action::RemoveAll {
                    names: rule.names.clone(),
                    routing: routing.map(Into::into).collect(),
                }
            }
        };
        let nothing = Template::Constant("".into());
        self.push(compiled, action, nothing, &rule.path, rule.when.as_ref());
    }

    fn push(
        &mut self,
        compiled: &mut DirectionProgram,
        action: Action,
        template: Template,
        path: &str,
        when: Option<&Expression>,
    ) {
        let when = self.when(compiled, when);
        let field = self.field(path.to_owned());
        compiled.rules.push(Rule {
            when,
            action,
            value: TemplateField { template, field },
            reroutes: false,
        });
    }

    /// Refuses a constant that the header cannot have; an empty one leaves the header alone.
    fn check_header(&mut self, action: &Action, direction: Direction, text: &str, path: &str) {
        let name = action.header().filter(|_| !text.is_empty());
        let expected = name.and_then(|name| http::expected(name, direction, text));
        if let (Some(name), Some(expected)) = (name, expected) {
            let message = format!("{name} cannot be this: expected {expected}");
            self.found
                .push(Diagnostic::error(Code::BAD_HEADER_VALUE, path, message));
        }
    }
}

/// Whether the route is to be chosen again when this header changes: because the configuration lists
/// it, or because routes match on it by nature and the configuration leaves it to that.
fn is_routing(name: &str, transform: &Transform) -> bool {
    let is_listed = || {
        let mut listed = transform.route_headers.iter();
        listed.any(|header| header.name == name)
    };
    match transform.clear_route_cache {
        ClearRouteCache::Listed => is_listed(),
        ClearRouteCache::Auto => {
            matches!(name, ":path" | ":method" | ":authority" | "host") || is_listed()
        }
        ClearRouteCache::Always | ClearRouteCache::Never => false,
    }
}
