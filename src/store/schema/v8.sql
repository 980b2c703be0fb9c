-- No question goes by the kind of a change, so each change is spared an entry here.
DROP INDEX change_by_subject;
