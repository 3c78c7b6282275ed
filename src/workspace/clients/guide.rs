//! The paragraph for agents in a file that also holds other people's words.

const PARAGRAPH: &str = include_str!("guide.md");
const BEGIN: &str = "<!-- trimtab -->\n";
const END: &str = "<!-- /trimtab -->\n";

/// The text with the paragraph at its end, or where it already was; or without
/// it, `None` where nothing else is left.
pub(super) fn edit(text: &str, remove: bool) -> Option<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let own = |s: &str| s.replace('\n', newline);
    let (begin, end) = (own(BEGIN), own(END));
    let block = format!("{begin}{}{end}", own(PARAGRAPH));
    let place = text.find(&begin).and_then(|from| {
        let to = text[from..].find(&end)? + from + end.len();
        Some((&text[..from], &text[to..]))
    });
    match place {
        Some((before, after)) if remove => {
            let before = before.strip_suffix(newline).unwrap_or(before);
            let kept = format!("{before}{after}");
            (!kept.trim().is_empty()).then_some(kept)
        }
        Some((before, after)) => Some(format!("{before}{block}{after}")),
        None if remove => (!text.is_empty()).then(|| text.to_owned()),
        None if text.is_empty() => Some(block),
        None if text.ends_with('\n') => Some(format!("{text}{newline}{block}")),
        None => Some(format!("{text}{newline}{newline}{block}")),
    }
}
