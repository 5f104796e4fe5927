//! Compiles `reply`.

use super::{Compiler, watch_reads};
use crate::codes::Code;
use crate::config::fields::reply;
use crate::config::{Reply, Transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::http;
use crate::program::{Action, DirectionProgram, ReplyRule, TemplateField};
use crate::template::{Template, Test};

impl Compiler<'_> {
    pub(super) fn reply(
        &mut self,
        compiled: &mut DirectionProgram,
        transform: &Transform,
    ) -> Option<ReplyRule> {
        let rule = transform.reply.as_ref()?;
        let (compiled_rule, reads) = watch_reads(compiled, |compiled| self.parts(compiled, rule));
        let is_always_sent = match &compiled_rule.when {
            None => true,
            Some(when) => matches!(when.test, Test::Always(true)),
        };
        if is_always_sent && compiled.has_rules() {
            let message = "this reply is always sent, so nothing else of the transform is reached";
            let warning = Diagnostic::error(Code::NEVER_REACHED, &rule.path, message);
            self.found.push(
                warning
                    .with_severity(Severity::Warning)
                    .with_help("give it a \"when\""),
            );
        }
        Some(ReplyRule {
            reads_body: reads.any_body(),
            ..compiled_rule
        })
    }

    fn parts(&mut self, compiled: &mut DirectionProgram, rule: &Reply) -> ReplyRule {
        let when = self.when(compiled, rule.when.as_ref());
        let path = format!("{}.{}", rule.path, reply::STATUS.name);
        let status = self.template(compiled, &rule.status, &path);
        if let Template::Constant(text) = &status
            && http::reply_status(text).is_none()
        {
            let message = "expected a status from 200 to 599";
            self.found
                .push(Diagnostic::error(Code::BAD_HEADER_VALUE, &path, message));
        }
        let is_bodiless = match &status {
            Template::Constant(text) => http::reply_status(text).is_some_and(http::has_no_content),
            _ => false,
        };
        let status = TemplateField {
            template: status,
            field: self.field(path),
        };
        // They are compiled as headers of the message are, and then are none of them.
        let others = std::mem::take(&mut compiled.rules);
        for header in rule.headers.iter().filter(|it| !it.value.is_empty()) {
            let name = header.name.as_str().into();
            self.header(compiled, Action::Add { name }, header);
        }
        let headers = std::mem::replace(&mut compiled.rules, others);
        let body = rule.body.as_ref().map(|body| {
            let path = format!("{}.{}", rule.path, reply::BODY.name);
            if is_bodiless {
                let message = "this is never sent: an answer of this status has no body";
                let warning = Diagnostic::error(Code::NEVER_REACHED, &path, message);
                let help = "leave it out, or give the reply another status";
                self.found
                    .push(warning.with_severity(Severity::Warning).with_help(help));
            }
            TemplateField {
                template: self.template(compiled, body, &path),
                field: self.field(path),
            }
        });
        ReplyRule {
            when,
            status,
            headers: headers.into(),
            body,
            reads_body: false,
            field: self.field(rule.path.clone()),
        }
    }
}
