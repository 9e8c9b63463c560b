//! Enums whose variants have names in metrics, journal and JSON.

/// An enum whose variants have names.
#[macro_export]
macro_rules! labelled {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every one, in the order in which metrics list them.
            pub const ALL: [$name; [$($name::$variant,)*].len()] = [$($name::$variant,)*];

            /// Its name in metrics, journal and JSON.
            pub const fn label(self) -> &'static str {
                match self { $($name::$variant => $label,)* }
            }

            /// The one with this name.
            pub fn from_label(label: &str) -> Option<Self> {
                match label { $($label => Some($name::$variant),)* _ => None }
            }
        }
    };
}
