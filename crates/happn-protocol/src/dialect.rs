//! The protocol dialects a session can choose with `configure-session`.

/// How a session wants to be spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Nothing configured yet, or the literal `happn`: treated as [`Dialect::Happn1`].
    #[default]
    Happn,
    /// `happn_1`, or another text beginning with `1` or `happn`.
    Happn1,
    /// `happn_2`.
    Happn2,
    /// `happn_3`.
    Happn3,
    /// `happn_4`, what current clients speak.
    Happn4,
    /// A protocol nobody knows: no request is answered until a known one is configured.
    Unknown,
}

impl Dialect {
    /// The dialect that `configure-session` selects with `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "happn" => Self::Happn,
            "happn_1" => Self::Happn1,
            "happn_2" => Self::Happn2,
            "happn_3" => Self::Happn3,
            "happn_4" => Self::Happn4,
            other if other.starts_with('1') || other.starts_with("happn") => Self::Happn1,
            _ => Self::Unknown,
        }
    }

    /// The `protocol` member of frames in this dialect.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Happn | Self::Unknown => "happn",
            Self::Happn1 => "happn_1",
            Self::Happn2 => "happn_2",
            Self::Happn3 => "happn_3",
            Self::Happn4 => "happn_4",
        }
    }

    /// Whether `noDataResponse` is honoured and the node sends heartbeats.
    #[must_use]
    pub fn is_current(self) -> bool {
        self == Self::Happn4
    }

    /// Whether `initialEmit` pushes one event per item, and `off` maps `options.refCount`.
    #[must_use]
    pub fn is_first(self) -> bool {
        matches!(self, Self::Happn | Self::Happn1)
    }
}
