//! `path` and `networks`: whether the paths to blocks are traced, and which table names the
//! networks on them.

use super::{Plan, summary::rate_in_words};
use lifesign_core::{schedule::Budget, time::Time};
use lifesign_document::{MAX_PATH, Problems, Table, Value, fault_of_unended, line, open};
use lifesign_formats::{Skipped, networks};
use lifesign_path::{NetworkOf, Networks, Settings, TracedBlock, Tracer};
use std::{net::IpAddr, path::Path, sync::Arc};

const TABLE: &str = "a table of networks, such as \"ip2asn-combined.tsv\"";

/// How paths are traced.
#[derive(Clone, Debug)]
pub struct PathPlan {
    /// Are they at all?
    pub is_traced: bool,
    /// The file that names networks, as the plan has it.
    pub table_file: Option<String>,
    /// Where that stands.
    position: (usize, usize),
    /// What it says.
    table: Option<Arc<networks::Networks>>,
    /// Its lines that say nothing, and the first of them.
    skipped: Skipped,
}

impl PartialEq for PathPlan {
    fn eq(&self, other: &Self) -> bool {
        (self.is_traced, &self.table_file) == (other.is_traced, &other.table_file)
    }
}

/// Reads both keys; the table itself is read by [`PathPlan::load`].
pub(super) fn path_plan(root: Table<'_>) -> PathPlan {
    let is_traced = root.get("path").and_then(Value::flag).unwrap_or(true);
    let value = root.get("networks");
    let file = value.and_then(|value| line(value, MAX_PATH, TABLE));
    PathPlan {
        is_traced,
        table_file: file.map(str::to_owned),
        position: value.map_or((0, 0), Value::position),
        table: None,
        skipped: Skipped::default(),
    }
}

impl PathPlan {
    /// Reads the table; its path starts from the directory of the plan. Returns a note if its last
    /// line has no end.
    pub(super) fn load(&mut self, plan: &Path) -> Result<Option<String>, Problems> {
        let Some(file) = &self.table_file else { return Ok(None) };
        let path = plan.parent().unwrap_or(Path::new("")).join(file);
        let name = path.display().to_string();
        let read = open(&path).and_then(|file| networks::Networks::read(&name, file));
        let (table, skipped) = read.map_err(|problems| {
            Problems::of_named(&plan.display().to_string(), self.position, problems)
        })?;
        let unended = table.unended().map(|line| fault_of_unended(&name, line));
        self.table = Some(Arc::new(table));
        self.skipped = skipped;
        Ok(unended)
    }

    /// Which network an address is in, as the table has it.
    pub fn networks(&self) -> Networks {
        let Some(table) = self.table.clone() else { return Networks::default() };
        Networks::new(move |address| {
            let found = table.lookup(address)?;
            Some(NetworkOf { asn: found.asn, name: found.name.unwrap_or_default().into() })
        })
    }
}

impl Plan {
    /// How much may be asked on paths.
    pub fn path_settings(&self) -> Settings {
        let settings = Settings::default();
        if self.budget == Budget::FRUGAL { settings.frugal() } else { settings }
    }

    /// Whose paths are traced, each to the addresses that `targets` gives of its block.
    pub fn traced_blocks(&self, mut targets: impl FnMut(u32) -> Vec<IpAddr>) -> Vec<TracedBlock> {
        let asn = |network| self.roster.network(network).asn;
        let traced = |(id, block): (u32, &lifesign_core::scopes::Block)| TracedBlock {
            prefix: block.prefix,
            country: block.country,
            asn: block.network.and_then(asn),
            targets: targets(id),
        };
        (0..).zip(&self.roster.blocks).map(traced).collect()
    }

    /// What paths cost, and what names them, for people.
    pub fn path_in_words(&self) -> String {
        if !self.path.is_traced {
            return "path: not traced".into();
        }
        let mut tracer = Tracer::new(self.path_settings(), 0, Time::default());
        let any = |id: u32| {
            let block = &self.roster.blocks[id as usize];
            vec![block.prefix.address()]
        };
        tracer.set_blocks(self.traced_blocks(any), Time::default());
        let rate = rate_in_words(tracer.calm_rate());
        let names = match (&self.path.table_file, &self.path.table) {
            (Some(file), Some(table)) => {
                let ranges = if table.len() == 1 { "range" } else { "ranges" };
                let skipped = match self.path.skipped.count {
                    0 => String::new(),
                    count => format!(", {count} lines left out"),
                };
                format!("{} {ranges} of {file}{skipped}", table.len())
            }
            _ => return format!("path: at most {rate} in calm; no table names networks"),
        };
        format!("path: at most {rate} in calm; networks named by {names}")
    }
}
