//! How deep a line stands.

/// Leading blanks of a line, a tab counted to the next multiple of four.
pub fn indent(line: &str) -> usize {
    let mut n = 0;
    for b in line.bytes() {
        match b {
            b' ' => n += 1,
            b'\t' => n = (n / 4 + 1) * 4,
            _ => break,
        }
    }
    n
}
