//! The `barrow` program: its configuration, and the commands that run the gateway and the health processor.

pub mod config;
