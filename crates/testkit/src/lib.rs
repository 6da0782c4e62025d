//! What tests and benchmarks stand on.

pub mod clock;

pub use clock::ManualClock;
