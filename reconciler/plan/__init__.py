"""Desired, live and recorded state to a plan and its requests; pure."""
