//! `Retry-After`: seconds, or a moment (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// How long to wait from `now` on; `None` where the value is neither.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(moment(value)?.saturating_sub(now)))
}

/// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one
/// form that may still be sent.
fn moment(text: &str) -> Option<u64> {
    let (_, date) = text.split_once(", ")?;
    let words: Vec<&str> = date.split(' ').collect();
    let [day, month, year, time, "GMT"] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().position(|m| m == month)? as u64 + 1;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let time: Vec<u64> = time
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let [hours, minutes, seconds] = time.as_slice() else {
        return None;
    };
    if !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    if *hours > 23 || *minutes > 59 || *seconds > 60 {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let since_1970 = days.checked_sub(719_468)?;
    Some(((since_1970 * 24 + hours) * 60 + minutes) * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_moments_are_read() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let wait = |value: &str, now| retry_after(value, at(now)).map(|d| d.as_secs());
        assert_eq!(wait(" 120 ", 0), Some(120));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(wait(date, 784_111_777 - 5), Some(5));
        assert_eq!(wait(date, 784_111_777 + 5), Some(0));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:01 GMT", 0), Some(1));
        assert_eq!(wait("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600), Some(0));
        assert_eq!(wait("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_799), Some(1));
        for bad in [
            "",
            "soon",
            "-1",
            "Sun, 06 Nov 1994",
            "Sun, 06 Foo 1994 08:49:37 GMT",
        ] {
            assert_eq!(wait(bad, 0), None, "{bad}");
        }
    }
}
