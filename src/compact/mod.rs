//! Text to scored lines, selected under a budget, with markers for the rest.
