//! The report's last part: how it was measured, and what one vantage cannot know.

use super::ReportData;
use lifesign_core::duration::duration_text;
use maud::{Markup, html};

pub(super) fn method(data: &ReportData) -> Markup {
    let unwatched = data.unwatched();
    html! {
        h2 { "How it was measured" }
        p {
            @match &data.remarks.recorded {
                Some(recorded) => {
                    "Another prober asked hosts in the country's address blocks, and lifesign "
                    "judged what it recorded: " (recorded) "."
                }
                None => {
                    "lifesign asks known hosts in each of the country's address blocks, every few "
                    "seconds, by ICMP echo, TCP or DNS."
                }
            }
            " An answer proves that the host's block could be reached "
            "when it was asked. A verdict of "
            b { "down" } " needs so many misses that chance is out of the question, given how "
            "often the same hosts miss otherwise: odds of a million to one. " b { "Outage" }
            " is a longer darkness without one answer; "
            b { "flapping" } " is at least three darknesses in quick succession, and "
            b { "unstable" } " all of such a time, from its first darkness to the last. A begin or an end "
            "is an interval: from the last proof of the one state to the first sufficient proof of "
            "the other. Its middle is given, and how far either side lies from it."
        }
        p { "Seen from: " (data.vantages()) ". "
            @if data.remarks.recorded.is_none() { "Runs in this time: " (data.runs.len()) ". " }
            @if unwatched.is_zero() { "It was watched without a break." }
            @else {
                "For " (duration_text(unwatched))
                " of it nobody watched; the timeline is a thin line there, or a hatched outage "
                "that had not ended."
            } }
        h2 { "What one vantage cannot know" }
        ul {
            li {
                "That the hosts did not answer, not why: a power cut, a cut cable, a filter and a "
                "decision look alike."
            }
            li {
                "On which way a path broke, there or back, and at which router: a place is what "
                "lies beyond the last that answered us. From elsewhere the country may have been "
                "reachable. A failure of the prober's own connection can be told apart only where "
                "the plan named controls, hosts beside it that answer whenever it works; an "
                "imported record has none."
            }
            li {
                "What people inside could do: a network that is cut off from the world may go on "
                "within."
            }
            li { "Anything of addresses that were not asked." }
        }
    }
}
