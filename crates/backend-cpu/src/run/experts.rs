//! Sorts the rows of a step by the experts they chose, once for all products that follow: each expert then reads its
//! weights once, and experts nobody chose are no work at all.
#![expect(unsafe_code, reason = "operands are parts of shared arenas")]

use crate::executor::Run;
use crate::tasks::GroupTask;
use crate::value::{Value, as_i32};

/// Which rows chose which expert.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    /// Integers: how many experts were chosen; these experts; for each of all experts where its choices start, and
    /// where the last one's end.
    pub(crate) index: Value,
    /// A choice is a row times the choices of a row plus its number among them, sorted by expert.
    pub(crate) choices: Value,
}

impl Groups {
    /// Elements of the index.
    pub(crate) fn index_len(n_expert: usize) -> usize {
        2 * n_expert + 2
    }

    /// The experts that were chosen.
    ///
    /// # Safety
    /// The grouping is done.
    pub(crate) unsafe fn chosen<'a>(&self, run: &'a Run<'_>) -> &'a [i32] {
        // SAFETY: the caller's promise.
        let index = as_i32(unsafe { run.row(&self.index, 0) }.data);
        &index[1..1 + index[0] as usize]
    }

    /// Row and number of each choice of an expert.
    ///
    /// # Safety
    /// The grouping is done.
    pub(crate) unsafe fn choices<'a>(
        &self,
        run: &'a Run<'_>,
        expert: usize,
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let n_used = self.choices.row_len();
        // SAFETY: the caller's promise.
        let (index, choices) =
            unsafe { (as_i32(run.row(&self.index, 0).data), as_i32(run.all(&self.choices))) };
        let starts = &index[index.len() / 2..];
        let range = starts[expert] as usize..starts[expert + 1] as usize;
        choices[range].iter().map(move |&c| (c as usize / n_used, c as usize % n_used))
    }
}

/// Counts the choices of each expert, then puts them in place.
///
/// # Safety
/// The ids are done; index and choices belong to the caller.
pub(crate) unsafe fn group(task: &GroupTask, run: &Run<'_>) {
    let (n_rows, n_used) = (run.n_rows(task.ids.rows), task.ids.row_len());
    // SAFETY: the caller's promise.
    let (index, choices) = unsafe {
        let choices = run.part_mut(&task.groups.choices, 0, 0, n_rows * n_used);
        (run.row_mut(&task.groups.index, 0), choices)
    };
    let index: &mut [i32] = bytemuck::cast_slice_mut(index);
    let choices: &mut [i32] = bytemuck::cast_slice_mut(choices);
    let (chosen, starts) = index.split_at_mut(index.len() / 2);
    // SAFETY: the caller's promise.
    let ids = |row: usize| as_i32(unsafe { run.row(&task.ids, row) }.data);
    starts.fill(0);
    for row in 0..n_rows {
        ids(row).iter().for_each(|&id| starts[id as usize + 1] += 1);
    }
    let mut n_chosen = 0;
    for expert in 0..starts.len() - 1 {
        if starts[expert + 1] > 0 {
            n_chosen += 1;
            chosen[n_chosen] = expert as i32;
        }
        starts[expert + 1] += starts[expert];
    }
    chosen[0] = n_chosen as i32;
    // Each start moves to its end, which is the next one's start: then all are moved back by one.
    for row in 0..n_rows {
        for (used, &id) in ids(row).iter().enumerate() {
            let at = &mut starts[id as usize];
            choices[*at as usize] = (row * n_used + used) as i32;
            *at += 1;
        }
    }
    starts.copy_within(..starts.len() - 1, 1);
    starts[0] = 0;
}
