//! DNS messages as bytes: writes a [`Question`], and reads what came back as an [`Answer`] or as
//! the reason why it is none. Pure, but for the random id and letter case in [`Question::new`].

use super::DnsSpec;
use hickory_proto::{
    ProtoError,
    op::{Header, Message, MessageType, OpCode, Query},
    rr::{Name, RecordType},
    serialize::binary::{BinDecodable, BinDecoder},
};
use lifesign_core::outcome::{Oddity, Reject};
use lifesign_wire::dns_data::{compared, compared_data};

/// The length of a message's id, which comes first (RFC 1035 §4.1.1).
pub const ID: usize = 2;

/// One question as it was sent. What an off-path forger must guess: its id, the case of every
/// letter of its name (draft-vixie-dnsext-dns0x20), and the socket's port.
#[derive(Clone, Debug)]
pub struct Question {
    id: u16,
    query: Query,
    bytes: Vec<u8>,
}

impl Question {
    /// A question with a random id and a name in random case: without EDNS, and without asking for
    /// recursion, because the host is asked for what it knows itself.
    pub fn new(spec: &DnsSpec) -> Result<Self, ProtoError> {
        let mut name = spec.name.clone();
        name.randomize_label_case();
        Self::of(Message::query().metadata.id, name, spec.record)
    }

    /// The question with just this id and this case.
    pub fn of(id: u16, name: Name, record: RecordType) -> Result<Self, ProtoError> {
        let query = Query::query(name, record);
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.add_query(query.clone());
        Ok(Self { id, query, bytes: message.to_vec()? })
    }

    /// Its id, as it is sent.
    pub fn id(&self) -> [u8; ID] {
        self.id.to_be_bytes()
    }

    /// As it is sent over UDP.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// An answer to our question: what has its id, and so was made by somebody who saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Response code, extended by EDNS if there is any (RFC 6895 §2.3); None if it is no response.
    pub rcode: Option<u16>,
    /// It was cut to fit into a datagram (TC); its records were not read.
    pub truncated: bool,
    /// It has no record with the data that the plan expects.
    pub unexpected: bool,
    /// What else is odd about it.
    pub oddity: Option<Oddity>,
}

/// Reads what came back. `expect` is compared without regard to ASCII case, because names in an
/// answer may repeat the random case of the question, and to quotes and blanks.
///
/// # Errors
/// [`Reject::Truncated`] below the length of an id, [`Reject::WrongId`].
pub fn read(question: &Question, expect: Option<&str>, bytes: &[u8]) -> Result<Answer, Reject> {
    if bytes.get(..ID).ok_or(Reject::Truncated)? != question.id() {
        return Err(Reject::WrongId);
    }
    Ok(parse(question, expect, bytes).unwrap_or_else(|oddity| {
        let is_response = bytes.get(2).is_some_and(|flags| flags & 0x80 != 0);
        Answer {
            rcode: bytes.get(3).filter(|_| is_response).map(|flags| u16::from(flags & 0x0f)),
            truncated: false,
            unexpected: expect.is_some(),
            oddity: Some(oddity),
        }
    }))
}

/// The answer, if it is a whole one to our question.
fn parse(question: &Question, expect: Option<&str>, bytes: &[u8]) -> Result<Answer, Oddity> {
    let mut decoder = BinDecoder::new(bytes);
    let Header { metadata, counts } = Header::read(&mut decoder).map_err(|_| Oddity::Malformed)?;
    if metadata.message_type != MessageType::Response || metadata.op_code != OpCode::Query {
        return Err(Oddity::Malformed);
    }
    // Before anything else is read, so that nobody can make us parse anything he likes.
    if counts.queries != 1 {
        return Err(Oddity::WrongQuestion);
    }
    let query = Query::read(&mut decoder).map_err(|_| Oddity::Malformed)?;
    if query.name() != question.query.name()
        || query.query_type() != question.query.query_type()
        || query.query_class() != question.query.query_class()
    {
        return Err(Oddity::WrongQuestion);
    }
    let is_same_case = query.name().eq_case(question.query.name());
    let oddity = (!is_same_case).then_some(Oddity::WrongCase);
    // Servers cut a long answer anywhere, even within a record (RFC 2181 §9 wants it ignored).
    if metadata.truncation {
        let rcode = Some(metadata.response_code.into());
        return Ok(Answer { rcode, truncated: true, unexpected: expect.is_some(), oddity });
    }
    let message = Message::from_vec(bytes).map_err(|_| Oddity::Malformed)?;
    let wanted = expect.map(|text| compared(query.query_type(), text.as_bytes()));
    Ok(Answer {
        rcode: Some(message.metadata.response_code.into()),
        truncated: false,
        unexpected: wanted.is_some_and(|data| {
            message.answers.iter().all(|answer| compared_data(&answer.data) != data)
        }),
        oddity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::{
        op::ResponseCode,
        rr::{RData, Record, rdata::NS},
    };
    use proptest::prelude::*;

    /// `parse` would make it lower case.
    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn question() -> Question {
        Question::of(7, name("kPTc.Kp."), RecordType::NS).unwrap()
    }

    /// The right answer, changed.
    fn answer(change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::response(7, OpCode::Query);
        message.add_query(question().query);
        let server = RData::NS(NS(name("Ns1.kPTc.Kp.")));
        message.add_answer(Record::from_rdata(name("kPTc.Kp."), 60, server));
        change(&mut message);
        message.to_vec().unwrap()
    }

    #[test]
    fn a_question_asks_for_no_recursion_and_has_no_edns() {
        let spec = DnsSpec::parse(Some("kptc.kp/SOA")).unwrap();
        let asked = Question::new(&spec).unwrap();
        let message = Message::from_vec(asked.bytes()).unwrap();
        assert!(!message.metadata.recursion_desired && message.edns.is_none());
        assert_eq!(message.queries[0].name(), &spec.name);
        assert_eq!(message.metadata.message_type, MessageType::Query);
    }

    #[test]
    fn ids_and_cases_are_drawn_anew_for_each_question() {
        let spec = DnsSpec::parse(Some("abcdefghijklmnopqrstuvwxyz.example/A")).unwrap();
        let asked: Vec<_> = (0..16).map(|_| Question::new(&spec).unwrap()).collect();
        assert!(asked.windows(2).any(|two| two[0].id != two[1].id));
        assert!(asked.windows(2).any(|two| !two[0].query.name().eq_case(two[1].query.name())));
    }

    #[test]
    fn every_answer_to_our_question_is_an_answer_whatever_its_code() {
        let good = |rcode| Answer {
            rcode: Some(rcode),
            truncated: false,
            unexpected: false,
            oddity: None,
        };
        assert_eq!(read(&question(), None, &answer(|_| {})), Ok(good(0)));
        for code in [ResponseCode::ServFail, ResponseCode::NXDomain, ResponseCode::Refused] {
            let bytes = answer(|m| {
                m.answers.clear();
                m.metadata.response_code = code;
            });
            assert_eq!(read(&question(), None, &bytes), Ok(good(code.into())));
            assert!(read(&question(), Some("x"), &bytes).unwrap().unexpected);
        }
    }

    #[test]
    fn expected_data_is_found_in_any_case() {
        let unexpected =
            |expect| read(&question(), Some(expect), &answer(|_| {})).unwrap().unexpected;
        assert!(!unexpected("ns1.kptc.kp."));
        assert!(unexpected("ns2.kptc.kp."));
    }

    #[test]
    fn a_cut_answer_counts_though_its_records_cannot_be_read() {
        let mut bytes = answer(|m| m.metadata.truncation = true);
        bytes.truncate(bytes.len() - 3);
        let cut =
            |unexpected| Ok(Answer { rcode: Some(0), truncated: true, unexpected, oddity: None });
        assert_eq!(read(&question(), None, &bytes), cut(false));
        assert_eq!(read(&question(), Some("ns1.kptc.kp."), &bytes), cut(true));
    }

    #[test]
    fn what_has_not_our_id_is_rejected() {
        let whole = answer(|_| {});
        let cases = [
            ("empty", vec![], Reject::Truncated),
            ("one byte", whole[..1].to_vec(), Reject::Truncated),
            ("six bytes", vec![0, 8, 0x84, 0, 0, 1], Reject::WrongId),
            ("another id", answer(|m| m.metadata.id = 8), Reject::WrongId),
        ];
        for (what, bytes, reason) in cases {
            assert_eq!(read(&question(), None, &bytes), Err(reason), "{what}");
        }
    }

    /// Whatever stands behind an id that is ours, somebody saw our question.
    #[test]
    fn what_has_our_id_is_an_answer_however_odd() {
        let asks = |text: &str, record| {
            let query = Query::query(name(text), record);
            answer(move |m| m.queries = vec![query])
        };
        let whole = answer(|_| {});
        let header = [0, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let cases = [
            ("our own question", question().bytes, None, Oddity::Malformed),
            (
                "an update",
                answer(|m| m.metadata.op_code = OpCode::Update),
                Some(0),
                Oddity::Malformed,
            ),
            ("another case", asks("kptc.kp.", RecordType::NS), Some(0), Oddity::WrongCase),
            ("another name", asks("kPTd.Kp.", RecordType::NS), Some(0), Oddity::WrongQuestion),
            ("another type", asks("kPTc.Kp.", RecordType::SOA), Some(0), Oddity::WrongQuestion),
            ("no question", answer(|m| m.queries.clear()), Some(0), Oddity::WrongQuestion),
            ("cut short", whole[..whole.len() - 3].to_vec(), Some(0), Oddity::Malformed),
            ("nonsense", header.to_vec(), Some(15), Oddity::Malformed),
            ("six bytes", whole[..6].to_vec(), Some(0), Oddity::Malformed),
            ("no flags", whole[..3].to_vec(), None, Oddity::Malformed),
            ("the id alone", whole[..2].to_vec(), None, Oddity::Malformed),
        ];
        for (what, bytes, rcode, oddity) in cases {
            let read = read(&question(), None, &bytes).unwrap();
            assert_eq!((read.rcode, read.oddity), (rcode, Some(oddity)), "{what}");
            assert!(!read.unexpected && !read.truncated, "{what}");
        }
        let bytes = asks("kptc.kp.", RecordType::NS);
        assert!(!super::read(&question(), Some("ns1.kptc.kp."), &bytes).unwrap().unexpected);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&question(), Some("x"), &bytes);
        }

        /// Past the question, where random bytes alone would never get.
        #[test]
        fn no_records_panic(
            tail in proptest::collection::vec(any::<u8>(), 0..200),
            counts: [u8; 6],
        ) {
            let mut bytes = answer(|m| m.answers.clear());
            bytes[6..12].copy_from_slice(&counts);
            bytes.extend(tail);
            let _ = read(&question(), Some("x"), &bytes);
        }

        #[test]
        fn no_damage_panics(at in 0_usize..60, byte: u8) {
            let mut bytes = answer(|_| {});
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&question(), Some("x"), &bytes);
        }
    }
}
