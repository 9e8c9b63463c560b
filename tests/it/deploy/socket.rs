//! The socket unit, in a booted Debian: systemd opens the sockets, the first connection starts the
//! program, and its sockets outlast it.

use crate::support::{LIFESIGN, TIMEOUT, TempDir, golden::text, machine::Machine, until};
use std::fs;

/// Asks for `/-/healthy` at the socket file, with what a bare Debian has.
const ASK: &str = r#"perl -MIO::Socket::UNIX -e '
    $socket = IO::Socket::UNIX->new(Peer => "/run/lifesign.sock") or die "$!\n";
    print $socket "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"; print <$socket>'"#;

#[test]
#[ignore = "needs root, mmdebstrap and, once, the network"]
fn a_connection_starts_it_and_its_sockets_outlast_it() {
    let temp_dir = TempDir::new("socket");
    fs::copy(LIFESIGN, temp_dir.join("lifesign")).unwrap();
    temp_dir.put("targets.toml", text("targets.toml"));
    temp_dir.put("lifesign.service", text("deploy/systemd/lifesign.service"));
    temp_dir.put("lifesign.conf", text("deploy/sysusers/lifesign.conf"));
    temp_dir.put("lifesign.socket", text("deploy/socket/lifesign.socket"));
    let machine = Machine::boot(&temp_dir);
    machine.sh(
        "install -m 755 /mnt/lifesign /usr/bin/; install -m 644 -D /mnt/targets.toml /etc/lifesign/targets.toml
         install -m 644 /mnt/lifesign.service /mnt/lifesign.socket /etc/systemd/system/
         install -m 644 -D -t /etc/sysusers.d /mnt/lifesign.conf; systemd-sysusers
         mkdir /etc/systemd/system/lifesign.socket.d
         printf '[Socket]\nSocketGroup=www-data\n' >/etc/systemd/system/lifesign.socket.d/group.conf
         systemctl daemon-reload; systemctl start lifesign.socket",
    );
    let state = || machine.try_sh("systemctl is-active lifesign").1;
    assert_eq!(state(), "inactive");
    assert!(machine.sh(ASK).ends_with("\nhealthy"), "no answer at the socket file");
    // It answers before it tells systemd that it is ready.
    until(TIMEOUT, "active", || match state() {
        state if state == "active" => Ok(()),
        state => Err(state),
    });
    let told = || machine.sh("journalctl -q -o cat -u lifesign");
    until(TIMEOUT, "both sockets", || {
        let told = told();
        let all = ["look at http://127.0.0.1:17545/", "by unix:/run/lifesign.sock"];
        if all.iter().all(|part| told.contains(part)) { Ok(()) } else { Err(told) }
    });
    until(TIMEOUT, "the first state", || {
        let (_, table, err) = machine.try_sh("lifesign status");
        if table.contains("127.45.176.0/24") { Ok(()) } else { Err(table + &err) }
    });

    // Of the proxy's group, and of no other.
    assert_eq!(machine.sh("stat -c '%U %G %a' /run/lifesign.sock"), "root www-data 660");
    let by = |group: &str| {
        let user = format!("setpriv --reuid=nobody --regid={group} --clear-groups");
        machine.try_sh(&format!("{user} {ASK}"))
    };
    assert_eq!(by("www-data").0, 0, "{:?}", by("www-data"));
    let (code, _, err) = by("nogroup");
    assert!(code != 0 && err.contains("Permission denied"), "{code} {err}");

    // While it starts again, who comes waits.
    machine.sh("systemctl restart --no-block lifesign");
    assert!(machine.sh(ASK).ends_with("\nhealthy"), "no answer after a restart");
    machine.sh("systemctl stop lifesign");
    assert!(machine.sh("ls /run/lifesign.sock").contains("sock"), "the socket is gone with it");
    assert!(machine.sh(ASK).ends_with("\nhealthy"), "no answer after a stop");
}
