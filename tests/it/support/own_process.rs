//! A test in a process of its own: this same program, called again for that test alone. For tests
//! that look at what belongs to a whole process, such as its descriptors, or that need a network
//! which nobody else uses.

use super::quiet;
use std::{any::type_name, env, process::Command};

/// Words before the command line of a process that has a network namespace of its own. Needs root.
pub const OWN_NETWORK: &[&str] =
    &["unshare", "--net", "sh", "-ec", "ip link set lo up; exec \"$@\"", "sh"];

/// True in the process of its own. Elsewhere it runs this test there, by way of the words `before`
/// its command line, and gives false once it has passed.
pub fn in_own_process<T: Fn()>(_test: T, before: &[&str]) -> bool {
    const TEST: &str = "LIFESIGN_TEST_IN_OWN_PROCESS";
    // The path of the function, which libtest knows without the name of the program.
    let (_, test) = type_name::<T>().split_once("::").unwrap();
    if env::var_os(TEST).is_some_and(|own| own == test) {
        return true;
    }
    let this = env::current_exe().unwrap();
    let call = [
        this.to_str().unwrap(),
        "--exact",
        test,
        "--include-ignored",
        "--nocapture",
        "--test-threads=1",
    ];
    let words = [before, &call].concat();
    let output = quiet(Command::new(words[0]), &words[1..]).env(TEST, test).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{test} was not run: {said}");
    false
}
