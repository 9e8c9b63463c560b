//! Rows about total outages, one after the other: how soon, and how well their begins and ends are
//! dated, whoever returns.

use super::{DAY, Goal, HOUR, Pace, Trial, WorldBuilder, block, split, with_outages};
use lifesign_core::rng::Rng;
use lifesign_lab::{EdgeCoverage, LevelScore, quantile};

fn widths(trial: &mut Trial<'_>, what: &str, edges: &EdgeCoverage, p99: Option<Goal>) {
    if edges.count() == 0 {
        return; // It names no edges.
    }
    let n = format!("{} edges", edges.count());
    let [half, most, worst] = [0.5, 0.99, 1.0].map(|share| quantile(&edges.widths, share));
    trial.add(&format!("{what}, p50"), n.clone(), half, "s", None);
    trial.add(&format!("{what}, p99"), n.clone(), most, "s", p99);
    trial.add(&format!("{what}, worst"), n, worst, "s", None);
}

fn holds(trial: &mut Trial<'_>, what: &str, edges: &EdgeCoverage) {
    if edges.count() == 0 {
        return;
    }
    let EdgeCoverage { before, after, .. } = edges;
    let n = format!("{} edges ({before} early, {after} late)", edges.count());
    let goal = trial.least(Some(99.9), Some(99.9));
    trial.add(what, n, 100.0 * edges.share(), "%", goal);
}

fn taken_back(trial: &mut Trial<'_>, what: &str, levels: [&LevelScore; 2], few_hosts: bool) {
    let n = levels[0].outage.seconds.len() + levels[0].outage.missed.len();
    let back = levels.iter().map(|level| level.taken_back).sum::<u64>();
    let goal = trial.most(Some(0.0), Some(if few_hosts { 1.0 } else { 1000.0 / 300.0 }));
    let figure = 1000.0 * back as f64 / n.max(1) as f64;
    let n = format!("{n} outages");
    trial.add(&format!("{what}: taken back before it was over"), n, figure, "in 1,000", goal);
}

/// Four blocks of six hosts, all dark.
pub fn total_outage(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    for loss in [0.0, 0.02, 0.05] {
        let worlds: Vec<_> = (1..=worlds as u64)
            .map(|seed| {
                let mut world =
                    with_outages(each, "KP", seed, loss, (300.0, 900.0), trial.goals.apart);
                world.hosts = vec![6; 4];
                world.hosts_lines = "";
                (world.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let country = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
        let blocks = LevelScore::pool(runs.iter().map(|run| &run.score.blocks));
        let down = &country.down;
        let missed = down.missed.len();
        let n = format!("{} outages, {missed} missed", down.seconds.len() + missed);
        let percent = (loss * 100.0).round();
        let what = format!("4 x 6 hosts dark, {percent} % loss");
        let frugal = |goal| Some(goal).filter(|_| loss < 0.03);
        let goal = trial.most(Some(6.0), frugal(32.0));
        trial.add(&format!("{what}: delay to down, mean"), n.clone(), down.mean(), "s", goal);
        let goal = trial.most(Some(7.0), frugal(60.0));
        let p99 = down.quantile(0.99);
        trial.add(&format!("{what}: delay to down, p99"), n.clone(), p99, "s", goal);
        let goal = trial.most(Some(60.5), frugal(105.0));
        let p99 = country.outage.quantile(0.99);
        trial.add(&format!("{what}: delay to outage, p99"), n, p99, "s", goal);
        if loss == 0.02 {
            let goal = trial.most(Some(6.0), Some(330.0));
            widths(trial, &format!("{what}: width of the end, country"), &country.ends, goal);
            let goal = trial.most(Some(20.5), None);
            widths(trial, &format!("{what}: width of the end, block"), &blocks.ends, goal);
        }
        taken_back(trial, &what, [&country, &blocks], true);
    }
}

/// One block of four, of so many hosts.
pub fn one_block_by_hosts(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    for (hosts, outage) in [(6, 60.5), (15, 60.5), (20, 85.0), (40, 180.0)] {
        let worlds: Vec<_> = (1..=worlds as u64)
            .map(|seed| {
                let on = block(seed as usize % 4);
                let mut world =
                    with_outages(each, &on, seed, 0.02, (300.0, 900.0), trial.goals.apart);
                world.hosts = vec![hosts; 4];
                world.hosts_lines = "";
                (world.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let level = LevelScore::pool(runs.iter().map(|run| &run.score.blocks));
        let missed = level.down.missed.len();
        let n = format!("{} outages, {missed} missed", level.down.seconds.len() + missed);
        let what = format!("one block of {hosts} hosts dark");
        let goal = trial.most(Some(9.0), None);
        trial.add(&format!("{what}: delay to down, mean"), n.clone(), level.down.mean(), "s", goal);
        let goal = trial.most(Some(12.5), None);
        let p99 = level.down.quantile(0.99);
        trial.add(&format!("{what}: delay to down, p99"), n.clone(), p99, "s", goal);
        let goal = trial.most(Some(outage), None);
        let p99 = level.outage.quantile(0.99);
        trial.add(&format!("{what}: delay to outage, p99"), n, p99, "s", goal);
        holds(trial, &format!("{what}: the begin holds the truth"), &level.begins);
        holds(trial, &format!("{what}: the end holds the truth"), &level.ends);
        let country = LevelScore::default();
        taken_back(trial, &what, [&level, &country], hosts <= 10);
    }
}

/// Single darknesses of 15 s to 7 days of four blocks of six, `away` hosts of each of which return
/// only when it is forgotten.
fn with_missing(
    n: usize,
    away: usize,
    rng: &mut Rng,
    lengths: (f64, f64),
    pace: Pace,
) -> WorldBuilder {
    let (lead, late, apart) = match pace {
        Pace::Frugal => (30.0 * HOUR, 12.0 * HOUR, 48.0 * HOUR),
        Pace::Default | Pace::Theirs => (3.0 * HOUR, 2.0 * HOUR, 5.0 * HOUR),
    };
    let mut world = WorldBuilder::of(0.0, 0.02, vec![6; 4]);
    let mut at = lead;
    for _ in 0..n {
        at += 600.0 * rng.unit();
        let length = lengths.0 * (lengths.1 / lengths.0).powf(rng.unit());
        world.event("dark", "KP", at, length, "");
        if away > 0 {
            let gone = at + length / 2.0;
            world.event("dark", "KP", gone, length / 2.0 + late, &format!("hosts = {away}"));
        }
        at += length + apart;
    }
    world.seconds = at;
    world
}

pub fn single(trial: &mut Trial<'_>) {
    const HOSTS: usize = 6;
    let each = trial.scale.outages.div_ceil(HOSTS);
    // Few to a world: long ones take weeks.
    let per_world = 12.min(each);
    let pace = trial.goals.pace;
    let mut countries = Vec::new();
    let mut blocks = Vec::new();
    for away in 0..HOSTS {
        let worlds: Vec<_> = (1..=each.div_ceil(per_world) as u64)
            .map(|seed| {
                let mut rng = Rng::new(seed << 8 | away as u64);
                let world = with_missing(per_world, away, &mut rng, (15.0, 7.0 * DAY), pace);
                (world.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let country = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
        let ends = &country.ends;
        if ends.count() > 0 {
            let n = format!("{} edges ({} early, {} late)", ends.count(), ends.before, ends.after);
            let what = format!("end of the country holds, {away} of 6 hosts not back");
            trial.add(&what, n, 100.0 * ends.share(), "%", None);
        }
        countries.push(country);
        blocks.push(LevelScore::pool(runs.iter().map(|run| &run.score.blocks)));
    }
    let country = LevelScore::pool(countries.iter());
    let block = LevelScore::pool(blocks.iter());
    holds(trial, "15 s to 7 d: the country's begin holds the truth", &country.begins);
    holds(trial, "15 s to 7 d: the country's end holds the truth", &country.ends);
    holds(trial, "15 s to 7 d: a block's begin holds the truth", &block.begins);
    holds(trial, "15 s to 7 d: a block's end holds the truth", &block.ends);
    widths(trial, "15 s to 7 d: width of the country's begin", &country.begins, None);
    widths(trial, "15 s to 7 d: width of the country's end", &country.ends, None);
    taken_back(trial, "15 s to 7 d", [&country, &block], true);
}

/// Half of the hosts are back after an hour, the others much later.
pub fn half_back(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages / 2);
    let pace = trial.goals.pace;
    let worlds: Vec<_> = (1..=worlds as u64)
        .map(|seed| {
            let mut rng = Rng::new(seed ^ 0x4a1f);
            (with_missing(each, 3, &mut rng, (HOUR, HOUR), pace).scenario(), seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let country = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
    holds(trial, "half of the hosts back: the country's end holds the truth", &country.ends);
    let goal = trial.most(Some(18.0), None);
    widths(trial, "half of the hosts back: width of the country's end", &country.ends, goal);
}
