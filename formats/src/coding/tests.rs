//! What encoders make comes out again, and what is wrong or too much is refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{CodingError, Decoder, Limits};

const ALL: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

fn encode(coding: &str, text: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "raw" => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 5, 20);
            encoder.write_all(text).unwrap();
            drop(encoder);
            out
        }
        "zstd" => compress_to_vec(text, CompressionLevel::Fastest),
        _ => panic!("no such coding"),
    }
}

fn decode_chunks(
    coding: &str,
    chunks: &[&[u8]],
    limits: Limits,
) -> (Vec<u8>, Result<(), CodingError>) {
    let mut out = Vec::new();
    let mut decoder = Decoder::of(coding, limits).unwrap();
    let pushed = chunks
        .iter()
        .try_for_each(|chunk| decoder.push(chunk, &mut out));
    (out, pushed.and_then(|()| decoder.finish()))
}

fn decode(coding: &str, bytes: &[u8]) -> Result<Vec<u8>, CodingError> {
    let (out, outcome) = decode_chunks(coding, &[bytes], Limits::of_bytes(1 << 30));
    outcome.map(|()| out)
}

/// Text that packs about as JSON does.
fn text(lines: usize) -> Vec<u8> {
    let line = |n: usize| format!("{{\"id\": {}, \"n\": {}}}\n", n * 7919, n % 13);
    (0..lines).map(line).collect::<String>().into_bytes()
}

#[test]
fn what_was_encoded_comes_out_however_it_is_cut() {
    for length in [0, 1, 20, 3_000, 40_000] {
        let text = text(length);
        for coding in ALL {
            let bytes = encode(coding, &text);
            for size in [1, 2, 3, 7, 4095, 4096, 100_000] {
                let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
                let (out, outcome) = decode_chunks(coding, &chunks, Limits::of_bytes(1 << 30));
                assert_eq!(outcome, Ok(()), "{coding} {length} {size}");
                assert_eq!(out, text, "{coding} {length} {size}");
            }
        }
    }
}

/// [`EVENTS`] in `zstd`, each flushed when it was written; the second is made of parts of the first.
const ZSTD_FLUSHED: [&[u8]; 2] = [
    &[
        0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0xf4, 0x01, 0x00, 0x32, 0x84, 0x0e, 0x15, 0xa0, 0x39,
        0x63, 0x81, 0x02, 0x31, 0xae, 0x52, 0xce, 0xa5, 0x04, 0x66, 0x81, 0x30, 0x1c, 0x8d, 0x71,
        0xae, 0xae, 0x82, 0x07, 0xa5, 0x34, 0xa3, 0xb5, 0x93, 0x12, 0xdf, 0xab, 0x74, 0xd5, 0xca,
        0xd9, 0x8d, 0x9b, 0xd4, 0xcc, 0x8a, 0x3b, 0xd1, 0x44, 0xeb, 0xe4, 0xc1, 0x83, 0x90, 0x90,
        0x23, 0x17, 0x4f, 0x7e, 0x1b, 0x34, 0x03, 0x0e, 0x17, 0x4d, 0x00,
    ],
    &[
        0x85, 0x00, 0x00, 0x48, 0x6c, 0x6f, 0x22, 0x7d, 0x7d, 0x5d, 0x7d, 0x0a, 0x0a, 0x01, 0x00,
        0x36, 0xce, 0x00, 0x04, 0x41, 0x1f, 0x49, 0x05,
    ],
];

const EVENTS: [&[u8]; 2] = [
    b"data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n",
    b"data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\n",
];

/// [`EVENTS`] as a sender encodes them that flushes each.
fn flushed(coding: &str) -> [Vec<u8>; 2] {
    fn flush<W: Write>(mut encoder: W, length: impl Fn(&W) -> usize) -> (usize, W) {
        let [first, second] = EVENTS;
        encoder.write_all(first).unwrap();
        encoder.flush().unwrap();
        let length = length(&encoder);
        encoder.write_all(second).unwrap();
        (length, encoder)
    }
    let (length, mut bytes) = match coding {
        "gzip" => {
            let encoder = GzEncoder::new(Vec::new(), Compression::default());
            let (length, encoder) = flush(encoder, |it| it.get_ref().len());
            (length, encoder.finish().unwrap())
        }
        "deflate" => {
            let encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            let (length, encoder) = flush(encoder, |it| it.get_ref().len());
            (length, encoder.finish().unwrap())
        }
        "br" => {
            let encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
            let (length, encoder) = flush(encoder, |it| it.get_ref().len());
            (length, encoder.into_inner())
        }
        _ => return ZSTD_FLUSHED.map(<[u8]>::to_vec),
    };
    let rest = bytes.split_off(length);
    [bytes, rest]
}

/// Events must not wait for those that follow.
#[test]
fn what_was_flushed_comes_out_before_the_rest_comes() {
    for coding in ALL {
        let mut decoder = Decoder::of(coding, Limits::of_bytes(1 << 20)).unwrap();
        for (chunk, event) in flushed(coding).iter().zip(EVENTS) {
            let mut out = Vec::new();
            decoder.push(chunk, &mut out).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(event),
                "{coding}"
            );
        }
        assert_eq!(decoder.finish(), Ok(()), "{coding}");
    }
}

#[test]
fn bare_deflate_streams_are_taken_too() {
    for lines in [0, 1, 5_000] {
        let text = text(lines);
        let bytes = encode("raw", &text);
        assert_eq!(decode("deflate", &bytes).unwrap(), text);
        let chunks: Vec<&[u8]> = bytes.chunks(1).collect();
        let (out, outcome) = decode_chunks("deflate", &chunks, Limits::of_bytes(1 << 30));
        assert_eq!((out, outcome), (text, Ok(())));
    }
}

#[test]
fn codings_are_undone_from_the_last_to_the_first() {
    let text = text(2_000);
    let bytes = encode("br", &encode("gzip", &text));
    assert_eq!(decode("gzip, br", &bytes).unwrap(), text);
    assert_eq!(decode(" X-GZIP ,identity,, BR", &bytes).unwrap(), text);
    assert_eq!(decode("br, gzip", &bytes), Err(CodingError::Corrupt));
    let bytes = encode("zstd", &encode("deflate", &encode("br", &text)));
    assert_eq!(decode("br,deflate,zstd", &bytes).unwrap(), text);
}

#[test]
fn identity_lets_bytes_pass_up_to_the_limit() {
    for name in ["", "identity", "Identity , identity"] {
        assert!(
            Decoder::of(name, Limits::of_bytes(4))
                .unwrap()
                .is_identity()
        );
        let (out, outcome) = decode_chunks(name, &[b"ab", b"cd"], Limits::of_bytes(4));
        assert_eq!((out.as_slice(), outcome), (b"abcd".as_slice(), Ok(())));
        let (out, outcome) = decode_chunks(name, &[b"abc", b"de"], Limits::of_bytes(4));
        assert_eq!(
            (out.as_slice(), outcome),
            (b"abcd".as_slice(), Err(CodingError::TooLarge))
        );
    }
}

#[test]
fn what_is_not_known_is_refused_before_anything_comes() {
    for name in [
        "compress",
        "gzip, compress",
        "gzip;q=1",
        "*",
        "gzip,gzip,gzip,gzip",
    ] {
        let decoder = Decoder::of(name, Limits::of_bytes(1));
        assert_eq!(decoder.err(), Some(CodingError::Unknown), "{name}");
    }
}

#[test]
fn a_body_of_no_bytes_is_one_of_no_bytes() {
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
        assert_eq!(decode(coding, b"").unwrap(), b"");
    }
}

#[test]
fn a_body_that_ends_early_is_refused_wherever_it_ends() {
    let text = text(30);
    for coding in ALL.into_iter().chain(["raw"]) {
        let bytes = encode(coding, &text);
        let name = if coding == "raw" { "deflate" } else { coding };
        for end in 1..bytes.len() {
            let outcome = decode(name, &bytes[..end]);
            assert_eq!(outcome, Err(CodingError::Truncated), "{coding} {end}");
        }
    }
}

#[test]
fn a_body_that_goes_on_after_its_end_is_refused() {
    for coding in ALL {
        let mut bytes = encode(coding, b"text");
        bytes.push(b'x');
        let chunks: Vec<&[u8]> = bytes.chunks(1).collect();
        let (_, cut) = decode_chunks(coding, &chunks, Limits::of_bytes(100));
        for outcome in [decode(coding, &bytes).map(drop), cut] {
            let is_refused = outcome == Err(CodingError::Corrupt)
                // One byte could start another frame.
                || coding == "zstd" && outcome == Err(CodingError::Truncated);
            assert!(is_refused, "{coding}: {outcome:?}");
        }
    }
    let garbage = [encode("zstd", b"text"), b"more".to_vec()].concat();
    assert_eq!(decode("zstd", &garbage), Err(CodingError::Corrupt));
}

#[test]
fn members_and_frames_come_one_behind_the_other() {
    for coding in ["gzip", "zstd"] {
        let parts = [text(100), Vec::new(), text(3)];
        let bytes: Vec<u8> = parts.iter().flat_map(|part| encode(coding, part)).collect();
        assert_eq!(decode(coding, &bytes).unwrap(), parts.concat());
        let chunks: Vec<&[u8]> = bytes.chunks(1).collect();
        let (out, outcome) = decode_chunks(coding, &chunks, Limits::of_bytes(1 << 20));
        assert_eq!((out, outcome), (parts.concat(), Ok(())));
    }
}

#[test]
fn a_checksum_that_differs_is_refused() {
    let text = text(30);
    for (coding, from_end) in [("gzip", 8), ("gzip", 1), ("deflate", 1)] {
        let mut bytes = encode(coding, &text);
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        assert_eq!(
            decode(coding, &bytes),
            Err(CodingError::Corrupt),
            "{coding} {from_end}"
        );
    }
    let mut bytes = ZSTD_CHECKED.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(decode("zstd", &bytes), Err(CodingError::Corrupt));
}

#[test]
fn a_gzip_header_may_have_all_its_fields() {
    let mut header = vec![0x1F, 0x8B, 8, 0b1_1111, 1, 2, 3, 4, 0, 255];
    header.extend([3, 0, b'a', b'b', b'c']);
    header.extend(b"name.json\0a comment\0");
    header.extend([0xAB, 0xCD]);
    let plain = encode("gzip", b"text");
    let bytes = [&header, &plain[10..]].concat();
    assert_eq!(decode("gzip", &bytes).unwrap(), b"text");
    let chunks: Vec<&[u8]> = bytes.chunks(1).collect();
    let (out, outcome) = decode_chunks("gzip", &chunks, Limits::of_bytes(100));
    assert_eq!((out.as_slice(), outcome), (b"text".as_slice(), Ok(())));
    for (at, wrong) in [(0, 0x1E), (1, 0x8C), (2, 7), (3, 0x20)] {
        let mut bytes = plain.clone();
        bytes[at] = wrong;
        assert_eq!(decode("gzip", &bytes), Err(CodingError::Corrupt));
    }
}

/// As `zstd -19 --check` packs [`packed`].
const ZSTD_CHECKED: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x64, 0x4f, 0x00, 0x7d, 0x03, 0x00, 0xa2, 0x87, 0x17, 0x16, 0x50, 0x3b,
    0x8c, 0x01, 0x6b, 0xb1, 0x37, 0xdc, 0xe2, 0xff, 0x25, 0x32, 0x23, 0x5f, 0xb8, 0x95, 0x91, 0x31,
    0x66, 0xe6, 0xcc, 0x10, 0x40, 0x20, 0x0c, 0x2b, 0x7a, 0xa2, 0x23, 0xfa, 0xa1, 0x1b, 0x7a, 0xa1,
    0x13, 0xfa, 0xa0, 0xab, 0x2e, 0xe8, 0xca, 0xc9, 0xc8, 0xc7, 0xc6, 0xc5, 0xc4, 0xc3, 0xfa, 0x32,
    0x7d, 0xbb, 0x2d, 0x71, 0x0d, 0x10, 0x84, 0xcb, 0x0d, 0x5e, 0x57, 0x2b, 0x31, 0xe0, 0x75, 0x50,
    0xad, 0xb4, 0x79, 0x3e, 0xda, 0x93, 0x15, 0xfe, 0x4d, 0xe3, 0x0e, 0x76, 0x9b, 0x88, 0x5d, 0x2e,
    0x35, 0x47, 0xee, 0x07, 0x9d, 0x45, 0x97, 0xe8, 0x3d, 0x59, 0x4e, 0x04, 0x00, 0x33, 0x2f, 0x50,
    0x3e, 0xd5, 0xae, 0x4d, 0x0c, 0x17, 0xd2, 0xaa, 0x0c, 0x9e, 0x4e, 0x03, 0x19,
];

/// As `zstd -3 --no-check` does, without the length of its contents, since it read from a pipe.
const ZSTD_PLAIN: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0xc5, 0x03, 0x00, 0xa2, 0x07, 0x19, 0x1d, 0x50, 0xab, 0xd2,
    0x01, 0xdb, 0x06, 0xb4, 0x8c, 0xeb, 0xa9, 0xc9, 0x22, 0x46, 0x0e, 0xc0, 0x11, 0xe3, 0xd8, 0x5c,
    0xd1, 0xb6, 0x35, 0x42, 0x46, 0xc6, 0x98, 0x19, 0x62, 0xd6, 0x49, 0x53, 0xdc, 0x51, 0x87, 0xfa,
    0xd3, 0x9d, 0xde, 0x74, 0xa6, 0x2f, 0xdd, 0xf5, 0x76, 0xa5, 0x47, 0x43, 0x3f, 0x3b, 0x37, 0x33,
    0x2f, 0xbb, 0x3b, 0x00, 0x5a, 0x49, 0xfd, 0x2a, 0x41, 0xd2, 0xb0, 0xac, 0xbe, 0xe2, 0x52, 0xbe,
    0xc0, 0x15, 0x6f, 0x52, 0xbe, 0x21, 0x11, 0x82, 0x62, 0x38, 0x61, 0x5b, 0xb0, 0x91, 0x5f, 0x0b,
    0x2a, 0x43, 0xfc, 0xc8, 0xc3, 0x95, 0x23, 0xad, 0xc2, 0x09, 0x43, 0xcc, 0x18, 0xc3, 0x69, 0x10,
    0x05, 0x00, 0x1f, 0x2f, 0x50, 0x20, 0x2a, 0x9a, 0x4f, 0x89, 0x6b, 0x73, 0xc0, 0x85, 0xb4, 0x2a,
    0x03,
];

fn packed() -> Vec<u8> {
    let line = "The quick brown fox jumps over the lazy dog. The quick brown fox is quick; the dog is not.\n";
    let more = "And more: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20.\n";
    format!("{}{more}", line.repeat(3)).into_bytes()
}

#[test]
fn frames_of_the_reference_encoder_come_out() {
    assert_eq!(decode("zstd", ZSTD_CHECKED).unwrap(), packed());
    assert_eq!(decode("zstd", ZSTD_PLAIN).unwrap(), packed());
    let skipped = b"\x50\x2A\x4D\x18\x03\x00\x00\x00abc\x5F\x2A\x4D\x18\x00\x00\x00\x00";
    let bytes = [skipped, ZSTD_CHECKED, skipped, ZSTD_PLAIN].concat();
    let chunks: Vec<&[u8]> = bytes.chunks(1).collect();
    let (out, outcome) = decode_chunks("zstd", &chunks, Limits::of_bytes(1 << 20));
    assert_eq!((out, outcome), (packed().repeat(2), Ok(())));
}

/// A frame of blocks that repeat one byte.
fn zstd_frame(header: &[u8], blocks: &[usize]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD];
    frame.extend(header);
    for (index, length) in blocks.iter().enumerate() {
        let is_last = usize::from(index + 1 == blocks.len());
        let block = u32::try_from(is_last | 1 << 1 | length << 3).unwrap();
        frame.extend(&block.to_le_bytes()[..3]);
        frame.push(b'a');
    }
    frame
}

#[test]
fn frames_that_ask_for_too_much_are_refused() {
    let window = |exponent: u8| zstd_frame(&[0, exponent << 3], &[4]);
    assert_eq!(decode("zstd", &window(13)).unwrap(), b"aaaa", "8 MiB");
    assert_eq!(
        decode("zstd", &window(14)),
        Err(CodingError::Corrupt),
        "16 MiB"
    );
    let dictionary = zstd_frame(&[1, 0, 7], &[4]);
    assert_eq!(decode("zstd", &dictionary), Err(CodingError::Corrupt));
    let reserved = zstd_frame(&[0b1000, 0], &[4]);
    assert_eq!(decode("zstd", &reserved), Err(CodingError::Corrupt));
    let long_block = zstd_frame(&[0, 13 << 3], &[(128 << 10) + 1]);
    assert_eq!(decode("zstd", &long_block), Err(CodingError::Corrupt));
    // One segment, which says it is five bytes long.
    let single = |length| zstd_frame(&[0b10_0000, 5], &[length]);
    assert_eq!(decode("zstd", &single(5)).unwrap(), b"aaaaa");
    assert_eq!(decode("zstd", &single(4)), Err(CodingError::Corrupt));
}

#[test]
fn no_brotli_window_is_larger_than_the_standard_has() {
    // The extension for large windows: the pattern 0010001, then 30 bits of window.
    assert_eq!(
        decode("br", &[0x11, 0x1E, 0, 0, 0]),
        Err(CodingError::Corrupt)
    );
}

/// What decodes to many times its length is refused as soon as it does, and not when it ends.
#[test]
fn bombs_are_refused_while_they_are_decoded() {
    let zeros = vec![0; 64 << 20];
    let limits = Limits::of_bytes(32 << 20);
    let bomb = |coding: &str| match coding {
        "zstd" => zstd_frame(&[0, 13 << 3], &vec![128 << 10; 1 << 9]),
        coding => encode(coding, &zeros),
    };
    for coding in ALL {
        let bytes = bomb(coding);
        let (out, outcome) = decode_chunks(coding, &[&bytes], limits);
        assert_eq!(outcome, Err(CodingError::RatioExceeded), "{coding}");
        let allowed = (bytes.len().next_multiple_of(4096) * 100).max(Limits::RATIO_FLOOR);
        assert!(out.len() <= allowed, "{coding}");
        // The same bytes, however they are cut.
        let chunks: Vec<&[u8]> = bytes.chunks(5).collect();
        assert_eq!(
            decode_chunks(coding, &chunks, limits),
            (out, outcome),
            "{coding}"
        );
        let generous = Limits {
            max_ratio: usize::MAX,
            ..limits
        };
        let (out, outcome) = decode_chunks(coding, &[&bytes], generous);
        assert_eq!(
            (out.len(), outcome),
            (32 << 20, Err(CodingError::TooLarge)),
            "{coding}"
        );
    }
    let nested = encode("gzip", &encode("gzip", &zeros));
    let (out, outcome) = decode_chunks("gzip, gzip", &[&nested], limits);
    assert_eq!(outcome, Err(CodingError::RatioExceeded));
    assert_eq!(out.len(), Limits::RATIO_FLOOR);
}

#[test]
fn small_bodies_are_not_refused_for_their_ratio() {
    let zeros = vec![0; Limits::RATIO_FLOOR];
    for coding in ALL {
        let bytes = encode(coding, &zeros);
        assert!(bytes.len() * 100 < zeros.len(), "{coding}");
        assert_eq!(
            decode(coding, &bytes).unwrap().len(),
            zeros.len(),
            "{coding}"
        );
    }
}

#[test]
fn a_decoder_that_failed_fails_for_good() {
    let mut decoder = Decoder::of("gzip", Limits::of_bytes(10)).unwrap();
    let mut out = Vec::new();
    assert_eq!(
        decoder.push(b"no gzip", &mut out),
        Err(CodingError::Corrupt)
    );
    assert_eq!(
        decoder.push(&encode("gzip", b"a"), &mut out),
        Err(CodingError::Corrupt)
    );
    assert_eq!(decoder.finish(), Err(CodingError::Corrupt));
    assert!(out.is_empty());
}
