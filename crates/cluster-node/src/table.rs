//! Tables for people.

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    colours: bool,
}

pub(crate) const GREEN: &str = "32";
pub(crate) const RED: &str = "31";
pub(crate) const YELLOW: &str = "33";
pub(crate) const BOLD: &str = "1";
pub(crate) const DIM: &str = "2";

impl Paint {
    /// With colours, or without.
    #[must_use]
    pub fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// With colours if standard output is a terminal and nobody asked for none.
    pub(crate) fn of_output() -> Self {
        let on_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        Self::new(on_terminal && std::env::var_os("NO_COLOR").is_none())
    }

    pub(crate) fn text(self, style: &str, text: &str) -> String {
        match self.colours {
            true => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// One cell, with its style.
pub(crate) struct Cell {
    text: String,
    style: Option<&'static str>,
}

/// The text as it is.
pub(crate) fn plain(text: impl AsRef<str>) -> Cell {
    let text = clean(text.as_ref());
    Cell { text, style: None }
}

pub(crate) fn styled(style: &'static str, text: impl AsRef<str>) -> Cell {
    Cell {
        style: Some(style),
        ..plain(text)
    }
}

/// The most letters of a cell that nobody copies.
const SHORT: usize = 60;

/// The text, cut when it is long.
pub(crate) fn short(text: impl AsRef<str>) -> Cell {
    let text = text.as_ref();
    match text.char_indices().nth(SHORT) {
        None => plain(text),
        Some(_) => {
            let kept: String = text.chars().take(SHORT - 1).collect();
            plain(format!("{kept}…"))
        }
    }
}

/// A line of titles, and one per row.
pub(crate) fn columns(titles: &[&str], rows: Vec<Vec<Cell>>, paint: Paint) -> String {
    let head = titles.iter().map(|title| styled(DIM, title)).collect();
    let mut table = vec![head];
    table.extend(rows);
    let widths = widths(&table);
    let mut text = String::new();
    for row in &table {
        line(&mut text, row, &widths, paint);
    }
    text
}

fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.text.chars().count()).max()
    };
    (0..columns).map(|at| width(at).unwrap_or(0)).collect()
}

fn line(text: &mut String, row: &[Cell], widths: &[usize], paint: Paint) {
    let mut padding = 0;
    for (cell, width) in row.iter().zip(widths) {
        text.extend(std::iter::repeat_n(' ', padding));
        match cell.style {
            Some(style) => text.push_str(&paint.text(style, &cell.text)),
            None => text.push_str(&cell.text),
        }
        padding = width - cell.text.chars().count() + 2;
    }
    text.push('\n');
}

/// Names come from others: nothing of them may reach the terminal's own language.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|it| if it.is_control() { '?' } else { it })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = vec![
            vec![plain("ann"), plain("STAFF, READERS")],
            vec![plain("b\u{7}ob"), plain("-")],
        ];
        let text = columns(&["USER", "GROUPS"], rows, Paint::new(false));
        assert_eq!(text, "USER  GROUPS\nann   STAFF, READERS\nb?ob  -\n");
    }

    #[test]
    fn only_what_nobody_copies_is_cut() {
        let long = "ä".repeat(61);
        assert_eq!(short(&long).text, format!("{}…", "ä".repeat(59)));
        assert_eq!(short("ä".repeat(60)).text, "ä".repeat(60));
        assert_eq!(plain(&long).text, long);
    }
}
