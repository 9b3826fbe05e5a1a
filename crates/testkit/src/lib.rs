//! For tests only: synthetic models, golden files, tolerances.
