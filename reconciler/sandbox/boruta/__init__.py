"""The Boruta of the sandbox, written from its documentation and recorded answers."""
