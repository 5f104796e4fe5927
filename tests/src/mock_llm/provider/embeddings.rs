//! OpenAI's embeddings: one short vector, and what it cost.
//!
//! Called by [`super`]; pure. There is no stream of them.

use super::speech::{Speech, quoted};

/// The answer.
pub(super) fn json(speech: &Speech) -> String {
    let input = speech.input;
    let usage = format!(r#"{{"prompt_tokens":{input},"total_tokens":{input}}}"#);
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[0.25,-0.5,0.125]}}],"model":{}{}}}"#,
        quoted(&speech.model),
        speech.usage_member("usage", usage)
    )
}
