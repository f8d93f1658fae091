//! Whether one more request is within the limits.

use std::time::Duration;

use super::{Policies, Policy, SessionType};

/// What one session, and all requests over HTTP with its token, have used up so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    last: Option<Duration>,
    requests: u64,
}

impl Usage {
    /// Counts one request, and tells the policy it is made under.
    ///
    /// `age` is the time since the login, `now` the monotonic time.
    ///
    /// # Errors
    /// When the session has no policy for this type, or its policy's limits are used up. Refused
    /// requests do not renew the session.
    pub fn admit<'a>(
        &mut self,
        policies: Option<&'a Policies>,
        session_type: SessionType,
        age: Duration,
        now: Duration,
    ) -> Result<&'a Policy, PolicyRefusal> {
        let policies = policies.ok_or(PolicyRefusal::NoPolicy)?;
        let policy = policies.of(session_type);
        let policy = policy.ok_or(PolicyRefusal::NoPolicyForType)?;
        if policy.ttl.is_some_and(|ttl| age > ttl) {
            return Err(PolicyRefusal::Expired);
        }
        let idle = self.last.map_or(age, |last| now.saturating_sub(last));
        if policy
            .inactivity_threshold
            .is_some_and(|limit| idle > limit)
        {
            return Err(PolicyRefusal::Inactive);
        }
        if policy
            .usage_limit
            .is_some_and(|limit| self.requests >= limit)
        {
            return Err(PolicyRefusal::UsedUp);
        }
        self.last = Some(now);
        self.requests = self.requests.saturating_add(1);
        Ok(policy)
    }
}

/// Why a session may not be used any more. Its connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// It has not logged in.
    #[error("no policy attached to session")]
    NoPolicy,
    /// It was not made for this way of using it.
    #[error("no policy for session type")]
    NoPolicyForType,
    /// Its time is over.
    #[error("expired session token")]
    Expired,
    /// It has done nothing for too long.
    #[error("session inactivity threshold reached")]
    Inactive,
    /// It has made as many requests as it may.
    #[error("session usage limit reached")]
    UsedUp,
}

impl PolicyRefusal {
    /// What the client is told when its connection is closed.
    #[must_use]
    pub fn disconnect_reason(self) -> &'static str {
        match self {
            Self::NoPolicy => "no-session-policy",
            Self::NoPolicyForType => "no-session-type-policy",
            Self::Expired => "token-expired",
            Self::Inactive => "inactivity-threshold",
            Self::UsedUp => "usage-limit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policies(stateful: &Value) -> Policies {
        Policies::parse(&json!({ "1": stateful })).unwrap()
    }

    /// Requests at the given ms after the login, and how each was answered.
    fn check(policy: &Value, requests: &[(u64, Result<(), PolicyRefusal>)]) {
        let (policies, mut usage) = (policies(policy), Usage::default());
        for (at, expected) in requests {
            let at = Duration::from_millis(*at);
            let verdict = usage.admit(Some(&policies), SessionType::Stateful, at, at);
            assert_eq!(verdict.map(|_| ()), *expected, "{policy} at {at:?}");
        }
    }

    #[test]
    fn a_session_ends_with_its_time() {
        let expired = Err(PolicyRefusal::Expired);
        check(
            &json!({"ttl": 1000}),
            &[(0, Ok(())), (1000, Ok(())), (1001, expired)],
        );
        check(&json!({"ttl": 0}), &[(u64::MAX, Ok(()))]);
    }

    #[test]
    fn a_session_that_does_nothing_ends() {
        let policy = json!({"inactivity_threshold": 100});
        let inactive = Err(PolicyRefusal::Inactive);
        check(
            &policy,
            &[
                (100, Ok(())),
                (200, Ok(())),
                (301, inactive),
                (301, inactive),
            ],
        );
        check(&policy, &[(101, inactive)]);
    }

    #[test]
    fn a_session_ends_when_its_requests_are_used_up() {
        let used_up = Err(PolicyRefusal::UsedUp);
        let policy = json!({"usage_limit": 2});
        check(
            &policy,
            &[(1, Ok(())), (2, Ok(())), (3, used_up), (4, used_up)],
        );
    }

    #[test]
    fn a_session_without_a_policy_may_do_nothing() {
        let policies = policies(&json!({}));
        let mut usage = Usage::default();
        let mut admit = |policies, session_type| {
            usage
                .admit(policies, session_type, Duration::ZERO, Duration::ZERO)
                .map(|_| ())
        };
        assert_eq!(
            admit(None, SessionType::Stateful),
            Err(PolicyRefusal::NoPolicy)
        );
        let other = admit(Some(&policies), SessionType::Stateless);
        assert_eq!(other, Err(PolicyRefusal::NoPolicyForType));
    }

    #[test]
    fn refusals_have_the_texts_that_clients_know() {
        let texts: Vec<(String, &str)> = [
            PolicyRefusal::NoPolicy,
            PolicyRefusal::NoPolicyForType,
            PolicyRefusal::Expired,
            PolicyRefusal::Inactive,
            PolicyRefusal::UsedUp,
        ]
        .map(|refusal| (refusal.to_string(), refusal.disconnect_reason()))
        .into();
        let expected = [
            ("no policy attached to session", "no-session-policy"),
            ("no policy for session type", "no-session-type-policy"),
            ("expired session token", "token-expired"),
            (
                "session inactivity threshold reached",
                "inactivity-threshold",
            ),
            ("session usage limit reached", "usage-limit"),
        ];
        let expected = expected.map(|(message, reason)| (message.to_owned(), reason));
        assert_eq!(texts, expected);
    }
}
