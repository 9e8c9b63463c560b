//! The colours of light.css for what is drawn without a style sheet.

const CSS: &str = include_str!("light.css");

/// The colour of this name, as `#14683f`; None if there is none.
pub fn light(name: &str) -> Option<&'static str> {
    CSS.split_once(&format!("--{name}: "))?.1.split(';').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::State;

    #[test]
    fn each_state_has_a_colour_for_its_word_and_one_for_its_area() {
        for state in State::ALL {
            for name in [state.label().to_owned(), format!("{state}-fill")] {
                let colour = light(&name).unwrap_or_else(|| panic!("{name}"));
                assert!(colour.starts_with('#') && colour.len() == 7, "{name}: {colour}");
            }
        }
        assert_eq!(light("up"), Some("#14683f"));
        assert_eq!(light("well"), None);
    }
}
