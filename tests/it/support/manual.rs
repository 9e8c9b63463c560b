//! Man pages (man(7)) from the command line and from a page of the docs.

use clap::Command;
use clap_mangen::Man;
use std::{fmt::Write as _, io::Write as _};

/// What `whatis` and `apropos` say of it.
const NAME: &str = ".SH NAME\nlifesign \\- watch whether networks can be reached\n";
/// What the command line does not say of itself.
const SIGNALS: &str = r".SH SIGNALS
.TP
\fBSIGHUP\fR
Reads the plan again, and opens the journal anew. What stays keeps its counts, verdicts and history; a plan with an error changes nothing.
.TP
\fBSIGINT\fR, \fBSIGTERM\fR
Ends the run, within 5 s whatever a disk or a reader does.
";
const REST: &str = r#".SH ENVIRONMENT
.TP
\fBNO_COLOR\fR
If it is set and not empty, nothing is coloured.
.TP
\fBLIFESIGN_LOG\fR
How much is told on standard error: \fBerror\fR, \fBwarn\fR, \fBinfo\fR (the default), \fBdebug\fR or \fBtrace\fR.
.TP
\fBSTATE_DIRECTORY\fR, \fBNOTIFY_SOCKET\fR
Set by systemd: where state is kept, and where to say that the run is ready and alive.
.TP
\fBLISTEN_FDS\fR, \fBLISTEN_PID\fR
Set by systemd: the sockets that it passes, which are served if there is no \fB\-\-listen\fR.
.SH FILES
.TP
\fI/etc/lifesign/targets.toml\fR
The plan of the service.
.TP
\fI/var/lib/lifesign\fR
What the service knows: episodes, and what it learned of its hosts.
.TP
\fI/usr/share/lifesign\fR
Rules and alerts for Prometheus, dashboards for Grafana, a socket unit for systemd, and the plan of a real country as an example.
.SH "SEE ALSO"
\fBlifesign-targets\fR(5), \fBsystemd.service\fR(5)
"#;

/// lifesign(1): one page, with a section for each command, and the exit codes of docs/running.md.
pub fn program(mut command: Command, running: &str) -> String {
    command.build();
    // The version would make every release a change of this page's head and foot.
    let man =
        Man::new(command.clone()).date("").source("lifesign").manual("lifesign").title("LIFESIGN");
    let mut page = Vec::new();
    let written = man
        .render_title(&mut page)
        .and_then(|()| page.write_all(NAME.as_bytes()))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page));
    written.expect("memory can be written");
    let mut page = String::from_utf8(page).expect("text");
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        let _ = writeln!(page, ".SH \"LIFESIGN {}\"", part.get_name().to_uppercase());
        let man = Man::new(part.clone());
        let mut section = Vec::new();
        let written = man.render_synopsis_section(&mut section).and_then(|()| {
            man.render_description_section(&mut section)?;
            man.render_options_section(&mut section)
        });
        written.expect("memory can be written");
        let section = String::from_utf8(section).expect("text");
        // The preamble that every roff document has; this is a part of one.
        let lines =
            section.lines().filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el "));
        for line in lines.filter(|&line| line != ".SH SYNOPSIS") {
            let _ = writeln!(page, "{}", if line.starts_with(".SH ") { ".PP" } else { line });
        }
    }
    page.lines().map(bold).collect::<String>() + SIGNALS + &exit_codes(running) + REST
}

/// A line with its code in bold.
fn bold(line: &str) -> String {
    let parts = line.split('`').enumerate();
    let marks = parts.map(|(index, part)| match index % 2 {
        0 => part.to_owned(),
        _ => format!("\\fB{part}\\fR"),
    });
    marks.collect::<String>() + "\n"
}

fn exit_codes(running: &str) -> String {
    let (_, table) = running.split_once("| code | what |\n|---|---|\n").expect("the exit codes");
    let rows = table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.map(|row| {
        let (code, what) = row.split_once(" | ").expect("two cells");
        format!(".TP\n\\fB{code}\\fR\n{}\n", inline(what))
    });
    ".SH \"EXIT STATUS\"\n".to_owned() + &rows.collect::<String>()
}

/// The first example of a page.
pub fn example(page: &str) -> String {
    page.split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("\n```").next())
        .expect("an example")
        .into()
}

/// lifesign-targets(5), from the page of the docs: headings, paragraphs, lists, tables of a key and
/// what it is, and examples.
pub fn plan(page: &str) -> String {
    let mut out = String::from(
        ".TH LIFESIGN\\-TARGETS 5 \"\" lifesign lifesign\n.SH NAME\nlifesign\\-targets \\- \
         the plan of lifesign: what to watch, from where, and how fast\n.SH DESCRIPTION\n",
    );
    let mut verbatim = false;
    let mut head = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            verbatim = !verbatim;
            out += if verbatim { ".PP\n.nf\n.RS 4\n" } else { ".RE\n.fi\n" };
        } else if verbatim {
            let _ = writeln!(out, "{}", literal(line));
        } else if line.starts_with("# ") {
            // NAME says it.
        } else if let Some(title) = line.strip_prefix("## ") {
            let _ = writeln!(out, ".SH \"{}\"", title.to_uppercase());
        } else if let Some(item) = line.strip_prefix("- ") {
            let _ = writeln!(out, ".IP \\(bu 2\n{}", inline(item));
        } else if let Some(row) = line.strip_prefix("| ") {
            let cells: Vec<&str> = row.trim_end_matches('|').split(" | ").map(str::trim).collect();
            if head.is_empty() {
                head = cells;
            } else {
                let _ = writeln!(out, ".TP\n{}\n{}", inline(cells[0]), inline(cells[1]));
                for (name, cell) in
                    head.iter().zip(&cells).skip(2).filter(|(_, cell)| !cell.is_empty())
                {
                    let _ = writeln!(
                        out,
                        ".br\n{}: {}",
                        name[..1].to_uppercase() + &name[1..],
                        inline(cell)
                    );
                }
            }
        } else if line.starts_with("|-") {
        } else if line.is_empty() {
            head.clear();
            if !out.ends_with(".PP\n") {
                out += ".PP\n";
            }
        } else {
            let _ = writeln!(out, "{}", inline(line.trim_start()));
        }
    }
    while let Some(rest) = out.strip_suffix(".PP\n") {
        out.truncate(rest.len());
    }
    out.replace(".PP\n.PP\n", ".PP\n")
        .replace(".PP\n.SH", ".SH")
        .replace(".PP\n.IP", ".IP")
        .replace(".PP\n.TP", ".TP")
        + ".SH \"SEE ALSO\"\n\\fBlifesign\\fR(1)\n"
}

/// Text in which no sign means anything to man.
fn literal(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let text = text.replace('"', "\\(dq").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

/// Code in bold; of a link only its name.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = match part.split_once("](") {
            Some((name, rest)) if index % 2 == 0 => {
                name.replacen('[', "", 1) + rest.split_once(')').map_or("", |(_, rest)| rest)
            }
            _ => part.to_owned(),
        };
        let part = literal(&part);
        let (bold, roman) = if index % 2 == 1 { ("\\fB", "\\fR") } else { ("", "") };
        out.extend([bold, &part, roman]);
    }
    out
}
