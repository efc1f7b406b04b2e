"""An embedded server that behaves as the three vendors do, for trials and tests."""
