//! What definitions say about which line is which: hints for the alignment.

/// Hints for the alignment. Lines count from 0, ends are excluded.
pub(crate) struct Guides {
    /// Snippet line, file line, and what the pair is worth beyond its text.
    pub pairs: Vec<(usize, usize, i16)>,
    /// Per snippet line the file lines it may stand for.
    pub ranges: Vec<Option<Range>>,
    /// Per snippet line the file's definition that the snippet gives whole around it.
    pub rewrites: Vec<Option<(usize, usize)>>,
    /// Pairs of lines that close what the part above, behind a deeper marker, ends by opening, each
    /// with the pair of the line that opens it.
    pub shut: Vec<[(usize, usize); 2]>,
    /// Per snippet line: it is in a definition that the file does not have.
    pub new: Vec<bool>,
    /// First (comments above it included) and last-plus-one file line of each definition
    /// that is no value, and of each by its first line of its own.
    pub definitions: Vec<(usize, usize)>,
    /// The file lines with the names of its functions and types, in order, each with where the name
    /// stands in the text (bytes).
    pub named: Vec<(usize, std::ops::Range<usize>)>,
    /// The file's import statements.
    pub imports: Vec<(usize, usize)>,
    /// Functions of one name may stand side by side.
    pub overloads: bool,
    /// But one of them has a body.
    pub one_body: bool,
    /// Whether the file's statements end with a semicolon, where its language leaves that open and they
    /// are of one mind.
    pub semicolons: Option<bool>,
    /// Indentation alone says where a body ends.
    pub indented: bool,
}

impl Guides {
    /// Whether a file line has the name of a function or type.
    pub fn names(&self, line: usize) -> bool {
        self.name_at(line).is_some()
    }
    /// Where the name of the function or type stands that a file line has (bytes).
    pub fn name_at(&self, line: usize) -> Option<std::ops::Range<usize>> {
        let at = self.named.partition_point(|n| n.0 < line);
        let named = self.named.get(at).filter(|n| n.0 == line)?;
        Some(named.1.clone())
    }
    /// The file lines with the names of its functions and types, in order.
    pub fn heads(&self) -> impl Iterator<Item = usize> {
        self.named.iter().map(|n| n.0)
    }
    /// The innermost definition that holds a file line: where it begins with what is said above it,
    /// and without, and its last-plus-one line.
    pub fn around(&self, line: usize) -> Option<(usize, usize, usize)> {
        // Each is there twice.
        let all = self.definitions.chunks_exact(2);
        let own = all.filter(|d| d[1].0 <= line && line < d[1].1);
        let own = own.max_by_key(|d| d[1].0)?;
        Some((own[0].0, own[1].0, own[1].1))
    }
    /// No hints for `m` snippet lines.
    pub fn none(m: usize) -> Self {
        Self {
            pairs: Vec::new(),
            ranges: vec![None; m],
            rewrites: vec![None; m],
            shut: Vec::new(),
            new: vec![false; m],
            definitions: Vec::new(),
            named: Vec::new(),
            imports: Vec::new(),
            overloads: false,
            one_body: false,
            semicolons: None,
            indented: false,
        }
    }
}

/// Where a snippet line may stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// First file line.
    pub low: usize,
    /// Last-plus-one file line.
    pub high: usize,
    /// No marker stands between the header and the line: elsewhere is out of the question.
    pub firm: bool,
    /// Each marker between them is deeper than the header.
    pub inside: bool,
}

impl Range {
    /// Of one file line alone.
    pub fn only(line: usize) -> Self {
        Self {
            low: line,
            high: line + 1,
            firm: true,
            inside: true,
        }
    }
}

/// What a pair of headers of the same definition is worth.
pub(crate) const CALLABLE: i16 = 250;

/// What a pair of the last lines of such definitions is worth.
pub(super) const CLOSER: i16 = 120;
