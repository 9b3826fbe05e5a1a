//! The CPU device against the conformance suite.

use std::sync::Arc;

use backend::Device;
use backend::conformance::{cases, error};
use backend_cpu::isa::Kind;
use backend_cpu::{CpuConfig, CpuDevice, available_isas};

fn device(isa: Kind, n_threads: usize) -> Arc<dyn Device> {
    CpuDevice::new(&CpuConfig { n_threads, isa: Some(isa), ..CpuConfig::default() })
}

/// Every case on both devices; `tolerance` of `None` asks for the case's own.
fn compare(reference: &Arc<dyn Device>, device: &Arc<dyn Device>, tolerance: Option<f64>) {
    let mut failures = Vec::new();
    for (a, b) in cases().into_iter().zip(cases()) {
        let (name, tolerance) = (a.name.clone(), tolerance.unwrap_or(a.tolerance));
        let want = a.run(reference).expect(&name).unwrap_or_else(|| panic!("{name}: not supported"));
        let got = b.run(device).expect(&name).expect("supported");
        assert!(!want.is_empty(), "{name}: nothing computed");
        let e = error(&got, &want);
        if e > tolerance {
            failures.push(format!("{name}: error {e:.2e}, allowed {tolerance:.0e}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for isa in available_isas() {
        compare(&device(isa, 1), &device(isa, 3), Some(0.0));
    }
}

#[test]
fn every_instruction_set_computes_what_the_scalar_one_defines() {
    for isa in available_isas() {
        compare(&device(Kind::Scalar, 1), &device(isa, 1), None);
    }
}
