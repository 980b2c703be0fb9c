//! Records: the values of a row, as they stand in a cell.

use rusqlite::types::Value;

/// A number of one to nine bytes, and how many these are.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (place, &byte) in bytes.iter().take(9).enumerate() {
        if place == 8 {
            return Some((number << 8 | u64::from(byte), 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    None
}

/// The same as a length or a place.
pub(super) fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let (number, read) = varint(bytes)?;
    Some((number.try_into().ok()?, read))
}

/// The values of a record; `None` if it is none, or has a text that is no UTF-8.
pub(super) fn values(record: &[u8]) -> Option<Vec<Value>> {
    let (header_length, mut place) = length(record)?;
    let (header, mut body) = record.split_at_checked(header_length)?;
    let mut values = Vec::new();
    while place < header.len() {
        let (kind, read) = length(&header[place..])?;
        place += read;
        let (bytes, rest) = body.split_at_checked(size(kind)?)?;
        body = rest;
        values.push(value(kind, bytes)?);
    }
    // Whatever is left over was not written by SQLite.
    (place == header.len() && body.is_empty()).then_some(values)
}

/// How many bytes a value of this kind has.
fn size(kind: usize) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => Some(kind),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => Some((kind - 12) / 2),
    }
}

fn value(kind: usize, bytes: &[u8]) -> Option<Value> {
    Some(match kind {
        0 => Value::Null,
        1..=6 => Value::Integer(integer(bytes)),
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        _ if kind.is_multiple_of(2) => Value::Blob(bytes.to_vec()),
        _ => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
    })
}

/// A whole number, the highest byte first, with a sign.
fn integer(bytes: &[u8]) -> i64 {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let beginning = if is_negative { -1 } else { 0 };
    bytes.iter().fold(beginning, |number, &byte| number << 8 | i64::from(byte))
}
