//! Outcomes: a row is a line of a journal, and a column is a key of it, with the same meaning; and
//! where the target lies.

use super::{
    column::{Cell, Column, Kind},
    hourly::{ExportError, HourlyFiles},
};
use lifesign_core::{
    outcome::Event,
    scopes::{Roster, Target, TargetId},
    watch::EventRecord,
};
use lifesign_journal::{Code, JournalLine};
use std::path::Path;

const COLUMNS: [Column; 20] = [
    Column::of("sent", Kind::Time),
    Column::of("seen", Kind::Time),
    Column::nullable("country", Kind::Text),
    Column::nullable("network", Kind::Text),
    Column::nullable("block", Kind::Text),
    Column::nullable("host", Kind::Text),
    Column::nullable("address", Kind::Text),
    Column::of("probe", Kind::Text),
    Column::of("result", Kind::Text),
    Column::nullable("rtt_ms", Kind::Number),
    Column::nullable("from", Kind::Text),
    Column::nullable("hop_limit", Kind::Whole),
    Column::nullable("icmp_type", Kind::Whole),
    Column::nullable("icmp_code", Kind::Whole),
    Column::nullable("rcode", Kind::Whole),
    Column::nullable("why", Kind::Text),
    Column::of("overdue", Kind::Flag),
    Column::of("unreachable", Kind::Flag),
    Column::of("trap", Kind::Flag),
    Column::of("unexpected", Kind::Flag),
];

/// What a target is called, and where it lies.
struct TargetNames {
    host: String,
    country: String,
    network: Option<String>,
    block: String,
}

/// The table of outcomes, in `outcomes/`.
pub struct Outcomes {
    files: HourlyFiles,
    /// By `TargetId`.
    targets: Vec<TargetNames>,
}

impl Outcomes {
    /// In this directory, which is made. It is an error if outcomes are there already.
    pub fn create(directory: &Path) -> Result<Self, ExportError> {
        let files = HourlyFiles::create(directory, "outcomes", &COLUMNS)?;
        Ok(Self { files, targets: Vec::new() })
    }

    /// The lines that follow are read with this plan.
    pub fn replan(&mut self, roster: &Roster) {
        let names = |target: &Target| {
            let block = roster.block(target.block);
            TargetNames {
                host: target.host.to_string(),
                country: roster.country(block.country).code.clone(),
                network: block.network.map(|id| roster.network(id).name.clone()),
                block: block.prefix.to_string(),
            }
        };
        self.targets = roster.targets.iter().map(names).collect();
    }

    /// Adds a line of the journal, which makes this record.
    pub fn add(&mut self, line: &JournalLine, record: &EventRecord) -> Result<(), ExportError> {
        let (sent, target) = match record.event {
            Event::Outcome(outcome) => (outcome.sent, Some(outcome.target)),
            Event::Control(control) => (control.sent, None),
            Event::Stray(stray) => (stray.seen, stray.target),
            Event::Gap(from) => (from, None),
            Event::Replan => (record.seen, None),
        };
        let target = target.and_then(|TargetId(id)| self.targets.get(id as usize));
        let [address, from] = [line.address, line.from].map(|ip| ip.map(|ip| ip.to_string()));
        let (icmp, rcode) = match line.code {
            Some(Code::Icmp(pair)) => (Some(pair), None),
            Some(Code::Rcode(rcode)) => (None, Some(rcode)),
            None => (None, None),
        };
        let whole = |number: Option<u16>| number.map_or(Cell::Null, Cell::Whole);
        let row = [
            Cell::Time(sent),
            Cell::Time(record.seen),
            target.map(|target| &*target.country).into(),
            target.and_then(|target| target.network.as_deref()).into(),
            target.map(|target| &*target.block).into(),
            target.map(|target| &*target.host).or(line.host.as_deref()).into(),
            address.as_deref().into(),
            Cell::Text(&line.probe),
            Cell::Text(&line.result),
            line.rtt_ms.map_or(Cell::Null, Cell::Number),
            from.as_deref().into(),
            whole(line.hop_limit.map(u16::from)),
            whole(icmp.map(|[kind, _]| kind.into())),
            whole(icmp.map(|[_, code]| code.into())),
            whole(rcode),
            line.why.as_deref().into(),
            Cell::Flag(line.overdue),
            Cell::Flag(line.unreachable),
            Cell::Flag(line.trap),
            Cell::Flag(line.unexpected),
        ];
        self.files.add(record.seen, row)
    }

    /// Ends the last file.
    pub fn end(mut self) -> Result<HourlyFiles, ExportError> {
        self.files.close()?;
        Ok(self.files)
    }
}
