//! The way through a proxy, by curl's variables and rules.

use std::time::Duration;

use crate::harness::{ID, OUTPUT, Outcome, Run, TOKEN};
use crate::packages::{PACKAGE, ok};
use crate::stand_in::{Certificate, Greeting, StandIn, Step};

pub const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A server, and a proxy that leads to it for any host.
fn server_behind_proxy(greeting: Greeting) -> (StandIn, StandIn) {
    let server = StandIn::tls(ok(&PACKAGE));
    let tunnel = vec![Step::Send(CONNECTED.to_vec()), Step::Tunnel(server.address)];
    let proxy = StandIn::scripted(greeting, tunnel);
    (server, proxy)
}

/// A proxy that must not be called.
fn trap() -> StandIn {
    StandIn::scripted(Greeting::Plain, Vec::new()).never_called()
}

fn url(proxy: &StandIn) -> String {
    format!("http://{}", proxy.address)
}

#[track_caller]
fn assert_saved(outcome: &Outcome) {
    outcome.exits(0).says("").leaves_only(OUTPUT, &PACKAGE);
}

#[test]
fn each_variable_leads_through_the_proxy_which_sees_no_secret() {
    for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let (server, proxy) = server_behind_proxy(Greeting::Plain);
        let outcome = Run::new(&server).env(variable, url(&proxy)).go();
        assert_saved(&outcome);
        let heads = proxy.requests();
        let port = server.address.port();
        assert_eq!(heads.len(), 1);
        assert!(
            heads[0]
                .0
                .starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n"))
        );
        assert!(!heads[0].0.contains(TOKEN) && !heads[0].0.contains(ID));
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn the_first_variable_that_is_set_wins() {
    let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    for first in 0..names.len() {
        let (server, proxy) = server_behind_proxy(Greeting::Plain);
        let trap = trap();
        let mut run = Run::new(&server);
        for (place, name) in names.iter().enumerate() {
            run = match place {
                _ if place < first => run.env(name, ""),
                _ if place == first => run.env(name, url(&proxy)),
                _ => run.env(name, url(&trap)),
            };
        }
        assert_saved(&run.go());
        assert_eq!(proxy.requests().len(), 1);
    }
}

#[test]
fn http_proxy_does_not_count() {
    let (server, trap) = (StandIn::tls(ok(&PACKAGE)), trap());
    let run = Run::new(&server);
    let outcome = run
        .env("http_proxy", url(&trap))
        .env("HTTP_PROXY", url(&trap))
        .go();
    assert_saved(&outcome);
}

#[test]
fn no_proxy_exempts_hosts_and_their_subdomains() {
    for (variable, list) in [
        ("no_proxy", "localhost"),
        ("NO_PROXY", "localhost"),
        ("no_proxy", "*"),
        ("no_proxy", "example.com, LOCALHOST"),
        ("no_proxy", "example.com .localhost"),
        ("no_proxy", "localhost."),
        // As `docker --env-file` keeps it.
        ("no_proxy", "\"localhost,.example.com\""),
        ("no_proxy", "'localhost'"),
    ] {
        let (server, trap) = (StandIn::tls(ok(&PACKAGE)), trap());
        let run = Run::new(&server).env("https_proxy", url(&trap));
        assert_saved(&run.env(variable, list).go());
    }
    for list in ["", "host", "a.localhost", "ocalhost", "127.0.0.1", ",, "] {
        let (server, proxy) = server_behind_proxy(Greeting::Plain);
        let run = Run::new(&server).env("https_proxy", url(&proxy));
        assert_saved(&run.env("no_proxy", list).go());
        assert_eq!(proxy.requests().len(), 1, "{list}");
    }
    // A subdomain, which need not be found: the proxy that is passed by would have answered.
    for (list, host) in [
        ("invalid", "a.b.invalid"),
        (".invalid", "a.b.invalid"),
        ("b.invalid", "a.b.invalid"),
        ("b.invalid", "a.b.invalid."),
    ] {
        let trap = trap();
        let run = Run::bare()
            .env("https_proxy", url(&trap))
            .env("no_proxy", list);
        run.args(&["-e", host, ID])
            .go()
            .exits(6)
            .complains("cannot look up a.b.invalid");
    }
    // The variable in small letters wins.
    let (server, proxy) = server_behind_proxy(Greeting::Plain);
    let run = Run::new(&server)
        .env("https_proxy", url(&proxy))
        .env("NO_PROXY", "*");
    assert_saved(&run.env("no_proxy", "other").go());
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn an_exempt_ipv6_address_is_written_with_or_without_brackets() {
    for list in ["::1", "[::1]"] {
        let trap = trap();
        let run = Run::bare()
            .env("https_proxy", url(&trap))
            .env("no_proxy", list);
        run.args(&["-e", "[::1]:1", ID])
            .go()
            .exits(6)
            .complains("refused");
    }
}

#[test]
fn an_address_has_no_subdomains() {
    let proxy = StandIn::scripted(Greeting::Plain, Vec::new());
    let call = |list: &str| {
        let run = Run::bare().env("https_proxy", url(&proxy));
        run.env("no_proxy", list)
            .args(&["-e", "127.0.0.1:1", ID])
            .go()
    };
    for list in ["1", "0.0.1", ".1"] {
        call(list).exits(6).complains(" through the proxy ");
    }
    let refused = ": cannot connect to 127.0.0.1:1: Connection refused";
    call("127.0.0.1").exits(6).complains(refused);
}

#[test]
fn white_space_around_a_proxy_is_ignored_and_quotes_are_refused() {
    let (server, proxy) = server_behind_proxy(Greeting::Plain);
    let run = Run::new(&server).env("https_proxy", format!(" {}\r\n", url(&proxy)));
    assert_saved(&run.go());
    for (value, text) in [
        (
            format!("\"{}\"", url(&proxy)),
            "it is in quotes, which are not part of it",
        ),
        (format!("'{}'\n", url(&proxy)), "it is in quotes"),
        (
            "http://127.0.0.1\n:1".to_owned(),
            "it contains a line break",
        ),
    ] {
        let run = Run::new(&server).env("https_proxy", value);
        run.go()
            .exits(2)
            .complains(&format!("the proxy in https_proxy can't be used: {text}"));
    }
}

#[test]
fn a_refused_login_and_a_missing_one_have_different_hints() {
    let server = StandIn::tls(ok(&PACKAGE)).never_called();
    for (user, hint) in [
        (
            "",
            "hint: the proxy wants a user and a password: write USER:PASSWORD@ before its host; ",
        ),
        (
            "user@",
            "hint: the proxy did not accept the user and the password; ",
        ),
        (
            "user:pass-word@",
            "hint: the proxy did not accept the user and the password; ",
        ),
    ] {
        let answer = b"HTTP/1.1 407 Login\r\nProxy-Authenticate: NTLM\r\n\r\n".to_vec();
        let proxy = StandIn::scripted(Greeting::Plain, vec![Step::Send(answer)]);
        let proxy_url = format!("http://{user}{}", proxy.address);
        let outcome = Run::new(&server).env("https_proxy", proxy_url).go();
        outcome.exits(4).complains("the proxy answered 407");
        let basic = "only Basic is supported: NTLM and Kerberos need a local helper such as px\n";
        let hint = format!("\n{hint}{basic}");
        assert!(outcome.stderr.ends_with(&hint), "{outcome}");
    }
}

#[test]
fn user_and_password_reach_the_proxy_alone_and_decoded() {
    let (server, proxy) = server_behind_proxy(Greeting::Plain);
    let address = proxy.address;
    let outcome = Run::new(&server)
        .env("https_proxy", format!("http://user:p%40ss@{address}/"))
        .arg("-v")
        .go();
    outcome.exits(0);
    assert!(!outcome.stderr.contains("user"), "{outcome}");
    // base64 of user:p@ss
    let expected = Some("Basic dXNlcjpwQHNz");
    assert_eq!(proxy.requests()[0].header("Proxy-Authorization"), expected);
    assert_eq!(server.requests()[0].header("Proxy-Authorization"), None);
}

#[test]
fn a_proxy_is_spoken_to_over_tls_if_its_url_says_so() {
    let (server, proxy) = server_behind_proxy(Greeting::tls());
    let proxy_url = format!("https://localhost:{}", proxy.address.port());
    assert_saved(&Run::new(&server).env("https_proxy", proxy_url).go());
    assert!(proxy.requests()[0].0.starts_with("CONNECT "));
}

const NOT_LET_THROUGH: &str = "hint: the proxy does not let this call through: \
    ask the proxy's administrator\n";
const ONLY_200: &str = "hint: this program accepts only 200 as an open tunnel, \
    neither an interim answer (1xx) nor another 2xx\n";
const LOGIN_PAGE: &str = "hint: the proxy may require a login first: \
    open a page through it in a browser\n";
const OTHER_LOGIN: &str = "hint: the proxy did not accept the user and the password; \
    only Basic is supported: NTLM and Kerberos need a local helper such as px\n";

/// A proxy's answer to CONNECT, the exit code, the message and the hint.
#[rustfmt::skip] // one row per line
const ANSWERS: [(&str, i32, &str, &str); 16] = [
    ("403 Forbidden", 4, "403 Forbidden", NOT_LET_THROUGH),
    ("407 Login", 4, "407 Proxy Authentication Required", OTHER_LOGIN),
    // 40 and 41 are the service's.
    ("400 Bad Request", 4, "400 Bad Request", NOT_LET_THROUGH),
    ("401 Unauthorized", 4, "401 Unauthorized", OTHER_LOGIN),
    ("404 Not Found", 4, "404 Not Found", NOT_LET_THROUGH),
    ("201 Created", 3, "201 Created", ONLY_200),
    ("204 Well", 3, "204 No Content", ONLY_200),
    // An interim answer, and the one after it is not waited for.
    ("100 Continue\r\n\r\nHTTP/1.1 200 Well", 3, "100 Continue", ONLY_200),
    ("103 Early Hints", 3, "103 Early Hints", ONLY_200),
    ("600 Odd", 3, "600", NOT_LET_THROUGH),
    ("302 Found", 3, "302 Found", LOGIN_PAGE),
    ("429 Slower", 6, "429 Too Many Requests", ""),
    ("408 Late", 6, "408 Request Timeout", ""),
    ("500 Oh", 6, "500 Internal Server Error", ""),
    ("599 Oh", 6, "599", ""),
    ("502 Bad Gateway", 6, "502 Bad Gateway", ""),
];

#[test]
fn a_proxy_without_a_port_has_curl_s() {
    for (url, port) in [
        ("http://127.77.0.1", 1080),
        ("https://127.77.0.1/", 443),
        ("127.77.0.1", 1080),
    ] {
        let run = Run::bare().env("https_proxy", url);
        let refused = format!("cannot connect to 127.77.0.1:{port}: Connection refused");
        run.args(&["-e", "host.example", ID])
            .go()
            .exits(6)
            .complains(&refused);
    }
}

#[test]
fn a_certificate_is_the_proxy_s_until_the_tunnel_is_open() {
    let (server, proxy) = server_behind_proxy(Greeting::tls());
    let untrusting = |proxy: &str| {
        let endpoint = format!("localhost:{}", server.address.port());
        let run = Run::bare().env("ALL_PROXY", proxy);
        let outcome = run.args(&["-e", &endpoint, ID]).go();
        outcome.exits(8).complains("its issuer is unknown");
        outcome
    };
    let at = format!("localhost:{}", proxy.address.port());
    let outcome = untrusting(&format!("https://{at}"));
    outcome.complains("(ALL_PROXY): the proxy's certificate is not trusted: ");
    assert!(
        outcome
            .stderr
            .contains("the proxy does not send an intermediate"),
        "{outcome}"
    );
    let command = format!(": openssl s_client -connect {at} -showcerts;");
    assert!(outcome.stderr.contains(&command), "{outcome}");

    let tunnel = vec![Step::Send(CONNECTED.to_vec()), Step::Tunnel(server.address)];
    let proxy = StandIn::scripted(Greeting::Plain, tunnel);
    let outcome = untrusting(&format!("http://user@{}", proxy.address));
    outcome.complains("(ALL_PROXY): the server's certificate is not trusted: ");
    let command = format!(
        ": openssl s_client -connect localhost:{} -proxy {} -showcerts;",
        server.address.port(),
        proxy.address
    );
    assert!(outcome.stderr.contains(&command), "{outcome}");

    let greeting = Greeting::Tls(Certificate::WrongName.server_config());
    let (server, proxy) = server_behind_proxy(greeting);
    let server = server.never_called();
    let url = format!("https://localhost:{}", proxy.address.port());
    let outcome = Run::new(&server).env("all_proxy", url).go();
    outcome
        .exits(8)
        .complains("the proxy's certificate is not trusted: it is not for localhost");
    let hint = "hint: the host in all_proxy must be a name in the certificate\n";
    assert!(outcome.stderr.ends_with(hint), "{outcome}");
}

/// OpenSSL's command can't go through such a proxy.
#[test]
fn no_command_shows_a_server_s_certificate_behind_a_proxy_with_tls() {
    let greeting = Greeting::Tls(Certificate::SelfSigned.server_config());
    let server = StandIn::scripted(greeting, ok(&PACKAGE));
    let tunnel = vec![Step::Send(CONNECTED.to_vec()), Step::Tunnel(server.address)];
    let proxy = StandIn::scripted(Greeting::tls(), tunnel);
    let proxy = format!("https://localhost:{}", proxy.address.port());
    let outcome = Run::new(&server).env("https_proxy", proxy).go();
    outcome
        .exits(8)
        .complains("the server's certificate is not trusted: its issuer is unknown");
    assert!(!outcome.stderr.contains("openssl"), "{outcome}");
}

#[test]
fn the_hint_for_a_proxy_with_the_wrong_scheme_names_the_other_one() {
    let server = StandIn::tls(ok(&PACKAGE)).never_called();
    let call = |greeting: Greeting, script: Vec<Step>, scheme: &str| {
        let proxy = StandIn::scripted(greeting, script);
        let at = format!("localhost:{}", proxy.address.port());
        let run = Run::new(&server).env("https_proxy", format!("{scheme}://user:pass-word@{at}"));
        let outcome = run.args(&["--connect-timeout", "0.5"]).go();
        outcome.exits(6);
        let other = if scheme == "http" { "" } else { " not" };
        let scheme = if scheme == "http" { "https" } else { "http" };
        let hint = format!(
            "hint: this proxy may{other} speak TLS itself: then https_proxy={scheme}://{at}\n"
        );
        assert!(outcome.stderr.ends_with(&hint), "{outcome}");
    };
    let bad_request = Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    call(Greeting::Script, vec![bad_request], "https");
    // As tinyproxy does, which waits for a line.
    call(Greeting::Script, vec![Step::AwaitClose], "https");
    call(Greeting::tls(), Vec::new(), "http");
    // As stunnel does.
    call(Greeting::Plain, vec![Step::Reset], "http");
    let alert = Step::Send(vec![0x15, 3, 1, 0, 2, 2, 70]);
    call(Greeting::Plain, vec![alert], "http");
}

#[test]
fn a_proxy_that_refuses_differs_from_one_that_fails() {
    let server = StandIn::tls(ok(&PACKAGE)).never_called();
    for (answer, code, said, hint) in ANSWERS {
        let answer = format!("HTTP/1.1 {answer}\r\n\r\n");
        let proxy = StandIn::scripted(Greeting::Plain, vec![Step::Send(answer.into())]);
        let with_password = format!("http://user:pass-word@{}", proxy.address);
        let outcome = Run::new(&server).env("https_proxy", with_password).go();
        outcome.exits(code).leaves_nothing().says(&format!(
            "codearts-check-log: {ID}: GET {}/v1/log-file through the proxy {} (https_proxy): \
             the proxy answered {said}\n{hint}",
            outcome.endpoint(),
            url(&proxy)
        ));
    }
    let proxy = StandIn::scripted(Greeting::Plain, Vec::new());
    let outcome = Run::new(&server).env("all_proxy", url(&proxy)).go();
    outcome
        .exits(6)
        .complains(&format!("through the proxy {} (all_proxy): ", url(&proxy)));
    // A login page where the service should be.
    let page = b"HTTP/1.1 200 OK\r\n\r\n<html>Please log in</html>".to_vec();
    let proxy = StandIn::scripted(Greeting::Plain, vec![Step::Send(page)]);
    let outcome = Run::new(&server).env("all_proxy", url(&proxy)).go();
    outcome.exits(6);
    assert!(
        outcome
            .stderr
            .contains("hint: the server does not speak TLS"),
        "{outcome}"
    );
    assert!(server.requests().is_empty());
}

#[test]
fn a_proxy_that_can_t_be_used_is_a_usage_error_that_hides_its_password() {
    let server = StandIn::tls(ok(&PACKAGE)).never_called();
    let long = format!("http://user:{}@host", "pass-word".repeat(10_000));
    for value in [
        "socks5://pass-word@127.0.0.1:1080",
        "ftp://pass-word@127.0.0.1",
        "http://user:pass-word@:8080",
        "http://user:pass-word@host:0",
        "http://user:pass-word@host:99999",
        "http://user:pass-word@host/path",
        "http://us er:pass-word@host",
        "http://localhost:1/x@host",
        "http://host:1/pass-word@host",
        "http://localhost:1?pass-word@host",
        "http://localhost:1#pass-word@host",
        &long,
        "http://user:pass%ffword@host",
        "http://",
        "http://pass-word host",
        "http://pass-word\nhost",
        "\"http://user:pass-word@host\"",
    ] {
        for variable in ["https_proxy", "ALL_PROXY"] {
            let outcome = Run::new(&server).env(variable, value).go();
            outcome
                .exits(2)
                .complains(&format!("the proxy in {variable} can't be used: "))
                .leaves_nothing();
            assert!(!outcome.stderr.contains("pass-word"), "{outcome}");
        }
    }
}

#[test]
fn a_plain_http_call_on_loopback_goes_through_no_proxy() {
    let server = StandIn::scripted(Greeting::Plain, ok(&PACKAGE));
    let trap = trap();
    let endpoint = format!("http://{}", server.address);
    let run = Run::bare().args(&["-e", &endpoint, ID]);
    assert_saved(
        &run.env("https_proxy", url(&trap))
            .env("ALL_PROXY", url(&trap))
            .go(),
    );
}

#[test]
fn the_connect_timeout_limits_the_tunnel_too() {
    let server = StandIn::tls(ok(&PACKAGE)).never_called();
    let pause = Duration::from_millis(100);
    let silent_server = StandIn::scripted(Greeting::Script, vec![Step::AwaitClose]);
    for script in [
        vec![Step::Trickle(CONNECTED.to_vec(), pause)],
        vec![
            Step::Trickle(CONNECTED[..8].to_vec(), pause),
            Step::Send(CONNECTED[8..].to_vec()),
            Step::Tunnel(silent_server.address),
        ],
    ] {
        for greeting in [Greeting::Plain, Greeting::tls()] {
            let is_tls = matches!(greeting, Greeting::Tls(_));
            let scheme = if is_tls { "https" } else { "http" };
            let proxy = StandIn::scripted(greeting, script.clone());
            let proxy = format!("{scheme}://localhost:{}", proxy.address.port());
            let outcome = Run::new(&server)
                .env("https_proxy", proxy)
                .args(&["--connect-timeout", "1.2"])
                .go();
            // A proxy without TLS may wait for the server.
            assert!(is_tls || !outcome.stderr.contains("hint: "), "{outcome}");
            outcome
                .exits(6)
                .complains("there was no connection within 1.2 s (--connect-timeout)")
                .takes(Duration::from_millis(1200));
        }
    }
}
