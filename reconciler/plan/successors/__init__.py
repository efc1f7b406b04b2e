"""Clients that stand in for others: how long a predecessor lives on, and a rotation by a replace."""
