//! The engine that looks for inputs: LLVM's libFuzzer. `cargo xtask fuzz` builds and starts it; the variable
//! `FUZZ_TARGET` names the target, the arguments are libFuzzer's.
#![no_main]

use std::panic;
use std::sync::LazyLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name =
        std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names the target: start this by `cargo xtask fuzz`");
    fuzz::find(&name).unwrap_or_else(|| panic!("no target is named {name}"))
});

fuzz_target!(
    init: {
        if TARGET.catches_panics {
            // The engine's hook ends the program at each panic, before anyone could catch it.
            panic::set_hook(Box::new(|_| {}));
        }
    },
    |input: &[u8]| (TARGET.run)(input)
);
