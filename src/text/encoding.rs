use std::borrow::Cow;

/// How a text is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 behind a byte order mark.
    Utf8Bom,
    /// UTF-16, little endian, behind a byte order mark.
    Utf16Le,
    /// UTF-16, big endian, behind a byte order mark.
    Utf16Be,
}

/// Bytes read as text.
#[derive(Debug, Clone)]
pub struct Decoded<'a> {
    /// The text without its byte order mark.
    pub text: Cow<'a, str>,
    /// How it was stored.
    pub encoding: Encoding,
    /// Whether some bytes were no valid text and stand as U+FFFD.
    pub lossy: bool,
}

/// Reads bytes as text: by the byte order mark where there is one, else as UTF-8.
/// Never fails; invalid bytes become U+FFFD and set [`Decoded::lossy`].
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    let (encoding, skip) = match bytes {
        [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8Bom, 3),
        [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
        [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
        _ => (Encoding::Utf8, 0),
    };
    let body = &bytes[skip..];
    let (text, lossy) = match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => match String::from_utf8_lossy(body) {
            Cow::Borrowed(s) => (Cow::Borrowed(s), false),
            Cow::Owned(s) => (Cow::Owned(s), true),
        },
        Encoding::Utf16Le => encoding_rs::UTF_16LE.decode_without_bom_handling(body),
        Encoding::Utf16Be => encoding_rs::UTF_16BE.decode_without_bom_handling(body),
    };
    Decoded {
        text,
        encoding,
        lossy,
    }
}

/// Whether bytes look like no text: a NUL in the first 8 KiB, unless a byte order
/// mark says UTF-16 (the sign that ripgrep and git go by).
pub fn is_binary(bytes: &[u8]) -> bool {
    if matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
        return false;
    }
    let head = &bytes[..bytes.len().min(8 * 1024)];
    memchr::memchr(0, head).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_marks_and_invalid_bytes() {
        let d = decode(b"\xEF\xBB\xBFhi");
        assert_eq!(
            (d.text.as_ref(), d.encoding, d.lossy),
            ("hi", Encoding::Utf8Bom, false)
        );
        let d = decode(b"\xFF\xFEh\0i\0");
        assert_eq!((d.text.as_ref(), d.encoding), ("hi", Encoding::Utf16Le));
        let d = decode(b"\xFE\xFF\0h\0i");
        assert_eq!((d.text.as_ref(), d.encoding), ("hi", Encoding::Utf16Be));
        let d = decode(b"h\xFFi");
        assert_eq!((d.text.as_ref(), d.lossy), ("h\u{FFFD}i", true));
    }

    #[test]
    fn binary_is_a_nul_without_a_mark() {
        assert!(is_binary(b"ab\0c"));
        assert!(!is_binary(b"\xFF\xFEa\0"));
        assert!(!is_binary(b"plain"));
    }
}
