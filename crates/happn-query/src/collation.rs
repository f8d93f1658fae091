//! How text compares.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use happn_protocol::Json;
use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, MaxVariable, Strength};
use icu_collator::preferences::{CollationCaseFirst, CollationNumericOrdering};
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

use crate::{QueryError, Value};

/// How text compares: by code point, or as a language has it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Collation(Option<Arc<Language>>);

struct Language {
    json: Json,
    collator: CollatorBorrowed<'static>,
    /// Accents count from the end: a database knows how, the library here does not.
    backwards: bool,
}

impl Collation {
    /// Reads the JSON of a `collation` option, with the members that MongoDB knows; `null` and the
    /// locale `simple` compare by code point.
    ///
    /// # Errors
    /// When it is not an object with a `locale`, or a member has a value that is not known.
    pub fn parse(json: &str) -> Result<Self, QueryError> {
        let value = Value::parse(json);
        let members = match &value {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(QueryError::CollationType),
        };
        let Some(Value::Text(locale)) = value.member("locale") else {
            return Err(wrong(
                "locale must be a string, such as \"en\" or \"simple\"",
            ));
        };
        if locale == "simple" {
            return Ok(Self::default());
        }
        let mut preferences = preferences(locale)?;
        let mut options = CollatorOptions::default();
        options.strength = Some(Strength::Tertiary);
        for (name, value) in members {
            set(name, value, &mut preferences, &mut options)?;
        }
        let collator = CollatorBorrowed::try_new(preferences, options)
            .map_err(|error| wrong(&format!("locale {locale}: {error}")))?;
        Ok(Self(Some(Arc::new(Language {
            json: crate::criteria::text_of(&value),
            collator,
            backwards: matches!(value.member("backwards"), Some(Value::Bool(true))),
        }))))
    }

    /// Whether text compares by code point.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        self.0.is_none()
    }

    /// The settings as they were given, for a database that has collations itself; `None` when
    /// text compares by code point.
    #[must_use]
    pub fn settings(&self) -> Option<&Json> {
        self.0.as_deref().map(|language| &language.json)
    }

    /// Whether [`Collation::compare_text`] knows all of this collation.
    ///
    /// # Errors
    /// [`QueryError::Unsupported`] when it does not.
    pub fn check_evaluable(&self) -> Result<(), QueryError> {
        match &self.0 {
            Some(language) if language.backwards => {
                Err(QueryError::Unsupported("collation.backwards".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Compares two texts.
    #[must_use]
    pub fn compare_text(&self, left: &str, right: &str) -> Ordering {
        match &self.0 {
            None => left.cmp(right),
            Some(language) => language.collator.compare(left, right),
        }
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.json, f)
    }
}

fn wrong(problem: &str) -> QueryError {
    QueryError::Collation(problem.to_owned())
}

fn preferences(locale: &str) -> Result<CollatorPreferences, QueryError> {
    let parsed = Locale::try_from_str(&locale.replace('_', "-"));
    let locale =
        parsed.map_err(|_| wrong(&format!("{locale} is no locale; try \"en\" or \"de\"")))?;
    Ok(CollatorPreferences::from(&locale))
}

/// One member of the option.
fn set(
    name: &str,
    value: &Value<'_>,
    preferences: &mut CollatorPreferences,
    options: &mut CollatorOptions,
) -> Result<(), QueryError> {
    match (name, value) {
        ("locale" | "normalization", _) => {}
        ("strength", value) => {
            options.strength = Some(match value.as_integer() {
                Some(1) => Strength::Primary,
                Some(2) => Strength::Secondary,
                Some(3) => Strength::Tertiary,
                Some(4) => Strength::Quaternary,
                Some(5) => Strength::Identical,
                _ => return Err(wrong("strength must be a number from 1 to 5")),
            });
        }
        ("caseLevel", Value::Bool(on)) => {
            options.case_level = Some(if *on { CaseLevel::On } else { CaseLevel::Off });
        }
        ("caseFirst", Value::Text(first)) => {
            preferences.case_first = Some(match &**first {
                "upper" => CollationCaseFirst::Upper,
                "lower" => CollationCaseFirst::Lower,
                "off" => CollationCaseFirst::False,
                _ => return Err(wrong("caseFirst must be upper, lower or off")),
            });
        }
        ("numericOrdering", Value::Bool(on)) => {
            preferences.numeric_ordering = Some(match on {
                true => CollationNumericOrdering::True,
                false => CollationNumericOrdering::False,
            });
        }
        ("alternate", Value::Text(alternate)) => {
            options.alternate_handling = Some(match &**alternate {
                "non-ignorable" => AlternateHandling::NonIgnorable,
                "shifted" => AlternateHandling::Shifted,
                _ => return Err(wrong("alternate must be non-ignorable or shifted")),
            });
        }
        ("maxVariable", Value::Text(max)) => {
            options.max_variable = Some(match &**max {
                "punct" => MaxVariable::Punctuation,
                "space" => MaxVariable::Space,
                _ => return Err(wrong("maxVariable must be punct or space")),
            });
        }
        ("backwards", Value::Bool(_)) => {}
        (
            "caseLevel" | "caseFirst" | "numericOrdering" | "alternate" | "maxVariable"
            | "backwards",
            other,
        ) => {
            return Err(wrong(&format!("{name} cannot be {}", other.kind())));
        }
        _ => {
            return Err(wrong(&format!(
                "{name} is not known; there are locale, strength, caseLevel, caseFirst, \
                 numericOrdering, alternate, maxVariable and normalization"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(collation: &str, left: &str, right: &str) -> Ordering {
        Collation::parse(collation)
            .unwrap()
            .compare_text(left, right)
    }

    #[test]
    fn strength_says_what_counts() {
        let at = |strength: u8| format!(r#"{{"locale":"en_US","strength":{strength}}}"#);
        assert_eq!(order(&at(1), "résumé", "RESUME"), Ordering::Equal);
        assert_eq!(order(&at(2), "B", "b"), Ordering::Equal);
        assert_eq!(order(&at(2), "é", "e"), Ordering::Greater);
        assert_eq!(order(&at(3), "b", "B"), Ordering::Less);
        assert_eq!(order(r#"{"locale":"simple"}"#, "b", "B"), Ordering::Greater);
    }

    #[test]
    fn languages_and_options_differ() {
        assert_eq!(order(r#"{"locale":"sv"}"#, "ö", "z"), Ordering::Greater);
        assert_eq!(order(r#"{"locale":"de"}"#, "ö", "z"), Ordering::Less);
        let numeric = r#"{"locale":"en","numericOrdering":true}"#;
        assert_eq!(order(numeric, "a10", "a9"), Ordering::Greater);
        let upper = r#"{"locale":"en","caseFirst":"upper"}"#;
        assert_eq!(order(upper, "b", "B"), Ordering::Greater);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let problem = |json| Collation::parse(json).unwrap_err().to_string();
        assert_eq!(
            problem(r#""en""#),
            "Expected field collation to be of type object"
        );
        for (json, named) in [
            ("{}", "locale"),
            (r#"{"locale":"not a locale"}"#, "not a locale"),
            (r#"{"locale":"en","strength":9}"#, "strength"),
            (r#"{"locale":"en","alternate":"x"}"#, "alternate"),
            (r#"{"locale":"en","caseLevel":1}"#, "caseLevel"),
            (r#"{"locale":"en","colour":1}"#, "colour"),
        ] {
            assert!(problem(json).contains(named), "{}", problem(json));
        }
        let backwards = Collation::parse(r#"{"locale":"fr","backwards":true}"#).unwrap();
        assert!(backwards.check_evaluable().is_err());
    }
}
