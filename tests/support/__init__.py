"""What the tests share: values in one line each, fleets, servers that misbehave, places to keep things."""
