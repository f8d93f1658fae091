//! Password hashes: `pbkdf2$<iterations>$<key>$<salt>$<digest>`, as JavaScript nodes store them.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use ring::pbkdf2::{
    self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};
use ring::rand::{SecureRandom, SystemRandom};

/// Longest password, bytes.
const PASSWORD_BYTES_MAX: usize = 4096;
/// Longest salt of a stored hash, bytes.
const SALT_BYTES_MAX: usize = 512;
/// Most iterations of a stored hash that are worth waiting for: about a second of one core.
const ITERATIONS_MAX: u32 = 2_000_000;
/// Bytes of the derived key, whatever the digest.
const KEY_BYTES: usize = 64;
/// Bytes of the salt of a new hash.
const SALT_BYTES: usize = 64;

type Key = [u8; KEY_BYTES];

/// Makes and checks password hashes. Both take tens of milliseconds of one core on purpose: call
/// them where nothing else waits, and not too many at a time.
#[derive(Clone, Debug)]
pub struct Passwords {
    iterations: NonZeroU32,
}

impl Passwords {
    /// Iterations of a new hash: what OWASP asks for with SHA-512. JavaScript nodes, whose own
    /// default is 10000, verify any number. A login costs about 0.1 s of one core; whoever has
    /// more logins by password than that allows sets fewer.
    pub const ITERATIONS_DEFAULT: u32 = 210_000;

    /// Hashes with `iterations`, kept between 1 and 2 million.
    #[must_use]
    pub fn new(iterations: u32) -> Self {
        let iterations = iterations.clamp(1, ITERATIONS_MAX);
        Self {
            iterations: NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN),
        }
    }

    /// The hash to store for `password`, with a fresh random salt.
    ///
    /// # Errors
    /// When the password is empty or too long, or the machine has no randomness to offer.
    pub fn hash(&self, password: &str) -> Result<String, UnusablePassword> {
        let mut salt = [0; SALT_BYTES];
        let filled = SystemRandom::new().fill(&mut salt);
        filled.map_err(|_| UnusablePassword::NoRandomness)?;
        self.hash_with_salt(password, &salt)
    }

    /// As [`Passwords::hash`], with a given salt.
    ///
    /// # Errors
    /// When the password is empty or too long.
    pub fn hash_with_salt(&self, password: &str, salt: &[u8]) -> Result<String, UnusablePassword> {
        match password.len() {
            0 => return Err(UnusablePassword::Empty),
            1..=PASSWORD_BYTES_MAX => {}
            _ => return Err(UnusablePassword::TooLong),
        }
        let key = derive(self.iterations, salt, password);
        let (key, salt) = (hex(&key), hex(salt));
        Ok(format!("pbkdf2${}${key}${salt}$sha512", self.iterations))
    }

    /// Whether `password` belongs to the hash `stored` of its user.
    ///
    /// Takes as long for a user that does not exist, or has no password (`None`), as for one whose
    /// hash was made with the present number of iterations.
    ///
    /// # Errors
    /// When the stored hash can never match anything. It has cost the same by then.
    pub fn matches(&self, password: &str, stored: Option<&str>) -> Result<bool, UnusableHash> {
        let stored = stored.filter(|hash| !hash.is_empty()).map(Stored::parse);
        let possible = (1..=PASSWORD_BYTES_MAX).contains(&password.len());
        match stored {
            Some(Ok(stored)) if possible => Ok(stored.matches(password)),
            stored => {
                self.pretend(password);
                stored.map_or(Ok(false), |parsed| parsed.map(|_| false))
            }
        }
    }

    /// Whether a hash that matched should be replaced, because it is weaker than new ones: it took
    /// less work, or no more with another digest. More work is never replaced by less.
    #[must_use]
    pub fn is_outdated(&self, stored: &str) -> bool {
        Stored::parse(stored).is_ok_and(|stored| match stored.digest {
            Digest::Sha512 => stored.iterations < self.iterations,
            Digest::Sha1 | Digest::Sha256 | Digest::Sha384 => stored.iterations <= self.iterations,
        })
    }

    fn pretend(&self, password: &str) {
        let key = derive(self.iterations, &[0; SALT_BYTES], password);
        std::hint::black_box(key);
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new(Self::ITERATIONS_DEFAULT)
    }
}

/// Why a password cannot be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusablePassword {
    /// There is none.
    #[error("a password must not be empty")]
    Empty,
    /// It is longer than anybody types.
    #[error("a password must not be longer than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// The machine gives no random numbers.
    #[error("no random salt is to be had from this machine")]
    NoRandomness,
}

/// Why no password can match a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// It has fewer than four or more than five fields.
    #[error("not `pbkdf2$<iterations>$<key>$<salt>$<digest>`")]
    Format,
    /// Its first field is not `pbkdf2`.
    #[error("the algorithm is not `pbkdf2`")]
    Algorithm,
    /// Its iterations are no plain decimal number.
    #[error("the iterations are not a number from 1 to {ITERATIONS_MAX}")]
    Iterations,
    /// Its key or salt are no lower-case hexadecimal text of the right length.
    #[error("the key or the salt is not lower-case hexadecimal text of the right length")]
    Hexadecimal,
    /// Its digest is unknown.
    #[error("the digest is none of sha1, sha256, sha384, sha512")]
    Digest,
}

/// A stored hash, taken apart. Only what the reference would write the same way is accepted,
/// because it compares whole texts.
struct Stored {
    iterations: NonZeroU32,
    key: Key,
    salt: Vec<u8>,
    digest: Digest,
}

impl Stored {
    fn parse(text: &str) -> Result<Self, UnusableHash> {
        let fields: Vec<&str> = text.splitn(6, '$').collect();
        let (algorithm, iterations, key, salt, digest) = match fields[..] {
            [algorithm, iterations, key, salt] => (algorithm, iterations, key, salt, "sha1"),
            [algorithm, iterations, key, salt, digest] => {
                (algorithm, iterations, key, salt, digest)
            }
            _ => return Err(UnusableHash::Format),
        };
        if algorithm != "pbkdf2" {
            return Err(UnusableHash::Algorithm);
        }
        let salt = bytes_of_hex(salt).filter(|salt| salt.len() <= SALT_BYTES_MAX);
        let key = bytes_of_hex(key).and_then(|key| Key::try_from(key).ok());
        Ok(Self {
            iterations: iterations_of(iterations).ok_or(UnusableHash::Iterations)?,
            key: key.ok_or(UnusableHash::Hexadecimal)?,
            salt: salt.ok_or(UnusableHash::Hexadecimal)?,
            digest: Digest::named(digest).ok_or(UnusableHash::Digest)?,
        })
    }

    fn matches(&self, password: &str) -> bool {
        let password = password.as_bytes();
        let algorithm = self.digest.algorithm();
        pbkdf2::verify(algorithm, self.iterations, &self.salt, password, &self.key).is_ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha384 => PBKDF2_HMAC_SHA384,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }
}

fn derive(iterations: NonZeroU32, salt: &[u8], password: &str) -> Key {
    let mut key = [0; KEY_BYTES];
    pbkdf2::derive(
        PBKDF2_HMAC_SHA512,
        iterations,
        salt,
        password.as_bytes(),
        &mut key,
    );
    key
}

fn iterations_of(text: &str) -> Option<NonZeroU32> {
    let iterations: NonZeroU32 = text.parse().ok()?;
    let canonical = iterations.get() <= ITERATIONS_MAX && iterations.to_string() == text;
    canonical.then_some(iterations)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
