//! Usage as a provider reports it.

use formats::json::{Fault, Reader};

use super::Usage;
use crate::count::{count, sum};
use crate::dialect::Dialect;

/// The numbers of one report, or of several of one answer; each is none until it is told.
///
/// All dialects have their own names for them, and servers that speak one of them borrow from others,
/// so all names are known in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// `prompt_tokens`, `input_tokens`, `promptTokenCount`.
    pub input: Option<u64>,
    /// `completion_tokens`, `output_tokens`, `candidatesTokenCount`.
    pub output: Option<u64>,
    /// `total_tokens`, `totalTokenCount`.
    pub total: Option<u64>,
    /// `cached_tokens`, `cache_read_input_tokens`, `cachedContentTokenCount`.
    pub cached: Option<u64>,
    /// `cache_creation_input_tokens`, or the sum of what `cache_creation` lists.
    pub cache_creation: Option<u64>,
    /// `reasoning_tokens`, `thinking_tokens`, `thoughtsTokenCount`.
    pub reasoning: Option<u64>,
    /// `toolUsePromptTokenCount`.
    pub tool_input: Option<u64>,
}

impl Reported {
    /// Reads a report. None if no number of tokens is in it that is not 0: servers say zeros, or
    /// other things, before they know.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Option<Reported>, Fault> {
        let mut reported = Reported::default();
        let mut listed = None;
        reader.entries(|key, reader| {
            let place = match &*key.as_str().unwrap_or_default() {
                "prompt_tokens" | "input_tokens" | "promptTokenCount" => &mut reported.input,
                "completion_tokens" | "output_tokens" | "candidatesTokenCount" => {
                    &mut reported.output
                }
                "total_tokens" | "totalTokenCount" => &mut reported.total,
                "cache_read_input_tokens"
                | "cachedContentTokenCount"
                | "prompt_cache_hit_tokens" => &mut reported.cached,
                "cache_creation_input_tokens" => &mut reported.cache_creation,
                "reasoning_tokens" | "thoughtsTokenCount" => &mut reported.reasoning,
                "toolUsePromptTokenCount" => &mut reported.tool_input,
                "prompt_tokens_details" | "input_tokens_details" => {
                    return reader.entries(|key, reader| {
                        match &*key.as_str().unwrap_or_default() {
                            "cached_tokens" => set(&mut reported.cached, reader),
                            "cache_creation_tokens"
                            | "cache_creation_input_tokens"
                            | "cache_write_tokens" => set(&mut reported.cache_creation, reader),
                            _ => Ok(()),
                        }
                    });
                }
                "completion_tokens_details" | "output_tokens_details" => {
                    return reader.entries(|key, reader| {
                        match key.is("reasoning_tokens") || key.is("thinking_tokens") {
                            true => set(&mut reported.reasoning, reader),
                            false => Ok(()),
                        }
                    });
                }
                "cache_creation" => {
                    return reader.entries(|_, reader| {
                        if let Some(count) = count(reader.value()?) {
                            listed = Some(sum([listed.unwrap_or_default(), count]));
                        }
                        Ok(())
                    });
                }
                _ => return Ok(()),
            };
            set(place, reader)
        })?;
        reported.cache_creation = reported.cache_creation.or(listed);
        Ok(reported.is_told().then_some(reported))
    }

    /// Takes over what a later report of the same answer says. Reports are of all tokens so far and
    /// replace each other, number by number; they do not fall back to 0, which says that a server does
    /// not report a number there.
    pub fn update(&mut self, later: Reported) {
        let fields = [
            (&mut self.input, later.input),
            (&mut self.output, later.output),
            (&mut self.total, later.total),
            (&mut self.cached, later.cached),
            (&mut self.cache_creation, later.cache_creation),
            (&mut self.reasoning, later.reasoning),
            (&mut self.tool_input, later.tool_input),
        ];
        for (field, later) in fields {
            match (*field, later) {
                (Some(_), Some(0)) | (_, None) => {}
                _ => *field = later,
            }
        }
    }

    /// The same in one way for all dialects. None if neither input nor output was told.
    ///
    /// Parts that are larger than their whole are as large as it. A total that says more than input
    /// and output together, by exactly what was thought, says that thoughts are not in the output.
    pub fn usage(&self, dialect: Dialect) -> Option<Usage> {
        let parts = |counts: &[Option<u64>]| {
            let told = counts.iter().flatten().copied();
            counts.iter().any(Option::is_some).then(|| sum(told))
        };
        let input = match dialect {
            Dialect::AnthropicMessages => parts(&[self.input, self.cached, self.cache_creation]),
            Dialect::Gemini => parts(&[self.input, self.tool_input]),
            _ => self.input,
        };
        let output = match dialect {
            Dialect::Gemini => parts(&[self.output, self.reasoning]),
            _ => self.output,
        };
        let rest = |of: u64| self.total.map_or(0, |total| total.saturating_sub(of));
        let (input, mut output) = match (input, output) {
            (None, None) => return None,
            (Some(input), Some(output)) => (input, output),
            (Some(input), None) => (input, rest(input)),
            (None, Some(output)) => (rest(output), output),
        };
        if let (Some(total), Some(reasoning)) = (self.total, self.reasoning)
            && dialect != Dialect::Gemini
            && reasoning > 0
            && total == sum([input, output, reasoning])
        {
            output = sum([output, reasoning]);
        }
        let cached = self.cached.map(|it| it.min(input));
        let left = input - cached.unwrap_or_default();
        Some(Usage {
            input_tokens: input,
            output_tokens: output,
            cached_tokens: cached,
            cache_creation_tokens: self.cache_creation.map(|it| it.min(left)),
            reasoning_tokens: self.reasoning.map(|it| it.min(output)),
        })
    }

    fn is_told(&self) -> bool {
        let all = [
            self.input,
            self.output,
            self.total,
            self.cached,
            self.cache_creation,
            self.reasoning,
            self.tool_input,
        ];
        all.into_iter().flatten().any(|it| it > 0)
    }
}

/// Sets a number if one is told; the first one stays if a later one of another name says 0.
fn set(field: &mut Option<u64>, reader: &mut Reader<'_>) -> Result<(), Fault> {
    match (*field, count(reader.value()?)) {
        (Some(_), Some(0)) | (_, None) => {}
        (_, told) => *field = told,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(input: u64, output: u64) -> Reported {
        Reported {
            input: Some(input),
            output: Some(output),
            ..Reported::default()
        }
    }

    #[test]
    fn later_reports_replace_numbers_and_do_not_add_to_them() {
        let mut all = told(10, 1);
        all.cached = Some(4);
        all.update(told(0, 7));
        all.update(Reported {
            cached: Some(0),
            reasoning: Some(0),
            ..Reported::default()
        });
        let expected = Reported {
            cached: Some(4),
            reasoning: Some(0),
            ..told(10, 7)
        };
        assert_eq!(all, expected);
    }

    #[test]
    fn parts_are_never_larger_than_their_whole() {
        let reported = Reported {
            cached: Some(12),
            cache_creation: Some(5),
            reasoning: Some(9),
            ..told(10, 3)
        };
        let usage = reported.usage(Dialect::OpenaiChat).unwrap();
        assert_eq!(usage.cached_tokens, Some(10));
        assert_eq!(usage.cache_creation_tokens, Some(0));
        assert_eq!(usage.reasoning_tokens, Some(3));
    }

    #[test]
    fn a_total_tells_of_thoughts_beside_the_output() {
        let mut reported = told(10, 3);
        reported.reasoning = Some(20);
        reported.total = Some(33);
        let usage = reported.usage(Dialect::OpenaiChat).unwrap();
        assert_eq!((usage.output_tokens, usage.total_tokens()), (23, 33));
        reported.total = Some(30);
        let usage = reported.usage(Dialect::OpenaiChat).unwrap();
        assert_eq!((usage.output_tokens, usage.total_tokens()), (3, 13));
    }

    proptest! {
        #[test]
        fn no_numbers_make_a_wrong_sum(
            counts in proptest::collection::vec(proptest::option::of(0..=crate::count::MAX), 7)
        ) {
            let reported = Reported {
                input: counts[0],
                output: counts[1],
                total: counts[2],
                cached: counts[3],
                cache_creation: counts[4],
                reasoning: counts[5],
                tool_input: counts[6],
            };
            for dialect in Dialect::ALL {
                let Some(usage) = reported.usage(dialect) else { continue };
                let parts = [usage.cached_tokens, usage.cache_creation_tokens];
                prop_assert!(parts.into_iter().flatten().sum::<u64>() <= usage.input_tokens);
                prop_assert!(usage.reasoning_tokens.unwrap_or_default() <= usage.output_tokens);
                prop_assert!(usage.total_tokens() <= crate::count::MAX);
                prop_assert!(usage.total_tokens() >= usage.input_tokens.max(usage.output_tokens));
            }
        }
    }
}
