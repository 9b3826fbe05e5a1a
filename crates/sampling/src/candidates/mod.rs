//! The tokens that may come next, with their logits. A reusable buffer: after the first token of a vocabulary
//! nothing is allocated. It holds no policy; samplers decide what to drop.

mod select;
#[cfg(test)]
mod tests;

use crate::{Error, TokenId, scan};
use select::Selector;
pub(crate) use select::sort_until;

/// How the candidates lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Candidate `i` is token `i`: nothing was dropped or moved.
    Vocabulary,
    /// Largest logit first.
    Descending,
    /// Neither of these.
    Any,
}

/// Ids and logits of the tokens that may come next, in parallel slices.
///
/// Logits are finite or -infinity, never NaN or +infinity.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// Longer than `len`: from `first_identity` on, element `i` is `i`, so that a row of logits is loaded
    /// without writing ids.
    ids: Vec<TokenId>,
    logits: Vec<f32>,
    probabilities: Vec<f32>,
    first_identity: usize,
    order: Order,
    selected: Option<usize>,
    selector: Selector,
}

impl Default for Candidates {
    fn default() -> Self {
        Self::new()
    }
}

impl Candidates {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            ids: Vec::new(),
            logits: Vec::new(),
            probabilities: Vec::new(),
            first_identity: 0,
            order: Order::Vocabulary,
            selected: None,
            selector: Selector::default(),
        }
    }

    /// Starts over with every token of the vocabulary: `logits[i]` is that of token `i`.
    ///
    /// # Errors
    /// [`Error::BadLogit`] when a logit is NaN or +infinity; the set is empty then.
    pub fn load(&mut self, logits: &[f32]) -> Result<(), Error> {
        self.clear();
        if let Err(error) = self.selector.load(logits, &mut self.logits) {
            self.clear();
            return Err(error);
        }
        let n_moved = self.first_identity.min(self.ids.len());
        for (i, id) in self.ids[..n_moved].iter_mut().enumerate() {
            *id = i as TokenId;
        }
        self.ids.extend(self.ids.len() as TokenId..logits.len() as TokenId);
        self.first_identity = 0;
        Ok(())
    }

    /// Starts over with one token, and selects it.
    pub fn load_single(&mut self, id: TokenId, logit: f32) {
        self.clear();
        self.logits.push(logit);
        self.set_id(0, id);
        self.order = Order::Descending;
        self.probabilities.push(1.0);
        self.selected = Some(0);
    }

    /// Number of candidates.
    pub fn len(&self) -> usize {
        self.logits.len()
    }

    /// Whether there is no candidate.
    pub fn is_empty(&self) -> bool {
        self.logits.is_empty()
    }

    /// Token ids, parallel to [`Self::logits`].
    pub fn ids(&self) -> &[TokenId] {
        &self.ids[..self.len()]
    }

    /// Logits, parallel to [`Self::ids`].
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Probabilities, parallel to [`Self::ids`], that add up to one; empty when nothing computed them since
    /// the last change.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Whether the largest logit comes first.
    pub fn is_sorted(&self) -> bool {
        self.order == Order::Descending
    }

    /// The token that a sampler selected.
    pub fn selected(&self) -> Option<TokenId> {
        self.selected.map(|index| self.ids[index])
    }

    /// Logit of the selected token.
    pub fn selected_logit(&self) -> Option<f32> {
        self.selected.map(|index| self.logits[index])
    }

    /// Selects the candidate at `index`.
    pub fn select(&mut self, index: usize) {
        assert!(index < self.len(), "candidate {index} of {}", self.len());
        self.selected = Some(index);
    }

    /// The largest logit; -infinity when there is none.
    pub fn max_logit(&self) -> f32 {
        match self.order {
            Order::Descending => self.logits.first().copied().unwrap_or(f32::NEG_INFINITY),
            Order::Vocabulary | Order::Any => scan::max(&self.logits),
        }
    }

    /// Index of the largest logit, the first of equals; `None` when every logit is -infinity.
    pub fn argmax(&self) -> Option<usize> {
        self.selector.argmax(&self.logits)
    }

    /// Sets every logit to what `change` makes of its id and value. The order is forgotten.
    pub fn map_logits(&mut self, mut change: impl FnMut(TokenId, f32) -> f32) {
        self.forget_order();
        for (&id, logit) in self.ids.iter().zip(&mut self.logits) {
            *logit = bounded(change(id, *logit));
        }
    }

    /// Sets every logit to what `change` makes of it, where a larger logit stays at least as large: the order
    /// is kept.
    pub fn map_logits_monotone(&mut self, mut change: impl FnMut(f32) -> f32) {
        self.changed();
        for logit in &mut self.logits {
            *logit = bounded(change(*logit));
        }
    }

    /// Changes the logits of some tokens; tokens that are no candidates are passed over.
    ///
    /// `changes` is sorted by token and names each once. Costs the number of changes while the candidates are
    /// the whole vocabulary, and a search for each candidate after that.
    pub fn adjust<T>(&mut self, changes: &[(TokenId, T)], mut change: impl FnMut(&T, f32) -> f32) {
        if changes.is_empty() {
            return;
        }
        if self.order == Order::Vocabulary {
            self.probabilities.clear();
            for (token, value) in changes {
                let at = *token as usize;
                if let Some(logit) = self.logits.get_mut(at) {
                    let before = std::mem::replace(logit, bounded(change(value, *logit)));
                    self.selector.update(&self.logits, at, before);
                }
            }
            return;
        }
        self.map_logits(|id, logit| match changes.binary_search_by_key(&id, |(token, _)| *token) {
            Ok(found) => change(&changes[found].1, logit),
            Err(_) => logit,
        });
    }

    /// Sets the logits of these tokens to -infinity. They stay candidates: what samplers count does not change.
    pub fn rule_out(&mut self, mut is_ruled_out: impl FnMut(TokenId) -> bool) {
        self.forget_order();
        for (&id, logit) in self.ids.iter().zip(&mut self.logits) {
            if is_ruled_out(id) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }

    /// Keeps the candidates that `keep` approves of, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(TokenId, f32) -> bool) {
        let mut n_kept = 0;
        for i in 0..self.len() {
            let (id, logit) = (self.ids[i], self.logits[i]);
            if keep(id, logit) {
                if n_kept < i {
                    self.put(n_kept, id, logit);
                }
                n_kept += 1;
            }
        }
        self.truncate(n_kept);
    }

    /// Keeps the first `n` candidates.
    pub fn truncate(&mut self, n: usize) {
        if n >= self.len() {
            return;
        }
        self.logits.truncate(n);
        self.changed();
        self.selected = None;
        if self.order == Order::Vocabulary {
            self.order = Order::Any;
        }
    }

    /// Drops the first `n` candidates.
    pub fn drop_first(&mut self, n: usize) {
        let n = n.min(self.len());
        for i in n..self.len() {
            self.put(i - n, self.ids[i], self.logits[i]);
        }
        self.truncate(self.len() - n);
    }

    /// Keeps only the candidate at `index`.
    pub fn keep_only(&mut self, index: usize) {
        self.put(0, self.ids[index], self.logits[index]);
        self.truncate(1);
        self.order = Order::Descending;
    }

    /// Keeps the candidates at these indices, in this order.
    pub fn reorder(&mut self, indices: impl ExactSizeIterator<Item = usize>) {
        let n = indices.len();
        let picked = indices.map(|i| (self.ids[i], self.logits[i]));
        self.selector.stage(picked);
        self.take_staged(n, Order::Any);
    }

    /// Sorts by descending logit, then by ascending id.
    pub fn sort(&mut self) {
        self.keep_top(usize::MAX);
    }

    /// Keeps the `n` largest logits, sorted; of equal ones those with the lower id.
    pub fn keep_top(&mut self, n: usize) {
        if self.order == Order::Descending {
            return self.truncate(n);
        }
        let n = n.min(self.len());
        self.selector.top(self.ids.as_slice(), &self.logits, n);
        self.take_staged(n, Order::Descending);
    }

    /// Sorts the shortest prefix of the descending order that `enough` accepts, and drops the rest.
    ///
    /// `enough` sees the logits one by one, largest first, and answers whether to stop with this one. Only
    /// candidates of at least `floor` are looked at, unless they are fewer than `n_min`.
    pub fn keep_top_until(&mut self, n_min: usize, floor: f32, mut enough: impl FnMut(f32) -> bool) {
        if self.order == Order::Descending {
            let n = self.logits.iter().position(|&logit| enough(logit)).map_or(self.len(), |i| i + 1);
            return self.truncate(n);
        }
        let n = self.selector.top_until(self.ids.as_slice(), &self.logits, n_min, floor, enough);
        self.take_staged(n, Order::Descending);
    }

    /// The `n` largest logits in descending order; the candidates stay as they are.
    pub fn top_logits(&mut self, n: usize) -> impl Iterator<Item = f32> {
        let n = n.min(self.len());
        self.selector.top(self.ids.as_slice(), &self.logits, n);
        self.selector.staged(n).map(|(_, logit)| logit)
    }

    /// What turns a logit into its probability among the candidates.
    pub fn distribution(&self) -> Distribution {
        let max = self.max_logit();
        let sum = self.logits.iter().map(|&logit| f64::from(weight(logit, max))).sum();
        Distribution { max, sum }
    }

    /// Computes [`Self::probabilities`] as the softmax of the logits.
    pub fn softmax(&mut self) -> &[f32] {
        let sum = self.exponentials();
        self.normalize(sum);
        &self.probabilities
    }

    /// Draws one candidate in proportion to the exponentials of the logits, where `unit` is in [0, 1), selects it
    /// and computes the probabilities.
    pub(crate) fn draw(&mut self, unit: f64) {
        let sum = self.exponentials();
        let target = unit * sum;
        let mut cumulative = 0.0;
        let reached = |&p: &f32| {
            cumulative += f64::from(p);
            cumulative >= target
        };
        let found = self.probabilities.iter().position(reached).unwrap_or(self.len() - 1);
        self.normalize(sum);
        self.select(found);
    }

    /// Fills `probabilities` with exp(logit - max); returns their sum.
    fn exponentials(&mut self) -> f64 {
        let max = self.max_logit();
        self.probabilities.clear();
        let mut sum = 0.0;
        self.probabilities.extend(self.logits.iter().map(|&logit| {
            let weight = weight(logit, max);
            sum += f64::from(weight);
            weight
        }));
        sum
    }

    fn normalize(&mut self, sum: f64) {
        let scale = sum.recip() as f32;
        self.probabilities.iter_mut().for_each(|p| *p *= scale);
    }

    fn clear(&mut self) {
        self.logits.clear();
        self.changed();
        self.selected = None;
        self.order = Order::Vocabulary;
    }

    /// Forgets what was computed from the logits.
    fn changed(&mut self) {
        self.probabilities.clear();
        self.selector.forget();
    }

    fn forget_order(&mut self) {
        self.changed();
        if self.order == Order::Descending {
            self.order = Order::Any;
        }
    }

    /// For callers that truncate afterwards.
    fn put(&mut self, index: usize, id: TokenId, logit: f32) {
        self.set_id(index, id);
        self.logits[index] = logit;
    }

    fn set_id(&mut self, index: usize, id: TokenId) {
        if index == self.ids.len() {
            self.ids.push(id);
        }
        self.ids[index] = id;
        self.first_identity = self.first_identity.max(index + 1);
    }

    fn take_staged(&mut self, n: usize, order: Order) {
        self.logits.truncate(n);
        self.changed();
        self.selected = None;
        self.first_identity = self.first_identity.max(n);
        for (i, (id, logit)) in self.selector.staged(n).enumerate() {
            self.ids[i] = id;
            self.logits[i] = logit;
        }
        self.order = order;
    }
}

/// Softmax of one set of logits, without storing it.
#[derive(Debug, Clone, Copy)]
pub struct Distribution {
    /// The largest logit.
    pub max: f32,
    /// Sum of exp(logit - max).
    pub sum: f64,
}

impl Distribution {
    /// Probability of a candidate with this logit.
    pub fn probability(&self, logit: f32) -> f32 {
        (f64::from(weight(logit, self.max)) / self.sum) as f32
    }
}

/// exp(logit - max); one where they are equal, so that a set of nothing but -infinity is uniform, not NaN.
fn weight(logit: f32, max: f32) -> f32 {
    // Below this the result is zero in f32, and the call is spared.
    const LOWEST: f32 = -104.0;
    let x = logit - max;
    if x < LOWEST {
        0.0
    } else if logit == max {
        1.0
    } else {
        x.exp()
    }
}

/// Keeps the promise that no logit is NaN or +infinity, whatever a sampler's arithmetic overflowed to.
fn bounded(logit: f32) -> f32 {
    if logit.is_nan() { f32::NEG_INFINITY } else { logit.min(f32::MAX) }
}
