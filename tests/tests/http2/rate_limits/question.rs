//! What Envoy asks a rate limit service, read from its gRPC message as far as tests look at it.
//!
//! Called by tests and by the stand-in; panics on what is no such message.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says no by panicking"
)]

/// One account that is asked about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// Its entries, `key=value`, with commas between.
    pub(super) account: String,
    /// How many hits it takes, where that is said.
    pub(super) hits_addend: Option<u64>,
}

/// The accounts of a question.
pub(super) fn descriptors(question: &[u8]) -> Vec<Descriptor> {
    // Five bytes of gRPC come before the message.
    let request = fields(question.get(5..).unwrap_or_default());
    let descriptors = request.iter().filter(|(number, _)| *number == 2);
    descriptors
        .map(|(_, descriptor)| read(descriptor.bytes()))
        .collect()
}

fn read(descriptor: &[u8]) -> Descriptor {
    let fields = fields(descriptor);
    let entries = fields.iter().filter(|(number, _)| *number == 1);
    let entry = |(_, entry): &(u64, Field)| {
        let parts = self::fields(entry.bytes());
        let part = |number| {
            let found = parts.iter().find(|(it, _)| *it == number);
            found.map_or(String::new(), |(_, field)| {
                String::from_utf8_lossy(field.bytes()).into_owned()
            })
        };
        format!("{}={}", part(1), part(2))
    };
    let wrapped = fields.iter().find(|(number, _)| *number == 3);
    // A number in a message of its own, which is empty for 0.
    let addend = |(_, value): &(u64, Field)| {
        let fields = self::fields(value.bytes());
        fields.iter().map(|(_, field)| field.number()).sum()
    };
    Descriptor {
        account: entries.map(entry).collect::<Vec<_>>().join(","),
        hits_addend: wrapped.map(addend),
    }
}

/// A field of a protobuf message, as far as these messages have them.
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Number(_) => &[],
            Self::Bytes(bytes) => bytes,
        }
    }
}

fn fields(mut message: &[u8]) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                let (bytes, rest) = message.split_at(length);
                message = rest;
                Field::Bytes(bytes.to_vec())
            }
            other => panic!("wire type {other} is not in these messages"),
        };
        found.push((key >> 3, field));
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let (byte, rest) = message.split_first().expect("a number that ends");
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return number;
        }
        shift += 7;
    }
}
