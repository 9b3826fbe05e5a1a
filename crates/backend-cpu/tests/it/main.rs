//! The CPU device against the conformance suite.

use std::sync::Arc;

use backend::Device;
use backend::conformance::{cases, error};
use backend_cpu::{CpuConfig, CpuDevice};

/// Every op runs, gives finite numbers, and gives the same ones on any number of threads.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let device =
        |n_threads| -> Arc<dyn Device> { CpuDevice::new(&CpuConfig { n_threads, ..CpuConfig::default() }) };
    let (one, many) = (device(1), device(3));
    for (a, b) in cases().into_iter().zip(cases()) {
        let name = a.name.clone();
        let want = a.run(&one).expect(&name).unwrap_or_else(|| panic!("{name}: not supported"));
        let got = b.run(&many).expect(&name).expect("supported");
        assert!(want.iter().all(|v| v.is_finite()), "{name}: not finite");
        assert!(!want.is_empty(), "{name}: nothing computed");
        assert_eq!(error(&got, &want), 0.0, "{name}");
    }
}
