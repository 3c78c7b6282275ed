//! The one error type that an agent or a person is shown.

use std::fmt;

/// How an error ends a command. See [`Error::exit_status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing was found where something was asked for.
    NotFound,
    /// The request was unusable or something failed on the way.
    Failure,
    /// An edit was not made, on purpose; nothing was written.
    Refused,
    /// A cap on steps, tokens or time ended the work.
    Capped,
}

/// What went wrong, in the three parts that let a reader act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// How it ends a command.
    pub class: Class,
    /// A stable `lower_snake_case` word for scripts, such as `outside_root`.
    pub code: &'static str,
    /// What happened, in a sentence or a few lines.
    pub message: String,
    /// The one thing to do next; empty where there is none.
    pub next: String,
}

/// A result whose error is meant to be shown.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of any class.
    pub fn new(
        class: Class,
        code: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            class,
            code,
            message: message.into(),
            next: next.into(),
        }
    }

    /// An unusable request or a failure.
    pub fn failure(
        code: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(Class::Failure, code, message, next)
    }

    /// An edit that was not made; nothing was written.
    pub fn refused(
        code: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(Class::Refused, code, message, next)
    }

    /// Something named by the request does not exist.
    pub fn not_found(
        code: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(Class::NotFound, code, message, next)
    }

    /// The work was cancelled by whoever asked for it.
    pub fn cancelled() -> Self {
        Self::failure("cancelled", "The call was cancelled.", "")
    }

    /// The exit status of a command that ends with this error: 1 nothing found,
    /// 2 usage or failure, 3 refused, 4 stopped by a cap.
    pub fn exit_status(&self) -> u8 {
        match self.class {
            Class::NotFound => 1,
            Class::Failure => 2,
            Class::Refused => 3,
            Class::Capped => 4,
        }
    }
}

impl fmt::Display for Error {
    /// `code: what happened`, then `next: …` on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if !self.next.is_empty() {
            write!(f, "\nnext: {}", self.next)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_code_message_and_next_step() {
        let e = Error::refused("no_anchor", "Lines 1-3 match nothing.", "Quote a line.");
        assert_eq!(
            e.to_string(),
            "no_anchor: Lines 1-3 match nothing.\nnext: Quote a line."
        );
        assert_eq!(e.exit_status(), 3);
        assert_eq!(
            Error::cancelled().to_string(),
            "cancelled: The call was cancelled."
        );
    }
}
