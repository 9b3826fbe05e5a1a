//! Strongly connected parts of a graph. No recursion: graphs come from users.

/// The parts, each before those that lead to it.
pub(super) fn parts(n: usize, edges: impl Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
    let mut search =
        Search { order: vec![None; n], low: vec![0; n], on_stack: vec![false; n], ..Search::default() };
    for start in 0..n {
        search.visit(start, &edges);
    }
    search.parts
}

/// The state of Tarjan's algorithm.
#[derive(Default)]
struct Search {
    order: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    parts: Vec<Vec<usize>>,
    n_seen: usize,
}

impl Search {
    fn visit(&mut self, start: usize, edges: &impl Fn(usize) -> Vec<usize>) {
        if self.order[start].is_some() {
            return;
        }
        self.enter(start);
        let mut path = vec![(start, edges(start))];
        while let Some((node, rest)) = path.last_mut() {
            let node = *node;
            match rest.pop() {
                Some(next) => match self.order[next] {
                    None => {
                        self.enter(next);
                        path.push((next, edges(next)));
                    }
                    Some(order) if self.on_stack[next] => self.low[node] = self.low[node].min(order),
                    Some(_) => {}
                },
                None => {
                    path.pop();
                    if let Some(&(parent, _)) = path.last() {
                        self.low[parent] = self.low[parent].min(self.low[node]);
                    }
                    self.leave(node);
                }
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.order[node] = Some(self.n_seen);
        self.low[node] = self.n_seen;
        self.n_seen += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn leave(&mut self, node: usize) {
        if Some(self.low[node]) != self.order[node] {
            return;
        }
        let at = self.stack.iter().rposition(|&other| other == node).expect("a node leaves once");
        let part = self.stack.split_off(at);
        for &member in &part {
            self.on_stack[member] = false;
        }
        self.parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_before_what_leads_to_them() {
        let edges = [vec![1], vec![2, 3], vec![1], vec![4], vec![4], vec![0]];
        let mut found = parts(edges.len(), |node| edges[node].clone());
        for part in &mut found {
            part.sort_unstable();
        }
        assert_eq!(found, [vec![4], vec![3], vec![1, 2], vec![0], vec![5]]);
    }

    #[test]
    fn long_chains_cost_no_stack() {
        let n = 200_000;
        assert_eq!(parts(n, |node| if node + 1 < n { vec![node + 1] } else { vec![] }).len(), n);
    }
}
