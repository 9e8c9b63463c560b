//! The data that a plan expects of a DNS answer: how it is compared, and refused if no answer can
//! have it.

use hickory_proto::rr::{Name, RData, RecordType};

/// Data of such a record, as `dig` or hickory-proto shows it, in the form in which it is compared:
/// without quotes, escapes and blanks, and in lower case.
pub fn compared(record: RecordType, text: &[u8]) -> Vec<u8> {
    let has_lists = matches!(record, RecordType::HTTPS | RecordType::SVCB);
    let mut compared = Vec::new();
    for word in text.split(|&byte| byte == b' ') {
        for &byte in word {
            match byte {
                b'"' | b'\\' => {}
                b'!'..=b'~' => compared.push(byte.to_ascii_lowercase()),
                // As in an escape (RFC 1035 §5.1).
                _ => compared.extend_from_slice(format!("{byte:03}").as_bytes()),
            }
        }
        // hickory-proto ends each item of a list with a comma, and each key with "=".
        while has_lists && matches!(compared.last(), Some(b',' | b'=')) {
            compared.pop();
        }
    }
    compared
}

/// The data of a record in the same form. Of texts, which have no other, the bytes are shown.
pub fn compared_data(data: &RData) -> Vec<u8> {
    let text = match data {
        RData::TXT(texts) => texts.txt_data.concat(),
        RData::HINFO(info) => [&info.cpu[..], &info.os].concat(),
        _ => data.to_string().into_bytes(),
    };
    compared(data.record_type(), &text)
}

/// What is wrong with data that no answer to a question for this type can have; None where nothing
/// is.
pub fn problem(record: RecordType, text: &str) -> Option<String> {
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
        RecordType::HTTPS | RecordType::SVCB => ("1 www.example.net. alpn=\"h2\"", &[1]),
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
    // What dig splits, since it is long.
    let is_split = matches!(record, RecordType::SSHFP | RecordType::OPENPGPKEY);
    let count = if is_split { example.split(' ').count() } else { usize::MAX };
    let fields = text.splitn(count, ' ').enumerate();
    let dotted = fields.map(|(field, word)| {
        if names.contains(&field) && !word.ends_with('.') {
            format!("{word}.")
        } else {
            word.replace(' ', "")
        }
    });
    match RData::try_from_str(record, &dotted.collect::<Vec<String>>().join(" ")) {
        Err(_) => {
            Some(format!("no {record} record has the data {text:?}; write such as {example:?}"))
        }
        Ok(data) => {
            let differs = compared_data(&data) != compared(record, text.as_bytes());
            differs.then(|| {
                let data = data.to_string();
                format!("answers never say {text:?}; write {data:?}")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::{HINFO, TXT};

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
            let example = &example[1..example.len() - 1];
            let example = example.replace("\\\"", "\"");
            assert_eq!(problem(record, &example), None, "{record}");
        }
    }

    #[test]
    fn what_an_answer_can_have_is_let_through_and_nothing_else() {
        for (record, text, wanted) in [
            ("A", "192.0.2.1", None),
            ("A", "alias.example.net.", None),
            ("A", "192.0.2.256", Some("write such as \"192.0.2.1\"")),
            ("A", "192.0.2.1 ", None),
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
            ("CAA", "0 issue ca.example.net", None),
            ("CAA", "hello", Some("no CAA record has")),
            ("HTTPS", "1 . alpn=h2,", None),
            ("HTTPS", "1 . alpn=h2", None),
            ("HTTPS", "1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1", None),
            ("HTTPS", "x", Some("no HTTPS record has")),
            ("NAPTR", "10 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.net.", None),
            ("TLSA", "3 1 1 0123456789abcdef", None),
            ("TLSA", "3 1 1 0123456789 ABCDEF", None),
            ("TLSA", "3 1 1 xyz", Some("no TLSA record has")),
            ("SSHFP", "4 2 0B9FA5A5 9EED715C", None),
            ("OPENPGPKEY", "mQEN BFVHm5s=", None),
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

    /// As hickory-proto shows it (what it was compared with before), and as `dig +short` does.
    #[test]
    fn data_is_the_same_however_it_is_written() {
        let data = |record: RecordType, text| RData::try_from_str(record, text).unwrap();
        let txt = RData::TXT(TXT::from_bytes(vec![b"v=spf1 -all", b"a \"b\\\xc3\xbc\t"]));
        let hinfo = RData::HINFO(HINFO::new("RFC8482".into(), String::new()));
        let https = data(RecordType::HTTPS, "1 . alpn=h2,h3 no-default-alpn ipv4hint=192.0.2.1");
        let tlsa = data(RecordType::TLSA, "3 1 1 0123456789abcdef");
        let caa = data(RecordType::CAA, "0 issue \"ca.example.net\"");
        let mx = data(RecordType::MX, "10 mail.example.net.");
        for (data, dig) in [
            (txt, r#""v=spf1 -all" "a \"b\\\195\188\009""#),
            (hinfo, "\"RFC8482\" \"\""),
            (https, "1 . alpn=\"h2,h3\" no-default-alpn ipv4hint=192.0.2.1"),
            (tlsa, "3 1 1 01234567 89ABCDEF"),
            (caa, "0 issue \"ca.example.net\""),
            (mx, "10 MAIL.example.net."),
        ] {
            let record = data.record_type();
            for text in [dig, &data.to_string()] {
                let wanted = compared(record, text.as_bytes());
                assert_eq!(compared_data(&data), wanted, "{text}");
            }
            assert_eq!(problem(record, dig), None);
            assert_ne!(compared_data(&data), compared(record, format!("{dig}x").as_bytes()));
        }
    }
}
