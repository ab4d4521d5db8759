//! The way to the service: names, connections, certificates.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::fault;
use crate::harness::{ID, OUTPUT, Outcome, Run};
use crate::packages::{OLD, PACKAGE, ok};
use crate::proxies::CONNECTED;
use crate::stand_in::{Certificate, Greeting, StandIn, Step, ca_pem, showing};

fn with(certificate: Certificate) -> (StandIn, Outcome) {
    let server = StandIn::scripted(Greeting::Tls(certificate.server_config()), ok(&PACKAGE));
    let outcome = Run::new(&server).go();
    (server, outcome)
}

#[test]
fn a_certificate_that_is_not_trusted_exits_8_and_gets_no_token() {
    let clock = "check this host's clock; if it is right, the certificate must be renewed";
    let issuer = "hint: give the certificate of the CA that issued it to --cacert";
    let renew = "hint: a new certificate is needed: X.509 version 3, with ";
    let either = "--cacert; if that does not help, a new certificate is needed: X.509";
    for (certificate, text, hint) in [
        (
            Certificate::SelfSigned,
            "its issuer is unknown",
            "; see who issued it: openssl s_client -connect localhost:",
        ),
        (
            Certificate::Expired,
            "it expired at 2001-01-01 00:00:00 UTC, and this host's clock says 20",
            clock,
        ),
        (
            Certificate::NotYetValid,
            "it is not valid before 3000-01-01 00:00:00 UTC, and this host's clock says 20",
            clock,
        ),
        (
            Certificate::WrongName,
            ": it is not for localhost, but for elsewhere.example",
            "hint: --endpoint must be a name in the certificate",
        ),
        (
            Certificate::NoName,
            "it names no host (subjectAltName)",
            renew,
        ),
        (
            Certificate::Forged,
            "a signature is invalid or uses an unsupported algorithm",
            "hint: this program speaks TLS 1.2 and 1.3",
        ),
        (
            Certificate::OtherPurpose,
            "does not allow extended key usage for server authentication",
            "",
        ),
        (
            Certificate::TooDeep,
            "it has more than 6 CAs above it",
            issuer,
        ),
        (
            Certificate::OfNoCa,
            "its issuer's certificate is not a CA's",
            issuer,
        ),
        (
            Certificate::PathLength,
            "the chain exceeds a CA's path length limit",
            issuer,
        ),
        (
            Certificate::NameConstraint,
            "a CA above it is not allowed to certify this name",
            "",
        ),
        (Certificate::OfCa, "it is a CA's, not a server's", renew),
        (
            Certificate::Version1,
            "a certificate is not of X.509 version 3",
            either,
        ),
        (
            Certificate::CriticalExtension,
            "a certificate has a critical extension that this program does not know",
            either,
        ),
        (
            Certificate::CriticalExtensionOfCa,
            "a certificate has a critical extension that this program does not know",
            either,
        ),
    ] {
        let (server, outcome) = with(certificate);
        outcome
            .exits(8)
            .complains("the server's certificate is not trusted: ")
            .complains(text)
            .leaves_nothing();
        assert!(outcome.stderr.contains(hint), "{outcome}");
        assert_eq!(
            outcome.stderr.contains("hint: "),
            !hint.is_empty(),
            "{outcome}"
        );
        assert!(server.requests().iter().all(|request| request.0.is_empty()));
    }
}

#[test]
fn an_rsa_pss_signature_with_another_salt_is_named_as_the_cause() {
    let chain = vec![der(include_str!("certificates/pss-salt-20.pem")).into()];
    let key = rcgen::KeyPair::generate().expect("a key pair");
    let greeting = Greeting::Tls(showing(chain, &key));
    let server = StandIn::scripted(greeting, ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let run = Run::bare().args(&["-e", &endpoint, ID]);
    let ca = run.side_file("ca.pem", include_bytes!("certificates/rsa-ca.pem"));
    let outcome = run.arg("--cacert").arg(ca).go();
    outcome
        .exits(8)
        .complains("a signature is RSA-PSS with parameters that this program does not");
    let hint = "hint: RSA-PSS is supported with SHA-256, SHA-384 or SHA-512, ";
    assert!(outcome.stderr.contains(hint), "{outcome}");
}

#[test]
fn an_address_as_a_dns_name_in_a_certificate_is_named_as_the_cause() {
    let greeting = Greeting::Tls(Certificate::AddressAsName.server_config());
    let server = StandIn::scripted(greeting, ok(&PACKAGE));
    let port = server.address.port();
    for (host, text, hint) in [
        (
            "127.0.0.1",
            "it has the address 127.0.0.1 as a DNS name",
            "hint: a new certificate is needed, with the address as an IP address in its ",
        ),
        (
            "localhost",
            "it is not for localhost, but for 127.0.0.1",
            "hint: --endpoint must be a name in the certificate",
        ),
    ] {
        let run = Run::bare().trusting();
        let outcome = run.args(&["-e", &format!("{host}:{port}"), ID]).go();
        outcome.exits(8).complains(text);
        assert!(outcome.stderr.contains(hint), "{outcome}");
    }
}

#[test]
#[ignore = "only root can replace /etc/hosts"]
fn another_server_at_a_region_s_host_is_not_blamed_on_the_endpoint() {
    const HOST: &str = "codearts-check.cn-north-4.myhuaweicloud.com";
    if !fault::can_mount() {
        return fault::skip("a region's host", "the right to mount");
    }
    let greeting = Greeting::Tls(Certificate::WrongName.server_config());
    let server = StandIn::scripted(greeting, ok(&PACKAGE));
    for host in [HOST, &format!("{HOST}.")] {
        let endpoint = format!("{host}:{}", server.address.port());
        let run = Run::bare().trusting().args(&["-e", &endpoint, ID]);
        let outcome = finding_names_by(run, &format!("127.0.0.1 {host}\n"), "").go();
        outcome
            .exits(8)
            .complains("it is not for codearts-check.cn-north-4.");
        let hint = "hint: another server answered in the service's place: look for a search domain";
        assert!(outcome.stderr.contains(hint), "{outcome}");
    }
}

#[test]
#[ignore = "only root can replace /etc/hosts"]
fn the_hint_for_an_unreachable_host_with_a_twin_names_the_twin() {
    if !fault::can_mount() {
        return fault::skip("a host's twin", "the right to mount");
    }
    let hint = |run: Run, hosts: &str| {
        let outcome = finding_names_by(run.arg(ID), hosts, "").go();
        outcome.exits(6);
        let hint = outcome.stderr.lines().nth(1).map(str::to_owned);
        hint.map(|hint| {
            hint.replace(
                "hint: the reference has another host for this endpoint: ",
                "",
            )
        })
    };
    let twin = |region: &str| {
        let twin = format!("--endpoint codearts-check.{region}.myhuaweicloud.cn");
        Some(twin)
    };
    for (region, expected) in [
        ("cn-north-4", twin("cn-north-4")),
        ("cn-north-1", twin("cn-north-4")),
        ("cn-south-1", twin("cn-south-1")),
        ("cn-east-3", twin("cn-south-1")),
        ("eu-west-101", None),
    ] {
        assert_eq!(hint(Run::bare().args(&["-r", region]), ""), expected);
    }
    let host = "codearts-check.cn-south-1.myhuaweicloud.com";
    let with_dot = Run::bare().args(&["-e", &format!("{host}.")]);
    assert_eq!(hint(with_dot, ""), twin("cn-south-1"));
    let run = || Run::bare().args(&["-e", &format!("{host}:1")]);
    assert_eq!(
        hint(run(), &format!("127.0.0.1 {host}\n")),
        twin("cn-south-1")
    );
    let behind_proxy = run().env("https_proxy", "http://127.0.0.1:1");
    assert_eq!(hint(behind_proxy, ""), None);
}

/// What the hint says: the certificate of the CA that issued the server's is enough to trust.
#[test]
fn trusting_the_issuer_helps_if_a_ca_above_it_is_at_fault() {
    for certificate in [
        Certificate::PathLength,
        Certificate::CriticalExtensionOfCa,
        Certificate::TooDeep,
        Certificate::OfNoCa,
    ] {
        let (config, issuer) = certificate.with_issuer();
        let server = StandIn::scripted(Greeting::Tls(config), ok(&PACKAGE));
        let endpoint = format!("localhost:{}", server.address.port());
        let run = Run::bare().args(&["-e", &endpoint, ID]);
        let file = run.side_file("issuer.pem", issuer.as_bytes());
        run.arg("--cacert").arg(file).go().exits(0);
    }
}

#[test]
fn the_built_in_roots_do_not_trust_a_private_ca() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    Run::bare()
        .args(&["-e", &endpoint, ID])
        .go()
        .exits(8)
        .complains("its issuer is unknown");
}

#[test]
fn ssl_cert_file_is_trusted_and_cacert_wins_over_it() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let run = Run::bare().args(&["-e", &endpoint, ID]);
    let ca = run.side_file("roots.pem", ca_pem().as_bytes());
    run.env("SSL_CERT_FILE", &ca)
        .go()
        .exits(0)
        .leaves_only(OUTPUT, &PACKAGE);
    Run::new(&server)
        .env("SSL_CERT_FILE", "/nowhere")
        .go()
        .exits(0);
    Run::bare()
        .args(&["-e", &endpoint, ID])
        .env("SSL_CERT_FILE", "/nowhere")
        .go()
        .exits(1)
        .complains("cannot use the CA file /nowhere (SSL_CERT_FILE): No such file");
    // A crontab expands nothing.
    let outcome = Run::bare()
        .env("SSL_CERT_FILE", "$HOME/ca.pem")
        .args(&["-e", "127.0.0.1:1", ID])
        .go();
    outcome
        .exits(1)
        .complains("cannot use the CA file $HOME/ca.pem (SSL_CERT_FILE): No such file");
    let hint = "hint: nothing expands '~' or '$' here, nor in a crontab: write the whole path\n";
    assert!(outcome.stderr.ends_with(hint), "{outcome}");
}

/// Has the run see a folder in the place of /etc, with these files and what a lookup needs.
fn with_etc(run: Run, files: &[(&str, &[u8])]) -> Run {
    let etc = run.path("etc");
    for (path, content) in files {
        let path = etc.join(path.strip_prefix("/etc/").expect("a path below /etc"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        fs::write(path, content).expect("write a store");
    }
    fs::create_dir_all(&etc).expect("make a folder");
    fs::write(etc.join("hosts"), "127.0.0.1 localhost\n").expect("write /etc/hosts");
    run.command(|command| fault::replace_files(command, &[(c"/etc", &etc)]))
}

const HOST_STORES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

#[test]
#[ignore = "only root can replace /etc"]
fn the_first_store_of_the_host_with_a_usable_certificate_is_trusted() {
    if !fault::can_mount() {
        return fault::skip("the host's store", "the right to mount");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let call = |files: &[(&str, &[u8])]| {
        with_etc(Run::bare().args(&["-v", "-e", &endpoint, ID]), files).go()
    };
    let (ca, (_, other)) = (ca_pem(), Certificate::TooDeep.with_issuer());
    let large = vec![b'\n'; (4 << 20) + 1];
    let unusable = [
        b"".as_slice(),
        UNUSABLE.as_bytes(),
        &ca.as_bytes()[..200],
        &large,
    ];
    for (place, store) in HOST_STORES.into_iter().enumerate() {
        let mut files = vec![(store, ca.as_bytes())];
        let before = HOST_STORES[..place].iter().zip(unusable);
        files.extend(before.map(|(store, content)| (*store, content)));
        files.extend(
            HOST_STORES[place + 1..]
                .iter()
                .map(|store| (*store, other.as_bytes())),
        );
        let outcome = call(&files);
        outcome.exits(0);
        let said = format!("trust: 1 certificate of {store}");
        assert!(outcome.stderr.starts_with(&said), "{outcome}");
        let passed_by = outcome.stderr.matches(" can't be used: ").count();
        assert_eq!(passed_by, place, "{outcome}");
    }
    // What is broken in it is skipped.
    let damaged = format!("{}{ca}{UNUSABLE}", ca.replace("MII", "M*I"));
    let outcome = call(&[(HOST_STORES[0], damaged.as_bytes())]);
    outcome.exits(0);
    let skipped = "without those that can't be used: 1 (CERTIFICATE), 3 (CERTIFICATE)\n";
    assert!(outcome.stderr.contains(skipped), "{outcome}");
    // It is trusted alone, and nothing else that the host has.
    let stores = [
        (HOST_STORES[0], other.as_bytes()),
        (HOST_STORES[1], ca.as_bytes()),
    ];
    let outcome = call(&stores);
    outcome.exits(8);
    let hint = format!(
        "hint: trust: 1 certificate of {}; likely causes: ",
        HOST_STORES[0]
    );
    assert!(outcome.stderr.contains(&hint), "{outcome}");
    assert!(
        outcome
            .stderr
            .contains(", or the host's store is outdated; "),
        "{outcome}"
    );
}

#[test]
#[ignore = "only root can replace /etc"]
fn a_host_without_a_store_trusts_the_built_in_roots_or_what_the_user_names() {
    if !fault::can_mount() {
        return fault::skip("no store", "the right to mount");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let run = || Run::bare().args(&["-v", "-e", &endpoint, ID]);
    let outcome = with_etc(run(), &[]).go();
    outcome.exits(8);
    assert!(
        outcome.stderr.starts_with("trust: the built-in roots\n"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("hint: trust: the built-in roots; "),
        "{outcome}"
    );
    let (_, other) = Certificate::TooDeep.with_issuer();
    let store = (HOST_STORES[0], other.as_bytes());
    for variable in [true, false] {
        let run = run();
        let file = run.side_file("roots.pem", ca_pem().as_bytes());
        let run = if variable {
            run.env("SSL_CERT_FILE", file)
        } else {
            run.arg("--cacert").arg(file)
        };
        with_etc(run, &[store]).go().exits(0);
    }
    with_etc(
        run().env("SSL_CERT_FILE", "/nowhere"),
        &[(HOST_STORES[0], ca_pem().as_bytes())],
    )
    .go()
    .exits(1);
}

#[test]
fn a_ca_file_must_hold_a_certificate_and_may_hold_more() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let key = rcgen::KeyPair::generate()
        .expect("a key pair")
        .serialize_pem();
    let ca = ca_pem();
    let ca_der = der(&ca);
    let lines = ca.lines().count();
    let broken = ca.replace("MII", "M*I");
    // Two lines of a certificate are lost, but not its last one.
    let shorter: Vec<&str> = ca
        .lines()
        .enumerate()
        .filter(|(n, _)| ![2, 3].contains(n))
        .map(|(_, line)| line)
        .collect();
    let shorter = shorter.join("\n");
    let (unterminated, _) = ca.rsplit_once("\n-----END").expect("a last line");
    let utf_16: Vec<u8> = ca.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf_16_with_mark = [&[0xff, 0xfe], &utf_16[..]].concat();
    let labelled = |label: &str| ca.replace("CERTIFICATE", label).into_bytes();
    let trusted = UNUSABLE.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    let second_line = lines + 1;
    for (content, text) in [
        (b"".to_vec(), "it holds no certificate".to_owned()),
        (b"no PEM".to_vec(), "it holds no certificate".to_owned()),
        (
            key.clone().into_bytes(),
            "it holds no certificate".to_owned(),
        ),
        (ca_der, "it is DER, not PEM".to_owned()),
        (utf_16, "it is UTF-16".to_owned()),
        (utf_16_with_mark, "it is UTF-16".to_owned()),
        (labelled("PKCS7"), "it is PKCS #7".to_owned()),
        (
            trusted.into_bytes(),
            "no certificate in it can be used: 1 (TRUSTED CERTIFICATE)".to_owned(),
        ),
        (
            broken.clone().into_bytes(),
            "certificate 1, in line 1, is not base64".to_owned(),
        ),
        (
            format!("{ca}{broken}").into_bytes(),
            format!("certificate 2, in line {second_line}, is not base64"),
        ),
        (
            format!("{ca}{shorter}").into_bytes(),
            format!("certificate 2, in line {second_line}, is cut short"),
        ),
        (
            format!("{ca}{unterminated}").into_bytes(),
            format!("certificate 2, in line {second_line}, is cut short: its last line"),
        ),
        (
            format!("\n{unterminated}\n{ca}").into_bytes(),
            "certificate 1, in line 2, is cut short: its last line".to_owned(),
        ),
        (
            UNUSABLE.into(),
            "no certificate in it can be used: 1 (CERTIFICATE)".to_owned(),
        ),
        (
            b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_vec(),
            "no certificate in it can be used: 1 (CERTIFICATE)".to_owned(),
        ),
    ] {
        let run = Run::bare().args(&["-e", &endpoint, ID]);
        let file = run.side_file("roots.pem", &content);
        run.arg("--cacert")
            .arg(file)
            .go()
            .exits(1)
            .complains(&format!("roots.pem: {text}"))
            .leaves_nothing();
    }
    for (file, text) in [("/", "Is a directory"), ("/dev/zero", "it is larger than")] {
        let run = Run::bare().args(&["-e", &endpoint, ID, "--cacert", file]);
        run.go()
            .exits(1)
            .complains(&format!("cannot use the CA file {file}: {text}"));
    }
    let run = Run::bare().args(&["-e", &endpoint, ID]);
    // Some tools write an encrypted key with lines that are not base64.
    let locked = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n";
    let roots = format!("{locked}{key}text\n{ca}");
    let file = run.side_file("roots.pem", roots.as_bytes());
    run.arg("--cacert").arg(file).go().exits(0).says("");
    assert_eq!(server.requests().len(), 1);
}

/// A certificate that is none: "garbage" in base64.
const UNUSABLE: &str = "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";

fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    CertificateDer::from_pem_slice(pem.as_bytes())
        .expect("a certificate")
        .to_vec()
}

/// What rustls's own reader of PEM drops without a word.
#[test]
fn a_ca_file_is_read_with_a_byte_order_mark_and_without_line_breaks() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let (_, other) = Certificate::TooDeep.with_issuer();
    let ca = ca_pem();
    for roots in [
        format!("\u{feff}{ca}"),
        format!("{}{ca}", other.trim_end()),
        format!("{}{other}", ca.trim_end()),
        ca.replace('\n', "\r\n"),
        ca.replace('\n', ""),
        ca.trim_end().to_owned(),
        ca.replace("CERTIFICATE", "X509 CERTIFICATE"),
        format!("# caf\u{e9}: {ca}"),
    ] {
        let run = Run::bare().args(&["-e", &endpoint, ID]);
        let file = run.side_file("roots.pem", roots.as_bytes());
        run.arg("--cacert").arg(file).go().exits(0).says("");
    }
    let run = Run::bare().args(&["-e", &endpoint, ID]);
    let latin_1 = [b"caf\xe9\n", ca.as_bytes()].concat();
    let file = run.side_file("roots.pem", &latin_1);
    run.arg("--cacert").arg(file).go().exits(0);
}

#[test]
fn a_certificate_that_can_t_be_used_is_skipped_and_named() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let call = |roots: &str| {
        let run = Run::bare().args(&["-v", "-e", &endpoint, ID]);
        let file = run.side_file("roots.pem", roots.as_bytes());
        run.arg("--cacert").arg(file).go()
    };
    // What OpenSSL writes with -addtrust.
    let trusted = UNUSABLE.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    let outcome = call(&format!("{UNUSABLE}{}{trusted}", ca_pem()));
    outcome.exits(0);
    let skipped = "roots.pem, without those that can't be used: \
                   1 (CERTIFICATE), 3 (TRUSTED CERTIFICATE)";
    let trust = outcome
        .stderr
        .lines()
        .find(|line| line.starts_with("trust: 1 certificate of "));
    assert!(
        trust.is_some_and(|line| line.ends_with(skipped)),
        "{outcome}"
    );
    let outcome = call(&UNUSABLE.repeat(100));
    outcome.exits(1);
    assert!(
        outcome.stderr.ends_with("…\n") && outcome.stderr.len() < 800,
        "{outcome}"
    );
    let (_, other) = Certificate::TooDeep.with_issuer();
    let outcome = call(&format!("{UNUSABLE}{other}{trusted}"));
    outcome.exits(8);
    assert!(
        outcome
            .stderr
            .contains(&format!("{skipped}; likely causes: ")),
        "{outcome}"
    );
}

#[test]
fn a_server_without_tls_or_with_an_old_one_is_a_network_failure() {
    // A fatal alert (RFC 8446, section 6).
    let alert = |number| Step::Send(vec![0x15, 3, 3, 0, 2, 2, number]);
    // A ServerHello of this version, 3.3 for TLS 1.2, with a cipher suite that was not offered.
    let hello = |version| {
        let head = [0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, version];
        Step::Send([&head, &[7; 32][..], &[0, 0, 5, 0]].concat())
    };
    let http = Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let in_common = "have no version, cipher or key exchange of TLS in common ";
    let supported = "hint: this program speaks TLS 1.2 and 1.3";
    for (step, text, cause, hint) in [
        (
            alert(40),
            in_common,
            "(received fatal alert: HandshakeFailure)",
            supported,
        ),
        (
            alert(70),
            in_common,
            "(received fatal alert: ProtocolVersion)",
            supported,
        ),
        (
            alert(71),
            in_common,
            "(received fatal alert: InsufficientSecurity)",
            supported,
        ),
        (
            hello(2),
            in_common,
            "(peer is incompatible: ServerDoesNotSupportTls12Or13)",
            supported,
        ),
        (alert(80), "received fatal alert: InternalError", "", ""),
        (
            alert(116),
            "received fatal alert: CertificateRequired",
            "",
            "",
        ),
        (
            hello(3),
            "peer misbehaved: SelectedUnofferedCipherSuite",
            "",
            "",
        ),
        (
            http,
            "the server's answer is not TLS",
            "",
            "hint: the server does not speak TLS: a wrong port",
        ),
    ] {
        let server = StandIn::scripted(Greeting::Script, vec![step]);
        let outcome = Run::new(&server).go();
        outcome
            .exits(6)
            .complains(text)
            .complains(cause)
            .leaves_nothing();
        assert!(outcome.stderr.contains(hint), "{outcome}");
        assert_eq!(
            outcome.stderr.contains("hint: "),
            !hint.is_empty(),
            "{outcome}"
        );
    }
}

#[test]
fn a_silent_handshake_is_given_up_after_the_connect_timeout() {
    let server = StandIn::scripted(Greeting::Script, vec![Step::AwaitClose]);
    Run::new(&server)
        .args(&["--connect-timeout", "0.8"])
        .go()
        .exits(6)
        .complains("there was no connection within 0.8 s (--connect-timeout)")
        .takes(Duration::from_millis(800));
}

#[test]
fn a_refused_connection_is_a_network_failure() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    Run::bare()
        .args(&["-e", &address.to_string(), ID])
        .go()
        .exits(6)
        .complains(&format!("GET https://{address}/v1/log-file: "))
        .complains(&format!(
            ": cannot connect to {address}: Connection refused"
        ))
        .leaves_nothing();
}

#[test]
fn a_name_that_is_not_found_is_a_network_failure() {
    Run::bare()
        .args(&["-e", "no-such-host.invalid", ID])
        .go()
        .exits(6)
        .complains("log-file: cannot look up no-such-host.invalid: ")
        .complains(" (no proxy was used: none is set, or no_proxy exempts the host)")
        .leaves_nothing();
    let outcome = Run::bare()
        .env("https_proxy", "no-such-proxy.invalid")
        .args(&["-e", "no-such-host.invalid", ID])
        .go();
    outcome
        .exits(6)
        .complains(": cannot look up no-such-proxy.invalid: ");
    assert!(!outcome.stderr.contains("failed to lookup"), "{outcome}");
    assert!(!outcome.stderr.contains("no proxy"), "{outcome}");
}

#[test]
fn plain_http_is_spoken_on_loopback() {
    let server = StandIn::scripted(Greeting::Plain, ok(&PACKAGE));
    let port = server.address.port();
    let call = |host: &str| {
        let endpoint = format!("http://{host}:{port}/");
        Run::bare().args(&["-e", &endpoint, ID]).go()
    };
    call("127.0.0.1").exits(0).leaves_only(OUTPUT, &PACKAGE);
    // Nothing listens there: it shows that the whole block counts as loopback.
    for host in ["127.1.2.3", "[::1]"] {
        call(host).exits(6).complains("Connection refused");
    }
}

/// Has the run find names by these files in the place of this host's.
fn finding_names_by(run: Run, hosts: &str, name_server: &str) -> Run {
    let hosts = run.side_file("hosts", hosts.as_bytes());
    let resolver = run.side_file("resolv.conf", name_server.as_bytes());
    let services = run.side_file("nsswitch.conf", b"hosts: files dns\n");
    run.command(|command| {
        fault::replace_files(
            command,
            &[
                (c"/etc/hosts", &hosts),
                (c"/etc/resolv.conf", &resolver),
                (c"/etc/nsswitch.conf", &services),
            ],
        );
    })
}

/// A free port that never answers on any of these addresses of 127.0.0.0/8, as long as the sockets
/// are open: the queue of connections is full. The first of them listens on the first address.
fn unanswered(hosts: &[u8]) -> (u16, Vec<Socket>) {
    let new = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let mut sockets = Vec::new();
    let mut port = 0;
    for host in hosts {
        let listener = new();
        let wanted = SocketAddr::from(([127, 0, 0, *host], port));
        listener.bind(&wanted.into()).expect("a port on loopback");
        listener.listen(0).expect("a listening socket");
        let address = listener.local_addr().expect("its address");
        port = address.as_socket().expect("an IP address").port();
        sockets.push(listener);
        loop {
            let client = new();
            let connected = client.connect_timeout(&address, Duration::from_millis(200));
            sockets.push(client);
            if connected.is_err() {
                break;
            }
        }
    }
    (port, sockets)
}

/// A call of stand-in.test, which is a name in the stand-in's certificate.
fn call_by_name(port: u16) -> Run {
    let endpoint = format!("stand-in.test:{port}");
    Run::bare().trusting().args(&["-e", &endpoint, ID])
}

/// The lines of /etc/hosts for a name with these addresses.
fn hosts(addresses: &[&str]) -> String {
    let line_end = " stand-in.test\n";
    addresses.join(line_end) + line_end
}

#[test]
#[ignore = "only root can replace /etc/hosts"]
fn silent_addresses_share_the_connect_timeout() {
    if !fault::can_mount() {
        return fault::skip("silent addresses", "the right to mount");
    }
    let (port, _sockets) = unanswered(&[1, 2, 3]);
    let _server = StandIn::at(([127, 0, 0, 4], port), Greeting::tls(), |_| ok(&PACKAGE))
        .expect("the port on 127.0.0.4");
    let run = |addresses: &[&str], time: &str| {
        let run = call_by_name(port).args(&["--connect-timeout", time]);
        finding_names_by(run, &hosts(addresses), "").go()
    };
    // The order is getaddrinfo's, which puts the host's own address first.
    let two = ["127.0.0.1", "127.0.0.4"];
    let outcome = run(&two, "1.5");
    outcome
        .exits(0)
        .takes(Duration::from_millis(750))
        .leaves_only(OUTPUT, &PACKAGE);
    let all = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
    run(&all, "4").exits(0).takes(Duration::from_secs(3));
    let no_answer = ": no answer (--connect-timeout)";
    for (silent, text) in [
        (
            &all[..1],
            format!("cannot connect to 127.0.0.1:{port}{no_answer}"),
        ),
        (&all[..3], format!(", the last of 3 addresses{no_answer}")),
    ] {
        run(silent, "0.5")
            .exits(6)
            .complains(&text)
            .takes(Duration::from_millis(500));
    }
    let run = call_by_name(port).args(&["--max-time", "0.5"]);
    finding_names_by(run, &hosts(&all[..3]), "")
        .go()
        .exits(6)
        .complains("/v1/log-file: not finished after 0.5 s (--max-time)");
}

#[test]
#[ignore = "only root can replace /etc/hosts"]
fn the_address_families_alternate() {
    if !fault::can_mount() {
        return fault::skip("two families", "the right to mount");
    }
    if !Path::new("/etc/gai.conf").exists() {
        return fault::skip("two families", "a /etc/gai.conf to replace");
    }
    let (port, _sockets) = unanswered(&[1, 2, 3]);
    let Ok(_server) = StandIn::at((Ipv6Addr::LOCALHOST, port), Greeting::tls(), |_| {
        ok(&PACKAGE)
    }) else {
        return fault::skip("two families", "IPv6");
    };
    let run = call_by_name(port).args(&["--connect-timeout", "4"]);
    let ipv4_first = run.side_file("gai.conf", b"precedence ::ffff:0:0/96 100\n");
    let run = run.command(|command| {
        fault::replace_files(command, &[(c"/etc/gai.conf", &ipv4_first)]);
    });
    let names = hosts(&["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"]);
    finding_names_by(run, &names, "")
        .go()
        .exits(0)
        .takes(Duration::from_secs(1));
}

#[test]
#[ignore = "only root can replace /etc/hosts"]
fn a_rejected_address_leads_to_the_next_one() {
    if !fault::can_mount() {
        return fault::skip("a rejected address", "the right to mount");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let proxy = StandIn::scripted(
        Greeting::Plain,
        vec![Step::Send(CONNECTED.to_vec()), Step::Tunnel(server.address)],
    );
    let both = hosts(&["::1", "127.0.0.1"]);
    for errno in [
        libc::EACCES,
        libc::ENOPROTOOPT,
        libc::EAFNOSUPPORT,
        libc::EADDRNOTAVAIL,
    ] {
        let rejected = |run: Run| {
            let filter = fault::fail_tcp_over_ipv6(errno);
            finding_names_by(run, &both, "")
                .command(|command| fault::install(command, filter))
                .go()
        };
        let run = call_by_name(server.address.port());
        rejected(run).exits(0).leaves_only(OUTPUT, &PACKAGE);
        let proxy = format!("http://stand-in.test:{}", proxy.address.port());
        let run = Run::new(&server).env("https_proxy", proxy);
        rejected(run).exits(0).leaves_only(OUTPUT, &PACKAGE);
        let run = Run::bare().args(&["-e", "stand-in.test:1", ID]);
        rejected(run).exits(6).complains(
            "cannot connect to 127.0.0.1:1, the last of 2 addresses: Connection refused",
        );
    }
}

#[test]
#[ignore = "only root can replace /etc/resolv.conf"]
fn the_maximum_time_ends_a_lookup_too() {
    if !fault::can_mount() {
        return fault::skip("a silent lookup", "the right to mount");
    }
    // An address of this process's own: another run of the tests may be silent too.
    let [.., high, low] = std::process::id().to_be_bytes();
    let name_server = Ipv4Addr::new(127, 53, high, low);
    let _silent = UdpSocket::bind((name_server, 53)).expect("a name server's port");
    let resolver = format!("nameserver {name_server}\n");
    let run = Run::bare()
        .file(OUTPUT, OLD)
        .args(&["-e", "stand-in.test", ID, "--max-time", "0.5"]);
    let outcome = finding_names_by(run, "", &resolver).go();
    outcome
        .exits(6)
        .complains("GET https://stand-in.test/v1/log-file: ")
        .complains("not finished after 0.5 s (--max-time)")
        .takes(Duration::from_millis(500))
        .leaves_only(OUTPUT, OLD);
}

#[test]
#[ignore = "only root can replace /etc/resolv.conf"]
fn a_fully_qualified_name_is_looked_up_as_it_is_and_called_without_its_dot() {
    if !fault::can_mount() {
        return fault::skip("a fully qualified name", "the right to mount");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let name_server = name_server(Duration::ZERO);
    // Without its dot, the name would be tried with the domain first, and found.
    let resolver = format!("nameserver {name_server}\nsearch elsewhere.example\noptions ndots:5\n");
    let port = server.address.port();
    let run = Run::bare()
        .trusting()
        .args(&["-e", &format!("Stand-In.test.:{port}"), ID]);
    finding_names_by(run, "", &resolver)
        .go()
        .exits(0)
        .leaves_only(OUTPUT, &PACKAGE);
    let host = format!("stand-in.test:{port}");
    assert_eq!(server.requests()[0].header("Host"), Some(&*host));
}

/// A name server that knows every name, after `pause`: stand-in.test is at 127.0.0.1, and nothing
/// listens at the address of the others. It runs until the process ends.
fn name_server(pause: Duration) -> Ipv4Addr {
    static COUNT: AtomicU8 = AtomicU8::new(0);
    // An address of this process's own: another run of the tests may have one too.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 54 + COUNT.fetch_add(1, Ordering::Relaxed), high, low);
    let socket = UdpSocket::bind((address, 53)).expect("a name server's port");
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((_, client)) = socket.recv_from(&mut query) {
            thread::sleep(pause);
            // RFC 1035, section 4.1: a head, the question, and the answer with its name pointing
            // there.
            let name = 12
                + query[12..]
                    .iter()
                    .position(|&byte| byte == 0)
                    .expect("a name");
            let is_ipv4 = query[name + 1..name + 3] == [0, 1];
            let mut reply = query[..name + 5].to_vec();
            let answers = u8::from(is_ipv4);
            reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0]);
            if is_ipv4 {
                let is_known = query[12..].starts_with(b"\x08stand-in\x04test\0");
                let host = if is_known { 1 } else { 9 };
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, host]);
            }
            let _ = socket.send_to(&reply, client);
        }
    });
    address
}

#[test]
#[ignore = "only root can replace /etc/resolv.conf"]
fn a_lookup_takes_nothing_from_the_connect_timeout() {
    if !fault::can_mount() {
        return fault::skip("a slow lookup", "the right to mount");
    }
    let server = StandIn::tls(ok(&PACKAGE));
    let tunnel = vec![Step::Send(CONNECTED.to_vec()), Step::Tunnel(server.address)];
    let name_server = name_server(Duration::from_millis(800));
    let resolver = format!("nameserver {name_server}\n");
    let timeout = ["--connect-timeout", "0.7"];
    let run = call_by_name(server.address.port()).args(&timeout);
    finding_names_by(run, "", &resolver).go().exits(0);
    for (greeting, scheme) in [(Greeting::Plain, "http"), (Greeting::tls(), "https")] {
        let proxy = StandIn::scripted(greeting, tunnel.clone());
        let proxy_url = format!("{scheme}://stand-in.test:{}", proxy.address.port());
        let run = Run::new(&server)
            .env("https_proxy", proxy_url)
            .args(&timeout);
        finding_names_by(run, "", &resolver).go().exits(0);
    }
}
