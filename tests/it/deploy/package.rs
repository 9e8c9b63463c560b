//! The Debian package, as whoever installs it meets it: in a booted Debian it is installed,
//! watched, given new plans, killed, stuck, upgraded, removed and purged. One machine lives through
//! it all, in this order.

use crate::support::{
    TIMEOUT, TempDir,
    machine::{Machine, packages},
    until,
};
use std::time::Duration;

/// WatchdogSec=, and time for a busy machine.
const STUCK: Duration = Duration::from_secs(15).saturating_add(TIMEOUT);
const PLAN: &str = "/etc/lifesign/targets.toml";

/// A property of the unit.
fn property(machine: &Machine, name: &str) -> String {
    machine.sh(&format!("systemctl show --value -p {name} lifesign"))
}

/// The whole journal of the unit.
fn told(machine: &Machine) -> String {
    machine.sh("journalctl -q -o cat -u lifesign")
}

/// Waits until systemd shows a line that has this in it.
fn shown(machine: &Machine, within: Duration, wanted: &str) {
    until(within, wanted, || {
        let line = property(machine, "StatusText");
        if line.contains(wanted) { Ok(()) } else { Err(line) }
    });
}

/// Waits until it runs as another process, having been started again so many times; and up again.
fn back(machine: &Machine, within: Duration, before: &str, restarts: &str) {
    until(within, "another process", || {
        let state =
            machine.sh("systemctl show --value -p MainPID -p ActiveState -p NRestarts lifesign");
        let mut lines: Vec<&str> = state.lines().filter(|line| !line.is_empty()).collect();
        lines.sort_unstable();
        let is_back =
            !lines.contains(&before) && lines.contains(&"active") && lines.contains(&restarts);
        if is_back { Ok(()) } else { Err(state) }
    });
    shown(machine, TIMEOUT, "KP up (4 up)");
}

#[test]
#[ignore = "needs root, mmdebstrap, cargo-deb and, once, the network"]
fn the_package_lives_in_a_debian() {
    let temp_dir = TempDir::new("package");
    packages(&temp_dir);
    let machine = Machine::boot(&temp_dir);

    // Installed: enabled, running, and watching the lab with one right and no more.
    machine.sh("dpkg -i /mnt/one.deb");
    assert_eq!(
        machine.sh("systemctl is-active lifesign; systemctl is-enabled lifesign"),
        "active\nenabled"
    );
    shown(&machine, TIMEOUT, "KP up (4 up)");
    let first = told(&machine);
    assert!(first.contains("ICMP by raw socket (IPv4)") && !first.contains("may not"), "{first}");
    let process = property(&machine, "MainPID");
    // CAP_NET_RAW is bit 13 (capabilities(7)).
    let rights = machine.sh(&format!("grep -E 'Cap(Eff|Bnd|Amb)' /proc/{process}/status"));
    let rights: Vec<&str> = rights.split_whitespace().skip(1).step_by(2).collect();
    assert_eq!(rights, ["0000000000002000"; 3]);
    assert_eq!(machine.sh(&format!("stat -c '%U %G' /proc/{process}")), "lifesign lifesign");
    machine.sh("systemd-analyze security --threshold=15 lifesign");
    let files = machine.sh("dpkg -L lifesign; cat /var/lib/dpkg/info/lifesign.conffiles");
    assert_eq!(files.lines().filter(|&line| line == PLAN).count(), 2, "{files}");
    assert!(machine.sh("lifesign status").contains("127.45.176.0/24"));

    // Whoever is in its group reads what it knows; who is not is told how to get there.
    assert_eq!(machine.sh("stat -c '%U %G %a' /var/lib/lifesign"), "lifesign lifesign 750");
    machine.sh("useradd stranger; useradd -G lifesign member");
    let list = |who: &str| {
        machine.try_sh(&format!(
            "setpriv --reuid={who} --regid=nogroup --init-groups lifesign episodes --all"
        ))
    };
    let (code, out, err) = list("member");
    assert!(code == 0 && out.starts_with("SCOPE"), "{code} {out} {err}");
    let wanted = "lifesign: this user may not read the store /var/lib/lifesign/lifesign.db; \
        the group lifesign may: sudo usermod -aG lifesign $USER, and log in again";
    assert_eq!(list("stranger"), (77, String::new(), wanted.to_owned()));

    // A new plan: taken over; a wrong one: refused, told, and the one before goes on.
    machine.sh(&format!(
        "cp {PLAN} /root/lab.toml; sed -i 's/\"lab\"/\"lab-two\"/' {PLAN}; systemctl reload lifesign"
    ));
    until(TIMEOUT, "the new plan", || {
        let (_, table, err) = machine.try_sh("lifesign status");
        if table.starts_with("lab-two at ") { Ok(()) } else { Err(table + &err) }
    });
    machine.sh(&format!("cp {PLAN} /root/two.toml; echo nonsense = 1 >>{PLAN}"));
    let (code, ..) = machine.try_sh("systemctl reload lifesign");
    assert_ne!(code, 0, "a wrong plan was taken");
    assert!(told(&machine).contains("unknown key \"nonsense\""), "{}", told(&machine));
    assert_eq!(property(&machine, "ActiveState"), "active");
    assert_eq!(property(&machine, "MainPID"), process);
    machine.sh(&format!("cp /root/two.toml {PLAN}; systemctl reload lifesign"));

    // Started again, it goes on from what it knew; so it does when it was killed.
    machine.sh("systemctl restart lifesign");
    let recalled = |count| {
        until(TIMEOUT, "what was known", || {
            let told = told(&machine);
            let found = told
                .lines()
                .filter(|line| line.starts_with("goes on from what was known at"))
                .count();
            if found == count { Ok(()) } else { Err(format!("{found} times:\n{told}")) }
        });
    };
    recalled(1);
    let process = property(&machine, "MainPID");
    machine.sh(&format!("kill -KILL {process}"));
    back(&machine, TIMEOUT, &process, "1");
    recalled(2);

    // A daemon whose main loop is stuck goes quiet, and is started again.
    let process = property(&machine, "MainPID");
    machine.sh(&format!("kill -STOP {process}"));
    back(&machine, STUCK, &process, "2");
    assert!(told(&machine).contains("Watchdog timeout"), "{}", told(&machine));
    recalled(3);

    // A wrong plan at the start ends it, for good.
    machine.sh(&format!("echo nonsense = 1 >>{PLAN}"));
    let (code, ..) = machine.try_sh("systemctl restart lifesign");
    assert_ne!(code, 0);
    assert_eq!(property(&machine, "ExecMainStatus"), "78");
    assert_eq!(property(&machine, "ActiveState"), "failed");
    machine.sh(&format!("cp /root/two.toml {PLAN}; systemctl start lifesign"));

    // Upgraded: another process, the same plan and state.
    let process = property(&machine, "MainPID");
    let episodes = machine.sh("lifesign episodes --all --json").lines().count();
    machine.sh("dpkg -i /mnt/two.deb");
    assert_eq!(machine.sh("dpkg-query -W -f '${Version}' lifesign"), "0.0.2");
    back(&machine, TIMEOUT, &process, "0");
    machine.sh(&format!("cmp /root/two.toml {PLAN}"));
    assert!(machine.sh("lifesign episodes --all --json").lines().count() >= episodes);

    // Removed: plan and state stay. Purged: nothing does.
    machine.sh("dpkg -r lifesign");
    let (_, out, _) = machine.try_sh("systemctl is-active lifesign");
    assert_ne!(out, "active");
    machine.sh(&format!("test -e {PLAN}; test -d /var/lib/lifesign; test ! -e /usr/bin/lifesign"));
    machine.sh("dpkg -P lifesign");
    let rest =
        machine.sh("find / -xdev -name '*lifesign*' -not -path '/mnt/*' -not -path '/tmp/*'");
    assert_eq!(rest, "", "left behind");
}
