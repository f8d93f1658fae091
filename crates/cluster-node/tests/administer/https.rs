//! A listener with a certificate.

use happn_tls::{Identity, TlsServer};
use rcgen::generate_simple_self_signed;
use testkit::{Exchange, ScriptedServer, within};

use crate::harness::{Actor, Folder, TOKEN, run};

const VARIABLES: [(&str, &str); 1] = [("HAPPN_ADMIN_TOKEN", TOKEN)];

#[tokio::test]
async fn a_certificate_is_trusted_by_its_authority_and_by_nothing_else() {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = Folder::new();
    let (key, certificate) = (made.signing_key.serialize_pem(), made.cert.pem());
    let authority = folder.write("ca.pem", &certificate);
    let tls = TlsServer::new(Identity::inline(key, certificate)).unwrap();
    let server = ScriptedServer::start().await;
    let url = format!("https://localhost:{}", server.port());

    let trusting = ["--url", &url, "--ca", &authority, "user", "list"];
    let serving = Box::pin(async {
        let stream = tls.accept(server.accept_raw().await).await.unwrap();
        let exchange = Exchange::over(stream).await;
        let token = exchange.header("authorization").map(str::to_owned);
        exchange.answer(200, r#"{"items":[]}"#).await;
        token
    });
    let mut actor = Actor::default();
    let (outcome, token) =
        within(async { tokio::join!(run(&trusting, &VARIABLES, &mut actor), serving) }).await;
    assert_eq!(outcome.unwrap(), "no users\n");
    assert_eq!(token, Some(format!("Bearer {TOKEN}")));

    let doubting = ["--url", &url, "user", "list"];
    let refused = async { tls.accept(server.accept_raw().await).await.is_err() };
    let mut actor = Actor::default();
    let (outcome, _) =
        within(async { tokio::join!(run(&doubting, &VARIABLES, &mut actor), refused) }).await;
    let text = cluster_node::one_line(&outcome.unwrap_err());
    assert!(
        text.starts_with("there is no trusted connection to https://localhost:"),
        "{text}"
    );
    assert!(text.contains("does --ca name who vouches"), "{text}");
}

#[tokio::test]
async fn a_file_that_is_no_authority_is_named() {
    let folder = Folder::new();
    let file = folder.write("ca.pem", "nothing");
    let arguments = [
        "--url",
        "https://localhost:1",
        "--ca",
        &file,
        "user",
        "list",
    ];
    let outcome = run(&arguments, &VARIABLES, &mut Actor::default()).await;
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.contains(&file) && text.contains("holds no certificate"),
        "{text}"
    );
}
