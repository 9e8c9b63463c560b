//! Rows about outages: how soon each is seen, how well it is dated, and whether it is seen at all.

use super::{Goal, Trial, split, with_outages};
use lifesign_lab::{EdgeCoverage, LevelScore, quantile};

pub fn delay(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    let worlds: Vec<_> = (1..=worlds as u64)
        .map(|seed| {
            let world = with_outages(each, "KP", seed, 0.01, (300.0, 900.0), trial.goals.apart);
            (world.scenario(), seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let level = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
    let goals = trial.goals;
    let missed = level.down.missed.len();
    let n = format!("{} outages, {missed} missed", level.down.seconds.len() + missed);
    let most = |goal: Option<f64>| goal.map(Goal::AtMost);
    trial.add("delay to down, mean", n.clone(), level.down.mean(), "s", most(goals.down_mean));
    trial.add(
        "delay to down, p99",
        n.clone(),
        level.down.quantile(0.99),
        "s",
        most(goals.down_p99),
    );
    trial.add("delay to down, worst", n.clone(), level.down.quantile(1.0), "s", None);
    trial.add("delay to outage, p99", n, level.outage.quantile(0.99), "s", None);
    let n = format!("{} returns", level.recovery.seconds.len());
    trial.add(
        "recovery noticed, p99",
        n.clone(),
        level.recovery.quantile(0.99),
        "s",
        most(goals.recovery_p99),
    );
    trial.add("recovery noticed, median", n, level.recovery.quantile(0.5), "s", None);
    let edges = [&level.begins, &level.ends];
    let n: u64 = edges.iter().map(|edges| edges.count()).sum();
    if n == 0 {
        return; // It names no edges.
    }
    let sum = |of: fn(&EdgeCoverage) -> u64| edges.iter().map(|edges| of(edges)).sum::<u64>();
    let share = 100.0 * sum(|edges| edges.covered) as f64 / n as f64;
    let early = sum(|edges| edges.before);
    let late = sum(|edges| edges.after);
    let n = format!("{n} edges ({early} early, {late} late)");
    trial.add("edge covers the truth", n, share, "%", Some(Goal::AtLeast(99.9)));
    for (what, edges, goal) in
        [("begin", &level.begins, most(goals.half_width)), ("end", &level.ends, None)]
    {
        let n = format!("{} edges", edges.widths.len());
        let mean = edges.widths.iter().sum::<f64>() / edges.widths.len() as f64 / 2.0;
        trial.add(&format!("half-width of the {what}, mean"), n.clone(), mean, "s", goal);
        let p99 = quantile(&edges.widths, 0.99) / 2.0;
        trial.add(&format!("half-width of the {what}, p99"), n, p99, "s", None);
    }
}

pub fn one_block(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    let worlds: Vec<_> = (1..=worlds as u64)
        .map(|seed| {
            let block = format!("127.45.{}.0/24", 176 + seed % 4);
            (
                with_outages(each, &block, seed, 0.01, (300.0, 900.0), trial.goals.apart)
                    .scenario(),
                seed,
            )
        })
        .collect();
    let runs = trial.run(&worlds);
    let down = LevelScore::pool(runs.iter().map(|run| &run.score.blocks)).down;
    let n =
        format!("{} outages, {} missed", down.seconds.len() + down.missed.len(), down.missed.len());
    trial.add("one block dark: delay to down, mean", n.clone(), down.mean(), "s", None);
    trial.add("one block dark: delay to down, p99", n, down.quantile(0.99), "s", None);
}

pub fn seen(trial: &mut Trial<'_>) {
    let shortest = trial.goals.shortest;
    let ours = [(shortest, 2.0 * shortest)];
    let lengths = if trial.goals.is_ours { &ours[..] } else { &[(60.0, 60.0), (300.0, 300.0)] };
    for &(from, to) in lengths {
        let (worlds, each) = split(trial.scale.outages);
        let worlds: Vec<_> = (1..=worlds as u64)
            .map(|seed| {
                (
                    with_outages(each, "KP", seed, 0.01, (from, to), trial.goals.apart).scenario(),
                    seed,
                )
            })
            .collect();
        let runs = trial.run(&worlds);
        let length = if from < to { format!("{from} to {to} s") } else { format!("{from} s") };
        let country = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
        let blocks = LevelScore::pool(runs.iter().map(|run| &run.score.blocks));
        for (level, whose) in [(country, "the country"), (blocks, "each block")] {
            let n = level.down.seconds.len() + level.down.missed.len();
            let share = 100.0 * level.down.seconds.len() as f64 / n as f64;
            let goal = Some(Goal::AtLeast(100.0)).filter(|_| whose == "the country");
            trial.add(
                &format!("darkness of {length} seen, of {whose}"),
                n.to_string(),
                share,
                "%",
                goal,
            );
        }
    }
}

pub fn sparse(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    for (what, miss) in
        [("two hosts per /24", "[0.0, 0.0]"), ("two hosts per /24 that miss 50 %", "[0.5, 0.5]")]
    {
        let worlds: Vec<_> = (1..=worlds as u64)
            .map(|seed| {
                let mut world =
                    with_outages(each, "KP", seed, 0.01, (300.0, 900.0), trial.goals.apart);
                world.hosts = vec![2; 4];
                world.hosts_lines = "";
                world.weather_lines = format!("loss = 0.01\nmiss = {miss}\n");
                (world.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let level = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
        let blocks = LevelScore::pool(runs.iter().map(|run| &run.score.blocks));
        let n = format!("{} outages", level.down.seconds.len() + level.down.missed.len());
        // Frugal has to see them all, and may take its time.
        let goal = trial.goals.worst_minute.map(|_| Goal::AtMost(30.0));
        trial.add(&format!("{what}: delay to down, mean"), n.clone(), level.down.mean(), "s", goal);
        trial.add(
            &format!("{what}: delay to down, p99"),
            n.clone(),
            level.down.quantile(0.99),
            "s",
            None,
        );
        let seen = |level: &LevelScore| {
            let n = level.down.seconds.len() + level.down.missed.len();
            100.0 * level.down.seconds.len() as f64 / n as f64
        };
        let all = Some(Goal::AtLeast(100.0));
        trial.add(&format!("{what}: outages seen, country"), n.clone(), seen(&level), "%", all);
        trial.add(&format!("{what}: outages seen, blocks"), n.clone(), seen(&blocks), "%", all);
        let wrong = level.false_outages
            + blocks.false_outages
            + level.false_flappings
            + blocks.false_flappings;
        trial.add(&format!("{what}: false outages and flappings"), n, wrong as f64, "", None);
    }
}
