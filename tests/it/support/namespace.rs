//! Networks of the test's own: namespaces with a vantage, a router and a country in them, joined by
//! two cables. Nothing leaves them, and they are gone with the test, even if it is killed. Needs
//! root (or CAP_SYS_ADMIN and CAP_NET_ADMIN), util-linux, iproute2 and nftables.

use super::{Answer, TIMEOUT, done, http::answer, quiet};
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A network namespace. It lives as long as a process in it does, and this one ends when its
/// standard input closes, so at the latest when the test does.
pub struct Namespace {
    holder: Child,
}

impl Namespace {
    /// A new one, with its loopback device up.
    pub fn new() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-ec", "ip link set lo up; echo ready; exec cat"]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "no network namespace: this test needs root, unshare and ip");
        Self { holder }
    }

    /// That of this process.
    pub fn here() -> Self {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { holder: command.spawn().unwrap() }
    }

    /// A new one that forwards packets, but for those that a rule of the chain `forward` in the
    /// table `lab` stops.
    pub fn router() -> Self {
        let router = Self::new();
        router.sh("echo 1 > /proc/sys/net/ipv4/ip_forward
             nft add table ip lab
             nft add chain ip lab forward '{ type filter hook forward priority 0; }'");
        router
    }

    /// How many packets a named counter of nftables has seen: `ip TABLE NAME`.
    pub fn counted(&self, counter: &str) -> u64 {
        let listed = self.sh(&format!("nft list counter {counter}"));
        let (_, rest) = listed.split_once("packets ").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }

    /// The process that keeps it, which is how `ip link … netns` names it.
    pub fn id(&self) -> u32 {
        self.holder.id()
    }

    /// Where the system keeps it.
    pub fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    /// A command that runs inside, cut off from our own settings.
    pub fn command(&self, program: &[&str]) -> Command {
        let net = format!("--net={}", self.path());
        quiet(Command::new("nsenter"), &[&[net.as_str()], program].concat())
    }

    /// Runs shell lines inside, all of which must succeed.
    pub fn sh(&self, lines: &str) -> String {
        let (code, out, err) = done(self.command(&["sh", "-ec", lines]));
        assert_eq!(code, 0, "{lines}:\n{out}\n{err}");
        out
    }

    /// Asks a server on port 17545 of the namespace's own loopback device.
    pub fn get(&self, path: &str) -> Answer {
        self.get_at(17545, path)
    }

    /// The same, on another port.
    pub fn get_at(&self, port: u16, path: &str) -> Answer {
        let ask = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; \
             printf 'GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3"
        );
        let seconds = TIMEOUT.as_secs().to_string();
        let (code, out, err) = done(self.command(&["timeout", &seconds, "bash", "-ec", &ask]));
        assert_eq!(code, 0, "{path}: {err}");
        answer(&out.replace('\r', "").replace('\n', "\r\n"))
    }
}

/// Joins two namespaces by a cable. Each end is a device with its address and length of prefix.
pub fn join(ends: [(&Namespace, &str, &str); 2]) {
    let [(near, device, _), (far, peer, _)] = ends;
    near.sh(&format!("ip link add {device} type veth peer name {peer} netns {}", far.id()));
    for (namespace, device, address) in ends {
        namespace.sh(&format!("ip addr add {address} dev {device}; ip link set {device} up"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A vantage, a router and a country.
///
/// ```text
///   vantage 10.45.0.2 ─ uplink ─ 10.45.0.1 router 10.45.0.5 ─ border ─ 10.45.0.6 country 10.45.176.0/22
///                                          10.45.1.53 (control)
/// ```
pub struct World {
    pub vantage: Namespace,
    pub router: Namespace,
    pub country: Namespace,
}

/// The router, as the vantage sees it.
pub const ROUTER: &str = "10.45.0.1";

impl World {
    /// All is well in it.
    pub fn new() -> Self {
        let world = Self {
            vantage: Namespace::new(),
            router: Namespace::router(),
            country: Namespace::new(),
        };
        let address = format!("{ROUTER}/30");
        join([(&world.router, "toward", &address), (&world.vantage, "uplink", "10.45.0.2/30")]);
        join([
            (&world.router, "border", "10.45.0.5/30"),
            (&world.country, "inland", "10.45.0.6/30"),
        ]);
        world.router.sh("ip addr add 10.45.1.53/32 dev lo
             ip route add 10.45.176.0/22 via 10.45.0.6");
        world.vantage.sh(&format!("ip route add default via {ROUTER}"));
        world.country.sh("ip route add default via 10.45.0.5
             ip route add local 10.45.176.0/22 dev lo");
        world
    }

    /// From now on the router does this with packets to the prefix: `drop`, `reject with icmp …`.
    pub fn cut(&self, prefix: &str, how: &str) {
        self.router.sh(&format!("nft add rule ip lab forward ip daddr {prefix} {how}"));
    }

    /// The router lets everything pass again.
    pub fn mend(&self) {
        self.router.sh("nft flush chain ip lab forward");
    }
}

/// The world's plan, of four blocks with three hosts each, one of each kind.
pub fn plan(outage_after: &str) -> String {
    let mut plan = format!(
        "vantage = \"test\"\ncontrols = [\"10.45.1.53\"]\n[judge]\noutage_after = \"{outage_after}\"\n\
         [[country]]\ncode = \"KP\"\nname = \"Test\"\n"
    );
    for block in 176..180 {
        let _ = writeln!(plan, "[[country.block]]\nprefix = \"10.45.{block}.0/24\"\nhosts = [");
        for (host, probe) in [(15, "icmp"), (67, "tcp/80"), (129, "dns/kptc.kp/SOA")] {
            let _ =
                writeln!(plan, "  {{ host = \"10.45.{block}.{host}\", probes = [\"{probe}\"] }},");
        }
        plan.push_str("]\n");
    }
    plan
}
