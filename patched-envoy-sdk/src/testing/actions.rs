//! What a filter asked for inside a hook and the fake does right after it.
//!
//! The real SDK carries out these calls once the author's hook has returned, because each of them
//! may run further hooks or end the stream. The fake keeps the same order.

use super::header_map::FakeHeaderMap;

/// A call that waits for the running hook to return.
#[derive(Debug)]
pub(crate) enum Action {
    ContinueDecoding,
    ContinueEncoding,
    SendResponse {
        status: u32,
        headers: FakeHeaderMap,
        body: Vec<u8>,
        details: String,
    },
    SendHeaders {
        headers: FakeHeaderMap,
        end_stream: bool,
    },
    SendData {
        data: Vec<u8>,
        end_stream: bool,
    },
    SendTrailers {
        trailers: FakeHeaderMap,
    },
    ResetStream {
        details: String,
    },
    Recreated,
    AnswerCallout {
        id: u64,
    },
    AnswerHttpStream {
        id: u64,
    },
}
