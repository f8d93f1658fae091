//! Administering whole nodes over HTTP.

use cluster_admin::{AdminClient, Fetched, Method, Question, Target};
use cluster_node::{Node, StartError};
use happn_client::Trust;
use serde_json::{Value, json};

use crate::harness::{Folder, Plan, SOON, cluster, soon, stop};
use crate::secure::{log_in, may_set, secure};
use crate::tls::Pem;

/// An administrator of one node.
struct Admin {
    client: AdminClient,
    token: Option<String>,
}

impl Admin {
    fn of(node: &Node, scheme: &str, trust: &Trust) -> Self {
        let port = node.admin_address().unwrap().port();
        let target: Target = format!("{scheme}://localhost:{port}").parse().unwrap();
        Self {
            client: AdminClient::new(target, trust).unwrap(),
            token: None,
        }
    }

    async fn logged_in(node: &Node) -> Self {
        let mut admin = Self::of(node, "http", &Trust::Public);
        let credentials = json!({"username": "_ADMIN", "password": "s3cret"});
        let answer = admin.ask(Method::POST, "/login", &credentials).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        admin.token = answer["token"].as_str().map(str::to_owned);
        admin
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Fetched {
        let question = Question {
            method,
            path: format!("/api/v1{path}"),
            token: self.token.clone(),
            body: (!body.is_null()).then(|| body.to_string()),
        };
        self.client.ask(&question, SOON).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

fn with_admin(plan: Plan) -> Plan {
    let password = "services.security.config.adminUser.password";
    secure(plan).with(password, "s3cret")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_on_one_node_counts_on_the_others() {
    let interval = "services.replicator.config.securityChangesetReplicateInterval";
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| with_admin(plan).with(interval, "50")).await;
    let here = Admin::logged_in(&nodes[0]).await;
    let group = json!({"permissions": {"/staff/*": {"actions": ["set"]}}});
    assert_eq!(
        here.ask(Method::PUT, "/groups/STAFF", &group).await.status,
        201
    );
    let ann = json!({"password": "hers", "groups": ["STAFF"]});
    assert_eq!(here.ask(Method::PUT, "/users/ann", &ann).await.status, 201);

    let writer = log_in(&nodes[1], "ann", "hers").await.unwrap();
    assert!(may_set(&writer, "/staff/1").await);
    // The token of one node is good on all of them.
    let mut there = Admin::of(&nodes[1], "http", &Trust::Public);
    there.token = here.token.clone();
    let sessions = there.get("/sessions?user=ann").await;
    assert_eq!(
        (&sessions["total"], &sessions["items"][0]["address"]),
        (&json!(1), &json!("127.0.0.1"))
    );
    assert_eq!(
        here.get("/sessions?user=ann").await["total"],
        0,
        "she is on the other node"
    );

    let rule = "/groups/STAFF/permissions?path=/staff/*";
    assert_eq!(
        here.ask(Method::DELETE, rule, &Value::Null).await.status,
        204
    );
    let refused = async {
        while may_set(&writer, "/staff/1").await {
            tokio::task::yield_now().await;
        }
    };
    soon("the rule is gone on the other node", refused).await;

    let id = sessions["items"][0]["id"].as_str().unwrap();
    let ended = there
        .ask(Method::DELETE, &format!("/sessions/{id}"), &Value::Null)
        .await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    let mut state = writer.state();
    let gone = state.wait_for(|state| !state.is_connected());
    drop(soon("the session ends", gone).await);
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_node_has_no_users_to_administer_and_shows_its_health() {
    let node = Plan::new().start().await.unwrap();
    let admin = Admin::of(&node, "http", &Trust::Public);
    let refused = admin.ask(Method::GET, "/users", &Value::Null).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("not-secure"), "{}", refused.body);
    assert_eq!(admin.get("/openapi.json").await["openapi"], "3.1.0");
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_speaks_tls_and_shows_a_renewed_certificate_after_a_reload() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "admin");
    let node = pem
        .at("admin", with_admin(Plan::new()))
        .start()
        .await
        .unwrap();
    assert!(node.admin_is_encrypted());
    let live = |trust: Trust| {
        let client = Admin::of(&node, "https", &trust).client;
        async move { client.ask(&Question::get("/health/live"), SOON).await }
    };
    let old = Trust::file(folder.file("old.crt"));
    std::fs::copy(&pem.certificate, folder.file("old.crt")).unwrap();
    assert_eq!(live(pem.trusted()).await.unwrap().status, 200);
    pem.renew();
    assert!(
        live(pem.trusted()).await.is_err(),
        "the old one is still shown"
    );
    node.reload_certificates().unwrap();
    assert_eq!(live(pem.trusted()).await.unwrap().status, 200);
    assert!(live(old).await.is_err());
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_admin_listener_that_is_missing_ends_the_start() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "admin");
    std::fs::remove_file(&pem.certificate).unwrap();
    let error = pem.at("admin", Plan::new()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Tls(_)), "{error:?}");
    let told = error.to_string();
    assert!(told.contains("admin.crt (admin.certPath)"), "{told}");
}
