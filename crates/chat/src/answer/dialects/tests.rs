//! Answers of each dialect.
