//! How much a grammar may cost. The defaults let every grammar through that people write, and stop the hostile.

/// Bounds on grammars and on the work that they cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text of a grammar or schema.
    pub text_bytes: usize,
    /// Groups within groups, and values within values of a schema.
    pub depth: usize,
    /// Rules, those that groups stand for included.
    pub rules: usize,
    /// Steps of the compiled grammar.
    pub steps: usize,
    /// Memory of one matcher for the states it met. Twice that are allowed within one token.
    pub memory_bytes: usize,
    /// Work for one token, in items of stacks that are looked at; 10 million take in the order of a second.
    pub work: usize,
    /// How many tokens a matcher can take back at least.
    pub rollback: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 256 << 10,
            depth: 200,
            rules: 20_000,
            steps: 1 << 20,
            memory_bytes: 64 << 20,
            work: 4_000_000,
            rollback: 256,
        }
    }
}
