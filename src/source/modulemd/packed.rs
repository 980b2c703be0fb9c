//! Unpacks data by what they begin with, and not by what they are called.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::ReadError;

/// More is no file of modules: the largest known repositories have some ten million bytes. Against files that are made to grow.
pub const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// How data are packed, with what they begin with then.
const FORMATS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
];

/// The bytes as they were before they were packed.
pub(super) fn unpacked(name: &str, bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    unpacked_within(name, bytes, MOST_BYTES)
}

fn unpacked_within(name: &str, bytes: &[u8], limit: u64) -> Result<Vec<u8>, ReadError> {
    let format = FORMATS
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, format)| *format);
    let damaged = |format| {
        move |source| ReadError::Damaged {
            name: name.to_owned(),
            format,
            source,
        }
    };
    match format {
        None => bounded(name, bytes, limit, damaged("plain")),
        Some("gzip") => bounded(name, MultiGzDecoder::new(bytes), limit, damaged("gzip")),
        Some("zstd") => bounded(name, Frames::of(bytes), limit, damaged("zstd")),
        Some(format) => Err(ReadError::Packed {
            name: name.to_owned(),
            format,
        }),
    }
}

/// All frames of zstd data, one after the other.
struct Frames<'a> {
    rest: &'a [u8],
    frame: Option<Box<Frame<'a>>>,
}

type Frame<'a> = StreamingDecoder<&'a [u8], FrameDecoder>;

impl<'a> Frames<'a> {
    const fn of(rest: &'a [u8]) -> Self {
        Self { rest, frame: None }
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None if self.rest.is_empty() => return Ok(0),
                None => Box::new(StreamingDecoder::new(self.rest).map_err(io::Error::other)?),
            };
            match frame.read(buffer)? {
                0 => self.rest = frame.into_inner(),
                count => {
                    self.frame = Some(frame);
                    return Ok(count);
                }
            }
        }
    }
}

fn bounded(name: &str, reader: impl Read, limit: u64, damaged: impl FnOnce(io::Error) -> ReadError) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(damaged)?;
    match bytes.len() as u64 > limit {
        true => Err(ReadError::TooLarge {
            name: name.to_owned(),
            limit,
        }),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    #[test]
    fn data_are_unpacked_by_what_they_begin_with() {
        let text = b"document: modulemd\n".repeat(1000);
        for packed in [
            text.clone(),
            gzip(&text),
            zstd(&text),
            [gzip(&text[..500]), gzip(&text[500..])].concat(),
            [zstd(&text[..500]), zstd(b""), zstd(&text[500..])].concat(),
        ] {
            assert_eq!(unpacked("modules.yaml", &packed).unwrap(), text);
        }
    }

    #[test]
    fn no_more_is_unpacked_than_is_allowed() {
        let text = vec![b'#'; 1_000_000];
        for packed in [text.clone(), gzip(&text), zstd(&text)] {
            assert_eq!(unpacked_within("m", &packed, 1_000_000).unwrap().len(), 1_000_000);
            let error = unpacked_within("m", &packed, 999_999).unwrap_err();
            assert_eq!(error.to_string(), "m has more than 999999 bytes when it is unpacked");
        }
    }

    #[test]
    fn what_is_cut_off_or_packed_otherwise_is_refused() {
        let text: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        for packed in [gzip(&text), zstd(&text)] {
            for length in [5, packed.len() / 2, packed.len() - 9] {
                let error = unpacked("m", &packed[..length]).unwrap_err();
                assert!(matches!(error, ReadError::Damaged { .. }), "{length}: {error}");
            }
        }
        assert_eq!(unpacked("m", b"\xfd7zXZ\0...").unwrap_err().to_string(), "m is packed with xz");
        assert_eq!(unpacked("m", b"BZh9...").unwrap_err().to_string(), "m is packed with bzip2");
    }
}
