//! Languages, parsing, definitions, enclosing blocks and error counts.
//!
//! A language is data: `grammars/<language>/` holds its comment and string syntax
//! (`language.toml`) and the tree-sitter patterns that name its definitions and imports
//! (`definitions.scm`), `grammars/files.toml` which files are in it. Adding one is a
//! folder, an entry there and a line in `registry.rs`. Nothing is read before its first use.
//!
//! ```
//! use trimtab::syntax::{Language, parse};
//! let text = "struct Lamp;\nimpl Lamp {\n    fn light(&self) {}\n}\n";
//! let rust = Language::by_name("rust").expect("known");
//! let parsed = parse(rust, text).expect("small");
//! let found = parsed.definitions(text);
//! assert_eq!(found.enclosing(3).map(|d| d.path.as_str()), Some("Lamp.light"));
//! assert_eq!(parsed.error_count(), 0);
//! ```

mod again;
mod around;
mod blocks;
mod collect;
mod definition;
mod detect;
mod edit;
mod found;
mod headings;
mod items;
mod kept;
mod language;
mod lexed;
mod macros;
mod members;
mod names;
mod outline;
mod parse;
mod part;
mod pattern;
mod piece;
mod pieces;
mod registry;
mod shell;
mod siblings;
mod walk;

pub use again::Outlined;
pub use around::outline_around;
pub use blocks::Block;
pub use definition::{Definition, Definitions, Kind};
pub use items::parse;
pub use language::{Language, StringSyntax};
pub use macros::{Branch, without_macros};
pub use outline::Outline;
pub use parse::{MAX_BYTES, Parsed, SyntaxError, Unparsed};
pub use pieces::Pieces;

#[cfg(test)]
mod tests;
