"""Provident, played from its documentation."""
