//! The orchestrator: plan, step, gate, journal and caps.
