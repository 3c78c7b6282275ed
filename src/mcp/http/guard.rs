//! Who may ask: the `Host` and `Origin` of a request, and its token.

use crate::error::{Error, Result};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// The variable that a token is taken from.
const TOKEN_VARIABLE: &str = "TRIMTAB_TOKEN";

/// Fewer characters can be guessed.
const TOKEN_CHARS: usize = 16;

/// A secret that clients show as `Authorization: Bearer …`. Only its hash is kept, so
/// that it cannot be printed, and so that comparing takes the same time for all wrong
/// ones.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// The token in a file, or else in the variable `TRIMTAB_TOKEN`; none where
    /// neither is given. It is never taken from the command line, which every user of
    /// a machine can read.
    ///
    /// # Errors
    /// `no_token` if the file cannot be read; `weak_token` if it is short or holds
    /// what a header cannot.
    pub fn find(file: Option<&Path>) -> Result<Option<Self>> {
        let text = match file {
            Some(file) => std::fs::read_to_string(file).map_err(|e| {
                Error::failure(
                    "no_token",
                    format!("The token in {} cannot be read: {e}.", file.display()),
                    "Put it into a file that only you can read, such as with `umask 077; \
                     head -c 24 /dev/urandom | base64 > FILE`.",
                )
            })?,
            None => match std::env::var_os(TOKEN_VARIABLE) {
                Some(text) => text.to_string_lossy().into_owned(),
                None => return Ok(None),
            },
        };
        Self::new(&text).map(Some)
    }

    /// The token that `text` holds, white space around it aside.
    ///
    /// # Errors
    /// `weak_token`, as [`Token::find`].
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() < TOKEN_CHARS || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::failure(
                "weak_token",
                format!("The token is not {TOKEN_CHARS} or more visible ASCII characters."),
                "Make a random one, such as with `head -c 24 /dev/urandom | base64`.",
            ));
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    fn is(&self, shown: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        self.0 == shown
    }
}

/// What a request has to show.
#[derive(Debug)]
pub(super) struct Guard {
    token: Option<Token>,
    /// In lower case.
    names: Vec<String>,
    /// Whether any address may be named as host. A page that rebinds a name to this
    /// server still sends that name; an address in its place was not looked up.
    addresses: bool,
}

impl Guard {
    /// For a server that listens on `address` and may be addressed by these names, too.
    pub(super) fn new(address: SocketAddr, hosts: &[String], token: Option<Token>) -> Self {
        Self {
            token,
            names: hosts.iter().map(|h| plain(h)).collect(),
            addresses: !address.ip().is_loopback(),
        }
    }

    /// Refuses a request with a status and a reason.
    pub(super) fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> std::result::Result<(), (StatusCode, &'static str)> {
        let host = one(headers, header::HOST).map_err(|()| bad_host())?;
        let host = host.or(uri.authority().map(Authority::as_str));
        let host = host.and_then(host_of).ok_or_else(bad_host)?;
        let is_address = host.parse::<IpAddr>().is_ok();
        let is_served = self.knows(&host) || (self.addresses && is_address);
        if !is_served {
            return Err((
                StatusCode::FORBIDDEN,
                "This host name is not served; --allow-host NAME allows it.",
            ));
        }
        // Pages in a browser say where they come from; other clients need not.
        let bad_origin = (StatusCode::FORBIDDEN, "This origin may not ask.");
        if let Some(origin) = one(headers, header::ORIGIN).map_err(|()| bad_origin)? {
            let host = ["http://", "https://"]
                .iter()
                .find_map(|scheme| origin.strip_prefix(scheme))
                .and_then(host_of);
            if !host.is_some_and(|host| self.knows(&host)) {
                return Err(bad_origin);
            }
        }
        let Some(token) = &self.token else {
            return Ok(());
        };
        let no_token = (StatusCode::UNAUTHORIZED, "A bearer token is needed.");
        let shown = one(headers, header::AUTHORIZATION).map_err(|()| no_token)?;
        let shown = shown.and_then(|line| line.split_once(' '));
        match shown {
            Some((scheme, shown))
                if scheme.eq_ignore_ascii_case("bearer") && token.is(shown.trim()) =>
            {
                Ok(())
            }
            _ => Err(no_token),
        }
    }

    /// Whether a host, as [`host_of`] gives it, is this server by name.
    fn knows(&self, host: &str) -> bool {
        host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.names.iter().any(|name| name == host)
    }
}

fn bad_host() -> (StatusCode, &'static str) {
    (StatusCode::BAD_REQUEST, "The Host header cannot be read.")
}

/// A header that may be given once.
fn one(headers: &HeaderMap, name: header::HeaderName) -> std::result::Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

/// The host of `host` or `host:port`, plain.
fn host_of(authority: &str) -> Option<String> {
    if authority.contains('@') {
        return None;
    }
    let authority: Authority = authority.parse().ok()?;
    Some(plain(authority.host())).filter(|host| !host.is_empty())
}

fn plain(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(addresses: bool, token: Option<&str>) -> Guard {
        Guard {
            token: token.map(|t| Token::new(t).unwrap()),
            names: vec!["dev.example".to_owned()],
            addresses,
        }
    }

    fn status(guard: &Guard, headers: &[(header::HeaderName, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        match guard.check(&Uri::from_static("/mcp"), &map) {
            Ok(()) => 200,
            Err((status, _)) => status.as_u16(),
        }
    }

    #[test]
    fn only_known_hosts_are_served() {
        let [near, far] = [false, true].map(|addresses| guard(addresses, None));
        let host = |guard, host| status(guard, &[(header::HOST, host)]);
        for known in [
            "localhost",
            "LOCALHOST:7333",
            "localhost.",
            "127.0.0.1:1",
            "127.8.8.8",
            "[::1]:7333",
            "dev.example",
            "Dev.Example:443",
        ] {
            assert_eq!(host(&near, known), 200, "{known}");
            assert_eq!(host(&far, known), 200, "{known}");
        }
        for unknown in ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"] {
            assert_eq!(host(&near, unknown), 403, "{unknown}");
            assert_eq!(host(&far, unknown), 403, "{unknown}");
        }
        assert_eq!(host(&near, "192.0.2.7:7333"), 403);
        assert_eq!(host(&far, "192.0.2.7:7333"), 200);
        for broken in ["", "localhost@evil.example", "a b", "[::1"] {
            assert_eq!(host(&far, broken), 400, "{broken}");
        }
        assert_eq!(status(&near, &[]), 400);
        let two = [(header::HOST, "localhost"), (header::HOST, "localhost")];
        assert_eq!(status(&near, &two), 400);
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let far = guard(true, None);
        let from = |origin| {
            let headers = [(header::HOST, "localhost"), (header::ORIGIN, origin)];
            status(&far, &headers)
        };
        for own in [
            "http://localhost:6274",
            "https://127.0.0.1",
            "http://[::1]:80",
            "https://dev.example",
        ] {
            assert_eq!(from(own), 200, "{own}");
        }
        for other in [
            "https://evil.example",
            "http://192.0.2.7",
            "null",
            "file://localhost",
            "http://localhost@evil.example",
            "",
        ] {
            assert_eq!(from(other), 403, "{other}");
        }
    }

    #[test]
    fn token_is_compared_whole() {
        let guard = guard(false, Some("0123456789abcdef"));
        let with = |line| {
            let headers = [(header::HOST, "localhost"), (header::AUTHORIZATION, line)];
            status(&guard, &headers)
        };
        assert_eq!(with("Bearer 0123456789abcdef"), 200);
        assert_eq!(with("bearer 0123456789abcdef"), 200);
        for wrong in [
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdeff",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
            "Bearer",
            "",
        ] {
            assert_eq!(with(wrong), 401, "{wrong}");
        }
        assert_eq!(status(&guard, &[(header::HOST, "localhost")]), 401);
        assert_eq!(format!("{guard:?}").matches("0123").count(), 0);
        for weak in ["", "short", "0123456789 abcdef", "0123456789abcdé€f"] {
            let e = Token::new(weak).map_err(|e| e.code);
            assert_eq!(e, Err("weak_token"), "{weak}");
        }
    }
}
