//! Disks that refuse, in a mount namespace of the test's own: probing and metrics go on, metric and
//! log say so, and what waited is written once the disk takes it.

use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, get, lifesign, quiet, until, values,
};
use std::{fs, process::Command};

/// lifesign with its state on a small disk that is mounted like this, and so treated before it
/// starts.
fn on_disk(temp_dir: &TempDir, options: &str, treated: &str) -> (Program, String) {
    let disk = temp_dir.path("disk");
    fs::create_dir(&disk).unwrap();
    let run = format!(
        "mount -t tmpfs -o {options} disk {disk}
         {treated}
         exec {LIFESIGN} --config {LAB} --listen 127.0.0.1:0 --state-dir {disk}"
    );
    (Program::start(quiet(Command::new("unshare"), &["--mount", "sh", "-ec", &run])), disk)
}

/// Runs shell lines where that program's disk is.
fn inside(watch: &Program, lines: &str) -> String {
    let space = format!("--mount=/proc/{}/ns/mnt", watch.id());
    let (code, out, err) = done(quiet(Command::new("nsenter"), &[&space, "sh", "-ec", lines]));
    assert_eq!(code, 0, "{lines}: {out}{err}");
    out
}

fn goes_on_and_recovers(mut watch: Program, disk: &str, relief: &str) {
    let address = watch.address();
    watch.error_line(TIMEOUT, "complaint", |line| {
        line.contains("cannot write the store").then_some(())
    });
    let metric = |name: &str| values(&get(address, "/metrics").body, name, &[]).iter().sum::<f64>();
    until(TIMEOUT, "metric of the failure", || match metric("lifesign_store_failing") {
        1.0 if metric("lifesign_store_failures_total") >= 1.0 => Ok(()),
        other => Err(other.to_string()),
    });
    let before = metric("lifesign_probes_total");
    until(TIMEOUT, "more probes", || match metric("lifesign_probes_total") {
        more if more > before + 3.0 => Ok(()),
        other => Err(other.to_string()),
    });
    inside(&watch, &format!("mount -o remount,{relief} {disk}; rm -f {disk}/ballast"));
    watch.error_line(TIMEOUT, "relief", |line| {
        line.contains("is written again; 0 rows were lost").then_some(())
    });
    until(TIMEOUT, "metric of the relief", || match metric("lifesign_store_failing") {
        0.0 => Ok(()),
        other => Err(other.to_string()),
    });
    assert_eq!(watch.err.len(), 2, "each is told once: {}", watch.said());
    let listed = inside(&watch, &format!("{LIFESIGN} episodes --all --state-dir {disk}"));
    assert!(listed.starts_with("SCOPE"), "{listed}");
    assert_eq!(watch.terminate().code(), Some(0));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_disk_is_full_and_later_has_room_again() {
    let temp_dir = TempDir::new("store-full");
    let fill = format!(
        "dd if=/dev/zero of={0}/disk/ballast bs=4k count=254 2>/dev/null",
        temp_dir.display()
    );
    let (watch, disk) = on_disk(&temp_dir, "size=1m", &fill);
    goes_on_and_recovers(watch, &disk, "size=8m");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_disk_is_read_only_and_later_is_not() {
    let temp_dir = TempDir::new("store-readonly");
    let (watch, disk) = on_disk(&temp_dir, "ro", "");
    goes_on_and_recovers(watch, &disk, "rw");
}

#[test]
fn without_a_directory_nothing_is_kept_and_a_line_says_so() {
    let temp_dir = TempDir::new("no-store");
    let mut command = lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", temp_dir.path("."));
    let mut watch = Program::start(command);
    watch.line(TIMEOUT, "word on it", |line| {
        line.contains("without --state-dir nothing is kept").then_some(())
    });
    let address = watch.watching();
    let body = get(address, "/metrics").body;
    assert!(!body.contains("\nlifesign_store_"), "{body}");
    // Its pages have a past all the same, until it ends.
    let left = || fs::read_dir(temp_dir.join(".")).unwrap().count();
    assert_eq!(left(), 1);
    until(TIMEOUT, "the first episodes", || match get(address, "/api/v1/episodes") {
        answer if answer.code == 200 => Ok(()),
        answer => Err(answer.body),
    });
    assert_eq!(watch.terminate().code(), Some(0));
    assert_eq!(left(), 0);
}
