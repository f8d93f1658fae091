//! Rules, compiled for one session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use happn_core::PathFilter;
use serde_json::{Map, Value};

use super::{AuthorityConfig, Shared};
use crate::directory::{ADMIN, DirectoryError, Memberships, Rights, User, UserName};
use crate::rules::{Decision, Filter, Lookup, Rule, RuleSet, Settings, Standing, TableQuestion};

/// Answers that had to be looked up, or filters that had to be made, and are remembered.
const ANSWERS_MAX: usize = 512;

/// What one session may do, as the directory was at one moment.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The directory's generation up to which nothing of this has changed.
    generation: AtomicU64,
    rules: RuleSet,
    lookups: Vec<Lookup>,
    facts: Value,
    memberships: Arc<Memberships>,
    answers: Mutex<HashMap<Box<str>, Answer>>,
    nested: bool,
}

/// What the rules say about a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// With a filter, only where it lets through.
    Yes(Option<Arc<dyn PathFilter>>),
    No,
}

/// An answer, or what has to be asked for one.
pub(super) enum Asked {
    Known(Answer),
    /// One of the tables has to say yes.
    Tables(Vec<TableQuestion>),
}

/// What of a mask may be seen, as the core asks it.
#[derive(Debug)]
struct Visible(Filter);

impl PathFilter for Visible {
    fn admits(&self, path: &str) -> bool {
        self.0.allows(path)
    }
}

impl Compiled {
    /// Compiles `rights` for a session of which `facts` are known; `user` and `groups` are added.
    pub(super) fn new(
        rights: Rights,
        user: &User,
        mut facts: Map<String, Value>,
        shared: &Shared,
    ) -> Self {
        facts.insert("user".to_owned(), user_facts(user, &rights.memberships));
        let facts = Value::Object(facts);
        let settings = settings(&shared.config, is_admin(&rights.memberships));
        let rules = logged(shared.rules.compile(&rights.rules, &facts, settings));
        let lookups = rights.lookups.iter().filter_map(|permission| {
            let compiled = Lookup::compile(&permission.to_rule());
            let logged = |error| tracing::warn!(%error, "a lookup permission allows nothing");
            compiled.map_err(logged).ok()
        });
        Self {
            generation: AtomicU64::new(rights.generation),
            lookups: lookups.collect(),
            rules,
            facts,
            memberships: rights.memberships,
            answers: Mutex::default(),
            nested: shared.config.nested_permissions,
        }
    }

    pub(super) fn memberships(&self) -> &Memberships {
        &self.memberships
    }

    /// Whether nothing that this was made from has changed.
    pub(super) fn is_current(&self, shared: &Shared, user: &UserName) -> bool {
        let now = shared.directory.generation();
        let then = self.generation.load(Ordering::Acquire);
        if now == then {
            return true;
        }
        let groups = self.memberships.groups().map(|group| group.as_str());
        if shared.directory.changed_since(then, user.as_str(), groups) {
            return false;
        }
        self.generation.fetch_max(now, Ordering::AcqRel);
        true
    }

    /// Whether `action` on `path` is allowed.
    pub(super) fn ask(&self, action: &str, path: &str) -> Asked {
        match self.rules.decide(action, path) {
            Decision::Prohibited => Asked::Known(Answer::No),
            Decision::Allowed if !path.contains('*') => Asked::Known(Answer::Yes(None)),
            decision => match self.remembered(action, path) {
                Some(answer) => Asked::Known(answer),
                None => self.ask_further(decision, action, path),
            },
        }
    }

    fn ask_further(&self, decision: Decision, action: &str, path: &str) -> Asked {
        if decision == Decision::Allowed {
            let only = self.rules.filter(action, path);
            return Asked::Known(self.remember(action, path, Answer::Yes(only.map(visible))));
        }
        if self.nested
            && let Some(only) = self.rules.nested(action, path)
        {
            let answer = Answer::Yes(Some(visible(only)));
            return Asked::Known(self.remember(action, path, answer));
        }
        let questions = |lookup: &Lookup| lookup.questions(action, path, &self.facts);
        let questions: Vec<_> = self.lookups.iter().flat_map(questions).collect();
        match questions.is_empty() {
            true => Asked::Known(Answer::No),
            false => Asked::Tables(questions),
        }
    }

    /// Asks the tables; the answer is remembered.
    pub(super) async fn look_up(
        &self,
        shared: &Shared,
        questions: &[TableQuestion],
        action: &str,
        path: &str,
    ) -> Result<Answer, DirectoryError> {
        let mut answer = Answer::No;
        for question in questions {
            if shared.directory.answers(question).await? {
                let only = self.rules.prohibited_within(action, path);
                answer = Answer::Yes(only.map(visible));
                break;
            }
        }
        Ok(self.remember(action, path, answer))
    }

    fn remembered(&self, action: &str, path: &str) -> Option<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.is_empty() {
            true => None,
            false => answers.get(&*key(action, path)).cloned(),
        }
    }

    fn remember(&self, action: &str, path: &str, answer: Answer) -> Answer {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_MAX {
            answers.clear();
        }
        answers.insert(key(action, path).into(), answer.clone());
        answer
    }
}

fn key(action: &str, path: &str) -> String {
    format!("{action} {path}")
}

fn visible(filter: Filter) -> Arc<dyn PathFilter> {
    Arc::new(Visible(filter))
}

/// Rules of a policy: they alone decide.
pub(super) fn compile_policy(
    permissions: &Value,
    facts: &Map<String, Value>,
    config: &AuthorityConfig,
) -> RuleSet {
    let rules = Rule::read_all(permissions).unwrap_or_else(|error| {
        tracing::warn!(%error, "the permissions of a policy allow nothing");
        Vec::new()
    });
    let facts = Value::Object(facts.clone());
    logged(RuleSet::compile(&rules, &facts, settings(config, false)))
}

/// What `rules`, those of a policy, say.
pub(super) fn ask_policy(rules: &RuleSet, action: &str, path: &str) -> Answer {
    match rules.decide(action, path) {
        Decision::Allowed => Answer::Yes(rules.filter(action, path).map(visible)),
        Decision::Prohibited | Decision::NotGranted => Answer::No,
    }
}

/// What may be counted where counting needs no permission: all but the node's own paths.
pub(super) fn everything(config: &AuthorityConfig) -> RuleSet {
    let all = Rule {
        path: "*".to_owned(),
        actions: vec!["get".to_owned()],
        prohibit: Vec::new(),
    };
    RuleSet::compile([&all], &Value::Null, settings(config, false))
}

fn settings(config: &AuthorityConfig, is_admin: bool) -> Settings {
    Settings {
        matching: config.matching,
        standing: match is_admin {
            true => Standing::Admin,
            false => Standing::Ordinary,
        },
    }
}

fn logged(set: RuleSet) -> RuleSet {
    for skipped in set.skipped() {
        tracing::warn!(path = skipped.path, reason = %skipped.reason, "a rule is not used as it is");
    }
    set
}

pub(super) fn is_admin(memberships: &Memberships) -> bool {
    memberships.contains(ADMIN)
}

/// The user as templates and profiles see it: with its groups, without its password.
pub(super) fn user_facts(user: &User, memberships: &Memberships) -> Value {
    let mut facts = user.members().clone();
    facts.insert("username".to_owned(), user.name().as_str().into());
    let groups = memberships.iter().map(|(group, data)| {
        let data: Value = data.decode().unwrap_or_default();
        (group.as_str().to_owned(), data)
    });
    facts.insert("groups".to_owned(), Value::Object(groups.collect()));
    Value::Object(facts)
}
