//! The integration tests, one binary.

mod layers_golden;
