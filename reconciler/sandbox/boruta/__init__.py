"""Boruta, played from its documentation."""
