//! Pontoon
