//! Files of the repository that hold what the program makes. `LIFESIGN_REWRITE=1 cargo test` writes
//! them anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The file holds what was just made.
pub fn same_as_file(name: &str, made: &str) {
    if std::env::var_os("LIFESIGN_REWRITE").is_some() {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), made).unwrap();
    }
    let wanted = text(name);
    for (number, (made, wanted)) in made.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(made, wanted, "{name}:{}; LIFESIGN_REWRITE=1 writes it anew", number + 1);
    }
    assert_eq!(
        made.len(),
        wanted.len(),
        "{name} has another length; LIFESIGN_REWRITE=1 writes it anew"
    );
}
