//! The command `import`: what another prober recorded, as a journal (docs/import.md).

use super::{
    exit,
    in_time::InTime,
    input::{Stream, file, names_of, standard_input},
    output::{self, Output},
    progress::{Counted, Progress},
    refusal::Refusal,
    stderr::print_error,
};
use crate::line_writer::{Stdout, print_line};
use clap::{ArgGroup, Args};
use lifesign_clock::Clock;
use lifesign_document::{MAX_MEBIBYTES, unended, words_of};
use lifesign_formats::record::{
    Fault, Import, Map, Only, Options, Summary,
    server::{self, Pages, Server, USUAL_QUERY},
};
use lifesign_incident::period::{When, period};
use lifesign_web_config::Client;
use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, ErrorKind, Write},
    net::{IpAddr, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a server may take for a whole page.
const TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages are made shorter long before that.
const LONGEST_ANSWER: usize = 256 << 20;
const BUFFER: usize = 1 << 20;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true).multiple(true))]
pub(super) struct ImportArgs {
    /// What was recorded: samples of Prometheus or VictoriaMetrics, fping's lines, ping results of
    /// RIPE Atlas, scamper's JSON; - is standard input
    #[arg(value_name = "FILE", group = "source")]
    files: Vec<PathBuf>,
    /// Ask this Prometheus for its samples
    #[arg(long, value_name = "URL", group = "source")]
    prometheus: Option<Server>,
    /// What to ask it for; may be given several times (default: what blackbox_exporter says of
    /// reachability)
    #[arg(long, value_name = "SELECTOR", requires = "prometheus")]
    query: Vec<String>,
    /// From when on: a day as 2014-12-22, yesterday or today, a time as 2014-12-22T16:15Z, or a
    /// span back from now, such as 7d or 1h30m
    #[arg(long, value_name = "TIME", default_value = "7d", requires = "prometheus")]
    since: When,
    /// Up to when, written alike (default: now)
    #[arg(long, value_name = "TIME", requires = "prometheus")]
    until: Option<When>,
    /// TLS and password for these requests: an HTTP configuration file as promtool has it
    #[arg(long = "http.config.file", value_name = "FILE", requires = "prometheus", value_parser = file())]
    http_config: Option<PathBuf>,
    /// Which address a name in the data stands for, and its country and block: comma-separated
    /// values with a first line such as name,host,country,block
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Take only what has this label, such as job=ping, or prb_id=1000 of RIPE Atlas; may be given
    /// several times
    #[arg(long, value_name = "LABEL=VALUE")]
    only: Vec<Only>,
    /// Write the journal here, a file that is not there yet; - is standard output, ./- a file of
    /// this name
    #[arg(long, short, value_name = "JOURNAL")]
    output: PathBuf,
    /// Write a plan here that fits the journal, a file that is not there yet
    #[arg(long, value_name = "FILE", value_parser = file())]
    plan: Option<PathBuf>,
}

/// Writes the journal, and the plan.
pub(super) fn import(args: &ImportArgs) -> Result<(), Refusal> {
    let client = args.http_config.as_deref().map(Client::open).transpose();
    let client = client.map_err(|why| Refusal::of_plan(&why))?;
    written(args, &client.unwrap_or_default())
}

fn map(path: &Path) -> Result<Map, Refusal> {
    let stream = Stream::open(path)?;
    let name = stream.name.clone();
    let text = stream.text(MAX_MEBIBYTES).map_err(|problems| Refusal::of_data(&problems))?;
    if let Some(why) = unended(&name, &text) {
        print_error(&why);
    }
    Map::parse(&name, &text).map_err(|problems| Refusal::of_data(&problems))
}

fn written(args: &ImportArgs, client: &Client) -> Result<(), Refusal> {
    let map = args.map.as_deref().map(map).transpose()?.unwrap_or_default();
    // What cannot be had is told before the first file is read.
    let path = (!standard_input(&args.output)).then_some(args.output.as_path());
    if let (Some(journal), Some(plan)) = (path, &args.plan)
        && output::place(journal)? == output::place(plan)?
    {
        return Err(Refusal::of_us(
            "-o and --plan name the same file; name another for one of them",
            exit::USAGE,
        ));
    }
    let begin = |path: &Path| Output::create_new(path, "");
    let plan = args.plan.as_deref().map(begin).transpose()?;
    let journal = path.map(begin).transpose()?;
    let directory = match path.map(output::place).transpose()? {
        Some(place) => place.parent().map(Path::to_owned).unwrap_or_default(),
        None => env::temp_dir(),
    };
    let options = Options { map, only: args.only.clone() };
    let mut import = Import::new(options, move || spill(&directory));
    for path in &args.files {
        read_file(path, &mut import)?;
    }
    if let Some(server) = &args.prometheus {
        read_server(args, server, client, &mut import)?;
    }
    let summary = match &journal {
        None => finish(import, BufWriter::with_capacity(BUFFER, Stdout))
            .map_err(|error| output::cannot_write(Path::new("to standard output"), &error)),
        Some(journal) => finish(import, BufWriter::with_capacity(BUFFER, journal))
            .map_err(|error| journal.failed(&error)),
    };
    let summary = summary?;
    if summary.outcomes == 0 {
        let name = match (&args.prometheus, &args.files[..]) {
            (Some(server), []) => server.authority(),
            (_, files) => names_of(files),
        };
        let text = "nothing in it says whether a host answered; give probe_success, or what counts \
                    probes and answers, too";
        return Err(Refusal::new(format!("{name}: {text}"), exit::DATA));
    }
    if let Some(plan) = &plan {
        (&mut &*plan).write_all(summary.plan.as_bytes()).map_err(|error| plan.failed(&error))?;
    }
    for output in [journal, plan].into_iter().flatten() {
        output.finish()?;
    }
    tell(args, &summary);
    Ok(())
}

/// A file beside the journal that nobody else sees.
fn spill(directory: &Path) -> io::Result<File> {
    for number in 0.. {
        let path = directory.join(format!(".lifesign-import-{}-{number}", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => return opened.inspect(|_| drop(fs::remove_file(&path))),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn read_file(path: &Path, import: &mut Import) -> Result<(), Refusal> {
    let stream = Stream::open(path)?;
    let name = stream.name.clone();
    let read = import.read(&name, BufReader::with_capacity(BUFFER, Counted::new(stream)));
    let (_, notes) = read.map_err(|error| Refusal::new(format!("{name}:{error}"), exit::DATA))?;
    tell_notes(&name, &notes);
    Ok(())
}

fn tell_notes(name: &str, notes: &[(Fault, usize)]) {
    for (fault, count) in notes {
        let more = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        print_error(&format!("{name}:{fault}{more}"));
    }
}

/// Page after page, so that none is large.
fn read_server(
    args: &ImportArgs,
    server: &Server,
    client: &Client,
    import: &mut Import,
) -> Result<(), Refusal> {
    let name = server.authority();
    // A certificate is of a name without a port.
    let asked = if server.host.parse::<IpAddr>().is_ok() { &name } else { &server.host };
    if server.is_tls && args.http_config.is_none() {
        return Err(Refusal::of_us(
            "https needs --http.config.file, which names the authority that is trusted",
            exit::USAGE,
        ));
    }
    let now = Clock::start().now();
    let (since, until) = period(args.since, args.until, now)
        .map_err(|error| Refusal::data(format!("--since must lie before --until: {error}")))?;
    let usual = [USUAL_QUERY.to_owned()];
    let queries = if args.query.is_empty() { &usual[..] } else { &args.query };
    let all = until.since(since).as_secs();
    let before = import.samples();
    import.begin_pages();
    for query in queries {
        let mut progress = Progress::new(format!("asking {name}"), Some(all));
        let mut pages = Pages::new(server, query, since, until);
        while let Some((path, to)) = pages.request() {
            let answer = connect(server).and_then(|stream| client.get(stream, asked, &path));
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.kind() == ErrorKind::FileTooLarge && pages.shorten() => {
                    continue;
                }
                Err(error) => {
                    let text = format!("no word from {name}: {}", words_of(&error));
                    return Err(Refusal::of_us(text, exit::UNAVAILABLE));
                }
            };
            let of_server = |fault: Fault| Refusal::data(format!("{name}:{fault}"));
            let body = server::body(&answer).map_err(of_server)?;
            match import.read_page(body) {
                Ok(notes) => tell_notes(&name, &notes),
                // Such as more samples than it wants to give at once.
                Err(_) if pages.shorten() => continue,
                Err(error) => return Err(Refusal::data(format!("{name}:{error}"))),
            }
            pages.read(to, body.len());
            progress.show(to.since(since).as_secs());
        }
        progress.end();
    }
    if import.samples() == before {
        let query = queries.join(" or ");
        let none = || format!("{name} has no samples of {query} between {since} and {until}");
        return Err(Refusal::data(
            import.unmet().map_or_else(none, |why| format!("{name}: {why}")),
        ));
    }
    import.end_pages(&name);
    Ok(())
}

fn connect(server: &Server) -> io::Result<InTime<TcpStream>> {
    let mut failure = io::Error::from(ErrorKind::NotFound);
    for address in (server.host.as_str(), server.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(InTime::new(stream, TIMEOUT, LONGEST_ANSWER)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn finish(import: Import, journal: impl Write) -> io::Result<Summary> {
    let all = import.samples();
    let mut progress = Progress::new("writing the journal".into(), Some(all));
    let summary = import.finish(journal, |done| progress.show(done))?;
    progress.end();
    Ok(summary)
}

fn tell(args: &ImportArgs, summary: &Summary) {
    if let Some(lines) = &summary.unused {
        print_error(&lines.to_string());
    }
    let print = |line: String| {
        if standard_input(&args.output) { print_error(&line) } else { print_line(&line) }
    };
    summary.lines().into_iter().for_each(print);
    if let Some(plan) = &args.plan {
        print(format!(
            "lifesign replay {} --config {} judges it; with --state-dir, lifesign report writes it \
             up",
            args.output.display(),
            plan.display()
        ));
    }
}
