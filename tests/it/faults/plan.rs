//! What may go wrong with a new plan: it is broken, gone, quite another one, asked for from
//! elsewhere.

use crate::support::watched_world::{SCOPES, WatchedWorld, fast, never};
use crate::support::{
    Program, TIMEOUT, TempDir, ask, done, get, lifesign, quiet, signal, until, values,
};
use std::{fmt::Write as _, fs, net::SocketAddr, process::Command, time::Duration};

/// A plan of the loopback network with these blocks, each with one host by TCP and ICMP.
fn plan(blocks: &[u8]) -> String {
    let mut text =
        "vantage = \"test\"\ncontrols = [\"127.0.0.1\"]\n[budget]\nper_block = \"10/s\"\n"
            .to_owned();
    text += "[[country]]\ncode = \"KP\"\n";
    for block in blocks {
        let _ = write!(
            text,
            "[[country.block]]\nprefix = \"127.46.{block}.0/24\"\n\
             hosts = [{{ host = \"127.46.{block}.1\", probes = [\"tcp/9\", \"icmp\"] }}]\n"
        );
    }
    text
}

struct Watch {
    program: Program,
    address: SocketAddr,
    temp_dir: TempDir,
}

impl Watch {
    fn start(name: &str, text: &str) -> Self {
        let temp_dir = TempDir::new(name);
        let file = temp_dir.put("plan.toml", text);
        let journal = temp_dir.path("journal");
        let run = lifesign(&["--config", &file, "--listen", "127.0.0.1:0", "--record", &journal]);
        let mut program = Program::start(run);
        let address = program.address();
        Self { program, address, temp_dir }
    }

    fn metrics(&self) -> String {
        get(self.address, "/metrics").body
    }

    fn sent(&self, block: u8) -> f64 {
        let label = format!("127.46.{block}.0/24");
        values(&self.metrics(), "lifesign_probes_total", &[&label]).iter().sum()
    }

    fn state(&self, block: u8, state: &str) -> Vec<f64> {
        let block = format!("127.46.{block}.0/24");
        let state = format!("state=\"{state}\"");
        values(&self.metrics(), "lifesign_block_state", &[&block, &state])
    }

    fn up(&self, block: u8) {
        until(TIMEOUT, "a block that is up", || match &*self.state(block, "up") {
            [1.0] => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }

    fn reloaded(&self) -> Vec<f64> {
        values(&self.metrics(), "lifesign_config_last_reload_successful", &[])
    }
}

#[test]
fn the_new_plan_is_broken() {
    let mut watch = Watch::start("broken", &plan(&[1, 2]));
    watch.up(1);
    watch.up(2);
    assert_eq!(watch.reloaded(), [1.0]);
    let file = watch.temp_dir.put("plan.toml", plan(&[1, 3]) + "colour = \"red\"\nprefix = 7\n");
    signal("HUP", watch.program.id());
    until(TIMEOUT, "a refusal", || {
        if watch.reloaded() == [0.0] { Ok(()) } else { Err("not yet".into()) }
    });
    watch.program.error_line(TIMEOUT, "last word", |line| {
        line.contains("the new plan is wrong; the one before goes on").then_some(())
    });
    // One line for each error, with its place, in the log as in the answer.
    let answer = ask(watch.address, "POST", "/-/reload");
    assert_eq!(answer.code, 400);
    assert!(answer.body.lines().count() >= 2, "{}", answer.body);
    for line in answer.body.lines() {
        let place = line
            .strip_prefix(&format!("{file}:"))
            .and_then(|rest| rest.split_once(": "))
            .unwrap()
            .0;
        let (row, column) = place.split_once(':').unwrap();
        assert!(row.parse::<u32>().unwrap() > 10 && column.parse::<u32>().unwrap() > 0, "{line}");
        assert!(
            watch.program.err.iter().any(|logged| logged.ends_with(line)),
            "{line}:\n{}",
            watch.program.said()
        );
    }
    for block in [1, 2] {
        let before = watch.sent(block);
        until(TIMEOUT, "more by the old plan", || match watch.sent(block) {
            now if now > before + 10.0 => Ok(()),
            now => Err(format!("{before} {now}")),
        });
    }
    assert_eq!(watch.sent(3), 0.0);
    never(&watch.program, &["down", "outage", "flapping"]);
    // A good one again.
    watch.temp_dir.put("plan.toml", plan(&[1, 2]));
    let answer = ask(watch.address, "POST", "/-/reload");
    assert_eq!(answer.code, 200);
    assert!(answer.body.contains("1 country, 2 blocks"), "{}", answer.body);
    assert_eq!(watch.reloaded(), [1.0]);
}

#[test]
fn the_plan_is_gone() {
    let watch = Watch::start("gone", &plan(&[1]));
    watch.up(1);
    fs::remove_file(watch.temp_dir.join("plan.toml")).unwrap();
    let answer = ask(watch.address, "POST", "/-/reload");
    assert_eq!(answer.code, 400);
    assert!(answer.body.contains("no such file"), "{}", answer.body);
    assert_eq!((watch.state(1, "up"), watch.reloaded()), (vec![1.0], vec![0.0]));
}

/// Neither is waited for: the answer comes, and so does the next plan.
#[test]
fn the_plan_is_a_pipe_or_a_device() {
    let watch = Watch::start("pipe", &plan(&[1]));
    watch.up(1);
    let file = watch.temp_dir.path("plan.toml");
    for make in [format!("mkfifo {file}"), format!("ln -s /dev/zero {file}")] {
        fs::remove_file(&file).unwrap();
        assert_eq!(done(quiet(Command::new("sh"), &["-c", &make])).0, 0);
        let answer = ask(watch.address, "POST", "/-/reload");
        let why = format!("{file}: no regular file; give the path of one\n");
        assert_eq!((answer.code, answer.body), (400, why));
        let (code, _, err) = done(lifesign(&["check", &file]));
        assert_eq!((code, err), (78, format!("{file}: no regular file; give the path of one")));
    }
    fs::remove_file(&file).unwrap();
    watch.temp_dir.put("plan.toml", plan(&[1]));
    assert_eq!(ask(watch.address, "POST", "/-/reload").code, 200);
    assert_eq!(watch.state(1, "up"), [1.0]);
}

#[test]
fn a_host_file_is_read_again_and_changes_nothing_when_it_is_wrong() {
    let temp_dir = TempDir::new("hosts");
    let hosts = temp_dir.put("kp.csv", "host,probes\n127.46.1.1,tcp/9 icmp\n");
    let text = plan(&[]) + "hosts_from = \"kp.csv\"\n[[country.block]]\n";
    temp_dir.put("plan.toml", text + "prefix = \"127.46.1.0/24\"\n");
    let run = ["--config", &temp_dir.path("plan.toml"), "--listen", "127.0.0.1:0"];
    let mut program = Program::start(lifesign(&run));
    let address = program.address();
    let watch = Watch { program, address, temp_dir };
    watch.up(1);
    let reload = || ask(watch.address, "POST", "/-/reload");
    watch.temp_dir.put("kp.csv", "host\n127.46.1.1\n127.46.2.1,icmp\n");
    let wrong = reload();
    assert_eq!(wrong.code, 400);
    assert!(
        wrong.body.starts_with(&format!("{hosts}:2:1: no probes for this host")),
        "{}",
        wrong.body
    );
    assert!(
        wrong.body.contains(&format!("\n{hosts}:3:1: 127.46.2.1 lies in no block")),
        "{}",
        wrong.body
    );
    for make in ["rm", "rm -f {}; mkfifo", "rm {}; ln -s /dev/zero"] {
        let make = format!("{} {hosts}", make.replace("{}", &hosts));
        assert_eq!(done(quiet(Command::new("sh"), &["-c", &make])).0, 0, "{make}");
        let answer = reload();
        assert_eq!(answer.code, 400);
        let plan = watch.temp_dir.path("plan.toml");
        assert!(answer.body.starts_with(&format!("{plan}:7:14: {hosts}: no ")), "{}", answer.body);
    }
    assert_eq!((watch.state(1, "up"), watch.reloaded()), (vec![1.0], vec![0.0]));
    fs::remove_file(&hosts).unwrap();
    watch.temp_dir.put("kp.csv", "host,probes\n127.46.1.1,tcp/9 icmp\n127.46.1.2-4,icmp\n");
    let answer = reload();
    assert_eq!(answer.code, 200, "{}", answer.body);
    assert!(answer.body.contains("4 hosts, 5 targets"), "{}", answer.body);
    assert_eq!((watch.state(1, "up"), watch.reloaded()), (vec![1.0], vec![1.0]));
}

#[test]
fn blocks_come_and_go() {
    let mut watch = Watch::start("blocks", &plan(&[1, 2, 3]));
    for block in 1..=3 {
        watch.up(block);
    }
    until(TIMEOUT, "thirty probes of each block", || {
        let sent = [1, 2, 3].map(|block| watch.sent(block));
        if sent.iter().all(|&sent| sent >= 30.0) { Ok(()) } else { Err(format!("{sent:?}")) }
    });
    let kept = watch.sent(2);
    let gone = watch.sent(1);
    let entered = |watch: &Watch| {
        let labels = ["127.46.2.0/24", "state=\"up\""];
        values(&watch.metrics(), "lifesign_block_state_changes_total", &labels)
    };
    assert_eq!(entered(&watch), [1.0]);
    // Nothing keeps its number.
    watch.temp_dir.put("plan.toml", plan(&[4, 3, 2]));
    assert_eq!(ask(watch.address, "POST", "/-/reload").code, 200);
    let metrics = watch.metrics();
    assert!(!metrics.contains("127.46.1."), "what is gone is gone");
    assert!(watch.sent(2) >= kept && watch.sent(3) >= 10.0, "{} {kept}", watch.sent(2));
    assert_eq!((watch.state(2, "up"), entered(&watch)), (vec![1.0], vec![1.0]));
    watch.up(4);
    // Back again, as new.
    watch.temp_dir.put("plan.toml", plan(&[1, 2, 3, 4]));
    signal("HUP", watch.program.id());
    watch.up(1);
    assert!(watch.sent(1) < gone, "{} {gone}", watch.sent(1));
    assert_eq!(entered(&watch), [1.0]);
    never(&watch.program, &["down", "outage", "flapping", "partial"]);
    assert_eq!(watch.program.terminate().code(), Some(0));
    let about = |block: &str| {
        watch.program.verdicts().iter().filter(|verdict| verdict.scope.ends_with(block)).count()
    };
    assert_eq!(["127.46.1.0/24", "127.46.2.0/24", "127.46.4.0/24"].map(about), [2, 1, 1]);

    // The journal, with each plan in its turn, says the same again.
    let path = |name: &str| watch.temp_dir.path(name);
    watch.temp_dir.put("a.toml", plan(&[1, 2, 3]));
    watch.temp_dir.put("b.toml", plan(&[4, 3, 2]));
    let mut run = vec!["replay".to_owned(), path("journal")];
    for file in ["a.toml", "b.toml", "plan.toml"] {
        run.extend(["--config".to_owned(), path(file)]);
    }
    let run: Vec<&str> = run.iter().map(String::as_str).collect();
    let (code, out, err) = done(lifesign(&run));
    assert_eq!((code, err.as_str()), (0, ""));
    let scopes = |text: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        let verdicts = text.filter_map(|line| crate::support::Verdict::read(line));
        verdicts
            .map(|verdict| format!("{} {} {}", verdict.scope, verdict.from, verdict.to))
            .collect()
    };
    let again: Vec<String> = out.lines().map(str::to_owned).collect();
    assert_eq!(scopes(&mut watch.program.out.iter()), scopes(&mut again.iter()));
}

/// Others may look, but not that.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_reload_is_asked_for_from_elsewhere() {
    let mut watched = WatchedWorld::open("elsewhere", &fast(), &[], &[], |_| {});
    watched.program.terminate();
    let listen = "10.45.0.2:17545";
    let run = [crate::support::LIFESIGN, "--config", &watched.plan, "--listen", listen];
    let mut watch = Program::start(watched.world.vantage.command(&run));
    watch.address();
    let ask = |method: &str, path: &str| {
        let ask = format!(
            "exec 3<>/dev/tcp/10.45.0.2/17545; \
             printf '{method} {path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3"
        );
        done(watched.world.router.command(&["timeout", "60", "bash", "-ec", &ask])).1
    };
    assert!(ask("GET", "/-/healthy").starts_with("HTTP/1.1 200"));
    let refused = ask("POST", "/-/reload");
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains("only this machine"),
        "{refused}"
    );
    assert!(!watch.out.iter().any(|line| line.contains("new plan")));
}

/// Answers are under way while their targets get other numbers, again and again.
#[test]
#[ignore = "needs root; run by tests/run"]
fn numbers_change_under_answers_that_are_under_way() {
    let text = fast().replace("4/s", "10/s");
    let mut watched = WatchedWorld::open("numbers", &text, &[], &[], |_| {});
    watched.acquaint();
    // A queue in which answers wait for a second or so.
    watched.world.router.sh("tc qdisc add dev toward root tbf rate 60kbit burst 200 limit 12000");
    let first = text.find("[[country.block]]").unwrap();
    let blocks: Vec<String> = text[first..]
        .split("[[country.block]]")
        .skip(1)
        .map(|block| format!("[[country.block]]{block}"))
        .collect();
    for turn in 0..12 {
        let mut order = blocks.clone();
        order.rotate_left(turn % 4);
        if turn % 3 == 0 {
            order.reverse();
        }
        watched.temp_dir.put("plan.toml", format!("{}{}", &text[..first], order.concat()));
        signal("HUP", watched.program.id());
        watched.program.listen(Duration::from_secs(1));
    }
    let metrics = watched.world.vantage.get("/metrics").body;
    let sum = |name: &str, parts: &[&str]| values(&metrics, name, parts).iter().sum::<f64>();
    assert_eq!(sum("lifesign_rejected_total", &["stale"]), 0.0, "{metrics}");
    assert_eq!(sum("lifesign_probe_outcomes_total", &["duplicate"]), 0.0, "{metrics}");
    for block in &SCOPES[..4] {
        let label = format!("block=\"{}\"", &block[3..]);
        let reply = |what: &str| {
            sum("lifesign_probe_outcomes_total", &[&label, &format!("outcome=\"{what}\"")])
        };
        let answered = reply("reply") + reply("refused") + reply("late");
        let sent = sum("lifesign_probes_total", &[&label]);
        assert!(sent > 100.0 && answered <= sent, "{label}: {answered} answers to {sent} probes");
    }
    never(&watched.program, &["outage", "flapping", "partial"]);
}
