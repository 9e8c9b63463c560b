//! Episodes as a table for people. An open episode is listed up to when it was observed
//! ([`super::StoreReader::observed_until`]).

use lifesign_core::{duration::duration_text, scopes::Maintenance, time::Time};
use lifesign_incident::{
    Episode,
    story::{edge_text, length_text, time_text},
};
use std::fmt::Write as _;

/// A table for people, one episode a line; times in UTC.
pub fn text(episodes: &[Episode], observed_until: Time) -> String {
    let mut rows = vec![
        ["SCOPE", "STATE", "BEGAN (UTC)", "ENDED (UTC)", "LASTED", "NOT SEEN", "PLANNED"]
            .map(str::to_owned),
    ];
    rows.extend(episodes.iter().map(|episode| {
        let unseen =
            if episode.unseen.is_zero() { "-".into() } else { duration_text(episode.unseen) };
        let end = match (episode.end, episode.paused) {
            (Some(end), _) if episode.is_left() => edge_text(end) + ", then not watched",
            (Some(end), _) => edge_text(end),
            (None, None) => format!("still so at {}", time_text(observed_until)),
            (None, Some(paused)) => format!("not seen since {}", time_text(paused)),
        };
        [
            episode.full_name().to_string(),
            episode.state.to_string(),
            edge_text(episode.begin),
            end,
            length_text(episode.span(), observed_until),
            unseen,
            episode.planned.as_ref().map_or("-", planned_text).to_owned(),
        ]
    }));
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().fold(String::new(), |mut text, row| {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    })
}

/// What was planned; `yes` if no reason was given.
pub(super) fn planned_text(window: &Maintenance) -> &str {
    window.reason.as_deref().unwrap_or("yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::Edge;
    use lifesign_incident::fixtures::{at, outage};

    fn over() -> Episode {
        outage("KP", Some(34_270))
    }

    #[test]
    fn an_episode_is_a_line_that_says_how_sure_it_is() {
        let table = text(&[over()], at(0));
        let line = table.lines().nth(1).unwrap_or_default();
        for part in [
            "KP",
            "outage",
            "2014-12-22 16:15:02 ± 2 s",
            "01:46:08 ± 2 s",
            "9 h 31 min ± 4 s",
            "1 min 30 s",
        ] {
            assert!(line.contains(part), "{part}: {table}");
        }
        let open = Episode { end: None, begin: Edge { earliest: None, latest: at(4) }, ..over() };
        let table = text(&[open], at(64));
        assert!(
            table.contains(
                "before 2014-12-22 16:15:04  still so at 2014-12-22 16:16:04  over 1 min so far"
            ),
            "{table}"
        );
    }

    #[test]
    fn what_was_planned_says_so_and_why() {
        let mut planned =
            Maintenance { from: at(0), to: at(3600), reason: Some("new cable".into()) };
        let episode = [Episode { planned: Some(planned.clone()), ..over() }];
        assert!(text(&episode, at(0)).ends_with("1 min 30 s  new cable\n"));
        planned.reason = None;
        let episode = Episode { planned: Some(planned), ..over() };
        assert!(text(&[episode], at(0)).ends_with("  yes\n"));
        assert!(text(&[over()], at(0)).ends_with("  -\n"));
    }

    #[test]
    fn a_network_is_named_within_its_country() {
        assert!(
            text(&[outage("KP/Star JV", Some(34_270))], at(0)).contains("\nKP Star JV  outage")
        );
    }
}
