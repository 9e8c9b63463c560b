//! Exit codes, from sysexits.h.

/// The command did what it was asked for.
pub const OK: u8 = 0;
/// A simulation was not as its scenario expects.
pub const NOT_AS_EXPECTED: u8 = 1;
/// The arguments are wrong, or contradict each other: as the parser of arguments has it.
pub const USAGE: u8 = 2;
/// Data that were given are missing or wrong: a journal, a store, a record to import, events, what
/// a plan is made from. Or they hold nothing of the period or scope asked for.
pub const DATA: u8 = 65;
/// A port or the state directory is in use by another program, or no answer came: to `status`, from
/// a Prometheus, or from a resolver.
pub const UNAVAILABLE: u8 = 69;
/// An internal error, or one of the operating system.
pub const SOFTWARE: u8 = 70;
/// An output file, standard output or a store cannot be written, or is there already.
pub const CANNOT_CREATE: u8 = 73;
/// No permission to listen on an address, to write the journal, to read the store, or to begin a
/// run at all.
pub const PERMISSION: u8 = 77;
/// A plan, a file that it names, a scenario, or the configuration of the web or of `status` is
/// missing or wrong.
pub const CONFIG: u8 = 78;
/// SIGINT ended a command that writes files; a shell says 128 and the number of the signal.
pub const INTERRUPTED: u8 = 130;
/// SIGTERM did.
pub const TERMINATED: u8 = 143;
