//! The door for people and scripts: one file per command, rendering only.
