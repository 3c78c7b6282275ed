//! Numbers of as many bytes as they need (LEB128).

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
pub(super) fn put_number(out: &mut Vec<u8>, mut rest: u32) {
    while rest > 0x7F {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// None at the end, or if there are more bytes to it than a number has.
pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut value: u32 = 0;
    let mut shift = 0;
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}
