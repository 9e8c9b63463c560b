//! A Debian of the test's own, in which a real systemd runs as process 1 and a folder of the test
//! is /mnt. It has a loopback device and no other network; what is changed in it is in memory, and
//! gone with the test, even if that is killed. Needs root, util-linux and mmdebstrap.

use super::{TIMEOUT, TempDir, quiet, until};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Enters a control group of its own ($3), in which alone its systemd then works: two that shared
/// one would remove what the other has just made there.
const JOIN: &str = r#"
mount --make-rprivate /
mount -t cgroup2 cgroup2 /mnt
mkdir "/mnt/$3"
echo $$ >"/mnt/$3/cgroup.procs"
umount /mnt
exec unshare -fpmnuiC --kill-child bash -ec "$4" boot "$1" "$2"
"#;

/// Removes that group ($1), with all in it that systemd made, once its last process has ended.
const LEAVE: &str = r#"
mount --make-rprivate /
mount -t cgroup2 cgroup2 /mnt
for _ in {1..100}; do
    if grep -qx 'populated 0' "/mnt/$1/cgroup.events"; then break; fi
    sleep 0.05
done
find "/mnt/$1" -depth -type d -exec rmdir {} +
"#;

/// Becomes process 1: the tree ($1), with changes in memory over it, is the root, and the temp_dir
/// ($2) is /mnt.
const BOOT: &str = r#"
mount --make-rprivate /
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/changes" "$work/work" "$work/root"
mount -t overlay -o "lowerdir=$1,upperdir=$work/changes,workdir=$work/work" overlay "$work/root"
cd "$work/root"
mount --bind "$2" mnt
mount -t proc proc proc
mount -t sysfs sysfs sys
umount -R sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
mkdir -p old
pivot_root . old
umount -l old
rmdir old
ip link set lo up
export container=other
exec /lib/systemd/systemd --system --log-target=console
"#;

/// A machine that runs.
pub struct Machine {
    top: Child,
    init: String,
    group: String,
}

impl Machine {
    /// Boots it; what it writes lies in this directory.
    pub fn boot(temp_dir: &TempDir) -> Self {
        // The kernel ends the namespaces with `unshare`, and that with this thread.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let group = format!("lifesign-{}-{number}", std::process::id());
        let outside = ["--pdeathsig", "KILL", "unshare", "-m", "bash", "-ec", JOIN, "join"];
        let mut command = quiet(Command::new("setpriv"), &outside);
        command
            .arg(&*TREE)
            .arg(&**temp_dir)
            .args([&group, BOOT])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let top = command.spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", top.id());
        let outside = fs::read_link("/proc/self/ns/pid").unwrap();
        // What it runs before is of the outside's namespace.
        let is_inside = |process: &str| {
            fs::read_link(format!("/proc/{process}/ns/pid")).is_ok_and(|its| its != outside)
        };
        let init = until(TIMEOUT, "process 1", || {
            let text = fs::read_to_string(&children).map_err(|error| error.to_string())?;
            let init = text.split_whitespace().find(|process| is_inside(process));
            init.map(str::to_owned).ok_or_else(|| "it has no child inside".to_owned())
        });
        let machine = Self { top, init, group };
        until(3 * TIMEOUT, "systemd", || {
            let (_, out, err) = machine.try_sh("systemctl is-system-running");
            if matches!(out.as_str(), "running" | "degraded") { Ok(()) } else { Err(out + &err) }
        });
        // Only now, since before that the journal would be the kernel's.
        machine.sh("systemctl log-target journal");
        machine
    }

    /// The process of the outside that is its process 1.
    pub fn init(&self) -> &str {
        &self.init
    }

    /// Joins it to another by a cable; the addresses of both ends, with the length of the prefix.
    pub fn cable(&self, other: &Machine, [here, there]: [&str; 2]) {
        let outside = |machine: &Machine, line: &str| {
            let inside = ["-t", &machine.init, "-n", "sh", "-ec", line];
            let (code, out, err) = done_slowly(quiet(Command::new("nsenter"), &inside));
            assert_eq!(code, 0, "{line}: {out}{err}");
        };
        // The number of the other's process 1 is that of the outside.
        let [device, peer] = [self, other].map(|machine| format!("to{}", machine.init));
        let [device, peer] = [&peer, &device];
        outside(
            self,
            &format!("ip link add {device} type veth peer name {peer} netns {}", other.init),
        );
        for (machine, device, address) in [(self, device, here), (other, peer, there)] {
            outside(
                machine,
                &format!("ip addr add {address} dev {device}; ip link set {device} up"),
            );
        }
    }

    /// What a page of its network says, asked by the outside's curl.
    pub fn get(&self, url: &str) -> String {
        let seconds = TIMEOUT.as_secs().to_string();
        let inside = ["-t", &self.init, "-n", "curl", "-s", "--max-time", &seconds, url];
        done_slowly(quiet(Command::new("nsenter"), &inside)).1
    }

    /// Exit code, standard output and standard error of shell lines.
    pub fn try_sh(&self, lines: &str) -> (i32, String, String) {
        let inside = ["-t", &self.init, "-a", "timeout", "60", "sh", "-ec", lines];
        let mut command = quiet(Command::new("nsenter"), &inside);
        command
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("SYSTEMD_PAGER", "")
            .env("LC_ALL", "C.UTF-8");
        done_slowly(command)
    }

    /// Runs shell lines, all of which must succeed; what they said.
    pub fn sh(&self, lines: &str) -> String {
        let (code, out, err) = self.try_sh(lines);
        assert_eq!(code, 0, "{lines}:\n{out}\n{err}");
        out
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.top.kill();
        let _ = self.top.wait();
        let outside = ["-m", "bash", "-ec", LEAVE, "leave", &self.group];
        // An empty group that stays harms nobody.
        let _ = quiet(Command::new("unshare"), &outside).stderr(Stdio::null()).status();
    }
}

/// Installing and restarting takes longer than most.
fn done_slowly(command: Command) -> (i32, String, String) {
    let mut program = super::Program::start(command);
    let status = program.end(4 * TIMEOUT);
    (status.code().unwrap_or(-1), program.out.join("\n"), program.err.join("\n"))
}

/// A small Debian, of the same release as this machine, so that it has the same libraries, with
/// the Python that Ansible needs there. It is fetched once, by the first test that needs it, and
/// kept beside what cargo builds.
static TREE: LazyLock<PathBuf> = LazyLock::new(|| {
    let release = fs::read_to_string("/etc/os-release").unwrap();
    let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = name.expect("a Debian").trim_matches('"');
    let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("debian-{name}-python"));
    if !tree.exists() {
        let half = tree.with_extension(std::process::id().to_string());
        // A process of the same number may have failed here long ago.
        let _ = fs::remove_dir_all(&half);
        let packages = "--include=systemd,systemd-sysv,dbus,iproute2,python3-apt";
        let made = quiet(
            Command::new("mmdebstrap"),
            &["--quiet", "--variant=minbase", packages, name, half.to_str().unwrap()],
        );
        let mut program = super::Program::start(made);
        let status = program.end(15 * TIMEOUT);
        assert!(status.success(), "{}", program.said());
        fs::rename(half, &tree).unwrap();
    }
    tree
});

/// Two packages of this lifesign, an older and a newer, as `one.deb` and `two.deb`. They hold the
/// program under test.
pub fn packages(temp_dir: &TempDir) {
    let program = temp_dir.join("target/release/lifesign");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy(super::LIFESIGN, &program).unwrap();
    let (code, _, err) = done_slowly(quiet(Command::new("strip"), &[program.to_str().unwrap()]));
    assert_eq!(code, 0, "{err}");
    for (name, version) in [("one.deb", "0.0.1"), ("two.deb", "0.0.2")] {
        let output = temp_dir.path(name);
        let build = ["deb", "--no-build", "--fast", "--deb-version", version, "--output", &output];
        let mut command = quiet(Command::new("cargo"), &build);
        command
            .env("CARGO_TARGET_DIR", temp_dir.join("target"))
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let (code, out, err) = done_slowly(command);
        assert_eq!(code, 0, "{out}\n{err}");
    }
}
