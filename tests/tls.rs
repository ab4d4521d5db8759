//! On the way to the service: names, connections, certificates.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use crate::answers::ok;
use crate::harness::{ID, OUTPUT, Outcome, Run};
use crate::packages::PACKAGE;
use crate::stand_in::{Certificate, Greeting, StandIn, Step, ca_pem};

fn start(greeting: Greeting, script: Vec<Step>) -> StandIn {
    StandIn::start(Ipv4Addr::LOCALHOST.into(), greeting, move |_| {
        script.clone()
    })
    .expect("a free port on loopback")
}

fn with(certificate: Certificate) -> (StandIn, Outcome) {
    let server = start(Greeting::Tls(certificate.server_config()), ok(&PACKAGE));
    let outcome = Run::new(&server).go();
    (server, outcome)
}

#[test]
fn a_certificate_that_is_not_trusted_exits_8_and_gets_no_token() {
    for (certificate, text, hint) in [
        (Certificate::SelfSigned, "UnknownIssuer", "--cacert"),
        (
            Certificate::Expired,
            "certificate expired",
            "this host's clock",
        ),
        (
            Certificate::NotYetValid,
            "not valid yet",
            "this host's clock",
        ),
        (Certificate::WrongName, "not valid for name", "--endpoint"),
    ] {
        let (server, outcome) = with(certificate);
        outcome
            .exits(8)
            .complains("the server's certificate is not trusted: ")
            .complains(text)
            .leaves_nothing();
        assert!(outcome.stderr.contains(hint), "{outcome}");
        assert!(server.requests().iter().all(|request| request.0.is_empty()));
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
        .complains("UnknownIssuer");
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
        .complains("cannot use the CA file /nowhere: No such file");
}

#[test]
fn a_ca_file_must_hold_a_certificate_and_may_hold_more() {
    let server = StandIn::tls(ok(&PACKAGE));
    let endpoint = format!("localhost:{}", server.address.port());
    let key = rcgen::KeyPair::generate()
        .expect("a key pair")
        .serialize_pem();
    let broken = ca_pem().replace("MII", "M*I");
    for (content, text) in [
        ("", "it holds no certificate"),
        ("no PEM", "it holds no certificate"),
        (&*key, "it holds no certificate"),
        (&*broken, "PEM"),
    ] {
        let run = Run::bare().args(&["-e", &endpoint, ID]);
        let file = run.side_file("roots.pem", content.as_bytes());
        run.arg("--cacert")
            .arg(file)
            .go()
            .exits(1)
            .complains(text)
            .leaves_nothing();
    }
    for file in ["/", "/dev/zero"] {
        let run = Run::bare().args(&["-e", &endpoint, ID, "--cacert", file]);
        run.go()
            .exits(1)
            .complains(&format!("cannot use the CA file {file}: "));
    }
    let run = Run::bare().args(&["-e", &endpoint, ID]);
    let file = run.side_file("roots.pem", format!("{key}text\n{}", ca_pem()).as_bytes());
    run.arg("--cacert").arg(file).go().exits(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_without_tls_or_with_an_old_one_is_a_network_failure() {
    // The fatal alert protocol_version (RFC 5246, 7.2), as from a server that has TLS 1.1 only.
    let alert = Step::Send(vec![0x15, 3, 2, 0, 2, 2, 70]);
    let http = Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    for (step, text) in [(alert, "ProtocolVersion"), (http, "InvalidContentType")] {
        let server = start(Greeting::Script, vec![step]);
        Run::new(&server)
            .go()
            .exits(6)
            .complains(text)
            .leaves_nothing();
    }
}

#[test]
fn a_silent_handshake_is_given_up_after_the_connect_timeout() {
    let server = start(Greeting::Script, vec![Step::AwaitClose]);
    Run::new(&server)
        .args(&["--connect-timeout", "0.8"])
        .go()
        .exits(6)
        .complains("there was no connection within 0.8 s (--connect-timeout)")
        .takes(Duration::from_millis(800));
}

#[test]
fn nobody_listening_is_a_network_failure() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    Run::bare()
        .args(&["-e", &address.to_string(), ID])
        .go()
        .exits(6)
        .complains(&format!(
            "GET https://{address}/v1/log-file?sub_job_id={ID}: "
        ))
        .complains("Connection refused")
        .leaves_nothing();
}

#[test]
fn a_name_that_is_not_found_is_a_network_failure() {
    Run::bare()
        .args(&["-e", "no-such-host.invalid", ID])
        .go()
        .exits(6)
        .complains("cannot look up no-such-host.invalid: ")
        .leaves_nothing();
}

#[test]
fn plain_http_is_spoken_on_loopback() {
    let server = start(Greeting::Plain, ok(&PACKAGE));
    for host in ["localhost", "127.0.0.1", "LOCALHOST", "127.1.2.3"] {
        // 127.1.2.3 has no listener: it shows that the whole block counts as loopback.
        let endpoint = format!("http://{host}:{}/", server.address.port());
        let outcome = Run::bare().args(&["-e", &endpoint, ID]).go();
        if host == "127.1.2.3" {
            outcome.exits(6).complains("Connection refused");
        } else {
            outcome.exits(0).leaves_only(OUTPUT, &PACKAGE);
        }
    }
}
