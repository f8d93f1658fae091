//! Somebody who asks very much, and the others.

use std::net::IpAddr;
use std::time::Duration;

use cluster_admin::Rate;
use serde_json::json;

use crate::support::{ADMIN_PASSWORD, Caller, secure, secure_with, soon};

fn address(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 0, last])
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_wrong_logins_from_one_address_keep_nobody_else_out() {
    let secure = secure_with(|setup| {
        setup.admin.host = "0.0.0.0".to_owned();
        setup.api.requests = Rate {
            burst: 100_000,
            every: Duration::from_millis(1),
        };
    })
    .await;
    let mut floods = Vec::new();
    for _ in 0..4 {
        let mut guesser = Caller::from(&secure.server, address(9)).await;
        floods.push(tokio::spawn(async move {
            let mut waiting = 0;
            for _ in 0..2500 {
                let refused = guesser.try_log_in("_ADMIN", "guess").await;
                assert!(
                    [401, 403, 429].contains(&refused.status),
                    "{}",
                    refused.body
                );
                waiting += usize::from(refused.status == 429);
            }
            waiting
        }));
    }
    let mut admin = Caller::from(&secure.server, address(1)).await;
    admin.token = admin.log_in("_ADMIN", ADMIN_PASSWORD).await;
    let mut others = 0;
    while floods.iter().any(|flood| !flood.is_finished()) {
        assert_eq!(admin.get("/users").await.status, 200);
        others += 1;
    }
    let mut waiting = 0;
    for flood in floods {
        waiting += soon(flood).await.unwrap();
    }
    assert!(
        waiting > 9000 && others > 0,
        "{waiting} waited, {others} were answered"
    );
    let mut another = Caller::from(&secure.server, address(2)).await;
    another.log_in("_ADMIN", ADMIN_PASSWORD).await;
    let records = secure.records.take().len();
    assert!(
        records > 9000,
        "each refusal is told to the audit, which bounds what it writes"
    );
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let rate = |burst| Rate {
        burst,
        every: Duration::from_secs(90),
    };
    let secure = secure_with(|setup| {
        setup.admin.host = "0.0.0.0".to_owned();
        setup.api.logins = rate(3);
        setup.api.logins_of_all = rate(5);
    })
    .await;
    let mut caller = Caller::from(&secure.server, address(1)).await;
    for _ in 0..3 {
        assert_eq!(caller.try_log_in("nobody", "x").await.status, 401);
    }
    let refused = caller.try_log_in("nobody", "x").await;
    assert_eq!(refused.refusal(), (429, "too-many-requests"));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((85..=90).contains(&wait), "{wait}");
    assert_eq!(
        caller.get("/openapi.json").await.status,
        200,
        "other requests are served"
    );

    let mut other = Caller::from(&secure.server, address(2)).await;
    for _ in 0..2 {
        assert_eq!(other.try_log_in("nobody", "x").await.status, 401);
    }
    let refused = other.try_log_in("nobody", "x").await;
    assert_eq!(
        refused.refusal(),
        (429, "too-many-requests"),
        "all together"
    );
}

#[tokio::test]
async fn requests_are_counted_by_address_too() {
    let secure = secure_with(|setup| {
        setup.admin.host = "0.0.0.0".to_owned();
        setup.api.requests = Rate {
            burst: 10,
            every: Duration::from_secs(60),
        };
    })
    .await;
    let mut caller = Caller::from(&secure.server, address(1)).await;
    for _ in 0..10 {
        assert_eq!(caller.get("/nothing").await.status, 404);
    }
    for path in ["/nothing", "/openapi.json", "/users"] {
        assert_eq!(
            caller.get(path).await.refusal(),
            (429, "too-many-requests"),
            "{path}"
        );
    }
    let mut other = Caller::from(&secure.server, address(2)).await;
    assert_eq!(other.get("/openapi.json").await.status, 200);
}

#[tokio::test]
async fn idle_connections_of_one_address_keep_nobody_else_out() {
    let secure = secure_with(|setup| {
        setup.admin.host = "0.0.0.0".to_owned();
        setup.admin.connections_max = 4;
        setup.admin.connections_of_one_max = 2;
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut caller = Caller::from(&secure.server, address(9)).await;
        caller.get("/openapi.json").await;
        idle.push(caller);
    }
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((address(9), 0).into()).unwrap();
    let port = secure.server.address().port();
    let mut third = socket.connect((address(9), port).into()).await.unwrap();
    let mut byte = [0];
    let closed = soon(tokio::io::AsyncReadExt::read(&mut third, &mut byte)).await;
    assert_eq!(closed.unwrap_or(0), 0);
    let mut other = Caller::from(&secure.server, address(1)).await;
    other.token = other.log_in("_ADMIN", ADMIN_PASSWORD).await;
    assert_eq!(other.put("/groups/G", &json!({})).await.status, 201);
}

#[tokio::test]
async fn work_that_takes_long_is_answered_although_the_connection_is_old() {
    let secure = secure_with(|setup| setup.admin.connection_max = Duration::from_millis(1)).await;
    let mut admin = Caller::of(&secure.server).await;
    // Hashing takes longer than that.
    admin.token = admin.log_in("_ADMIN", ADMIN_PASSWORD).await;
    assert_eq!(admin.token.split('.').count(), 3);
}

#[tokio::test]
async fn a_listener_that_stops_ends_its_connections() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    assert_eq!(admin.get("/users").await.status, 200);
    soon(secure.server.stop()).await;
    assert!(
        tokio::net::TcpStream::connect(secure.server.address())
            .await
            .is_err()
    );
}
