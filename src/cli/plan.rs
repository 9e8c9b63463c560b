//! The command `plan`: a plan from what people have, or a review of one by what its run has
//! learned. It sends no probe; with `--names` it asks the user's own resolver.

use super::{
    exit,
    input::{Stream, file, standard_input},
    output::Output,
    progress::Counted,
    refusal::Refusal,
    stderr::print_error,
};
use crate::{config::Plan, line_writer::print_line, probe::lookup::look_up};
use clap::Args;
use jiff::civil::Date;
use lifesign_clock::Clock;
use lifesign_core::scopes::Prefix;
use lifesign_document::{
    MAX_MEBIBYTES, Problems, behind_mark, fault_of_unended, load, unended, words_of,
};
use lifesign_formats::survey::{self, AddressSet, Fact, Opened, Role, Source};
use lifesign_survey::{Counts, Day, Heading, MadeFrom, Survey};
use std::{
    fs,
    io::Write,
    iter,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

mod review;

#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// The country's code of two letters (ISO 3166-1 alpha-2), as registries have it, such as KP
    #[arg(long, value_name = "CODE", required_unless_present = "review", value_parser = code)]
    country: Option<String>,
    /// Its blocks, instead of the /24 and /48 of what registries say; --country is needed all the
    /// same
    #[arg(long, value_name = "PREFIX", num_args = 1..)]
    prefix: Vec<Prefix>,
    /// Its networks, whose prefixes are taken from a table of announcements (pfx2as), beside those
    /// that registries name
    #[arg(long, value_name = "NUMBER", num_args = 1.., value_parser = asn)]
    asn: Vec<u32>,
    /// What there is: registries' delegated files, RIPEstat's country-resource-list, pfx2as, scans
    /// of ZMap, masscan or nmap, hit lists, zones and transfers, lists of addresses; each as it is
    /// or packed with gzip; - is standard input
    #[arg(long, value_name = "FILE", num_args = 1..)]
    from: Vec<PathBuf>,
    /// Names, one a line, to ask a resolver for: their name servers, mail servers and addresses,
    /// and those of their domains
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// The resolver to ask: ADDRESS or ADDRESS:PORT (default: the system's)
    #[arg(long, value_name = "ADDRESS", requires = "names", value_parser = resolver)]
    resolver: Vec<SocketAddr>,
    /// A file of addresses and prefixes never to probe, one a line; the plan will name it as `deny`
    #[arg(long, value_name = "FILE", value_parser = file())]
    deny: Option<PathBuf>,
    /// Where the plan is written, a file that is not there yet (default: standard output,
    /// as -); ./- is a file of this name
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Review this plan instead: who to drop and whom of the reserve to take, by what its run has
    /// learned, as a diff
    #[arg(long, value_name = "PLAN", value_parser = file(), conflicts_with_all = ["country", "prefix", "asn", "from", "names", "deny", "output"])]
    review: Option<PathBuf>,
    /// The state directory of that run (default: $STATE_DIRECTORY, else /var/lib/lifesign)
    #[arg(long, value_name = "DIR", requires = "review")]
    state_dir: Option<PathBuf>,
}

fn code(text: &str) -> Result<String, String> {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let code = is_code.then(|| text.to_ascii_uppercase());
    code.ok_or_else(|| "a code of two letters (ISO 3166-1 alpha-2), such as KP".to_owned())
}

fn asn(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    let number = digits.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| "the number of an autonomous system, such as 64496 or AS64496".to_owned())
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let bare = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    bare.or_else(|_| text.parse()).map_err(|_| {
        "an address, such as 192.0.2.53, 127.0.0.1:5353 or [2001:db8::53]:5353".to_owned()
    })
}

/// Makes a plan, or reviews one.
pub(super) fn plan(mut args: PlanArgs) -> Result<(), Refusal> {
    args.output = args.output.filter(|path| !standard_input(path));
    match args.review {
        Some(path) => review::review(&path, args.state_dir),
        None => make(&args),
    }
}

/// What is told goes where the plan does not.
struct Teller {
    is_stdout: bool,
}

impl Teller {
    fn say(&self, line: &str) {
        if self.is_stdout {
            print_line(line);
        } else {
            print_error(line);
        }
    }

    fn tell_unended(&self, name: &str, text: &str) {
        if let Some(why) = unended(name, text) {
            self.say(&why);
        }
    }
}

/// A file that will be read.
struct Waiting {
    name: String,
    path: PathBuf,
    opened: Opened<Counted>,
    day: Option<Date>,
}

fn make(args: &PlanArgs) -> Result<(), Refusal> {
    let country = args.country.as_deref().unwrap_or_default();
    let teller = Teller { is_stdout: args.output.is_some() };
    let output = args.output.as_deref().map(|path| Output::create_new(path, " for the plan"));
    let output = output.transpose()?;
    let deny = match &args.deny {
        Some(path) => {
            let name = path.display().to_string();
            let text = load(path, MAX_MEBIBYTES).map_err(|why| Refusal::of_data(&why))?;
            teller.tell_unended(&name, &text);
            AddressSet::parse(&name, &text).map_err(|why| Refusal::of_data(&why))?
        }
        None => AddressSet::default(),
    };
    let mut survey = Survey::new(country, args.prefix.clone(), args.asn.clone(), deny);
    let mut files = args.from.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    // Where a country is comes before who is there; of that, announcements need to know of whom.
    files.sort_by_key(|file| {
        (!file.opened.format().is_of_prefixes(), file.opened.format().is_of_announcements())
    });
    let mut sources = Vec::new();
    for file in files {
        if !file.opened.format().is_of_prefixes() {
            settle(&mut survey, args, country)?;
        }
        sources.push(read(file, &mut survey, &teller)?);
    }
    settle(&mut survey, args, country)?;
    let day = today();
    if let Some(path) = &args.names {
        sources.push(names(path, &args.resolver, &mut survey, day, &teller)?);
    }
    let shown = survey.prefixes();
    let (named, more) = shown.split_at(shown.len().min(8));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    teller.say(&format!("{country}: {}{more}", named.join(" ")));
    let proposal = survey.propose();
    let (hosts, reserve) = proposal.hosts();
    if hosts == 0 {
        let why = format!("no host of {country} is known and allowed; give more with --from");
        return Err(Refusal::data(why));
    }
    let heading = Heading { country: country.to_owned(), day, deny: deny_path(args), sources };
    let text = proposal.to_toml(&heading);
    let base = args.output.clone().unwrap_or_default();
    Plan::parse_at("", &text, &base).map_err(|why| unmade(&why))?;
    teller.say(&format!(
        "{}, {} known: {hosts} chosen, {reserve} in reserve, {} left out",
        count_of(proposal.blocks(), "block", "blocks"),
        count_of(proposal.known, "host", "hosts"),
        proposal.left_out().iter().map(|(_, count)| count).sum::<usize>()
    ));
    if proposal.too_many > 0 {
        let more = mentions(proposal.too_many);
        teller.say(&format!("  {more} of more hosts than there is room for, left out"));
    }
    for (why, count) in proposal.left_out() {
        teller.say(&format!("  {count} left out: {why}"));
    }
    let (Some(output), Some(path)) = (output, &args.output) else {
        print_line(text.trim_end());
        return Ok(());
    };
    (&output).write_all(text.as_bytes()).map_err(|error| output.failed(&error))?;
    output.finish()?;
    teller.say(&format!(
        "{} is written: put your vantage and your controls into it, then lifesign check {0}",
        path.display()
    ));
    Ok(())
}

/// What would be wrong with the plan; it is not written, so that its lines say nothing.
fn unmade(problems: &Problems) -> Refusal {
    let texts = iter::once(problems).chain(&problems.included).flat_map(|file| &file.list);
    let mut texts: Vec<&str> = texts.map(|problem| problem.text.as_str()).collect();
    texts.dedup();
    let more = texts.len().saturating_sub(1);
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    let first = texts.first().copied().unwrap_or_default();
    Refusal::data(format!("no plan can be made of this: {first}{more}"))
}

/// All that says where the country is has been read.
fn settle(survey: &mut Survey, args: &PlanArgs, country: &str) -> Result<(), Refusal> {
    survey.finish_places();
    if survey.has_place() {
        return Ok(());
    }
    let from = if args.from.is_empty() { "nothing says" } else { "these files do not say" };
    Err(Refusal::data(format!(
        "{from} which prefixes belong to {country}; give them with --prefix, or add a registry's \
         delegated file to --from"
    )))
}

fn open(path: &Path) -> Result<Waiting, Refusal> {
    let stream = Stream::open(path)?;
    let changed = stream.changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    // What comes through a pipe is as new as can be told.
    let day = changed.map_or(Some(today()), |since| survey::day_of(since.as_secs() as i64));
    let name = stream.name.clone();
    let opened = survey::open(&name, Counted::new(stream)).map_err(|why| Refusal::of_data(&why))?;
    Ok(Waiting { opened, path: path.to_owned(), name, day })
}

/// Reads a file, and tells what was in it.
fn read(file: Waiting, survey: &mut Survey, teller: &Teller) -> Result<MadeFrom, Refusal> {
    let Waiting { name, path, opened, day } = file;
    let Some(number) = survey.begin() else {
        return Err(Refusal::data("more than 64 files; put those of one kind together"));
    };
    let is_of_prefixes = opened.format().is_of_prefixes();
    let read = opened.of(survey.country()).read(&mut |fact| {
        if is_of_prefixes {
            survey.take_place(number, fact);
        } else {
            survey.take(number, fact);
        }
    });
    let source = read.map_err(|why| Refusal::of_data(&why))?;
    let changed = day.map_or(Day::Unknown, Day::Changed);
    let day = source.day.map_or(changed, Day::Said);
    let counts = survey.end(number, day);
    let day = day.date();
    teller.say(&told(&name, &source, counts, day));
    for (first, count) in source.skipped.told() {
        let more =
            if count > 1 { format!(" (and {} more like it)", count - 1) } else { String::new() };
        let place =
            if first.line > 0 { format!(":{}:{}", first.line, first.col) } else { String::new() };
        teller.say(&format!("  {name}{place}: {}{more}; left out", first.text));
    }
    if let Some(line) = source.unended {
        teller.say(&format!("  {}", fault_of_unended(&name, line)));
    }
    Ok(MadeFrom { name: short_name(&path), what: source.format.to_string(), day })
}

/// A line on what a file was and brought.
fn told(name: &str, source: &Source, counts: Counts, day: Option<Date>) -> String {
    let Source { format, rows, silent, is_torn, .. } = source;
    let day = day.map(|day| format!(" of {day}")).unwrap_or_default();
    let rows = count_of(*rows, "row", "rows");
    let mut parts = vec![format!("{name}: {format}{day}, {rows}")];
    if format.is_of_prefixes() {
        let networks = count_of(counts.networks, "network", "networks");
        let prefixes = count_of(counts.prefixes, "prefix", "prefixes");
        parts.push(format!("; {prefixes} and {networks} of this country"));
    } else {
        parts.push(format!("; {} here", count_of(counts.hosts, "host", "hosts")));
        if counts.elsewhere > 0 {
            parts.push(format!(", {} of others elsewhere", mentions(counts.elsewhere)));
        }
        if *silent > 0 {
            parts.push(format!(", {silent} that did not answer"));
        }
    }
    if *is_torn {
        parts.push("; its end is missing".to_owned());
    }
    parts.concat()
}

fn count_of(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn mentions(count: usize) -> String {
    count_of(count, "mention", "mentions")
}

/// Can it be the name of a host (RFC 1035 §2.3.4)?
fn is_name(word: &str) -> bool {
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_ours);
    word.len() <= 253 && word.strip_suffix('.').unwrap_or(word).split('.').all(is_label)
}

/// Asks the resolver for the names of a file.
fn names(
    path: &Path,
    servers: &[SocketAddr],
    survey: &mut Survey,
    day: Date,
    teller: &Teller,
) -> Result<MadeFrom, Refusal> {
    let stream = Stream::open(path)?;
    let name = stream.name.clone();
    let text = stream.text(1).map_err(|why| Refusal::of_data(&why))?;
    teller.tell_unended(&name, &text);
    let mut names = Vec::new();
    for (line, number) in behind_mark(&text).lines().zip(1..) {
        let word = line.split('#').next().unwrap_or_default().trim();
        if word.is_empty() {
            continue;
        }
        if !is_name(word) || word.parse::<IpAddr>().is_ok() {
            let text = format!("{word:?} is no name; write one a line, such as www.example.net");
            return Err(Refusal::of_data(&Problems::single(&name, (number, 1), &text)));
        }
        names.push(word.to_owned());
    }
    let Some(number) = survey.begin() else {
        return Err(Refusal::data("more than 64 files"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Refusal::of_us(words_of(&error), exit::SOFTWARE))?;
    let asked = runtime.block_on(look_up(names, servers, |fact| match fact {
        Ok(fact) => {
            teller.say(&format!("  {}", learned(&fact)));
            survey.take(number, fact);
        }
        Err(failure) => teller.say(&format!("  {failure}")),
    }));
    let asked = asked.map_err(|error| {
        Refusal::of_us(format!("no resolver can be asked: {error}"), exit::UNAVAILABLE)
    })?;
    let counts = survey.end(number, Day::Said(day));
    let failures = match asked.failures {
        0 => String::new(),
        failures => format!(", {failures} without an answer"),
    };
    teller.say(&format!(
        "{name}: names, {} to the resolver{failures}; {} here, {} of others elsewhere",
        count_of(asked.questions, "question", "questions"),
        count_of(counts.hosts, "host", "hosts"),
        mentions(counts.elsewhere)
    ));
    let what = "names, looked up".to_owned();
    Ok(MadeFrom { name: short_name(path), what, day: Some(day) })
}

/// The name of a file without its directory; of a pipe of a shell, that says nothing.
fn short_name(path: &Path) -> String {
    let is_pipe = standard_input(path) || path.starts_with("/dev") || path.starts_with("/proc");
    let name = path.file_name().filter(|_| !is_pipe);
    name.map_or("a pipe".into(), |name| name.to_string_lossy().into_owned())
}

/// What a resolver has said, as a line.
fn learned(fact: &Fact<'_>) -> String {
    match fact {
        Fact::Named { name, address } => format!("{name} is {address}"),
        Fact::Serves { name, role: Role::Mail, zone } => format!("{zone} has its mail at {name}"),
        Fact::Serves { name, zone, .. } => format!("{zone} has its name server {name}"),
        _ => String::new(),
    }
}

/// The path of the deny list as the plan has it: from the plan's directory.
fn deny_path(args: &PlanArgs) -> Option<String> {
    let deny = args.deny.as_ref()?;
    let beside = |path: &Path| path.parent().map(Path::to_owned);
    if args.output.as_deref().and_then(beside) == beside(deny) {
        return deny.file_name().map(|name| name.to_string_lossy().into_owned());
    }
    let whole = fs::canonicalize(deny).unwrap_or_else(|_| deny.clone());
    Some(whole.to_string_lossy().into_owned())
}

fn today() -> Date {
    let now = Clock::start().now().to_string();
    now.get(..10).and_then(|day| day.parse().ok()).unwrap_or_default()
}
