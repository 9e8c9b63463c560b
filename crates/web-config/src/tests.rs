//! The files of both sides: what is admitted by a handshake in memory, and what is an error with
//! its line and column.

mod authority;

use crate::WebConfig;
use authority::{TestAuthority, handshake};
use std::{fs, sync::Arc};
use tokio_rustls::rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

const HASH: &str = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
const TLS: &str = "tls_server_config: {cert_file: server.pem, key_file: server.key";

#[test]
fn everything_wrong_has_its_place() {
    let authority = TestAuthority::new("wrong");
    authority.certify("other", "127.0.0.1");
    let mut other = Vec::new();
    for (text, wanted) in [
        (
            "tls: 1\n",
            "web.yml:1:1: \"tls\" is not known here; known are tls_server_config, http_server_config, basic_auth_users, rate_limit",
        ),
        (
            "tls_server_config:\n  cert_file: server.pem\n",
            "web.yml:2:3: no key_file; TLS needs one",
        ),
        (
            "tls_server_config: {min_version: TLS12}\n",
            "web.yml:1:20: no cert_file; TLS needs one\nweb.yml:1:20: no key_file; TLS needs one",
        ),
        (
            "tls_server_config: {cert_file: none.pem, key_file: server.key}\n",
            "web.yml:1:32: none.pem: no such file; give the path of one that exists",
        ),
        (
            "tls_server_config: {cert_file: server.key, key_file: server.key}\n",
            "web.yml:1:32: holds no certificate; PEM is wanted, with -----BEGIN CERTIFICATE-----",
        ),
        (
            "tls_server_config: {cert_file: server.pem, key_file: server.pem}\n",
            "web.yml:1:54: holds no private key; PEM is wanted, not encrypted, with -----BEGIN PRIVATE KEY-----",
        ),
        (
            "tls_server_config: {cert_file: server.pem, key_file: other.key}\n",
            "web.yml:1:20: the key is not that of the certificate; name two that belong together",
        ),
        (
            &format!("{TLS}, cert: x}}\n"),
            "web.yml:1:72: both cert and cert_file; write one of them",
        ),
        (
            &format!("{TLS}, min_version: TLS11}}\n"),
            "web.yml:1:79: not a version that is known here; known are TLS12 and TLS13",
        ),
        (
            &format!("{TLS}, min_version: TLS13, max_version: TLS12}}\n"),
            "web.yml:1:99: max_version is below min_version",
        ),
        (
            &format!("{TLS}, curve_preferences: [CurveP521]}}\n"),
            "web.yml:1:86: not a curve that is known here; known are CurveP256, CurveP384, X25519",
        ),
        (
            &format!("{TLS}, client_ca_file: ca.pem}}\n"),
            "web.yml:1:82: this authority is never asked: client_auth_type says that no certificate is",
        ),
        (
            &format!("{TLS}, client_auth_type: RequireAndVerifyClientCert}}\n"),
            "web.yml:1:84: no client_ca_file; nobody can tell which certificates are good",
        ),
        (
            &format!("{TLS}, client_auth_type: RequestClientCert}}\n"),
            "web.yml:1:84: not known here, where a certificate is verified or not asked for; known are NoClientCert, VerifyClientCertIfGiven and RequireAndVerifyClientCert",
        ),
        (
            &format!("{TLS}, client_allowed_sans: [x]}}\n"),
            "web.yml:1:87: client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert",
        ),
        (
            "http_server_config:\n  http2: true\n",
            "web.yml:2:10: answers are in HTTP/1.1 alone, which every client knows; write false, or nothing",
        ),
        (
            "http_server_config:\n  headers: {X-Frame-Options: never}\n",
            "web.yml:2:30: this header is deny or sameorigin or nothing",
        ),
        (
            "http_server_config:\n  hosts: [lifesign.example.net, 'a:80', 'a b']\n",
            "web.yml:2:33: no name of a host; write one such as lifesign.example.net\n\
             web.yml:2:41: no name of a host; write one such as lifesign.example.net",
        ),
        (
            "http_server_config:\n  hosts: [a.b., '*.a', a..b]\n",
            "web.yml:2:17: no name of a host; write one such as lifesign.example.net\n\
             web.yml:2:24: no name of a host; write one such as lifesign.example.net",
        ),
        (
            &format!("{TLS}, curve_preferences: []}}\n"),
            "web.yml:1:85: an empty list; name one, or leave the key out for all",
        ),
        (
            &format!(
                "{TLS}, max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}}\n"
            ),
            "web.yml:1:101: none is for a key of this kind, ECDSA",
        ),
        (
            "http_server_config:\n  headers: {Server: me}\n",
            "web.yml:2:13: not a header that can be set here; known are content-security-policy, strict-transport-security, x-content-type-options, x-frame-options, x-xss-protection",
        ),
        (
            "rate_limit: {burst: 1}\n",
            "web.yml:1:13: there is no rate_limit here; connections are limited without being told to",
        ),
        (
            "basic_auth_users:\n  ann: secret\n",
            "web.yml:2:8: no bcrypt hash; htpasswd -nBC 10 NAME makes one",
        ),
        (
            &format!("basic_auth_users:\n  'a:b': {HASH}\n"),
            "web.yml:2:3: no name can have a colon: in a request it ends the name",
        ),
        (
            &format!("basic_auth_users:\n  ann: {}\n", HASH.replace("$04$", "$17$")),
            "web.yml:2:8: the cost of a hash is from 4 to 16 here; 10 is usual",
        ),
        ("- a\n", "web.yml:1:1: found a list; write a table of keys and values"),
    ] {
        other.extend(Some(authority.wrong(text)).filter(|said| said != wanted));
    }
    assert_eq!(other, [""; 0]);
    assert!(
        authority
            .wrong(&format!("{TLS}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}}\n"))
            .contains("web.yml:1:82: not a suite")
    );
    authority.put("ca.pem", "");
    let text =
        format!("{TLS}, client_ca_file: ca.pem, client_auth_type: VerifyClientCertIfGiven}}\n");
    assert!(authority.wrong(&text).starts_with("web.yml:1:82: holds no certificate"));
}

/// A hash, or a line of a key, at each place where it may slip.
#[test]
fn no_problem_repeats_a_secret() {
    let authority = TestAuthority::new("secret");
    let key = fs::read_to_string(authority.path("server.key")).unwrap();
    let line = key.lines().nth(1).unwrap();
    for secret in [HASH, line] {
        for text in [
            format!("{secret}\n"),
            format!("{secret}: ann\n"),
            format!("basic_auth_users: {secret}\n"),
            format!("basic_auth_users:\n  ann:{secret}\n"),
            format!("basic_auth_users:\n  {secret}: ann\n"),
            format!("basic_auth_users:\n- {secret}\n"),
            format!("basic_auth_users: {{ann: {secret}\n"),
            format!("basic_auth_users:\n  ann: '{secret}\n"),
            format!("basic_auth_users:\n  ann: x{secret}\n"),
            format!("tls_server_config:\n  key: {secret}\n"),
            format!("tls_server_config:\n  key: |\n{secret}\n"),
            format!("tls_server_config:\n  client_auth_type: {secret}\n  min_version: {secret}\n"),
            format!(
                "tls_server_config:\n  cipher_suites: [{secret}]\n  curve_preferences: {secret}\n"
            ),
            format!(
                "http_server_config:\n  http2: {secret}\n  headers: {{{secret}: x, X-Frame-Options: {secret}}}\n"
            ),
        ] {
            let said = authority.wrong(&text);
            assert!(!said.contains(&secret[8..16]), "{text}\n{said}");
        }
    }
}

#[tokio::test]
async fn both_agree_on_a_version_that_the_file_allows() {
    let authority = TestAuthority::new("versions");
    for (allowed, client, agreed) in [
        ("", &[&TLS12, &TLS13][..], Some(ProtocolVersion::TLSv1_3)),
        ("", &[&TLS12], Some(ProtocolVersion::TLSv1_2)),
        (", min_version: TLS13", &[&TLS12], None),
        (", min_version: TLS13", &[&TLS13], Some(ProtocolVersion::TLSv1_3)),
        (", max_version: TLS12", &[&TLS13], None),
        (", max_version: TLS12", &[&TLS12, &TLS13], Some(ProtocolVersion::TLSv1_2)),
        (
            ", max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
            &[&TLS12],
            Some(ProtocolVersion::TLSv1_2),
        ),
        (", curve_preferences: [CurveP384]", &[&TLS13], Some(ProtocolVersion::TLSv1_3)),
    ] {
        let mut config = authority.open(&format!("{TLS}{allowed}}}\n")).unwrap();
        assert_eq!(
            handshake(&config.policy(), authority.client(client, None)).await,
            agreed,
            "{allowed}"
        );
    }
}

#[tokio::test]
async fn a_client_needs_the_certificate_that_the_file_says() {
    let authority = TestAuthority::new("clients");
    let [ours, link, address] =
        [("ours", "prometheus"), ("link", "spiffe://lab/prometheus"), ("address", "192.0.2.7")]
            .map(|(name, san)| authority.certify(name, san));
    let theirs = TestAuthority::new("theirs").certify("theirs", "prometheus");
    let required = ", client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert";
    let given = ", client_ca_file: ca.pem, client_auth_type: VerifyClientCertIfGiven";
    for (rule, own, admitted) in [
        ("", None, true),
        ("", Some(&theirs), true),
        (given, None, true),
        (given, Some(&ours), true),
        (given, Some(&theirs), false),
        (required, None, false),
        (required, Some(&ours), true),
        (required, Some(&theirs), false),
        (&format!("{required}, client_allowed_sans: [prometheus]"), Some(&ours), true),
        (&format!("{required}, client_allowed_sans: [prometheus]"), Some(&theirs), false),
        (&format!("{required}, client_allowed_sans: [prometheus]"), Some(&address), false),
        (&format!("{required}, client_allowed_sans: [x, 192.0.2.7]"), Some(&address), true),
        (
            &format!("{required}, client_allowed_sans: ['spiffe://lab/prometheus']"),
            Some(&link),
            true,
        ),
        (
            &format!("{required}, client_allowed_sans: ['spiffe://lab/prometheus']"),
            Some(&ours),
            false,
        ),
        (&format!("{required}, client_allowed_sans: [192.0.2.8]"), Some(&address), false),
        (
            &format!("{required}, client_allowed_sans: ['*', prom, prometheus.lab]"),
            Some(&ours),
            false,
        ),
    ] {
        let mut config = authority.open(&format!("{TLS}{rule}}}\n")).unwrap();
        let agreed = handshake(&config.policy(), authority.client(&[&TLS12, &TLS13], own)).await;
        assert_eq!(agreed.is_some(), admitted, "{rule}");
    }
}

#[tokio::test]
async fn a_new_file_counts_for_the_next_connection_and_a_wrong_one_not() {
    let authority = TestAuthority::new("change");
    let mut config = authority.open(&format!("{TLS}}}\n")).unwrap();
    let first = config.policy();
    assert!(Arc::ptr_eq(&first, &config.policy()), "nothing has changed");
    // A certificate by another authority, before its key has come.
    let other = TestAuthority::new("change-other");
    let copy = |name: &str| authority.put(name, &fs::read_to_string(other.path(name)).unwrap());
    copy("server.pem");
    assert!(Arc::ptr_eq(&first, &config.policy()));
    copy("server.key");
    let second = config.policy();
    assert!(handshake(&second, other.client(&[&TLS13], None)).await.is_some());
    assert!(handshake(&second, authority.client(&[&TLS13], None)).await.is_none());
    assert!(
        handshake(&first, authority.client(&[&TLS13], None)).await.is_some(),
        "a connection keeps its policy"
    );
    // Half a file, none, and one that names what is not there yet.
    authority.put("web.yml", "tls_server_config: {cert_file: ser");
    assert!(Arc::ptr_eq(&second, &config.policy()));
    fs::remove_file(authority.path("web.yml")).unwrap();
    assert!(Arc::ptr_eq(&second, &config.policy()));
    authority.put("web.yml", "tls_server_config: {cert_file: new.pem, key_file: new.key}");
    assert!(Arc::ptr_eq(&second, &config.policy()));
    authority.certify("new", "127.0.0.1");
    assert!(handshake(&config.policy(), authority.client(&[&TLS13], None)).await.is_some());
}

#[test]
fn no_protection_is_taken_away_while_it_runs() {
    let authority = TestAuthority::new("lost");
    let client = "client_ca_file: ca.pem, client_auth_type:";
    let full = format!(
        "{TLS}, {client} RequireAndVerifyClientCert}}\nbasic_auth_users: {{ann: {HASH}}}\n"
    );
    let mut config = authority.open(&full).unwrap();
    let policy = config.policy();
    for text in [
        "{}",
        "tls_server_config:\n",
        &format!("{TLS}, {client} RequireAndVerifyClientCert}}\n"),
        &format!("{TLS}, {client} VerifyClientCertIfGiven}}\nbasic_auth_users: {{ann: {HASH}}}\n"),
        &format!("basic_auth_users: {{ann: {HASH}}}\n"),
    ] {
        authority.put("web.yml", text);
        assert!(Arc::ptr_eq(&policy, &config.policy()), "{text}");
    }
    authority.put("web.yml", &full.replace("ann", "bob"));
    assert!(!Arc::ptr_eq(&policy, &config.policy()));
    // The other way round there is no objection.
    let mut open = authority.open("{}\n").unwrap();
    assert!(!open.is_tls());
    authority.put("web.yml", &full);
    open.policy();
    assert!(open.is_tls());
}

#[test]
fn a_pipe_is_not_waited_for() {
    let authority = TestAuthority::new("pipe");
    let error = WebConfig::open("/dev/null".into(), (1, 2)).err().unwrap();
    assert_eq!(error.to_string(), "/dev/null: no regular file; give the path of one");
    assert!(
        authority
            .wrong("tls_server_config: {cert_file: /dev/null, key_file: server.key}")
            .contains("no regular file")
    );
}
