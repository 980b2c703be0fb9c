//! What is told to be lost.

use super::{assert_honest, file, overwrite, pages_of, repaired, rows, state, told};

#[test]
fn a_row_that_is_lost_with_others_is_told_once() {
    let folder = state();
    let before = rows(&file(folder.path()));
    let decisions = pages_of(folder.path(), "decision")[1];
    for page in pages_of(folder.path(), "decision_patch").into_iter().chain([decisions]) {
        overwrite(folder.path(), page, b"\xa5");
    }
    let report = repaired(folder.path());
    assert_honest(&report, &before, &rows(&file(folder.path())));
    assert_eq!(told(&report)["decision"], Some(400));
}
