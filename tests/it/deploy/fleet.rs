//! The playbook of deploy/ansible, on three booted Debians: each becomes a vantage with the plan of
//! all and controls of its own, and the Prometheus on the first scrapes the three, one by IPv6.

use crate::support::{
    TIMEOUT, TempDir,
    golden::{path, text},
    machine::{Machine, packages},
    quiet, until,
};
use std::{fmt::Write as _, fs, net::SocketAddr, path::Path, process::Command};

const VANTAGES: [(&str, &str); 3] =
    [("frankfurt", "10.46.0.1"), ("singapore", "10.46.0.2"), ("chicago", "fd46::2")];
/// What a vantage says once it has taken a plan over.
const TAKEN: &str = "watches by the new plan, from";
/// A unit as Debian's package of Prometheus has it, as far as the playbook goes.
const PROMETHEUS: &str = "[Service]
ExecStart=/usr/bin/prometheus --config.file=/etc/prometheus/prometheus.yml \
    --storage.tsdb.path=/tmp/samples --web.listen-address=127.0.0.1:9090
ExecReload=/bin/sh -c 'kill -HUP $MAINPID'
";

/// Ansible takes these machines for local ones, whose shell is entered by a script, and whose
/// temporary files lie in a folder that both sides have at the same path.
fn inventory(temp_dir: &TempDir, machines: &[Machine; 3]) -> String {
    let mut hosts = String::new();
    for ((name, address), machine) in VANTAGES.iter().zip(machines) {
        let enter = temp_dir.put(
            &format!("enter-{name}"),
            format!("#!/bin/sh\nexec nsenter -t {} -a /bin/sh \"$@\"\n", machine.init()),
        );
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&enter, mode).unwrap();
        let files = temp_dir.display();
        machine.sh(&format!("mkdir -p {files}; mount --bind /mnt {files}"));
        let _ = writeln!(
            hosts,
            "    {name}: {{address: {address}, controls: [127.0.0.1, {address}], \
             ansible_connection: local, ansible_shell_executable: {enter}, \
             ansible_python_interpreter: /usr/bin/python3, \
             ansible_remote_tmp: {files}/ansible-{name}}}"
        );
    }
    let [deb, plan, deny] = ["one.deb", "plan.toml", "deny.txt"].map(|file| temp_dir.path(file));
    let vars = format!("{{lifesign_deb: {deb}, plan: {plan}, plan_files: [{deny}]}}");
    let all = format!("all:\n  vars: {vars}\n");
    let text =
        format!("{all}vantages:\n  hosts:\n{hosts}prometheus:\n  hosts:\n    {}:\n", VANTAGES[0].0);
    temp_dir.put("inventory.yml", text)
}

/// What a run of the playbook says.
fn play(temp_dir: &TempDir, inventory: &str) -> (i32, String) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("ansible/bin/ansible-playbook");
    assert!(program.exists(), "{} is missing: tests/run makes it", program.display());
    let playbook = path("deploy/ansible/site.yml");
    let mut command = quiet(Command::new(program), &["-i", inventory]);
    command.arg(playbook).env("ANSIBLE_HOME", temp_dir.path("home")).env("LC_ALL", "C.UTF-8");
    let mut program = crate::support::Program::start(command);
    let code = program.end(5 * TIMEOUT).code().unwrap_or(-1);
    (code, program.said())
}

#[test]
#[ignore = "needs root, mmdebstrap, cargo-deb, Prometheus, Ansible (tests/run) and, once, the network"]
fn three_vantages_have_one_plan_and_a_prometheus() {
    let temp_dir = TempDir::new("fleet");
    packages(&temp_dir);
    for program in ["prometheus", "promtool"] {
        fs::copy(format!("/usr/bin/{program}"), temp_dir.join(program)).unwrap();
    }
    temp_dir.put("prometheus.service", PROMETHEUS);
    let plan = text("targets.toml");
    let is_own = |line: &&str| line.starts_with("vantage =") || line.starts_with("controls =");
    let shared: Vec<&str> = plan.lines().filter(|line| !is_own(line)).collect();
    assert_eq!(shared.len() + 2, plan.lines().count());
    let shared = format!("deny = \"deny.txt\"\n{}", shared.join("\n"));
    temp_dir.put("plan.toml", &shared);
    temp_dir.put("deny.txt", "198.51.100.0/24\n");

    let machines = [(); 3].map(|()| Machine::boot(&temp_dir));
    let [first, second, third] = &machines;
    first.cable(second, ["10.46.0.1/30", "10.46.0.2/30"]);
    first.cable(third, ["fd46::1/64", "fd46::2/64"]);
    first.sh("install -m 755 /mnt/prometheus /mnt/promtool /usr/bin/; mkdir -p /etc/prometheus
        echo 'global: {}' >/etc/prometheus/prometheus.yml
        install -m 644 /mnt/prometheus.service /etc/systemd/system/
        systemctl daemon-reload; systemctl start prometheus");

    let inventory = inventory(&temp_dir, &machines);
    let (code, said) = play(&temp_dir, &inventory);
    let journal = || first.sh("journalctl -b -q --no-pager -u lifesign -u lifesign.socket");
    assert_eq!(code, 0, "{said}\n{}", journal());
    for ((name, address), machine) in VANTAGES.iter().zip(&machines) {
        until(TIMEOUT, "a vantage that is up", || {
            let (_, table, err) = machine.try_sh("lifesign status");
            let is_up = table.starts_with(&format!("{name} at ")) && table.contains("KP");
            if is_up { Ok(()) } else { Err(table + &err) }
        });
        let told = machine.sh("grep -E '^(vantage|controls)' /etc/lifesign/targets.toml");
        let wanted = format!("vantage = \"{name}\"\ncontrols = [\"127.0.0.1\", \"{address}\"]");
        assert_eq!(told, wanted);
        assert_eq!(machine.sh("cat /etc/lifesign/deny.txt"), "198.51.100.0/24");
    }
    until(TIMEOUT, "three vantages in Prometheus", || {
        let found = first.get("http://127.0.0.1:9090/api/v1/query?query=up");
        let is_scraped = |(name, address): &(&str, &str)| {
            let place = SocketAddr::new(address.parse().unwrap(), 17545);
            let labels =
                format!("\"instance\":\"{place}\",\"job\":\"lifesign\",\"vantage\":\"{name}\"");
            found.split("\"metric\"").any(|one| one.contains(&labels) && one.contains(",\"1\"]"))
        };
        if VANTAGES.iter().all(is_scraped) { Ok(()) } else { Err(found) }
    });

    // The command is that of the package, also after an upgrade.
    assert_eq!(third.sh("systemctl show --value -p DropInPaths lifesign"), "");

    // Once more: nothing is to be done. A wrong plan: refused on each, and what runs stays, with
    // the files that it names.
    let (code, said) = play(&temp_dir, &inventory);
    assert_eq!((code, said.matches("changed=0").count()), (0, 3), "{said}");
    temp_dir.put("plan.toml", format!("{shared}\nnonsense = 1\n"));
    temp_dir.put("deny.txt", "203.0.113.0/24\n");
    refused(&temp_dir, &inventory, &machines, "unknown key");

    // So is a wrong file that the plan names.
    temp_dir.put("plan.toml", &shared);
    temp_dir.put("deny.txt", "198.51.100.0/33\n");
    refused(&temp_dir, &inventory, &machines, "prefix length 33");

    // What was right all along is taken once the rest is, too.
    temp_dir.put("deny.txt", "203.0.113.0/24\n");
    let (code, said) = play(&temp_dir, &inventory);
    assert_eq!(code, 0, "{said}");
    for machine in &machines {
        assert_eq!(machine.sh("cat /etc/lifesign/deny.txt"), "203.0.113.0/24");
        let told = machine.sh("journalctl -q -o cat -u lifesign");
        // Once in the place of the package's plan, and once now.
        assert_eq!(told.matches(TAKEN).count(), 2, "{told}");
    }
}

/// The playbook fails on each, with this error; what runs stays, and could be started again.
fn refused(temp_dir: &TempDir, inventory: &str, machines: &[Machine; 3], why: &str) {
    let (code, said) = play(temp_dir, inventory);
    assert_ne!(code, 0, "{said}");
    assert!(said.contains(why) && said.matches("failed=1").count() == 3, "{said}");
    for machine in machines {
        let told = machine.sh("systemctl is-active lifesign; lifesign check");
        assert!(told.starts_with("active"), "{told}");
        assert_eq!(machine.sh("cat /etc/lifesign/deny.txt"), "198.51.100.0/24");
    }
}
