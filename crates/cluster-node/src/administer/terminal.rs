//! The one who sits in front of it.

use std::io::{self, IsTerminal, Read, Write};

use console::Term;

use super::secret::Secret;

/// Who can be asked, and told.
pub trait Person {
    /// Asks for a secret, which is not shown while it is typed; `None` without a terminal.
    ///
    /// # Errors
    /// When the terminal fails.
    fn secret(&mut self, question: &str) -> io::Result<Option<Secret>>;

    /// Tells of something that is not as it should be.
    fn warn(&mut self, text: &str);

    /// Standard input.
    fn input(&mut self) -> Box<dyn Read + '_>;
}

/// The terminal that the process was started from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal;

impl Person for Terminal {
    fn secret(&mut self, question: &str) -> io::Result<Option<Secret>> {
        // Standard output may be where the answer goes.
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Ok(None);
        }
        let terminal = Term::stderr();
        terminal.write_str(question)?;
        terminal.flush()?;
        Ok(Some(Secret::new(terminal.read_secure_line()?)))
    }

    fn warn(&mut self, text: &str) {
        // Where nobody reads, nobody is warned.
        let _ = writeln!(io::stderr(), "warning: {text}");
    }

    fn input(&mut self) -> Box<dyn Read + '_> {
        Box::new(io::stdin().lock())
    }
}
