//! How much one question may hold: evaluating it must cost bounded time and memory, whoever asks.

/// Levels of nesting of a question, and of the values it is compared with; what lies deeper in an
/// item is compared as text.
pub(crate) const DEPTH: usize = 64;

/// Operators, fields and stages of one question.
pub(crate) const NODES: usize = 4096;

/// Parts of a name that may be positions in an array. Such a part may also name a member, so that
/// each doubles the ways through a document made for it.
pub(crate) const POSITIONS: usize = 8;

/// Values in the lists of one question, such as those of `$in`.
pub(crate) const VALUES: usize = 65_536;

/// Regular expressions in one question.
pub(crate) const PATTERNS: usize = 64;

/// Bytes of one regular expression, as MongoDB has it.
pub(crate) const PATTERN_BYTES: usize = 32_764;

/// Bytes a compiled regular expression may take.
pub(crate) const PATTERN_COMPILED_BYTES: usize = 1024 * 1024;

/// Keys of a sort, as MongoDB has it.
pub(crate) const SORT_KEYS: usize = 32;

/// Stages of a pipeline.
pub(crate) const STAGES: usize = 100;

/// Bytes of the values that one document may be turned into by one stage or condition.
pub(crate) const COMPUTED_BYTES: u64 = 64 * 1024 * 1024;
