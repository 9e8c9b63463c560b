//! lifesign beside the programs that people have, as watches of 370 and of 40,000 hosts: processor
//! time of a probe, and memory. `cargo bench --bench peers`; it needs root, measures those of
//! fping, prometheus-blackbox-exporter and prometheus-smokeping-prober (Debian) that are installed,
//! and the last line is JSON. Packets go to 127.99.0.0/16 and 127.0.0.1 alone.

#[expect(dead_code, reason = "lag and losses are measured by probe_cost")]
mod lifesign_run;
#[expect(dead_code, reason = "round-trip times and surge-ping are measured by probe_cost")]
mod programs;
#[path = "../lab/table.rs"]
#[expect(dead_code, reason = "others have no goals")]
mod table;
mod process;

use lifesign_run::{LifesignRun, PlanSize};
use std::{net::Ipv4Addr, path::Path, process::Stdio, time::Duration};
use table::Table;

/// Each host is asked once in a second of the small watch, and every ten seconds of the large one.
const WATCHES: [(PlanSize, Duration); 2] = [
    (PlanSize { blocks: 37, hosts: 10, rate: 10.0 }, Duration::from_secs(1)),
    (PlanSize { blocks: 160, hosts: 250, rate: 25.0 }, Duration::from_secs(10)),
];
const WARM_UP: Duration = Duration::from_secs(12);
const SPAN: Duration = Duration::from_secs(30);

fn main() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut table = Table::default();
    for (size, interval) in WATCHES {
        let hosts: Vec<Ipv4Addr> = size.addresses().collect();
        let lifesign = LifesignRun::start(directory, &size.plan(), None, Stdio::null())
            .and_then(|mut run| run.measure(WARM_UP, SPAN))
            .map(|cost| programs::PeerCost {
                cpu_us: cost.cpu_us,
                rate: cost.rate,
                memory: cost.memory,
            });
        let rows = [
            ("lifesign", lifesign),
            ("fping", programs::fping_paced(directory, &hosts, interval)),
            ("smokeping_prober", programs::smokeping(directory, &hosts, interval, WARM_UP, SPAN)),
            ("blackbox_exporter", programs::blackbox(directory, &hosts)),
        ];
        for (name, cost) in rows {
            match cost {
                Ok(cost) => {
                    let n = format!("{} hosts, {:.0} probes/s", hosts.len(), cost.rate);
                    table.add("processor time a probe", name, n.clone(), cost.cpu_us, "µs", None);
                    table.add("resident", name, n, cost.memory / 1e6, "MB", None);
                }
                Err(error) => eprintln!("{name}, {} hosts: not measured: {error}", hosts.len()),
            }
        }
    }
    table.print();
}
