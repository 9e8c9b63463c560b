//! What the pages say and what they cannot say, for somebody who comes here for the first time.

use crate::{View, frame, text};
use lifesign_core::judge::State;
use maud::{Markup, html};

pub(crate) fn page(view: &View) -> Markup {
    let body = html! {
        section.country {
            h1 { "What does this mean?" }
            p {
                "lifesign asks known hosts in small networks, every few seconds, whether they can be "
                "reached from " b { (view.site.vantage) } ". An answer proves that a network was alive at "
                "that moment. Silence proves nothing at first: packets get lost. A network is called down "
                "only when chance would explain the silence in less than one case in a million."
            }
            h2 { "The words" }
            dl {
                @for state in State::ALL {
                    dt { (text::badge(state)) } dd { (text::meaning(state)) }
                }
                dt { "unstable" } dd { (text::UNSTABLE) }
                dt { "incident" }
                dd {
                    "everything from the first darkness until it has been seen to be well for a "
                    "day: outages, instability, and the recoveries in between"
                }
                dt { "block" } dd { "a range of neighbouring addresses, such as 175.45.176.0/24" }
                dt { "± 4 s" } dd { "the moment is known so closely, and no better" }
                dt { "not watched" } dd { "nobody was looking: neither good news nor bad" }
            }
            h2 { "What it cannot say" }
            ul.plain {
                li { "Why. A power cut, a cut cable, a filter and a decision look alike." }
                li {
                    "How it looks from elsewhere. Other places in the world may have reached it; where "
                    "the path broke is said of our own. A failure of our own connection is told apart, "
                    "as “we cannot tell”."
                }
                li { "What people inside could do: a network that is cut off may go on within." }
                li { "Anything of addresses that are not asked." }
            }
        }
    };
    frame::page(view, "What does this mean?", &body)
}
