//! A proposal as the text of a plan, with the reason for each host as a comment.

use super::{Proposal, host::Host};
use jiff::civil::Date;
use lifesign_document::{plain, toml_string};
use lifesign_formats::survey::Role;
use lifesign_model::scopes::Prefix;
use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    net::IpAddr,
};

/// So many of those left out are named, for each reason; the rest are counted.
const NAMED: usize = 40;

/// A file that the plan was made from.
#[derive(Clone, Debug)]
pub struct MadeFrom {
    /// Its name, without the directory.
    pub name: String,
    /// What it was, in words.
    pub what: String,
    /// Its day, where one is known.
    pub day: Option<Date>,
}

/// What stands above the hosts.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The country's code.
    pub country: String,
    /// Today.
    pub day: Date,
    /// The path of the deny list, as the plan shall have it.
    pub deny: Option<String>,
    /// By their numbers.
    pub sources: Vec<MadeFrom>,
}

impl Proposal {
    /// The text of the plan.
    pub fn to_toml(&self, heading: &Heading) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut text, heading);
        text
    }

    fn write(&self, out: &mut String, heading: &Heading) -> fmt::Result {
        let (hosts, reserve) = self.hosts();
        let Heading { country, day, deny, sources } = heading;
        writeln!(out, "# Made by `lifesign plan` on {day}; nobody was asked for it.")?;
        writeln!(out, "# Whether you may probe these hosts from where you are, only you can say.")?;
        writeln!(out, "#")?;
        for MadeFrom { name, what, day } in sources {
            let day = day.map(|day| format!(", {day}")).unwrap_or_default();
            writeln!(out, "# {}: {what}{day}", comment(name))?;
        }
        writeln!(
            out,
            "#\n# Blocks: {}. Hosts: {hosts}, {reserve} in reserve, {} left out (at the end).\n",
            self.blocks(),
            self.left_out.len()
        )?;
        writeln!(out, "vantage = \"replace-me\"\n")?;
        writeln!(
            out,
            "# REPLACE THIS: two or three hosts near you that answer ping at all times, in"
        )?;
        writeln!(
            out,
            "# networks of different operators beyond your provider's; what they answer proves that\n\
             # we are online."
        )?;
        writeln!(out, "controls = []\n")?;
        if let Some(deny) = deny {
            writeln!(out, "deny = {}\n", toml_string(deny))?;
        }
        writeln!(out, "[[country]]\ncode = {}", toml_string(country))?;
        for (prefix, chosen) in &self.blocks {
            let usual = usual_probes(&chosen.hosts);
            writeln!(out, "\n[[country.block]]\nprefix = \"{prefix}\"")?;
            writeln!(out, "probes = {}", list(usual))?;
            write_hosts(out, "hosts", &chosen.hosts, usual, sources)?;
            if !chosen.reserve.is_empty() {
                write_hosts(out, "reserve", &chosen.reserve, usual, sources)?;
            }
        }
        self.write_left_out(out)
    }

    fn write_left_out(&self, out: &mut String) -> fmt::Result {
        if self.left_out.is_empty() && self.without_host.is_empty() && self.too_many == 0 {
            return Ok(());
        }
        writeln!(out, "\n# Left out:")?;
        for part in self.left_out.chunk_by(|one, other| one.0 == other.0) {
            let why = part[0].0;
            writeln!(out, "#   {}:", why.words())?;
            let named: Vec<IpAddr> = part.iter().take(NAMED).map(|(_, address)| *address).collect();
            for line in named.chunks(4) {
                let words: Vec<String> = line.iter().map(IpAddr::to_string).collect();
                writeln!(out, "#     {}", words.join(" "))?;
            }
            if part.len() > NAMED {
                writeln!(out, "#     and {} more", part.len() - NAMED)?;
            }
        }
        if self.too_many > 0 {
            writeln!(out, "#   {} mentions of more hosts than there is room for", self.too_many)?;
        }
        if !self.without_host.is_empty() {
            writeln!(out, "#   blocks of which no host is known:")?;
            for line in self.without_host.chunks(4).take(NAMED / 4) {
                let words: Vec<String> = line.iter().map(Prefix::to_string).collect();
                writeln!(out, "#     {}", words.join(" "))?;
            }
            if self.without_host.len() > NAMED {
                writeln!(out, "#     and more")?;
            }
        }
        Ok(())
    }
}

/// How most of these are asked; of several such ways, the shortest.
fn usual_probes(hosts: &[Host]) -> &[String] {
    let mut counts: HashMap<&[String], usize> = HashMap::new();
    for host in hosts {
        *counts.entry(&host.probes).or_default() += 1;
    }
    let usual = counts.into_iter().max_by(|(one, often), (other, as_often)| {
        often.cmp(as_often).then(other.len().cmp(&one.len())).then(other.cmp(one))
    });
    usual.map_or(&[], |(probes, _)| probes)
}

fn write_hosts(
    out: &mut String,
    key: &str,
    hosts: &[Host],
    usual: &[String],
    sources: &[MadeFrom],
) -> fmt::Result {
    writeln!(out, "{key} = [")?;
    for host in hosts {
        let address = host.address;
        if host.probes == usual {
            write!(out, "  \"{address}\",")?;
        } else {
            write!(out, "  {{ host = \"{address}\", probes = {} }},", list(&host.probes))?;
        }
        writeln!(out, "  # {}", reason(host, sources))?;
    }
    writeln!(out, "]")
}

/// What it is, where it is from, and when it was there.
fn reason(host: &Host, sources: &[MadeFrom]) -> String {
    let mut words = Vec::new();
    words.extend(host.role.map(|role| match role {
        Role::NameServer => "name server".to_owned(),
        Role::Mail => "mail".to_owned(),
        Role::Web => "web".to_owned(),
        Role::Router => "router".to_owned(),
    }));
    words.extend(host.name.as_deref().map(comment));
    let names: Vec<String> = sources
        .iter()
        .enumerate()
        .filter(|(at, _)| host.sources >> at & 1 == 1)
        .map(|(_, source)| comment(&source.name))
        .collect();
    let (named, more) = names.split_at(names.len().min(3));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    words.push(format!("{}{more}", named.join(" ")));
    match host.days[..] {
        [] => {}
        [day] => words.push(day.to_string()),
        [first, .., last] => words.push(format!("{first} to {last}, {} days", host.days.len())),
    }
    words.join("; ")
}

fn list(probes: &[String]) -> String {
    let words: Vec<String> = probes.iter().map(|probe| toml_string(probe)).collect();
    format!("[{}]", words.join(", "))
}

/// What may stand in a comment: a name from a file may have anything.
fn comment(text: &str) -> String {
    plain(text).chars().take(80).collect()
}
