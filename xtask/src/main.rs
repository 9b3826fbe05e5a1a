//! The chores of the project: ci, tidy, demo, test, models.

fn main() {}
