//! `lifesign plan`: names that a resolver is asked for, and what comes through pipes.

use crate::support::{
    TempDir,
    dns_server::{now, serve},
    done, lifesign,
};
use hickory_proto::{
    op::{Message, OpCode},
    rr::{
        Name, RData, Record,
        rdata::{A, MX, NS},
    },
};
use lifesign::probe::lookup::{Asked, look_up};
use lifesign_formats::survey::Fact;
use std::{
    fs,
    io::{self, Write},
    net::UdpSocket,
    str::FromStr,
};

/// A resolver that knows a few records of example.net.
fn records(question: &Message) -> Vec<Message> {
    let query = &question.queries[0];
    let name = |text: &str| Name::from_str(text).unwrap();
    let all = [
        ("example.net.", RData::NS(NS(name("ns1.example.net.")))),
        ("example.net.", RData::MX(MX::new(10, name("mail.example.net.")))),
        ("example.net.", RData::A(A::new(203, 0, 113, 80))),
        ("ns1.example.net.", RData::A(A::new(203, 0, 113, 53))),
        ("mail.example.net.", RData::A(A::new(203, 0, 113, 25))),
        ("www.example.net.", RData::A(A::new(198, 51, 100, 1))),
    ];
    let mut message = Message::response(question.metadata.id, OpCode::Query);
    message.metadata.recursion_available = true;
    message.add_queries(question.queries.clone());
    let asked = query.name().to_string().to_ascii_lowercase();
    let answers = all
        .into_iter()
        .filter(|(owner, data)| *owner == asked && data.record_type() == query.query_type());
    message.add_answers(answers.map(|(owner, data)| Record::from_rdata(name(owner), 60, data)));
    vec![message]
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_asked_of_the_resolver_and_shown_as_they_come() {
    let server = serve("127.45.53.7", |question, _| now(records(question))).await;
    let temp_dir = TempDir::new("plan-names");
    let names = temp_dir.put("names.txt", "WWW.example.net. # the one\n\n");
    let path = temp_dir.path("plan.toml");
    let server = server.to_string();
    let arguments = [
        "plan",
        "--country",
        "XA",
        "--prefix",
        "203.0.113.0/24",
        "--names",
        &names,
        "--resolver",
        &server,
        "-o",
        &path,
    ];
    let command = lifesign(&arguments);
    let (code, out, err) = tokio::task::spawn_blocking(|| done(command)).await.unwrap();
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for wanted in [
        "  www.example.net is 198.51.100.1\n",
        "  example.net has its name server ns1.example.net\n",
        "  example.net has its mail at mail.example.net\n",
        "  example.net is 203.0.113.80\n",
        "  ns1.example.net is 203.0.113.53\n",
        "; 3 hosts here, 1 mention of others elsewhere\n",
    ] {
        assert!(out.contains(wanted), "{wanted} is not in {out}");
    }
    let plan = fs::read_to_string(&path).unwrap();
    for wanted in [
        "{ host = \"203.0.113.53\", probes = [\"icmp\", \"dns/example.net/SOA\"] },  # name server; ns1.",
        "{ host = \"203.0.113.25\", probes = [\"icmp\", \"tcp/25\"] },  # mail; mail.example.net; names.txt; 20",
    ] {
        assert!(plan.contains(wanted), "{wanted} is not in {plan}");
    }
    for word in ["192.0.2.1", "a..b", &"x".repeat(64), ".", "*.kp"] {
        let bad = temp_dir.put("bad.txt", format!("example.net.\n{word}\n"));
        let command = ["plan", "--country", "XA", "--prefix", "203.0.113.0/24", "--names", &bad];
        let wanted =
            format!("{bad}:2:1: {word:?} is no name; write one a line, such as www.example.net");
        assert_eq!(done(lifesign(&command)), (65, String::new(), wanted));
    }
}

/// What others take, this takes too: a byte order mark, standard input, and its day.
#[test]
fn a_mark_is_no_part_of_a_name_and_standard_input_has_the_day_of_reading() {
    let temp_dir = TempDir::new("plan-mark");
    let names = temp_dir.put("names.txt", "\u{feff}# none\r\n\u{feff}x\n");
    let to_list = ["plan", "--country", "XA", "--prefix", "203.0.113.0/24"];
    let command = [&to_list[..], &["--names", &names]].concat();
    let (code, _, err) = done(lifesign(&command));
    assert!(code == 65 && err.starts_with(&format!("{names}:2:1: ")), "{code}: {err}");
    for from in ["-", "/dev/stdin"] {
        let mut command = lifesign(&[&to_list[..], &["--from", from]].concat());
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"203.0.113.1\n").unwrap();
        drop(writer);
        command.stdin(reader);
        let (code, plan, err) = done(command);
        assert_eq!(code, 0, "{err}");
        let today = plan.split(" on ").nth(1).and_then(|rest| rest.get(..10)).unwrap().to_owned();
        assert!(plan.contains(&format!("\n# a pipe: a list of hosts, {today}\n")), "{plan}");
        assert!(plan.contains(&format!("\"203.0.113.1\",  # a pipe; {today}\n")), "{plan}");
    }
}

/// It is said at once, and no list of a hundred names takes an hour.
#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_answer_is_asked_no_more() {
    let dead = UdpSocket::bind("127.45.53.8:0").unwrap();
    let names = (0..100).map(|name| format!("www{name}.example.net")).collect();
    let mut said = Vec::new();
    let take = |fact: Result<Fact<'_>, &str>| said.push(fact.unwrap_err().to_owned());
    let asked = look_up(names, &[dead.local_addr().unwrap()], take).await.unwrap();
    assert_eq!(asked, Asked { questions: 4, failures: 4 });
    let [first, last] = &said[..] else { panic!("{said:?}") };
    assert!(first.starts_with("no answer about www0.example.net (A): "), "{first}");
    assert_eq!(last, "no answer to 4 questions in a row; no more are asked");
}
