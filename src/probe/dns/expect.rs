//! The data that a plan expects of a DNS answer: refused if no answer can have it.

use hickory_proto::rr::{Name, RData, RecordType};

/// What is wrong with data that no answer to a question for this type can have, in the form in
/// which data is compared; None where nothing is.
pub(super) fn problem(record: RecordType, text: &str) -> Option<String> {
    // Whatever is asked for, the answer may be an alias (RFC 1034 §3.6.2).
    if text.ends_with('.') && !text.contains(' ') && text.parse::<Name>().is_ok() {
        return None;
    }
    let (example, names): (_, &[usize]) = match record {
        RecordType::A => ("192.0.2.1", &[]),
        RecordType::AAAA => ("2001:db8::1", &[]),
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::ANAME => {
            ("ns1.example.net.", &[0])
        }
        RecordType::MX => ("10 mail.example.net.", &[1]),
        RecordType::SRV => ("0 5 5060 sip.example.net.", &[3]),
        RecordType::SOA => ("ns1.example.net. admin.example.net. 1 3600 600 86400 300", &[0, 1]),
        RecordType::CAA => ("0 issue \"ca.example.net\"", &[]),
        RecordType::HTTPS | RecordType::SVCB => ("1 www.example.net. alpn=h2,", &[1]),
        RecordType::NAPTR => ("10 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.net.", &[5]),
        RecordType::TLSA | RecordType::SMIMEA => ("3 1 1 0b9fa5a59eed715c", &[]),
        RecordType::SSHFP => ("4 2 0b9fa5a59eed715c", &[]),
        RecordType::CSYNC => ("66 3 A NS AAAA", &[]),
        RecordType::OPENPGPKEY => ("mQENBFVHm5s=", &[]),
        // Texts without a form of their own (RFC 1035 §3.3.2, §3.3.14).
        RecordType::TXT | RecordType::HINFO => return None,
        _ => {
            return Some(format!(
                "the data of {record} records has no text form here; drop it, or ask for another \
                 type"
            ));
        }
    };
    let fields = text.split(' ').enumerate();
    let dotted = fields.map(|(field, word)| {
        if names.contains(&field) && !word.ends_with('.') {
            format!("{word}.")
        } else {
            word.into()
        }
    });
    match RData::try_from_str(record, &dotted.collect::<Vec<String>>().join(" ")) {
        Err(_) => {
            Some(format!("no {record} record has the data {text:?}; write such as {example:?}"))
        }
        Ok(data) => {
            let data = data.to_string();
            let differs = !data.eq_ignore_ascii_case(text);
            differs.then(|| format!("answers never say {text:?}; write {data:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_no_problem() {
        for record in [
            "A",
            "AAAA",
            "NS",
            "CNAME",
            "PTR",
            "ANAME",
            "MX",
            "SRV",
            "SOA",
            "CAA",
            "HTTPS",
            "SVCB",
            "NAPTR",
            "TLSA",
            "SMIMEA",
            "SSHFP",
            "CSYNC",
            "OPENPGPKEY",
        ] {
            let record = record.parse().unwrap();
            let found = problem(record, "?").expect("a problem");
            let (_, example) = found.split_once("write such as ").expect("an example");
            let example: String = serde_json::from_str(example).unwrap();
            assert_eq!(problem(record, &example), None, "{record}");
        }
    }

    #[test]
    fn what_an_answer_can_have_is_let_through_and_nothing_else() {
        for (record, text, wanted) in [
            ("A", "192.0.2.1", None),
            ("A", "alias.example.net.", None),
            ("A", "192.0.2.256", Some("write such as \"192.0.2.1\"")),
            ("A", "192.0.2.1 ", Some("write \"192.0.2.1\"")),
            ("A", "2001:db8::1", Some("no A record has")),
            ("A", "alias.example.net", Some("no A record has")),
            ("AAAA", "2001:DB8::1", None),
            ("AAAA", "2001:db8:0::1", Some("write \"2001:db8::1\"")),
            ("NS", "NS1.kptc.kp.", None),
            ("NS", "ns1.kptc.kp", Some("write \"ns1.kptc.kp.\"")),
            ("MX", "10 mail.example.net.", None),
            ("MX", "10 mail.example.net", Some("write \"10 mail.example.net.\"")),
            ("MX", "ten mail.example.net.", Some("no MX record has")),
            ("SOA", "a. b. 1 3600 600 86400 300", None),
            ("SOA", "a. b 1 3600 600 86400 300", Some("write \"a. b. 1 3600 600 86400 300\"")),
            ("SRV", "0 5 5060 sip.example.net.", None),
            ("TXT", "whatever it is", None),
            ("HINFO", "RFC8482 ", None),
            ("CAA", "0 issue \"ca.example.net\"", None),
            ("CAA", "0 issue ca.example.net", Some("write \"0 issue \\\"ca.example.net\\\"\"")),
            ("CAA", "hello", Some("no CAA record has")),
            ("HTTPS", "1 . alpn=h2,", None),
            ("HTTPS", "1 . alpn=h2", Some("write \"1 . alpn=h2,\"")),
            ("HTTPS", "x", Some("no HTTPS record has")),
            ("NAPTR", "10 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.net.", None),
            ("TLSA", "3 1 1 0123456789abcdef", None),
            ("TLSA", "3 1 1 xyz", Some("no TLSA record has")),
            ("SSHFP", "x", Some("no SSHFP record has")),
            ("DS", "hello", Some("the data of DS records has no text form here")),
            ("DS", "alias.example.net.", None),
            ("DNSKEY", "x", Some("no text form")),
            ("CERT", "x", Some("no text form")),
            ("ANY", "x", Some("no text form")),
        ] {
            let found = problem(record.parse().unwrap(), text);
            match wanted {
                None => assert_eq!(found, None, "{record} {text}"),
                Some(wanted) => {
                    let found = found.unwrap_or_else(|| panic!("{record} {text}"));
                    assert!(found.contains(wanted), "{record} {text}: {found}");
                }
            }
        }
    }
}
