//! Enums whose variants have names in metrics, journal and JSON.

/// An enum of `N` variants, each with a name: what [`labelled!`](crate::labelled) declares.
pub trait Labelled<const N: usize>: Copy {
    /// Every one, in the order in which metrics list them.
    const EACH: [Self; N];

    /// Its place in [`Labelled::EACH`].
    fn index(self) -> usize;
}

/// Declares an enum whose variants have names.
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

        impl $crate::labels::Labelled<{ $name::ALL.len() }> for $name {
            const EACH: [$name; $name::ALL.len()] = $name::ALL;

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
