//! What decoding a stream costs: whole events in a chunk, and one event spread over many.
//!
//! Run with `cargo bench -p formats --bench events`.

use divan::{Bencher, black_box, counter::BytesCount};
use formats::events::{Decoder, Format, Frame};

fn main() {
    divan::main();
}

/// A thousand chunks of a chat completion.
fn stream() -> Vec<u8> {
    let event = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
        \"model\":\"gpt-4\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\
        \"finish_reason\":null}]}\n\n";
    event.repeat(1000).into_bytes()
}

#[divan::bench(args = [1, 16, 177, 1448, 16384])]
fn data_of_a_thousand_events_in_chunks_of(bencher: Bencher<'_, '_>, chunk: usize) {
    let stream = stream();
    bencher
        .counter(BytesCount::from(stream.len()))
        .bench_local(|| {
            let mut decoder = Decoder::new(Format::Sse, 1 << 16);
            let mut bytes = 0;
            for mut chunk in stream.chunks(chunk) {
                while let Some(frame) = decoder.next(&mut chunk) {
                    if let Frame::Event(event) = frame {
                        bytes += event.data().map_or(0, |data| data.len());
                    }
                }
            }
            black_box(bytes)
        });
}
