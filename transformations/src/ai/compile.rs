//! From the checked `ai` block to what runs. On the main thread.

use llm::apply::PromptGuard;
use llm::guard::{Guard, GuardError, Rule};
use llm::model::{Alias, Models};
use llm::pattern::Pattern;
use llm::price::{Prices, Shape};
use llm::stats::Names;

mod mask;

use super::headers::Headers;
use super::known::Known;
use super::prices::PriceTables;
use super::{AiProgram, GuardStage, ModelStage, Prompts};
use crate::codes::Code;
use crate::config::ai::stages::{GuardRule, GuardRules, ModelRules, PromptRule, PromptRules};
use crate::config::{Ai, Cost};
use crate::diagnostics::Diagnostic;
use crate::error::FieldId;

impl AiProgram {
    /// Compiles the block. What is wrong is added to `found`.
    /// `size_field` is to blame for what is too large, `prompt_field` for prompts that cannot be rendered.
    pub(crate) fn compile(
        config: &Ai,
        (size_field, prompt_field): (FieldId, FieldId),
        found: &mut Vec<Diagnostic>,
    ) -> AiProgram {
        let prices = config.cost.as_ref().map(|cost| PriceTables {
            own: prices(cost, found),
            file: None,
            prices_the_answered: cost.prices_the_answered,
        });
        // A cost is made of a usage.
        let usage = config
            .usage
            .or_else(|| config.cost.as_ref().map(|_| Default::default()));
        let (model, guard) = (config.model.as_ref(), config.guard.as_ref());
        let model = model.and_then(|rules| models(rules, found));
        let guard = guard.and_then(|rules| prompt_guard(rules, found));
        let mask = (config.mask.as_ref()).and_then(|rules| mask::mask(rules, found));
        let prompts = config.prompt.as_ref().map(Prompts::of);
        let is_idle = usage.is_none()
            && config.publish.metadata.is_empty()
            && config.publish.headers.is_empty()
            && model.is_none()
            && guard.is_none()
            && mask.is_none()
            && prompts.is_none()
            && config.limits.is_none();
        let refuses_unknown = config.refuses_unknown;
        let refuses_unknown = refuses_unknown.unwrap_or(guard.is_some() || mask.is_some());
        let known = Known {
            usage: usage.is_some(),
            estimate: usage.is_some_and(|it| it.estimate),
            prices: prices.is_some(),
            guard: guard.is_some(),
            mask: mask.is_some(),
        };
        for entry in &config.publish.metadata {
            known.warn(entry.from, &entry.path, found);
        }
        let names = names(
            config,
            model.as_ref(),
            prices.as_ref().and_then(|it| it.own.as_ref()),
        );
        AiProgram {
            is_idle,
            known,
            dialect: config.dialect,
            refuses_unknown,
            model,
            limits: config.limits,
            guard,
            mask,
            prompts,
            usage,
            prices,
            metadata: config.publish.metadata.clone().into(),
            headers: Headers::compile(&config.publish.headers, &known, found),
            names,
            body_bytes: config.body_bytes,
            size_field,
            prompt_field,
        }
    }
}

/// What statistics may name. Files of prices know thousands of models and name none.
fn names(config: &Ai, model: Option<&ModelStage>, prices: Option<&Prices>) -> Names {
    let of_models = model.into_iter().flat_map(|stage| stage.models.names());
    let of_prices = prices.into_iter().flat_map(Prices::names);
    let others = config.publish.models.iter().map(String::as_str);
    let models = of_models.chain(of_prices).chain(others);
    let guard = config.guard.as_ref();
    let rules = guard.into_iter().flat_map(|guard| {
        let deny = guard.deny.iter().map(|(rule, _)| rule);
        deny.chain(&guard.allow).map(|rule| rule.name.clone())
    });
    let kinds = config.mask.as_ref().into_iter().flat_map(|mask| {
        let words = mask.words.iter().map(|it| &it.name);
        let patterns = mask.patterns.iter().map(|it| &it.name);
        patterns.chain(words).cloned()
    });
    Names {
        models: models.map(str::to_owned).collect(),
        rules: rules.collect(),
        kinds: kinds.collect(),
    }
}

fn prices(cost: &Cost, found: &mut Vec<Diagnostic>) -> Option<Prices> {
    let text = cost.prices.as_ref()?;
    let problem = |path: &str, message: String| Diagnostic::error(Code::BAD_PRICE, path, message);
    match Prices::read(text) {
        Ok(loaded) if loaded.shape == Shape::Own => Some(loaded.prices),
        Ok(_) => {
            let message = "these are prices of a token, as LiteLLM's table has them";
            let help =
                "write dollars for a million tokens: {\"input\": \"2.50\", \"output\": \"10\"}";
            found.push(problem(&cost.path, message.to_owned()).with_help(help));
            None
        }
        Err(mut error) => {
            let path = match std::mem::take(&mut error.path) {
                inside if inside.is_empty() => cost.path.clone(),
                inside => format!("{}.{inside}", cost.path),
            };
            found.push(problem(&path, error.to_string()));
            None
        }
    }
}

fn models(rules: &ModelRules, found: &mut Vec<Diagnostic>) -> Option<ModelStage> {
    let before = found.len();
    let mut refuse = |path: String, message: String| {
        found.push(Diagnostic::error(Code::BAD_MODEL, &path, message));
    };
    let mut aliases = Vec::new();
    for (name, model) in &rules.aliases {
        match Alias::new(name, model) {
            Ok(alias) => aliases.push(alias),
            Err(error) => {
                let shown: String = name.chars().take(64).collect();
                refuse(format!("{}.aliases.{shown}", rules.path), error.to_string());
            }
        }
    }
    let allow = rules.allow.as_ref().map(|names| {
        let mut patterns = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match Pattern::new(name.as_str()) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => refuse(format!("{}.allow[{index}]", rules.path), error.to_string()),
            }
        }
        patterns
    });
    (found.len() == before).then(|| ModelStage {
        header: rules.header.as_str().into(),
        models: Models::new(aliases, allow),
        is_shadow: rules.is_shadow,
    })
}

fn prompt_guard(rules: &GuardRules, found: &mut Vec<Diagnostic>) -> Option<GuardStage> {
    let deny: Vec<_> = (rules.deny.iter())
        .map(|(rule, roles)| (to_rule(rule), roles.clone()))
        .collect();
    let allow: Vec<_> = rules.allow.iter().map(to_rule).collect();
    // One by one first, so that each that is wrong is told where it stands.
    let before = found.len();
    let all = rules.deny.iter().map(|(rule, _)| rule).chain(&rules.allow);
    for rule in all {
        if let Err(error) = Guard::compile(&[to_rule(rule)]) {
            found.push(bad_rule(&rule.path, &error));
        }
    }
    if found.len() > before {
        return None;
    }
    match PromptGuard::compile(&deny, &allow) {
        Ok(guard) => Some(GuardStage {
            guard,
            status: rules.status,
            message: rules.message.as_str().into(),
            monitors: rules.monitors,
        }),
        Err(error) => {
            found.push(bad_rule(&rules.path, &error));
            None
        }
    }
}

fn bad_rule(path: &str, error: &GuardError) -> Diagnostic {
    Diagnostic::error(Code::BAD_GUARD_RULE, path, error.to_string())
}

fn to_rule(rule: &GuardRule) -> Rule {
    Rule {
        name: rule.name.clone(),
        terms: rule.terms.clone(),
    }
}

impl Prompts {
    fn of(rules: &PromptRules) -> Prompts {
        let roles = |rules: &[PromptRule]| rules.iter().map(|rule| rule.role).collect();
        Prompts {
            prepend: roles(&rules.prepend),
            append: roles(&rules.append),
            is_shadow: rules.is_shadow,
        }
    }
}
