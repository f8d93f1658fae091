//! How long and how often a login may be used.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Shared;
use super::compiled::compile_policy;
use crate::policy::{Policies, SessionType};
use crate::rules::RuleSet;

/// How long and how often a login may be used.
pub(super) struct Limits {
    /// `None` allows nothing: a token that does not say.
    pub(super) policies: Option<Policies>,
    /// Whether there are any. Who is acted for has none.
    pub(super) apply: bool,
    pub(super) session_type: SessionType,
    /// When it began, by the monotonic clock, and how old it was then.
    pub(super) since: Duration,
    pub(super) age_then: Duration,
}

impl Limits {
    /// None at all, for somebody who is acted for.
    pub(super) fn none(session_type: SessionType) -> Self {
        Self {
            policies: None,
            apply: false,
            session_type,
            since: Duration::ZERO,
            age_then: Duration::ZERO,
        }
    }

    /// The rules of the policy, compiled, if it has any.
    pub(super) fn only(&self, facts: &Map<String, Value>, shared: &Shared) -> Option<RuleSet> {
        let policy = self.policies.as_ref()?.of(self.session_type)?;
        let permissions = policy.permissions.as_ref()?;
        Some(compile_policy(permissions, facts, &shared.config))
    }

    /// Whether there is anything to count.
    pub(super) fn is_unlimited(&self) -> bool {
        let policy = self.policies.as_ref();
        let policy = policy.and_then(|policies| policies.of(self.session_type));
        let is_unlimited = policy.is_some_and(|policy| {
            policy.ttl.is_none()
                && policy.inactivity_threshold.is_none()
                && policy.usage_limit.is_none()
        });
        is_unlimited || !self.apply
    }
}
