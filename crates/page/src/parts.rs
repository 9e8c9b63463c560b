//! The networks and blocks of a country or a network: a row each, and more of those that are open.
//! Where the address names none, those blocks are open whose state is not that of the whole; while
//! that lives, not those that are well.

use crate::{Query, StripSize, View, hosts, past, strip, text, tiles};
use lifesign_core::{
    judge::State,
    scopes::{BlockId, Level, NetworkId, Scope},
    watch::Window,
};
use lifesign_incident::story::age_text;
use maud::{Markup, html};

/// More blocks than this are not told one by one: on a page they are tiles.
pub const MOST_BLOCKS: usize = 100;

/// What lies in a scope.
pub(crate) fn render(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let blocks = roster.blocks_of(scope);
    let networks = match scope {
        Scope::Country(id) => roster.country(id).networks.clone(),
        Scope::Network(_) | Scope::Block(_) => 0..0,
    };
    let direct = match scope {
        Scope::Country(id) => roster.direct_blocks(id),
        Scope::Network(_) | Scope::Block(_) => blocks.clone(),
    };
    let open = Open::of(view, scope);
    html! {
        h3 {
            @if !networks.is_empty() { (counted(networks.len(), "network")) ", " }
            (counted(blocks.len(), "block"))
        }
        @if blocks.len() > MOST_BLOCKS {
            @for id in networks { (row(view, &open, Scope::Network(NetworkId(id)))) }
            (tiles::render(view, &blocks))
        } @else {
            @for id in direct { (row(view, &open, Scope::Block(BlockId(id)))) }
            @for id in networks {
                @let network = roster.network(NetworkId(id));
                section.network aria-label=(network.name) {
                    (row(view, &open, Scope::Network(NetworkId(id))))
                    @for id in network.blocks.clone() {
                        (row(view, &open, Scope::Block(BlockId(id))))
                    }
                }
            }
        }
    }
}

/// Which rows are open.
struct Open(Vec<String>);

impl Open {
    fn of(view: &View, parent: Scope) -> Self {
        if let Some(named) = &view.address.query.open {
            return Self(named.clone());
        }
        let roster = &view.snapshot.roster;
        let state = |scope: Scope| view.snapshot.scope(scope).verdict.state;
        let below = roster.below(roster.scope_id(parent)).map(|id| roster.scope(id));
        let is_many = roster.blocks_of(parent).len() > MOST_BLOCKS;
        let differ = below
            .filter(|&scope| !is_many && scope.level() == Level::Block)
            .filter(|&scope| state(scope) != state(parent))
            // Where a part is silent, those that are well are what nobody has to look at.
            .filter(|&scope| !state(parent).is_alive() || state(scope) != State::Up);
        Self(differ.map(|scope| roster.full_name_of(scope)).collect())
    }

    /// The query that opens this row, or closes it.
    fn toggled(&self, view: &View, name: &str) -> Query {
        let mut names = self.0.clone();
        match names.iter().position(|each| each == name) {
            Some(at) => drop(names.remove(at)),
            None => names.push(name.to_owned()),
        }
        Query { open: Some(names), ..view.address.query.clone() }
    }
}

fn row(view: &View, open: &Open, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let seen = view.snapshot.scope(scope);
    let verdict = &seen.verdict;
    let name = match scope {
        Scope::Network(id) => roster.network(id).to_string(),
        Scope::Block(_) | Scope::Country(_) => roster.name_of(scope),
    };
    let id = match scope {
        Scope::Network(id) => format!("network-{}", id.0),
        Scope::Block(id) => format!("block-{}", id.0),
        Scope::Country(id) => format!("country-{}", id.0),
    };
    let full_name = roster.full_name_of(scope);
    let is_open = open.0.contains(&full_name);
    let link = view.address.with(roster, &open.toggled(view, &full_name));
    let verb = if is_open { "less" } else { "more" };
    html! {
        div.part id=(id) {
            a.toggle href={ (link) "#" (id) } aria-label={ (verb) " of " (name) } {
                @if is_open { "▾" } @else { "▸" }
            }
            span.name {
                a href=(view.address.to_scope(roster, scope)) { (name) } (text::labels(roster.labels_of(scope)))
            }
            (text::badge(verdict.state))
            span.for { "for " (age_text(past::since(view, scope), view.now())) }
            span.answers { (verdict.hosts.now) "/" (verdict.hosts.usual) " hosts" }
            (strip::render(view, scope, StripSize::Small))
            (view.planned(scope))
            @if is_open { div.more { (more(view, scope)) } }
        }
    }
}

/// What an open row says.
fn more(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let seen = view.snapshot.scope(scope);
    let zone = roster.country_of(scope).timezone.as_ref();
    let lately = Window::FiveMinutes;
    let window = &seen.windows[lately];
    html! {
        p.evidence {
            "since " (text::edge_there(past::since(view, scope), zone)) "; "
            (view.evidence(&seen.verdict, zone))
        }
        p.quiet {
            "over " (lately.label()) ": " (text::percent(window.loss)) " lost, median round trip "
            (text::milliseconds(window.median())) "; " (text::hosts(seen.verdict.hosts))
        }
        @if let Scope::Block(id) = scope {
            (hosts::render(view, roster.block(id), seen))
            (probes(view, id))
        }
    }
}

/// How many probes of a block were answered.
pub(crate) fn probes(view: &View, id: BlockId) -> Markup {
    let counts = || view.snapshot.kinds_of(id).iter().map(|kind| &kind.counts);
    let sent: u64 = counts().map(|count| count.sent).sum();
    let answered: u64 = counts().map(|count| count.reply + count.refused + count.late).sum();
    html! { p.quiet { (sent) " probes, " (answered) " answered" } }
}

pub(crate) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
