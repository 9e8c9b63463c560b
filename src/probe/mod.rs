//! Probing: from [`crate::outcome::Due`] to [`crate::outcome::Event`].
