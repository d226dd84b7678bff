//! The orders in which things may have happened.

/// All orders of so many things.
pub fn permutations(of: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for next in 0..of {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, next);
                    longer
                })
            })
            .collect();
    }
    orders
}

/// All ways to cut an order into transactions; in one piece first.
pub fn cuts(order: &[usize]) -> Vec<Vec<&[usize]>> {
    let mut ways = vec![vec![order]];
    for end in 1..order.len() {
        for mut rest in cuts(&order[end..]) {
            rest.insert(0, &order[..end]);
            ways.push(rest);
        }
    }
    ways
}
