"""Servers, seen and changed over HTTP."""
