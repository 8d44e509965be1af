//! Tables: aligned, without frames, readable without colour. Wider than the terminal, a table of data is turned on its side.

use super::print::Tone;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, TableComponent, presets,
};

/// A table that is being filled.
#[derive(Debug)]
pub(super) struct Grid {
    titles: Vec<String>,
    /// Whether a column holds numbers, which stand to the right.
    numbers: Vec<bool>,
    rows: Vec<Vec<(String, Tone)>>,
    color: bool,
    terminal: bool,
}

impl Grid {
    /// A table with these titles; one that begins with `#` heads a column of numbers.
    pub(super) fn new<'a>(
        titles: impl IntoIterator<Item = &'a str>,
        color: bool,
        terminal: bool,
    ) -> Self {
        let given = |title: &str| {
            (
                title.trim_start_matches('#').to_owned(),
                title.starts_with('#'),
            )
        };
        let (titles, numbers) = titles.into_iter().map(given).unzip();
        Self {
            titles,
            numbers,
            rows: Vec::new(),
            color,
            terminal,
        }
    }

    /// Adds a row.
    pub(super) fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.toned(cells.into_iter().map(|cell| (cell, Tone::Plain)));
    }

    /// Adds a row whose cells stand out each in its way.
    pub(super) fn toned<T: ToString>(&mut self, cells: impl IntoIterator<Item = (T, Tone)>) {
        let cells = cells
            .into_iter()
            .map(|(text, tone)| (text.to_string(), tone));
        self.rows.push(cells.collect());
    }

    /// The table as text, without spaces at the ends of lines. Where it is wider than the terminal, the last column is wrapped.
    pub(super) fn text(&self) -> String {
        lines(&self.table())
    }

    /// As [`text`](Self::text); but where it is wider than the terminal, each row becomes a block with a line for each column.
    pub(super) fn text_or_blocks(&self) -> String {
        let table = self.table();
        let natural = table.column_max_content_widths();
        // Each column brings two spaces.
        let wide = natural
            .iter()
            .map(|width| usize::from(*width) + 2)
            .sum::<usize>();
        let fits = table
            .width()
            .is_none_or(|width| wide <= usize::from(width) + 2);
        if fits { lines(&table) } else { self.blocks() }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_style(TableComponent::HeaderLines, '─')
            .set_style(TableComponent::MiddleHeaderIntersections, '─');
        if self.terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        if self.color {
            table.enforce_styling();
        }
        let titles = self.titles.iter().enumerate();
        table.set_header(titles.map(|(at, title)| self.cell(at, title, Tone::Title)));
        for row in &self.rows {
            let cells = row.iter().enumerate();
            table.add_row(cells.map(|(at, (text, tone))| self.cell(at, text, *tone)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        table
    }

    fn cell(&self, at: usize, text: &str, tone: Tone) -> Cell {
        let number = self.numbers.get(at).copied().unwrap_or_default();
        let side = if number {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        };
        let cell = Cell::new(text).set_alignment(side);
        match tone {
            _ if !self.color => cell,
            Tone::Plain => cell,
            Tone::Title => cell.add_attribute(Attribute::Bold),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Bad => cell.fg(Color::DarkRed),
        }
    }

    fn blocks(&self) -> String {
        let width = self
            .titles
            .iter()
            .map(|title| title.chars().count())
            .max()
            .unwrap_or_default();
        let mut text = String::new();
        for (number, row) in (1..).zip(&self.rows) {
            text.push_str(&Tone::Faint.paint(&format!("── row {number} ──"), self.color));
            text.push('\n');
            for (title, (value, tone)) in self.titles.iter().zip(row) {
                let title = Tone::Title.paint(&format!("{title:<width$}"), self.color);
                text.push_str(format!("{title}  {}", tone.paint(value, self.color)).trim_end());
                text.push('\n');
            }
        }
        text
    }
}

fn lines(table: &Table) -> String {
    let lines = table.lines();
    lines
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(color: bool) -> Grid {
        let mut grid = Grid::new(["name", "#count"], color, false);
        grid.row(["a", "1"]);
        grid.toned([("long", Tone::Plain), ("20", Tone::Bad)]);
        grid
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let text = grid(false).text();
        assert_eq!(
            text,
            "name  count\n────────────\na         1\nlong     20\n"
        );
    }

    #[test]
    fn colour_is_there_only_where_it_is_asked_for() {
        assert!(!grid(false).text().contains('\u{1b}'));
        assert!(grid(true).text().contains('\u{1b}'));
    }

    #[test]
    fn a_block_has_a_line_for_each_column() {
        let blocks = grid(false).blocks();
        assert!(
            blocks.starts_with("── row 1 ──\nname   a\ncount  1\n── row 2"),
            "{blocks}"
        );
    }
}
