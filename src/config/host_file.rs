//! Host files, which a plan names as `hosts_from`: a row a host, its columns what a host may have
//! in the plan itself.

use super::{
    Countries,
    hosts::Hosts,
    probes::{Probes, of_words},
    targets::{BlockTargets, Origin},
};
use lifesign_core::scopes::{Labels, Prefix};
use lifesign_document::{
    Cell, MAX_LABELS, MAX_PATH, Position, Sheet, Value, fault_of_label, fault_of_label_value, line,
    suggestion,
};
use std::{
    cell::Cell as Shared,
    collections::{BTreeMap, HashMap},
    path::{Component, Path},
};

/// A host file that was read, or that could not be.
pub(super) struct HostFile<'a> {
    value: Value<'a>,
    sheet: Sheet,
    /// None if there is no text of it, or its first line is wrong, or it was named before.
    pub rows: Option<Vec<Row<'a>>>,
}

/// The hosts of one row.
pub(super) struct Row<'a> {
    hosts: Hosts,
    /// How they are asked, if the row says so.
    probes: Option<Probes<'a>>,
    labels: Labels,
    position: Position,
}

/// What a column holds.
enum Column {
    Host,
    Probes,
    Label(String),
    /// What is wrong with it has been said.
    Wrong,
}

impl<'a> HostFile<'a> {
    /// Reads the file whose path this value is.
    pub fn read(value: Value<'a>, all: &mut Countries<'a>) -> Self {
        let path = line(value, MAX_PATH, "the path of a host file, such as \"kp.csv\"");
        let read = path.and_then(|path| {
            (all.read_file)(path).map_err(|problems| value.include(problems)).ok()
        });
        let (name, text) = read.clone().unwrap_or_default();
        let sheet = Sheet::new(&name);
        let is_new = read.is_some() && is_new(&name, value, all);
        let rows = if is_new { rows(&sheet, &text, all) } else { None };
        if rows.as_ref().is_some_and(Vec::is_empty) && !sheet.is_faulty() {
            value.note(&format!("no host in {name}; write one a line, or drop the key"));
        }
        Self { value, sheet, rows }
    }

    /// Notes what is wrong with it in the plan, and how many hosts it has.
    pub fn finish(self, all: &mut Countries<'a>) {
        let hosts = self.rows.iter().flatten().map(|row| row.hosts.count()).sum();
        all.host_files.push((self.sheet.name().to_owned(), hosts));
        if let Some(problems) = self.sheet.into_problems() {
            self.value.include(problems);
        }
    }

    /// Adds the hosts of a row to a block. `default` is for those that do not say how they are
    /// asked.
    pub fn add<'f>(
        &'f self,
        row: &Row<'a>,
        default: Option<&Probes<'a>>,
        targets: &mut BlockTargets<'f>,
        all: &mut Countries<'a>,
    ) {
        let origin = Origin::File(&self.sheet, row.position);
        match row.probes.as_ref().or(default) {
            Some(probes) => targets.add(&row.hosts, probes, &row.labels, origin, all),
            None => origin.note(
                "no probes for this host; add a column \"probes\", or in the plan \
                 probes = [\"icmp\"] for all of its block, its country or the plan",
            ),
        }
    }
}

/// Is this the first time that the plan names it? A line of it would be a host twice.
fn is_new(name: &str, value: Value<'_>, all: &mut Countries<'_>) -> bool {
    let path = Path::new(name).components().filter(|part| *part != Component::CurDir).collect();
    if let Some(line) = all.named_files.get(&path) {
        value.note(&format!(
            "{name} is named on line {line} already; name it once, in the country if it has hosts \
             of several blocks"
        ));
        return false;
    }
    all.named_files.insert(path, value.line());
    true
}

/// None if the first line is wrong, and so would be all others.
fn rows<'a>(sheet: &Sheet, text: &str, all: &mut Countries<'a>) -> Option<Vec<Row<'a>>> {
    let mut is_wrong = false;
    let mut columns: Option<Vec<Column>> = None;
    let mut probes: HashMap<String, Probes<'a>> = HashMap::new();
    let mut labels = (BTreeMap::new(), Labels::default());
    let mut rows = Vec::new();
    sheet.rows(text, |cells| {
        if is_wrong {
            return;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None if cells.iter().any(|cell| cell.text == "host") => {
                columns = Some(header(sheet, cells));
                return;
            }
            None if is_host_like(sheet, cells) => columns.insert(vec![Column::Host]),
            None => {
                is_wrong = true;
                return;
            }
        };
        rows.extend(row(sheet, columns, cells, &mut probes, &mut labels, all));
    });
    rows.shrink_to_fit();
    (!is_wrong).then_some(rows)
}

/// Does the first line of a file without names of columns begin with a host? If not, says what is
/// wrong with it.
fn is_host_like(sheet: &Sheet, cells: &[Cell<'_>]) -> bool {
    let Cell { text, position } = cells[0];
    if text.contains([';', '\t', '|', ' ']) {
        let what = "columns are parted by commas, as in host,probes; save the file so";
        sheet.note(position, &format!("{text:?} is no host and no name of a column; {what}"));
        return false;
    }
    // A name alone is rather that of a column.
    if text.contains(['.', ':']) {
        return true;
    }
    let meant = cells.iter().find(|cell| cell.text.eq_ignore_ascii_case("host"));
    match meant {
        Some(cell) => {
            let text = format!("{:?} is no name of a column; write \"host\"", cell.text);
            sheet.note(cell.position, &text);
        }
        None => sheet.note(
            position,
            &format!(
                "{text:?} is no host and no name of the column of hosts; write \"host\", or a \
                 host with its domain"
            ),
        ),
    }
    false
}

fn header(sheet: &Sheet, cells: &[Cell<'_>]) -> Vec<Column> {
    let is_label = |cell: &&Cell<'_>| cell.text.starts_with("labels.");
    if let Some(cell) = cells.iter().filter(is_label).nth(MAX_LABELS) {
        sheet.note(cell.position, &format!("a label too many; {MAX_LABELS} at most"));
    }
    let column = |(number, cell): (usize, &Cell<'_>)| {
        let note = |text: &str| sheet.note(cell.position, text);
        if cells[..number].iter().any(|before| before.text == cell.text) {
            note(&format!("column {:?} is there twice; keep one of them", cell.text));
            return Column::Wrong;
        }
        match (cell.text, cell.text.strip_prefix("labels.")) {
            ("host", _) => Column::Host,
            ("probes", _) => Column::Probes,
            (_, Some(name)) => {
                if let Some(fault) = fault_of_label(name, None) {
                    note(&fault);
                }
                Column::Label(name.to_owned())
            }
            (other, None) => {
                let meant = suggestion(other, &["host", "probes", "labels.NAME"]);
                note(&format!("unknown column {other:?}; {meant}"));
                Column::Wrong
            }
        }
    };
    cells.iter().enumerate().map(column).collect()
}

/// One row, if it names a host. `labels` are those of the row before: most rows have the same.
fn row<'a>(
    sheet: &Sheet,
    columns: &[Column],
    cells: &[Cell<'_>],
    known_probes: &mut HashMap<String, Probes<'a>>,
    labels: &mut (BTreeMap<String, String>, Labels),
    all: &mut Countries<'a>,
) -> Option<Row<'a>> {
    let mut host = None;
    let mut probes = None;
    let mut own_labels = BTreeMap::new();
    for (column, cell) in columns.iter().zip(cells) {
        let note = |text: &str| sheet.note(cell.position, text);
        match column {
            Column::Host if cell.text.is_empty() => {
                note("no host in this line; write one, or drop the line");
            }
            Column::Host => match Hosts::parse(cell.text) {
                Ok(hosts) => host = Some((hosts, cell.position)),
                Err(fault) => note(&fault),
            },
            _ if cell.text.is_empty() => {}
            Column::Probes => {
                probes = known_probes.get(cell.text).cloned();
                if probes.is_none() {
                    match of_words(cell.text, &mut all.short_forms) {
                        Ok(new) => {
                            known_probes.insert(cell.text.to_owned(), new.clone());
                            probes = Some(new);
                        }
                        Err(fault) => note(&fault),
                    }
                }
            }
            Column::Label(name) => {
                if let Some(fault) = fault_of_label_value(cell.text) {
                    note(&format!("{name:?} {fault}; write a text, such as Star JV"));
                }
                own_labels.insert(name.clone(), cell.text.to_owned());
            }
            Column::Wrong => {}
        }
    }
    let more = cells.get(columns.len()..).unwrap_or_default();
    if let Some(cell) = more.iter().find(|cell| !cell.text.is_empty()) {
        sheet.note(
            cell.position,
            match columns {
                [_] => {
                    "a second column, which the first line does not name; begin with a line such \
                     as host,probes"
                }
                _ => "more columns than the first line names; put what has a comma into quotes",
            },
        );
    }
    if own_labels != labels.0 {
        *labels = (own_labels.clone(), Labels::from(own_labels));
    }
    let (hosts, position) = host?;
    Some(Row { hosts, probes, labels: labels.1.clone(), position })
}

/// The host file of a country, whose hosts go to the block that holds them.
pub(super) struct ByPrefix<'a> {
    file: HostFile<'a>,
    /// Indices of the rows that name addresses, by the first of them.
    by_address: Vec<u32>,
    /// By index of the row: has a block taken its hosts?
    is_taken: Vec<Shared<bool>>,
}

impl<'a> ByPrefix<'a> {
    pub fn new(file: HostFile<'a>) -> Self {
        let rows = file.rows.as_deref().unwrap_or_default();
        let first = |index: &u32| rows[*index as usize].hosts.ends().map(|(first, _)| first);
        let mut by_address: Vec<u32> = (0..rows.len() as u32).collect();
        by_address.retain(|index| first(index).is_some());
        by_address.sort_by_key(first);
        let is_taken = vec![Shared::new(false); rows.len()];
        Self { file, by_address, is_taken }
    }

    /// Adds the hosts of a block, in the order of the file. How many rows they have; None if that
    /// cannot be known.
    pub fn add<'f>(
        &'f self,
        prefix: &Prefix,
        default: Option<&Probes<'a>>,
        targets: &mut BlockTargets<'f>,
        all: &mut Countries<'a>,
    ) -> Option<usize> {
        let rows = self.file.rows.as_deref()?;
        let first = |index: u32| rows[index as usize].hosts.ends().map(|(first, _)| first);
        let begin = self.by_address.partition_point(|&index| first(index) < Some(prefix.address()));
        let is_in = |index: &&u32| first(**index).is_some_and(|first| prefix.contains(first));
        let mut own: Vec<u32> =
            self.by_address[begin..].iter().take_while(is_in).copied().collect();
        own.sort_unstable();
        for &index in &own {
            self.is_taken[index as usize].set(true);
            self.file.add(&rows[index as usize], default, targets, all);
        }
        (!self.file.sheet.is_faulty()).then_some(own.len())
    }

    /// The file's name in problems.
    pub fn name(&self) -> &str {
        self.file.sheet.name()
    }

    /// Notes what is wrong with it, and the hosts that no block has taken.
    pub fn finish(self, all: &mut Countries<'a>) {
        let rows = self.file.rows.iter().flatten();
        for (row, _) in rows.zip(&self.is_taken).filter(|(_, is_taken)| !is_taken.get()) {
            let Row { hosts, position, .. } = row;
            self.file.sheet.note(*position, &match hosts.ends() {
                Some(_) => format!(
                    "{hosts} lies in no block of this country; add a block that holds it, or drop \
                     the line"
                ),
                None => format!(
                    "{hosts} is a name, which says nothing of its block; write it in the plan, or \
                     in a host file of the block"
                ),
            });
        }
        self.file.finish(all);
    }
}
