//! Languages, parsing, definitions, enclosing blocks and error counts.
