"""The Provident of the sandbox, written from its documentation."""
