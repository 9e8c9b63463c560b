//! Files of kinds that nothing here reads, by what they begin with.

/// What editors of Windows put before a text in UTF-8: a byte order mark.
const MARK: &str = "\u{feff}";

/// The text behind a byte order mark, if it has one.
pub fn behind_mark(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// How many bytes of what a file begins with are a byte order mark.
pub fn mark_length(head: &[u8]) -> usize {
    if head.starts_with(MARK.as_bytes()) { MARK.len() } else { 0 }
}

/// So much of a file says what it is.
pub const HEAD: usize = 16 << 10;

const PCAP: &str = "a packet capture (pcap), packets and no results";
const UTF16: &str = "text in UTF-16; save it as UTF-8";

/// What they begin with, and what they are.
const KINDS: [(&[u8], &str); 18] = [
    (b"\xd4\xc3\xb2\xa1", PCAP),
    (b"\xa1\xb2\xc3\xd4", PCAP),
    (b"\x4d\x3c\xb2\xa1", PCAP),
    (b"\xa1\xb2\x3c\x4d", PCAP),
    (b"\x0a\x0d\x0d\x0a", "a packet capture (pcapng), packets and no results"),
    (b"\x1f\x8b", "packed with gzip; unpack it by gunzip"),
    (b"BZh", "packed with bzip2; unpack it by bunzip2"),
    (b"\xfd7zXZ\0", "packed with xz; unpack it by unxz"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard; unpack it by unzstd"),
    (b"PK\x03\x04", "a ZIP archive; unpack it by unzip"),
    (b"SQLite format 3\0", "a database of SQLite"),
    (b"PAR1", "a Parquet file"),
    (b"\x12\x05\0", "a file of scamper's (warts); write it as JSON by sc_warts2json"),
    (b"RRD\0", "a round robin database, which keeps means and no probes"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", UTF16),
    (b"\xfe\xff", UTF16),
];

/// What a file that begins so is, if it is one that nothing here reads; to be put behind `this is`.
pub fn foreign(head: &[u8]) -> Option<&'static str> {
    let known = KINDS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what);
    let has_zeros = head.contains(&0);
    known.or_else(|| has_zeros.then_some("no text, for it has zero bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_of_files_are_named() {
        for (head, wanted) in [
            (&b"\xd4\xc3\xb2\xa1\x02\0"[..], Some("a packet capture (pcap)")),
            (b"\x1f\x8b\x08\0", Some("packed with gzip; unpack it by gunzip")),
            (b"SQLite format 3\0\x10", Some("a database of SQLite")),
            (b"\xff\xfeh\0", Some("text in UTF-16")),
            (b"abc\0", Some("no text, for it has zero bytes")),
            (b"\0", Some("no text, for it has zero bytes")),
            (b"", None),
            ("interval = \"1s\" # é".as_bytes(), None),
        ] {
            let found = foreign(head);
            let is_right = found.is_some() == wanted.is_some()
                && found.unwrap_or_default().starts_with(wanted.unwrap_or_default());
            assert!(is_right, "{head:?}: {found:?}");
        }
    }
}
