"""The guards: each rule by which a change is refused, and what refuses it."""
