//! The root and its walls, file discovery, atomic writes, undo, and the store of omitted text.
