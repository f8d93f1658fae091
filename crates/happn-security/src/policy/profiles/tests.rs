//! Which profile fits which session.

use std::time::Duration;

use super::*;

/// The `usage_limit` of the policies that `session` gets when `filter` is configured.
fn limits(filter: &Value, session: &Value) -> (Option<u64>, Option<u64>) {
    let profile = json!({"name": "p", "session": filter, "policy": {"usage_limit": 7}});
    let profiles = Profiles::parse(&json!([profile])).unwrap();
    let policies = profiles.policies(session.as_object().unwrap());
    let limit = |session_type| policies.of(session_type).unwrap().usage_limit;
    (limit(SessionType::Stateless), limit(SessionType::Stateful))
}

fn session() -> Value {
    json!({
        "id": "1", "info": {"_browser": false, "level": 5}, "type": 1,
        "user": {
            "username": "joe@x.test", "userid": "u", "custom_data": {"tags": ["a", "b"]},
            "groups": {"G1": {"data": {}}},
        },
    })
}

#[test]
fn filters_ask_as_mongodb_does_on_dotted_and_nested_paths() {
    for filter in [
        json!({}),
        json!({"user.username": {"$eq": "joe@x.test"}}),
        json!({"user.username": "joe@x.test"}),
        json!({"user": {"username": "joe@x.test"}}),
        json!({"user": {"username": {"$in": ["x", "joe@x.test"]}}}),
        json!({"$and": [{"user": {"userid": "u"}}, {"info.level": {"$gt": 4}}]}),
        json!({"$or": [{"type": 9}, {"user.groups.G1": {"$exists": true}}]}),
        json!({"user.username": {"$regex": "^joe"}}),
        json!({"user.custom_data.tags": "a"}),
        json!({"info": {"_browser": false}}),
    ] {
        assert_eq!(limits(&filter, &session()), (Some(7), Some(7)), "{filter}");
    }
    for filter in [
        json!({"user.username": "ann"}),
        json!({"user": {"username": "joe@x.test", "userid": "v"}}),
        json!({"user.groups.G2": {"$exists": true}}),
        json!({"info.level": {"$gt": 5}}),
    ] {
        assert_eq!(limits(&filter, &session()), (None, None), "{filter}");
    }
}

#[test]
fn each_way_of_using_a_session_has_its_own_policy() {
    assert_eq!(limits(&json!({"type": 0}), &session()), (Some(7), None));
    assert_eq!(
        limits(&json!({"type": {"$eq": 1}}), &session()),
        (None, Some(7))
    );
}

#[test]
fn browsers_have_a_week_and_an_hour_and_everybody_else_no_limit() {
    let browser = json!({"info": {"_browser": true}});
    let policies = Profiles::default().policies(browser.as_object().unwrap());
    let policy = policies.of(SessionType::Stateful).unwrap();
    assert_eq!(policy.ttl, Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(policy.inactivity_threshold, Some(Duration::from_secs(3600)));
    let policies = Profiles::default().policies(&Map::new());
    let unlimited = json!({"ttl": 0, "inactivity_threshold": null});
    assert_eq!(policies.json(), json!({"0": unlimited, "1": unlimited}));
}

#[test]
fn only_listed_addresses_log_in_as_users_of_the_profile() {
    let profiles = Profiles::parse(&json!([{
        "name": "office", "session": {"user": {"username": "joe"}},
        "policy": {"sourceIPWhitelist": ["10.0.0.1", "::ffff:10.0.0.2", "::1"]},
    }]))
    .unwrap();
    let allowed = |name: &str, address: &str| {
        let credentials = json!({ "username": name });
        profiles.allow_address(credentials.as_object().unwrap(), address.parse().unwrap())
    };
    for address in ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "::1"] {
        assert!(allowed("joe", address), "{address}");
    }
    assert!(!allowed("joe", "10.0.0.3"));
    assert!(allowed("ann", "10.0.0.3"));
}

#[test]
fn a_profile_that_cannot_be_used_is_named_with_what_is_wrong() {
    for (profiles, problem) in [
        (
            json!({}),
            "`profiles` must be a list of {name, session, policy}",
        ),
        (
            json!([{"name": "p", "policy": {}}]),
            "profile p: `session` must be a filter",
        ),
        (
            json!([{"session": {}}]),
            "profile [0]: `policy`: a policy must be an object",
        ),
        (
            json!([{"name": "p", "session": {"$where": "x"}, "policy": {}}]),
            "profile p: `session`: ",
        ),
        (
            json!([{"name": "p", "session": {}, "policy": {"ttl": "x"}}]),
            "profile p: `policy`: `ttl`: ",
        ),
    ] {
        let told = Profiles::parse(&profiles).unwrap_err().to_string();
        assert!(told.starts_with(problem), "{told}");
    }
}
