"""The SailPoint Identity Security Cloud of the sandbox, written from its documentation."""
