"""The machine: plan, claim, send, settle, confirm, sweep. docs/architecture.md draws it."""
