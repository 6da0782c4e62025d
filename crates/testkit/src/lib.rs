//! What tests and benchmarks stand on.

pub mod audit;
pub mod clock;
pub mod database;
pub mod faulty;
pub mod load;
pub mod proxy;
pub mod world;

pub use audit::RecordedAudit;
pub use clock::ManualClock;
pub use database::Database;
pub use proxy::Proxy;
pub use world::{Store, World, soon};
