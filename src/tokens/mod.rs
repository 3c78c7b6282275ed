//! Exact o200k token counts and fitting text to a budget.
