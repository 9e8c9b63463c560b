//! TLS and passwords at the real program, with the clients that people use: curl, and Prometheus
//! itself.

use crate::support::{LAB, Program, TIMEOUT, TempDir, done, get, lifesign, quiet, until};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
};

/// `ann` and her password, as RFC 7617 §2 writes them.
const ANN: &str = "Basic YW5uOnNlc2FtZS1vcGVu";
const PASSWORD: &str = "sesame-open";

fn users(password: &str) -> String {
    format!("basic_auth_users:\n  ann: {}\n", bcrypt::hash(password, 4).unwrap())
}

/// Puts it in the place of whatever is there, at once.
fn swap(temp_dir: &TempDir, name: &str, text: &str) {
    fs::rename(temp_dir.put("fresh", text), temp_dir.path(name)).unwrap();
}

/// An authority of this name, with a server's certificate, and a client's for `prometheus`.
fn certify(temp_dir: &TempDir, authority: &str) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // OpenSSL takes a certificate for its own issuer's if both have the same name.
    params.distinguished_name.push(DnType::CommonName, authority);
    let key = KeyPair::generate().unwrap();
    swap(temp_dir, "ca.pem", &params.self_signed(&key).unwrap().pem());
    let authority = Issuer::new(params, key);
    for (name, san) in [("server", "127.0.0.1"), ("client", "prometheus"), ("other", "grafana")] {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([san.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        swap(temp_dir, &format!("{name}.pem"), &certificate.pem());
        swap(temp_dir, &format!("{name}.key"), &key.serialize_pem());
    }
}

/// The program with this web configuration, and its first page.
fn start(temp_dir: &TempDir, web: &str) -> (Program, String, SocketAddr) {
    let web = temp_dir.put("web.yml", web);
    let arguments = ["--config", LAB, "--listen", "127.0.0.1:0", "--web.config.file", &web];
    let mut program = Program::start(lifesign(&arguments));
    let page: String = program.line(TIMEOUT, "page", |line| {
        Some(line.strip_prefix("look at ")?.split(' ').next()?.to_owned())
    });
    let address = page.split('/').nth(2).unwrap().parse().unwrap();
    (program, page, address)
}

/// Code, and the whole answer.
fn ask(address: SocketAddr, line: &str, authorization: Option<&str>) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    if let Some(value) = authorization {
        write!(request, "Authorization: {value}\r\n").unwrap();
    }
    stream.write_all((request + "\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn without_the_password_there_is_nothing_to_see() {
    let temp_dir = TempDir::new("access-password");
    let hashes = users(PASSWORD);
    let (mut program, page, address) = start(&temp_dir, &hashes);
    assert_eq!(page, format!("http://{address}/"));
    let lines = [
        "GET /",
        "GET /metrics",
        "GET /api/v1/state",
        "GET /-/healthy",
        "GET /none",
        "POST /-/reload",
    ];
    // Nothing; a word that is no name; the right name with another password; another name with the
    // right one.
    for wrong in
        [None, Some("Basic"), Some("Basic YW5uOm5vbg=="), Some("Basic ZXZlOnNlc2FtZS1vcGVu")]
    {
        for line in lines {
            let (code, answer) = ask(address, line, wrong);
            assert_eq!(code, 401, "{line} {wrong:?}");
            assert!(answer.contains("www-authenticate: Basic realm=\"lifesign\""), "{answer}");
            assert!(answer.ends_with("\r\n\r\nname and password, please\n"), "{answer}");
        }
    }
    let mut shown = String::new();
    for (line, code) in lines.into_iter().zip([200, 200, 200, 200, 404, 200]) {
        // Before the first second has passed there may be no page yet.
        let answer = until(TIMEOUT, line, || match ask(address, line, Some(ANN)) {
            (found, answer) if found == code => Ok(answer),
            (503, answer) => Err(answer),
            (other, answer) => panic!("{line}: {other}\n{answer}"),
        });
        shown += &answer;
    }

    swap(&temp_dir, "web.yml", &users("another"));
    assert_eq!(ask(address, "GET /metrics", Some(ANN)).0, 401);
    swap(&temp_dir, "web.yml", &hashes);
    assert_eq!(ask(address, "GET /metrics", Some(ANN)).0, 200);
    // What is wrong goes on with what was right, and is told once.
    swap(&temp_dir, "web.yml", &format!("{hashes}  bob: {PASSWORD}\n"));
    for _ in 0..3 {
        assert_eq!(ask(address, "GET /metrics", Some(ANN)).0, 200);
        assert_eq!(ask(address, "GET /metrics", None).0, 401);
    }
    assert_eq!(program.terminate().code(), Some(0));
    let told = format!(
        "{}:3:8: no bcrypt hash; htpasswd -nBC 10 NAME makes one",
        temp_dir.path("web.yml")
    );
    assert_eq!(program.said().matches(&told).count(), 1, "{}", program.said());
    shown += &program.said();
    for secret in [PASSWORD, hashes.rsplit_once('$').unwrap().1.trim(), ANN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_name_is_listed_while_it_runs() {
    let temp_dir = TempDir::new("access-hosts");
    let (_program, _, address) = start(&temp_dir, "http_server_config:\n");
    let asked = |host: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("GET /-/healthy HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    assert_eq!(asked("lifesign.example.net:17545"), 421);
    swap(&temp_dir, "web.yml", "http_server_config:\n  hosts: [Lifesign.example.net]\n");
    assert_eq!(asked("lifesign.example.net:17545"), 200);
    assert_eq!([asked("127.0.0.1"), asked("example.net")], [200, 421]);
}

#[test]
fn a_wrong_file_is_exit_code_78_and_its_place() {
    let temp_dir = TempDir::new("access-wrong");
    let web = temp_dir.put("web.yml", "tls_server_config:\n  cert_flie: x\n");
    let arguments = ["--config", LAB, "--listen", "127.0.0.1:0", "--web.config.file", &web];
    let (code, out, err) = done(lifesign(&arguments));
    assert_eq!((code, out.as_str()), (78, ""), "{err}");
    assert!(
        err.starts_with(&format!("{web}:2:3: \"cert_flie\" is not known here; known are ")),
        "{err}"
    );
    let missing = ["--config", LAB, "--web.config.file", "/nowhere.yml"];
    let said = "/nowhere.yml: no such file; give the path of one that exists".to_owned();
    assert_eq!(done(lifesign(&missing)), (78, String::new(), said));
}

#[test]
fn who_asks_in_the_clear_is_told_to_use_tls() {
    let temp_dir = TempDir::new("access-clear");
    certify(&temp_dir, "authority");
    let (program, page, address) =
        start(&temp_dir, "tls_server_config: {cert_file: server.pem, key_file: server.key}\n");
    assert_eq!(page, format!("https://{address}/"));
    let answer = get(address, "/metrics");
    assert_eq!(
        (answer.code, answer.body.as_str()),
        (400, "only TLS is spoken here; ask by https\n")
    );
    drop(program);
}

#[test]
fn status_is_let_in_by_the_file_of_promtool() {
    let temp_dir = TempDir::new("access-status");
    certify(&temp_dir, "authority");
    let web = format!(
        "tls_server_config:\n  cert_file: other.pem\n  key_file: other.key\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n{}",
        users(PASSWORD)
    );
    let (_program, _, address) = start(&temp_dir, &web);
    let address = address.to_string();
    let status =
        |more: &[&str]| done(lifesign(&[&["status", "--address", &address], more].concat()));
    let ask = |text: &str| status(&["--http.config.file", &temp_dir.put("http.yml", text)]);
    temp_dir.put("password", format!("{PASSWORD}\n"));
    let tls = "ca_file: ca.pem, cert_file: client.pem, key_file: client.key, server_name: grafana";
    let ann = "basic_auth: {username: ann, password_file: password}\n";
    let right = format!("tls_config: {{{tls}}}\n{ann}");
    let table = until(TIMEOUT, "table", || match ask(&right) {
        (0, table, _) => Ok(table),
        (_, _, error) => Err(error),
    });
    assert!(table.starts_with("lab at 20") && table.contains("127.45.176.0/24"), "{table}");
    let plain =
        format!("tls_config: {{{tls}}}\nbasic_auth: {{username: ann, password: {PASSWORD}}}\n");
    assert_eq!(ask(&plain).0, 0);

    let without = |part: &str| right.replace(part, "");
    for (what, (code, out, err), said) in [
        (
            "nothing",
            status(&[]),
            "only TLS is spoken here; ask by https; --http.config.file says how to ask (docs/access.md)",
        ),
        ("another name", ask(&without(", server_name: grafana")), "certificate not valid for name"),
        (
            "no certificate",
            ask(&without(", cert_file: client.pem, key_file: client.key")),
            "CertificateRequired",
        ),
        (
            "another authority",
            ask(&right.replace("ca_file: ca.pem", "ca_file: client.pem")),
            "UnknownIssuer",
        ),
        ("no password", ask(&without(ann)), "name and password, please"),
        ("another password", ask(&plain.replace(PASSWORD, "wrong")), "name and password, please"),
    ] {
        assert_eq!((code, out.as_str()), (69, ""), "{what}: {err}");
        assert!(err.starts_with(&format!("lifesign: no word from {address}: ")), "{what}: {err}");
        assert!(err.contains(said) && err.lines().count() == 1, "{what}: {err}");
    }

    let file = temp_dir.path("http.yml");
    for (text, place, said) in [
        (
            "tls_config: {}\n",
            ":1:13: ",
            "no ca_file; name the authority that the server's certificate is from",
        ),
        (
            "tls_config: {ca_file: none}\n",
            ":1:23: ",
            "none: no such file; give the path of one that exists",
        ),
        (
            "tls_config: {ca_file: ca.pem, key_file: client.key}\n",
            ":1:41: ",
            "cert_file and key_file belong together; name both",
        ),
        (
            "tls_config: {ca_file: ca.pem, insecure: true}\n",
            ":1:31: ",
            "\"insecure\" is not known here; known are ",
        ),
        ("basic_auth: {password: sesame-open}\n", ":1:13: ", "no username; write one"),
        (
            "basic_auth: {username: ann}\n",
            ":1:13: ",
            "either password or password_file; write one of them",
        ),
        (
            "tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: other.key}\n",
            ":1:13: ",
            "the key is not that of the certificate",
        ),
    ] {
        let (code, out, err) = ask(text);
        assert_eq!((code, out.as_str()), (78, ""), "{text}: {err}");
        assert!(err.starts_with(&format!("{file}{place}")) && err.contains(said), "{text}: {err}");
        assert!(!err.contains(PASSWORD), "{err}");
    }
}

/// What curl says to `GET /-/healthy`: its exit code, the answer's code (000: none), and its
/// complaint.
fn curl(temp_dir: &TempDir, page: &str, more: &[&str]) -> (i32, String, String) {
    let ca = temp_dir.path("ca.pem");
    let url = format!("{page}-/healthy");
    let mut arguments = vec!["-q", "-sS", "--noproxy", "*", "--max-time", "60", "--cacert", &ca];
    arguments.extend(["--output", "/dev/null", "--write-out", "%{http_code}"]);
    arguments.extend(more);
    arguments.push(&url);
    done(quiet(Command::new("curl"), &arguments))
}

#[test]
#[ignore = "needs curl; run by tests/run"]
fn curl_is_let_in_with_what_the_file_asks_for() {
    let temp_dir = TempDir::new("access-curl");
    certify(&temp_dir, "authority");
    let tls = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
    let (_program, page, _) = start(&temp_dir, &format!("{tls}{}", users(PASSWORD)));
    let code = |more: &[&str]| curl(&temp_dir, &page, more).1;
    let right = format!("ann:{PASSWORD}");
    assert_eq!(code(&["-u", &right]), "200");
    assert_eq!(code(&["-u", &right]), "200", "from memory");
    assert_eq!(code(&["-u", "ann:wrong"]), "401");
    assert_eq!(code(&["-u", &format!("eve:{PASSWORD}")]), "401");
    assert_eq!(code(&[]), "401");
    assert_eq!(code(&["-u", &right, "--http2"]), "200");
    assert_eq!(code(&["-u", &right, "--tls-max", "1.2"]), "200");

    // From now on newer TLS, and a certificate that says prometheus.
    let strict = format!(
        "{tls}  min_version: TLS13\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
         client_allowed_sans: [prometheus]\n{}",
        users(PASSWORD)
    );
    swap(&temp_dir, "web.yml", &strict);
    let paths =
        ["client.pem", "client.key", "other.pem", "other.key"].map(|name| temp_dir.path(name));
    let client = ["--cert", &paths[0], "--key", &paths[1]];
    let other = ["--cert", &paths[2], "--key", &paths[3]];
    let with = |more: &[&str], own: &[&str]| {
        curl(&temp_dir, &page, &[&["-u", &right], more, own].concat())
    };
    assert_eq!(with(&[], &client), (0, "200".into(), String::new()));
    for (what, (exit, code, complaint)) in [
        ("old TLS", with(&["--tls-max", "1.2"], &client)),
        ("no certificate", with(&[], &[])),
        ("another's certificate", with(&[], &other)),
    ] {
        assert!(
            exit != 0 && code == "000" && complaint.contains("alert"),
            "{what}: {exit} {code} {complaint}"
        );
    }
    assert_eq!(curl(&temp_dir, &page, &client).1, "401", "a certificate is no password");
}

#[test]
#[ignore = "needs curl; run by tests/run"]
fn a_certificate_is_replaced_while_it_runs() {
    let temp_dir = TempDir::new("access-replaced");
    certify(&temp_dir, "authority");
    let (mut program, page, _) =
        start(&temp_dir, "tls_server_config: {cert_file: server.pem, key_file: server.key}\n");
    assert_eq!(curl(&temp_dir, &page, &[]).1, "200");
    let old = temp_dir.put("old.pem", fs::read(temp_dir.path("ca.pem")).unwrap());
    // All by another authority; for a moment, certificate and key did not belong together, and
    // nobody came.
    certify(&temp_dir, "another authority");
    assert_eq!(curl(&temp_dir, &page, &[]).1, "200");
    let (exit, code, complaint) = curl(&temp_dir, &page, &["--cacert", &old]);
    assert!(exit == 60 && code == "000", "{exit} {code} {complaint}");
    // A key that is gone: the one before goes on, and that is told.
    fs::remove_file(temp_dir.path("server.key")).unwrap();
    assert_eq!(curl(&temp_dir, &page, &[]).1, "200");
    program.error_line(TIMEOUT, "the missing key", |line| {
        line.contains("server.key: no such file").then_some(())
    });
    let key = fs::read_to_string(temp_dir.path("client.key")).unwrap();
    swap(&temp_dir, "server.key", &key);
    assert_eq!(curl(&temp_dir, &page, &[]).1, "200");
    program.error_line(TIMEOUT, "the other's key", |line| {
        line.contains("is not that of the").then_some(())
    });
    let said = program.said();
    assert!(!said.contains(key.lines().nth(1).unwrap()), "{said}");
}

#[test]
#[ignore = "needs prometheus; run by tests/run"]
fn prometheus_scrapes_by_tls_with_certificate_and_password() {
    let temp_dir = TempDir::new("access-prometheus");
    certify(&temp_dir, "authority");
    let (watch, _, address) = start(
        &temp_dir,
        &format!(
            "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  min_version: TLS13\n  \
             client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
             client_allowed_sans: [prometheus]\n{}",
            users(PASSWORD)
        ),
    );
    let job = |name: &str, password: &str, own: &str| {
        format!(
            "  - job_name: {name}\n    scheme: https\n    \
             tls_config: {{ca_file: ca.pem, cert_file: {own}.pem, key_file: {own}.key}}\n    \
             basic_auth: {{username: ann, password: {password}}}\n    static_configs: [{{targets: ['{address}']}}]\n"
        )
    };
    let jobs = [
        job("right", PASSWORD, "client"),
        job("word", "wrong", "client"),
        job("name", PASSWORD, "other"),
    ];
    let settings = format!("global: {{scrape_interval: 1s}}\nscrape_configs:\n{}", jobs.concat());
    let config = format!("--config.file={}", temp_dir.put("prometheus.yml", settings));
    let data = format!("--storage.tsdb.path={}", temp_dir.path("data"));
    let arguments = [config.as_str(), data.as_str(), "--web.listen-address=127.0.0.1:0"];
    let mut server = Program::start(quiet(Command::new("prometheus"), &arguments));
    let prometheus: SocketAddr = server.error_line(TIMEOUT, "address of Prometheus", |line| {
        line.split_once("\"Listening on\" address=")?.1.parse().ok()
    });
    until(2 * TIMEOUT, "scrapes", || {
        let body = get(prometheus, "/api/v1/query?query=up").body;
        let answer: serde_json::Value =
            serde_json::from_str(&body).map_err(|error| error.to_string())?;
        let list = answer["data"]["result"].as_array().ok_or("no result")?;
        let mut up: Vec<_> = list
            .iter()
            .map(|one| (one["metric"]["job"].as_str().unwrap(), one["value"][1].as_str().unwrap()))
            .collect();
        up.sort_unstable();
        let wanted = [("name", "0"), ("right", "1"), ("word", "0")];
        if up == wanted { Ok(()) } else { Err(format!("{body}\n{}", watch.said())) }
    });
    assert_eq!(server.terminate().code(), Some(0));
}
