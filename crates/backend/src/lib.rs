//! What a device offers: traits, splitting a graph over devices, the conformance suite of ops.
